"""The maintenance pass: the store put in step with the time, in small transactions.

What is still to do stands in the store (`life.due`, rows of `use` that are a year old, free pages), so a pass may be
stopped or killed between any two transactions, and the next goes on where it was.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.lifecycle import forecast, vitality
from memd.lifecycle.vitality import DAY_MS
from memd.model import Maintenance, Move
from memd.store import Store, forecasts, gists, journal, meta, space, uses, vectors
from memd.store.forecasts import Forecast
from memd.store.uses import Life

if TYPE_CHECKING:
    from memd.gists.making import Gister

BATCH = 2_000  # memories a transaction
BESIDE_RECALLS = 500  # the same, while recalls run
NOTICED_S = 0.001  # a pause longer than that was for a recall
FOLD_BATCH = 2_000  # uses a transaction
VACUUM_BATCH = 500  # pages a transaction
SPARE_PAGES = 256  # free pages that are left for what is written next
# Free pages at which some are given back before more memories are moved: for each page that it cuts off, SQLite looks
# through the list of free ones, so in the end they would cost the square of their number.
MANY_PAGES = 8_000
GISTED = 500  # memories that one pass looks at for gists, about; the next goes on
KEPT_DAYS = 365  # after which a use is folded
LAST = "lifecycle.last"  # the report of the last pass, in meta


class Pass:
    """One maintenance pass over a store.

    Args:
        store: what it looks after.
        now_ms: the time it takes as now.
        pause: called between transactions; may wait.
        stopped: asked between transactions; the pass ends early when it says so.
    """

    def __init__(
        self,
        store: Store,
        now_ms: int,
        pause: Callable[[], None] = lambda: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._now = now_ms
        self._pause = pause
        self._stopped = stopped
        self._batch = min(BATCH, BESIDE_RECALLS)
        self._looked = self._folded = self._freed = 0
        self._moved: Counter[tuple[int, int]] = Counter()
        self._gisted = 0

    def run(self) -> Maintenance:
        """Do all that is due, and return what that was; it is kept as the store's last pass if it was anything."""
        began = time.perf_counter()
        steps = (self._settle, self._foretell, self._fold, self._vacuum, self._sweep, self._gist)
        finished = all(self._through(step) for step in steps)
        report = self._report(began, finished=finished)
        if report.looked or report.folded or report.freed or report.gists:
            with self._store.writing() as db:
                meta.put(db, LAST, msgspec.json.encode(report).decode())
                moved = sum(move.memories for move in report.moved)
                journal.append(db, self._now, [("maintain", None, {"moved": moved, "folded": report.folded})])
        return report

    def preview(self) -> Maintenance:
        """What `run` would do; nothing is changed."""
        began = time.perf_counter()
        with self._store.reading() as db:
            for life in uses.all_due(db, self._now):
                self._count(life, _settled(db, [life], self._now)[0])
            self._folded = uses.count_before(db, self._now - KEPT_DAYS * DAY_MS)
        return self._report(began, dry_run=True)

    def _through(self, step: Callable[[], bool]) -> bool:
        """Repeat a step until it has nothing left to do; False when told to stop before that."""
        while not self._stopped():
            if not step():
                return True  # what is done in one step waits for nobody
            began = time.perf_counter()
            self._pause()
            recalls = time.perf_counter() - began > NOTICED_S
            self._batch = min(BATCH, BESIDE_RECALLS) if recalls else BATCH
        return False

    def _settle(self) -> bool:
        """Move the next memories that are due to their tier, and say when they are due again."""
        with self._store.reading() as db:  # a look costs no lock where there is nothing to do
            if not uses.due(db, self._now, 1):
                return False
        size = self._batch
        with self._store.writing() as db:
            before = uses.due(db, self._now, size)
            after = _settled(db, before, self._now)
            for bits in {life.tier for life in after}:
                moved = [new.memory for old, new in zip(before, after, strict=True) if old.tier != bits == new.tier]
                if moved:
                    vectors.requantize(db, moved, bits)
            uses.put(db, after)
            room = space.free_pages(db)
        for old, new in zip(before, after, strict=True):
            self._count(old, new)
        if room > MANY_PAGES:
            self._through(self._vacuum)
        return len(before) == size

    def _foretell(self) -> bool:
        """Every 30 days, once uses are told to this store: see what came of the last forecast, make the next."""
        with self._store.reading() as db:
            last = forecasts.last(db)
            window = round(forecast.WINDOW * DAY_MS)
            if self._now < last.at + window if last else not forecasts.any_use(db):
                return False
            memories, expected = self._expected(db)
        with self._store.writing() as db:
            if last:
                forecasts.close(db, last, last.at + window)
            forecasts.open_(db, Forecast(self._now, memories, expected, None))
        return False

    def _expected(self, db: sqlite3.Connection) -> tuple[int, float]:
        """How many living memories there are, and how many of them are likely to be needed, by the formula alone."""
        memories, expected = 0, 0.0
        for number, life in enumerate(uses.living(db)):
            if number % BATCH == 0:
                self._pause()
            if life.stability is not None:
                age = 0 if life.pinned else max(0, self._now - vitality.last_use(life))
                expected += forecast.needed(age / DAY_MS / life.stability)
                memories += 1
        return memories, expected

    def _fold(self) -> bool:
        """Pack uses that are over a year old."""
        before = self._now - KEPT_DAYS * DAY_MS
        with self._store.reading() as db:
            if not uses.count_before(db, before):
                return False
        with self._store.writing() as db:
            folded = uses.fold(db, before, FOLD_BATCH)
        self._folded += folded
        return folded == FOLD_BATCH

    def _vacuum(self) -> bool:
        """Give free pages back."""
        with self._store.reading() as db:
            if not has_room(db):
                return False
        with self._store.writing() as db:
            free = space.free_pages(db)
            left = vectors.give_back(db, max(1, min(VACUUM_BATCH, free - SPARE_PAGES)))
            self._freed += (free - left) * space.page_size(db)
        return SPARE_PAGES < left < free

    @cached_property
    def _gister(self) -> Gister:
        from memd.gists.making import Gister  # it takes NumPy, which most of what is asked of a store doesn't

        return Gister(self._store, lambda: self._now)

    def _sweep(self) -> bool:
        """Drop gists that lost a member."""
        with self._store.reading() as db:
            if not gists.broken(db, 1):
                return False
        return bool(self._gister.sweep())

    def _gist(self) -> bool:
        """Look at the next memories for gists."""
        with self._store.reading() as db:
            if not gists.waiting(db, 1):
                return False
        looked = self._gister.step()
        self._gisted += looked
        return bool(looked) and self._gisted < GISTED

    def _count(self, old: Life, new: Life) -> None:
        self._looked += 1
        if old.tier != new.tier:
            self._moved[old.tier, new.tier] += 1

    def _report(self, began: float, *, finished: bool = True, dry_run: bool = False) -> Maintenance:
        return Maintenance(
            at=from_ms(self._now),
            dry_run=dry_run,
            looked=self._looked,
            moved=tuple(
                Move(vitality.name(before), vitality.name(after), count)
                for (before, after), count in sorted(self._moved.items(), reverse=True)
            ),
            folded=self._folded,
            freed=self._freed,
            gists=self._gister.made if "_gister" in vars(self) else 0,
            finished=finished,
            took_ms=round(1000 * (time.perf_counter() - began), 3),
        )


def has_room(db: sqlite3.Connection) -> bool:
    """Whether the file has free pages to give back."""
    return space.free_pages(db) > SPARE_PAGES


def last(db: sqlite3.Connection) -> Maintenance | None:
    """The report of the last pass that did something."""
    text = meta.get(db, LAST)
    return None if text is None else msgspec.json.decode(text, type=Maintenance)


def _settled(db: sqlite3.Connection, lives: Sequence[Life], now_ms: int) -> list[Life]:
    """The same memories in the tiers where they belong. Those not looked at before are reckoned up first."""
    fresh = [life.memory for life in lives if life.stability is None or life.due == 0]
    histories = uses.history(db, fresh) if fresh else {}
    return [
        vitality.settled(vitality.known(life, histories[life.memory]) if life.memory in histories else life, now_ms)
        for life in lives
    ]
