"""A query's way through recall: by the encoder in use, as things stood then, within the budget that it names."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from memd.clock import Clock, to_ms
from memd.loading import Models
from memd.model import Query, Recollection
from memd.queueing import EncodingQueue
from memd.store import Store, past
from memd.store.validation import check_query, plain_scope

if TYPE_CHECKING:
    from memd.encoder import Encoder
    from memd.recall.recaller import Recaller


class Answerer:
    """Answers queries of an open store. Safe for many threads.

    Args:
        store: the open store.
        models: the encoder in use; another one has a recaller of its own.
        queue: whose thread steps back while a recall runs.
        clock: tells the time.
    """

    def __init__(self, store: Store, models: Models, queue: EncodingQueue, clock: Clock) -> None:
        self._store = store
        self._models = models
        self._queue = queue
        self._clock = clock
        self._recaller: Recaller | None = None
        self._recalls_by: tuple[Encoder | None, str] = None, ""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the recaller's threads."""
        if self._recaller:
            self._recaller.close()

    def answer(self, query: Query) -> Recollection:
        """Answer a query. As `Memory.ask`."""
        check_query(query)
        if query.scope != (scope := plain_scope(query.scope)):
            query = msgspec.structs.replace(query, scope=scope)
        if query.as_of is not None and query.now is None:
            query = msgspec.structs.replace(query, now=query.as_of)
        recaller = self._ready_recaller()
        with self._queue.giving_way():
            answer = recaller.recall(query)
        if query.as_of is not None:
            answer = self._as_then(answer, query.as_of)
        if query.gists or query.budget is not None:
            answer = self._briefly(answer, query)
        if trouble := self._queue.trouble:  # why passages wait, and will go on waiting
            answer = msgspec.structs.replace(answer, degraded=(*answer.degraded, trouble))
        return answer

    def _as_then(self, answer: Recollection, as_of: datetime) -> Recollection:
        """The hits' memories as they stood then. In a snapshot of its own: what was by then doesn't change."""
        with self._store.reading() as db:
            known = past.as_then(db, past.read(db, to_ms(as_of)), [hit.memory for hit in answer.hits])
        hits = [msgspec.structs.replace(hit, memory=memory) for hit, memory in zip(answer.hits, known, strict=True)]
        return msgspec.structs.replace(answer, hits=tuple(hits))

    def _briefly(self, answer: Recollection, query: Query) -> Recollection:
        """The answer with gists for what they stand for, and within the budget, as the query asks."""
        from memd.gists import standing

        hits = answer.hits
        if standing.fits(query):
            with self._store.reading() as db:
                hits = standing.stand_in(db, hits)
        if query.budget is not None:
            hits = standing.within(hits, query.budget, self._models.count_tokens)
        return msgspec.structs.replace(answer, hits=hits)

    def _ready_recaller(self) -> Recaller:
        with self._lock:
            by = self._models.encoder(), self._models.why_no_encoder
            if self._recaller is None or self._recalls_by != by:
                from memd.recall.recaller import Recaller

                # The one before answers what it was asked; it ends with the last who holds it.
                self._recaller, self._recalls_by = Recaller(self._store, *by, clock=self._clock), by
            return self._recaller
