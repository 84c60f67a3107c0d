"""The encoding queue of an open store, and who empties it: a thread, whoever wrote, or another process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Literal

from memd.encoding import Drain, EncodingWorker
from memd.loading import Models
from memd.store import Store, vectors

if TYPE_CHECKING:
    from memd.encoder import Encoder

Encode = Literal["background", "inline", "off"]

WAIT_SLICE_S = 0.2


class EncodingQueue:
    """The passages that wait for their vectors. The thread, where there is one, begins at once.

    Args:
        store: where the queue is; must stay open until `stop` returned.
        models: gives the encoder to use.
        encode: when vectors are made: in a `"background"` thread, `"inline"` by whoever wrote, or `"off"`.
    """

    def __init__(self, store: Store, models: Models, encode: Encode) -> None:
        self._store = store
        self._models = models
        self._inline = encode == "inline"
        self.draining = threading.Lock()
        """Held while somebody else than the thread encodes."""
        self._worker: EncodingWorker | None = None
        if encode == "background":
            self._worker = EncodingWorker(store, models.encoder, insist=not models.is_overridden)
            self._worker.start()

    def stop(self) -> None:
        """End the thread after the batch in hand. What still waits stays in the queue."""
        if self._worker:
            self._worker.stop()

    @property
    def trouble(self) -> str:
        """In words, why the thread can't go on at present; empty when it can."""
        return self._worker.trouble if self._worker else ""

    @property
    def refused(self) -> str:
        """In words, that the encoder failed at some passages; empty when it didn't."""
        count = self._refusals
        return f"The encoder fails at {count} passages, which are found by words alone; see the log." if count else ""

    @property
    def _refusals(self) -> int:
        return self._worker.refused if self._worker else 0

    @property
    def recalling(self) -> bool:
        """Whether somebody waits for an answer just now."""
        return self._worker.recalling if self._worker else False

    def giving_way(self) -> AbstractContextManager[None]:
        """Let the thread step back while the block runs. As `EncodingWorker.giving_way`."""
        return self._worker.giving_way() if self._worker else nullcontext()

    def stand_back_for_recalls(self) -> None:
        """Wait until recalls are done. As `EncodingWorker.stand_back_for_recalls`."""
        if self._worker:
            self._worker.stand_back_for_recalls()

    def nudge(self) -> None:
        """Tell the thread that something may wait."""
        if self._worker:
            self._worker.nudge()

    def take_up(self, seqs: Sequence[int]) -> None:
        """See to passages of these memories, which are durable: now where vectors are made inline."""
        self.nudge()
        if self._inline and seqs and (encoder := self._models.encoder()):
            with self.draining:
                drain = Drain(self._store, encoder)
                while drain.step(only=seqs):
                    pass

    def pending(self) -> int:
        """How many passages wait for their vectors."""
        with self._store.reading() as db:
            return vectors.pending(db)

    def encode_all(self, encoder: Encoder, progress: Callable[[int, int], None] | None = None) -> int:
        """Encode all that waits, here and now; return how many passages that were.

        Args:
            encoder: what encodes.
            progress: called after each batch with passages done and passages to do.
        """
        with self.draining:
            drain = Drain(self._store, encoder)
            done, total = 0, self.pending()
            while taken := drain.step():
                done += taken
                if progress:
                    progress(done, max(total, done))
        return done

    def wait(self, timeout: float) -> bool:
        """Wait until no passage waits for its vectors, at most `timeout` seconds; whether that came true.

        Returns at once when this process has no encoder to do it with.
        """
        deadline = time.monotonic() + timeout
        if self._worker:
            self._worker.wait_begun(timeout)  # until then the queue may be that of the encoder before
        while self.pending() > self._refusals:
            left = deadline - time.monotonic()
            if left <= 0 or self._models.why_no_encoder:
                return False
            if self._worker and self._worker.alive:
                self._worker.wait_step(min(left, WAIT_SLICE_S))
            else:
                time.sleep(min(left, WAIT_SLICE_S))
        return True
