"""`Keeper`: the verbs of the lifecycle over an open store. `Memory.lifecycle` is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pysqlite3 import dbapi2 as sqlite3

from memd.clock import Clock, to_ms
from memd.errors import BadInput
from memd.lifecycle import census, forecast, maintenance, record, vitality
from memd.lifecycle.maintenance import Pass
from memd.model import LifecycleStatus, Maintenance, Vitality
from memd.store import Store, forecasts, gists, memories, uses
from memd.store.uses import NewUse
from memd.store.validation import check_time


class Keeper:
    """Uses, pins, how alive memories are, and the maintenance pass.

    Args:
        store: the open store.
        clock: tells the time, where a verb isn't told another.
        pause: called by a pass between its transactions; may wait, so that recalls go first.
        queued: told memories (by seq) that have joined the encoding queue, once that is durable.
    """

    def __init__(
        self, store: Store, clock: Clock, pause: Callable[[], None], queued: Callable[[Sequence[int]], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._pause = pause
        self._queued = queued

    def use(
        self,
        ids: Sequence[str],
        *,
        verdict: str = "useful",
        who: str = "",
        via: str = "api",
        session: str = "",
        recall: str = "",
    ) -> list[Vitality]:
        """Note that memories helped, or with the verdict `"useless"` that they didn't; return how alive they now are.

        Args:
            ids: ids or prefixes; each memory counts once.
            verdict: `"useful"`, `"cited"`, `"restated"` or `"useless"`.
            who, via, session, recall: who says so, through which door, in which session, after which recall.

        Raises:
            BadInput: the verdict is another.
            NotFound, Ambiguous: for any of the ids. Nothing is noted then.
        """
        if verdict not in uses.VERDICTS:
            raise BadInput(f"A use can't be {verdict!r}.", f"It is {', '.join(uses.VERDICTS)}.")
        now = to_ms(self._clock())
        with self._store.writing() as db:
            seqs = memories.resolve_all(db, ids)
            record.use(db, [NewUse(seq, now, verdict, who, via, session, recall) for seq in seqs], now)
            found = self._vitality(db, seqs, now)
        self._queued(seqs)
        return found

    def pin(self, ids: Sequence[str], *, pinned: bool = True) -> list[Vitality]:
        """Keep memories from fading, or with `pinned` false let them fade again; return how alive they now are.

        Raises:
            NotFound, Ambiguous: for any of the ids. Nothing is changed then.
        """
        now = to_ms(self._clock())
        with self._store.writing() as db:
            seqs = memories.resolve_all(db, ids)
            record.pin(db, seqs, now, pinned=pinned)
            found = self._vitality(db, seqs, now)
        self._queued(seqs)
        return found

    def vitality(self, ids: Sequence[str], *, now: datetime | None = None) -> list[Vitality]:
        """How alive memories are, at `now`.

        Raises:
            NotFound, Ambiguous: for any of the ids.
        """
        with self._store.reading() as db:
            return self._vitality(db, memories.resolve_all(db, ids), self._ms(now))

    def status(self, *, now: datetime | None = None) -> LifecycleStatus:
        """How alive the living memories are as a whole, and what the next pass has to do. O(memories)."""
        now_ms = self._ms(now)
        with self._store.reading() as db:
            return census.take(db, now_ms, _correction(db), maintenance.last(db))

    def run(
        self,
        *,
        now: datetime | None = None,
        dry_run: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Maintenance:
        """Do a maintenance pass; return what it did.

        Args:
            now: the time to take as now, earlier or later.
            dry_run: change nothing, return what would be done.
            stopped: asked between transactions; the pass ends early when it says so, and the next goes on.

        Raises:
            BadInput: `now` isn't a time.
            StoreUnusable: the store can't be written; what was done until then stays.
        """
        work = Pass(self._store, self._ms(now), self._pause, stopped)
        return work.preview() if dry_run else work.run()

    def waits(self) -> bool:
        """Whether a pass would have something to do. O(1) but for what waits to be encoded."""
        now = to_ms(self._clock())
        year_ago = now - maintenance.KEPT_DAYS * vitality.DAY_MS
        with self._store.reading() as db:
            return (
                bool(uses.due(db, now, 1))
                or uses.any_before(db, year_ago)
                or maintenance.has_room(db)
                or bool(gists.waiting(db, 1))
                or bool(gists.broken(db, 1))
            )

    def _ms(self, now: datetime | None) -> int:
        check_time(now, "now")
        return to_ms(self._clock() if now is None else now)

    def _vitality(self, db: sqlite3.Connection, seqs: Sequence[int], now_ms: int) -> list[Vitality]:
        correction = _correction(db)
        histories = uses.history(db, seqs)
        ids = memories.ids_of(db, seqs)
        return [
            vitality.vitality(ids[life.memory], life, histories[life.memory], now_ms, correction)
            for life in uses.lives(db, seqs)
        ]


def _correction(db: sqlite3.Connection) -> float:
    return forecast.correction(*forecasts.record(db))
