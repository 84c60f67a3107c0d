"""Taking in what comes from elsewhere: lines of memd's own files, and records of other tools', a batch a transaction.

An import may be cut short anywhere and run again: what is there already is known by its id, and what was said, used
and noted of it is united, so that it ends as if it had never been cut short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from memd.clock import to_ms
from memd.errors import BadInput
from memd.exchange import checking, rehearsal
from memd.exchange import lines as x
from memd.exchange.arriving import Arrival, Arrivals
from memd.exchange.desk import Desk, Tally
from memd.exchange.placing import Places
from memd.exchange.records import Origin, Record, Report, Trouble
from memd.exchange.tying import Ties
from memd.model import GLOBAL_SCOPE, NewMemory
from memd.store import Store, origins
from memd.store.drafts import Draft, digest_of, plain_tags, source_json
from memd.writing import Scribe

if TYPE_CHECKING:
    from pysqlite3 import dbapi2 as sqlite3

BATCH = 500  # lines a transaction
BATCH_BYTES = 4_000_000

T = TypeVar("T")


class Taker:
    """Takes batches of lines into a store. `Memory.taker` has one.

    Args:
        store: where to.
        scribe: writes memories into it; secrets go no further.
    """

    def __init__(self, store: Store, scribe: Scribe) -> None:
        self._store = store
        self._scribe = scribe

    def take(self, lines: Sequence[x.Line], origin: Origin, scopes: Mapping[str, str], *, last: bool = False) -> Report:
        """Take in some lines, in one transaction; durable on return.

        Args:
            lines: sound ones, as `checking.read` gives them; memories before what leads to them.
            origin: of the file.
            scopes: which scope takes the place of which; `EVERY_SCOPE` for all of them.
            last: no more are to come.
        """
        ready = self._prepared(lines, origin, scopes)
        with self._store.writing() as db:
            desk = Desk(db, origin, scopes, self._scribe.now_ms(), self._scribe.without_secrets)
            desk.begin()
            _apply(desk, lines, ready)
            if last:
                desk.finish()
        self._scribe.written(desk.tally.seqs)
        return desk.tally.report(origin, dry_run=False)

    def rehearse(self, batches: Iterable[Sequence[x.Line]], origin: Origin, scopes: Mapping[str, str]) -> Report:
        """What taking in these batches would come to. The store is only read."""
        with ExitStack() as stack:
            copy = stack.enter_context(rehearsal.stage(stack.enter_context(self._store.reading())))
            tally = Tally()
            for lines in batches:
                desk = Desk(
                    copy, origin, scopes, self._scribe.now_ms(), self._scribe.without_secrets, tally, indexed=False
                )
                desk.begin()
                _apply(desk, lines, self._prepared(lines, origin, scopes, named=False))
            return tally.report(origin, dry_run=True)

    def _prepared(
        self, lines: Sequence[x.Line], origin: Origin, scopes: Mapping[str, str], *, named: bool = True
    ) -> dict[int, Draft]:
        """What can be worked out before the write lock is taken: the drafts of memories, by place."""
        found = {}
        with self._store.reading() as db:
            desk = Desk(db, origin, scopes, 0, self._scribe.without_secrets)
            for place, line in enumerate(lines):
                if isinstance(line, x.MemoryLine):
                    item = checking.new_memory(line, desk.scope(line.scope))
                    found[place] = _known(db, origin, line, item) or self._scribe.draft(item, named=named)
        return found


def _known(db: sqlite3.Connection, origin: Origin, line: x.MemoryLine, item: NewMemory) -> Draft | None:
    """A draft without what only a new memory needs, where the store has this very text under this very id."""
    seq = origins.find(db, origin.store, line.id)
    if seq is None:
        return None
    digest = digest_of(line.text)
    if db.execute("SELECT digest FROM memory WHERE seq = ?", (seq,)).fetchone()[0] != digest:
        return None
    event_at = None if line.event_at is None else to_ms(line.event_at)
    return Draft(
        text=line.text,
        digest=digest,
        kind=line.kind,
        scope=item.scope or GLOBAL_SCOPE,
        tags=plain_tags(line.tags),
        source=source_json(line.source),
        event_at=event_at,
        episode=line.episode,
        position=line.position,
        speaker="",
        asks=False,
        spans=[],
        entities=[],
        importance=line.life.importance,
        pinned=line.life.pinned,
    )


def _apply(desk: Desk, lines: Sequence[x.Line], drafts: Mapping[int, Draft]) -> None:
    arrivals, ties, places = Arrivals(desk), Ties(desk), Places(desk)
    for place, line in enumerate(lines):
        if not isinstance(line, x.MemoryLine):
            arrivals.flush()
        desk.tally.read[x.type_of(line)] += 1
        match line:
            case x.MemoryLine():
                arrivals.take(Arrival(line, drafts[place]))
            case x.PurgedLine():
                arrivals.take_purged(line)
            case x.StoreLine():
                origins.ensure(desk.db, line.id, line.name)
            case x.VersionLine():
                ties.take_version(line)
            case x.ConflictLine():
                ties.take_conflict(line)
            case x.TwinLine():
                ties.take_twin(line)
            case x.GistLine():
                ties.take_gist(line)
            case x.FileLine():
                places.take_file(line)
            case x.TasksLine():
                places.take_tasks(line)
            case x.SessionLine():
                places.take_session(line)
            case x.WatchLine():
                places.take_watch(line)
            case x.ForecastLine():
                places.take_forecast(line)
    arrivals.finish()


def batches(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """At most `BATCH` items, and about `BATCH_BYTES`, each."""
    batch: list[T] = []
    filled = 0
    for item in items:
        batch.append(item)
        filled += size(item)
        if len(batch) >= BATCH or filled >= BATCH_BYTES:
            yield batch
            batch, filled = [], 0
    if batch:
        yield batch


# --- other tools' records


def lines_of(
    read: Callable[[], Iterable[Record]],
    origin: Origin,
    scope: str,
    now: datetime,
    refuse: Callable[[Trouble], None],
) -> Iterator[x.Line]:
    """Records as lines: first all memories, then what ties them together; so they are read twice.

    Args:
        read: gives the records, from the first on.
        origin: of the records.
        scope: of those that name none.
        now: the time of those that have none; none is later.
        refuse: told of each record that can't be taken in; it raises, or returns, and the next one follows.
    """
    for record in read():
        try:
            line = _memory(record, origin, scope, now)
        except BadInput as error:
            refuse(Trouble("bad", f"{error.message.rstrip('.')}.", record.line))
        else:
            yield line
    for record in read():
        at = _then(record, now)
        for old in record.supersedes:
            yield x.VersionLine(_key(origin, old), _key(origin, record.key), at, record.event_at or at, "")
        for other in record.contradicts:
            yield x.ConflictLine(_key(origin, other), _key(origin, record.key), at)
        for other in record.same_as:
            yield x.TwinLine(_key(origin, other), _key(origin, record.key), at)


def _key(origin: Origin, key: str) -> str:
    """An id for what another tool knows by a key: not the key itself, which may be somebody's name."""
    return ":" + hashlib.blake2b(f"{origin.store}\n{key}".encode(), digest_size=16).hexdigest()


def _then(record: Record, now: datetime) -> datetime:
    return now if record.recorded_at is None else min(record.recorded_at, now)


def _memory(record: Record, origin: Origin, scope: str, now: datetime) -> x.MemoryLine:
    at = _then(record, now)
    source = record.source
    if not source.via:
        source = msgspec.structs.replace(source, via=origin.store.partition(":")[0])
    used = tuple(x.Use(**msgspec.structs.asdict(use)) for use in record.uses)
    line = x.MemoryLine(
        id=_key(origin, record.key),
        text=record.text,
        kind=record.kind,
        scope=record.scope or scope,
        recorded_at=at,
        said_at=at,
        tags=record.tags,
        source=source,
        event_at=record.event_at,
        episode=record.episode,
        position=record.position,
        forgotten_at=now if record.forgotten else None,
        life=x.Life(importance=record.importance, pinned=record.pinned),
        uses=used,
    )
    read = checking.read(x.encode(line))
    assert isinstance(read, x.MemoryLine)
    return read
