"""Encoding what was stored: the queue is drained in small transactions, in a thread or at once.

The queue is in the store (`memd.store.vectors`): a passage leaves it in the same transaction that stores
its vectors, so a process may die anywhere and another, or the next, goes on.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memd.errors import MemdError, StoreUnusable
from memd.store import vectors
from memd.store.vectors import Waiting
from memd.worker import Worker

if TYPE_CHECKING:
    from pysqlite3 import dbapi2 as sqlite3

    from memd.encoder import Encoder, Encoding
    from memd.store import Store

log = logging.getLogger(__name__)

BATCH = 64  # passages a transaction
FROM_THE_OLD_END = 16  # of these, so that a stream of new memories doesn't starve the backlog
SLICE = 16  # passages between two looks at whether somebody waits for an answer
YIELD_S = 0.5  # the longest wait for recalls before a slice is encoded all the same
LATELY_S = 10.0  # after a recall others are likely for so long
STAND_BACK_S = 2.5  # so that of recalls that come ten a second fewer than one in twenty has to catch up
POLL_S = 2.0  # how soon passages written by another process are seen
RETRY_S = 5.0  # after the store refused a write (full, locked)


class Drain:
    """Takes passages off one store's queue with one encoder. For one thread at a time.

    Args:
        store: where the queue is.
        encoder: what encodes.
        pause: called before each slice; may wait.
    """

    def __init__(self, store: Store, encoder: Encoder, pause: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self.encoder = encoder
        self._pause = pause
        self._text: tuple[int, str] | None = None  # the memory read last: a long one has many batches
        self._refused: set[int] = set()
        with store.writing() as db:
            self._row = vectors.adopt(db, encoder.fingerprint, encoder.dimension)

    def step(self, only: Sequence[int] | None = None) -> int:
        """Encode one batch and return how many passages were taken; 0 when nothing waits.

        Args:
            only: keep to passages of these memories (by seq); None takes the head of the queue.
        """
        with self._store.reading() as db:
            if vectors.current(db) != self._row:
                return 0  # another process made another encoder the current one
            if only is None:
                batch = vectors.waiting(db, BATCH - FROM_THE_OLD_END, FROM_THE_OLD_END, tuple(self._refused))
            else:
                batch = [row for row in vectors.waiting_of(db, only, BATCH) if row.passage not in self._refused]
            texts = self._texts(db, batch)
        if not batch:
            self._text = None
            return 0
        order = sorted(range(len(batch)), key=lambda i: -len(texts[i]))
        encoded: list[tuple[Waiting, Encoding]] = []
        for begin in range(0, len(order), SLICE):
            self._pause()
            part = order[begin : begin + SLICE]
            encoded += self._encode([batch[i] for i in part], [texts[i] for i in part])
        with self._store.writing() as db:
            vectors.put(db, self._row, encoded)
        return len(batch)

    @property
    def refused(self) -> int:
        """How many passages the encoder failed at."""
        return len(self._refused)

    def is_current(self) -> bool:
        """Whether the store still takes this encoder's vectors."""
        with self._store.reading() as db:
            return vectors.current(db) == self._row

    def _texts(self, db: sqlite3.Connection, batch: Sequence[Waiting]) -> list[str]:
        texts = []
        for row in batch:
            if self._text is None or self._text[0] != row.memory:
                self._text = row.memory, vectors.text_of(db, row.memory)
            texts.append(self._text[1][row.start : row.stop])
        return texts

    def _encode(self, batch: list[Waiting], texts: list[str]) -> list[tuple[Waiting, Encoding]]:
        """Encode a slice; a passage at which the encoder fails is left out, and not tried again by this process."""
        try:
            encoded = zip(batch, texts, self.encoder.encode(texts), strict=True)
            return [(row, encoding.without_marks(text)) for row, text, encoding in encoded]
        except Exception as error:  # onnxruntime's and tokenizers' have no common base
            if len(batch) == 1:
                log.error("passage %d can't be encoded: %s", batch[0].passage, error)
                self._refused.add(batch[0].passage)
                return []
            return [pair for row, text in zip(batch, texts, strict=True) for pair in self._encode([row], [text])]


