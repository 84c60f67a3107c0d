"""Which encoder a store has its vectors of, and the switch to another one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from memd.errors import Conflict, MemdError
from memd.loading import Models
from memd.model import EncoderInfo
from memd.queueing import EncodingQueue
from memd.store import Store, journal, vectors


class EncoderSwitch:
    """The encoder of an open store: what it is, another in its place, its vectors anew. Safe for many threads.

    Args:
        store: the open store.
        models: the encoder in use.
        queue: told when passages join it.
        now_ms: tells the time.
    """

    def __init__(self, store: Store, models: Models, queue: EncodingQueue, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._models = models
        self._queue = queue
        self._now_ms = now_ms
        self._lock = threading.Lock()

    def info(self) -> EncoderInfo:
        """Which encoder is in use, and how far the store has its vectors. O(passages).

        Raises:
            EncoderUnavailable: there is none to use.
        """
        encoder = self._models.need()
        name, chosen_by, files = self._models.described()
        with self._store.reading() as db:
            encoded, passages = vectors.encoded(db, encoder.fingerprint)
        return EncoderInfo(
            name=name,
            chosen_by=chosen_by,
            model=encoder.name,
            fingerprint=encoder.fingerprint,
            dimension=encoder.dimension,
            tokens=encoder.has_tokens,
            max_tokens=encoder.max_tokens,
            bytes=files.size,
            folder=str(files.graph.parent),
            passages=passages,
            encoded=encoded,
            pending=passages - encoded,
        )

    def use(self, name: str) -> None:
        """Put the encoder of this name to use. It is chosen before the store adopts it: a switch cut short goes on.

        Raises:
            NotFound, EncoderUnavailable, Conflict, StoreUnusable: as for `Memory.use_encoder`; the one in use stays.
        """
        with self._lock:
            if self._models.is_overridden:
                raise Conflict(
                    "MEMD_ENCODER names the encoder of the process that holds the store.",
                    "Unset it, then: memd daemon restart",
                )
            library = self._models.library
            encoder, before = library.load(name), library.chosen()
            library.choose(name)
            self._models.install(name, encoder)
            try:
                with self._store.writing() as db:
                    vectors.adopt(db, encoder.fingerprint, encoder.dimension)
                    journal.append(db, self._now_ms(), [("encoder", None, {"fingerprint": encoder.fingerprint})])
            except MemdError:
                library.choose(before)
                raise
        self._queue.nudge()

    def reindex(self, *, every: bool) -> None:
        """Put every passage without the current encoder's vector into the queue; with `every` the others too.

        Raises:
            EncoderUnavailable: there is none to make them.
        """
        encoder = self._models.need()
        with self._store.writing() as db:
            vectors.adopt(db, encoder.fingerprint, encoder.dimension)
            if every:
                vectors.requeue_all(db)
            journal.append(db, self._now_ms(), [("reindex", None, {"every": every})])
        self._queue.nudge()