class EncodingWorker(Worker):
    """A thread that keeps the queue empty, newest first, and steps back while a recall runs.

    Args:
        store: where the queue is; must stay open until `stop` returned.
        load: gives the encoder to use now, or None when there is none. Called in the thread, before every batch.
        insist: make the encoder the store's own again where another process has put another in its place. For
            one that was chosen for the data folder, not for this process alone: two that insist would go on for ever.
    """

    def __init__(self, store: Store, load: Callable[[], Encoder | None], insist: bool = True) -> None:
        super().__init__("encoding")
        self._store = store
        self._load = load
        self._insist = insist
        self._recalls = 0
        self._recalled_at = -math.inf
        self._steps = 0
        self.trouble = ""
        self.refused = 0

    @property
    def recalling(self) -> bool:
        """Whether somebody waits for an answer just now."""
        return self._recalls > 0

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Encode nothing new while the block runs (or for `YIELD_S` at most, so that the queue moves on)."""
        with self._state:
            self._recalls += 1
        try:
            yield
        finally:
            with self._state:
                self._recalls -= 1
                self._recalled_at = time.monotonic()
                self._state.notify_all()

    def let_recalls_go_first(self) -> None:
        """Wait until no recall runs, `YIELD_S` at most."""
        with self._state:
            self._state.wait_for(lambda: not self._recalls or self._stopping, YIELD_S)

    def stand_back_for_recalls(self) -> None:
        """Wait as `let_recalls_go_first`, and where a recall ran lately for `STAND_BACK_S`: others are to come.

        For what can wait, and whose every step costs the next recall some catching up.
        """
        self.let_recalls_go_first()
        with self._state:
            if time.monotonic() - self._recalled_at < LATELY_S:
                self._state.wait_for(lambda: self._stopping, STAND_BACK_S)

    def wait_begun(self, timeout: float) -> None:
        """Wait until the thread made its encoder the store's own and looked at the queue, or found that it can't."""
        with self._state:
            self._state.wait_for(lambda: self._steps or self._ended, timeout)

    def wait_step(self, timeout: float) -> None:
        """Wait until the thread finished a batch, at most `timeout` seconds."""
        with self._state:
            seen = self._steps
            self._state.wait_for(lambda: self._steps != seen or self._stopping or self._ended, timeout)

    def _work(self) -> None:
        drain: Drain | None = None
        while not self._stopping:
            try:
                drain = self._drain(drain)
                taken = drain.step() if drain else 0
                self.refused = drain.refused if drain else 0
                self.trouble = ""
            except _Stopped:
                return
            except StoreUnusable as error:
                self._fail(error)
                continue
            except Exception:
                log.exception("encoding stopped short; it goes on in %g s", RETRY_S)
                self.trouble = "New texts can't be encoded at present; 'memd daemon logs' says why."
                self._rest(RETRY_S)
                continue
            with self._state:
                self._steps += 1
                self._state.notify_all()
            self._await_nudge(0 if taken else POLL_S)

    def _drain(self, drain: Drain | None) -> Drain | None:
        """The same one as long as its encoder is in use and the store's own; None while there is no encoder."""
        encoder = self._load()
        if encoder is None:
            return None
        if drain is None or drain.encoder is not encoder or (self._insist and not drain.is_current()):
            return Drain(self._store, encoder, self._pause)
        return drain

    def _fail(self, error: MemdError) -> None:
        log.warning("encoding waits: %s", error.message)
        self.trouble = error.message
        self._rest(RETRY_S)

    def _pause(self) -> None:
        deadline = time.monotonic() + YIELD_S
        with self._state:
            while self._recalls and not self._stopping and (left := deadline - time.monotonic()) > 0:
                self._state.wait(left)
            if self._stopping:
                raise _Stopped


class _Stopped(Exception):
    """The worker was told to stop between two slices."""
