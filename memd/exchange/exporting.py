"""A store as lines of the exchange format: one snapshot, read in chunks, in the order of writing.

Memory: O(a chunk), eight bytes for each memory of a selection, and the longest session or file of notes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import cast

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd import __version__
from memd.clock import from_ms
from memd.exchange import journals, places, ties
from memd.exchange import lines as x
from memd.exchange.selecting import Selected
from memd.model import Source
from memd.store import origins, uses

_decode_source = msgspec.json.Decoder(Source).decode
_UNTOUCHED = (0.5, 0, 32, None)

_MEMORY = """
SELECT m.seq, m.id, m.text, m.kind, s.path, m.recorded_at, m.said_at, m.said, m.source, m.event_at, e.key, m.position,
    m.forgotten_at, m.superseded_at, l.importance, l.pinned, l.tier, l.tier_at, l.past,
    n.tags, n.retired_at, n.why, m.purged_at
FROM memory AS m JOIN scope AS s ON s.id = m.scope LEFT JOIN episode AS e ON e.id = m.episode
    LEFT JOIN life AS l ON l.memory = m.seq LEFT JOIN noted AS n ON n.memory = m.seq
WHERE m.seq IN (SELECT value FROM json_each(?)) ORDER BY m.seq
"""
_PURGED = "SELECT count(*) FROM memory WHERE purged_at IS NOT NULL AND seq IN (SELECT value FROM json_each(?))"
_LATEST = """
SELECT max(max(recorded_at, coalesce(purged_at, said_at), coalesce(forgotten_at, 0))) FROM memory
"""


class Export:
    """The lines of one export.

    Args:
        db: a connection inside a transaction: all lines are of one snapshot.
        selection: what is wanted.
        name: what people call this store.
    """

    def __init__(self, db: sqlite3.Connection, selection: x.Selection, name: str) -> None:
        self._db = db
        self._selection = selection
        self._selected = Selected(db, selection)
        self._own = origins.own(db)
        self._known = origins.all_of(db)
        self._name = name
        self._origin = self._find_origin()
        self.counts = self._count()

    def lines(self) -> Iterator[bytes]:
        """Each line, with its line end: the header, all that was selected, the end with the digest."""
        digest, counts = hashlib.blake2b(digest_size=32), Counter[str]()
        for line in self._body():
            counts[x.type_of(line)] += 1
            encoded = x.encode(line) + b"\n"
            digest.update(encoded)
            yield encoded
        yield x.encode(x.End(dict(sorted(counts.items())), digest.hexdigest())) + b"\n"

    def _body(self) -> Iterator[msgspec.Struct]:
        yield x.Header(
            version=x.FORMAT,
            made_by=f"memd {__version__}",
            origin=self._origin,
            latest=self._latest(),
            selection=self._selection,
            counts=self.counts,
        )
        yield from self._stores()
        for seqs in self._selected.chunks():
            yield from self._memories(seqs)
        for part in self._parts():
            yield from part()

    def _parts(self) -> list[Callable[[], Iterator[msgspec.Struct]]]:
        """What comes after the memories, each as a way to go through it."""
        return [
            lambda: ties.versions(self._db, self._selected),
            lambda: ties.conflicts(self._db, self._selected),
            lambda: ties.twins(self._db, self._selected),
            lambda: ties.gists(self._db, self._selected),
            lambda: places.files(self._db, self._selected, self._selection),
            lambda: places.tasks(self._db, self._selected, self._selection),
            lambda: places.sessions(self._db, self._selected, self._selection),
            lambda: places.watches(self._db, self._selection),
            lambda: places.forecasts(self._db, self._selection),
        ]

    def _count(self) -> dict[str, int]:
        counts = Counter[str]()
        counts["store"] = sum(1 for _ in self._stores())
        for seqs in self._selected.chunks():
            purged = self._db.execute(_PURGED, (json.dumps(seqs),)).fetchone()[0]
            counts.update({"memory": len(seqs) - purged, "purged": purged})
        for part in self._parts():
            counts.update(x.type_of(line) for line in part())
        return {name: count for name, count in sorted(counts.items()) if count}

    def _latest(self) -> datetime | None:
        if self._selected.whole:
            found = [self._db.execute(_LATEST).fetchone()[0]]
        else:
            among = _LATEST + " WHERE seq IN (SELECT value FROM json_each(?))"
            found = [self._db.execute(among, (json.dumps(seqs),)).fetchone()[0] for seqs in self._selected.chunks()]
        times = [at for at in found if at is not None]
        return from_ms(max(times)) if times else None

    # --- stores

    def _find_origin(self) -> x.Store:
        """The one store that all memories come from, else this one."""
        rows: set[int | None] = self._origins_of_memories()
        if not rows:  # what else there is came with the memories that aren't here
            rows = {row for row, place in self._known.items() if place.store != self._own}
        if len(rows) == 1 and (row := next(iter(rows))) is not None:
            return x.Store(self._known[row].store, self._known[row].name)
        return x.Store(self._own, self._name)

    def _origins_of_memories(self) -> set[int | None]:
        if self._selected.whole:
            return {
                row[0]
                for row in self._db.execute(
                    "SELECT DISTINCT c.origin FROM memory AS m LEFT JOIN came AS c ON c.memory = m.seq"
                )
            }
        found: set[int | None] = set()
        for seqs in self._selected.chunks():
            came = origins.of_memories(self._db, seqs)
            found.update(came.get(seq) for seq in seqs)
        return found

    def _stores(self) -> Iterator[x.StoreLine]:
        """The other stores that memories, or entries about them, come from."""
        named = {place.store: place.name for place in self._known.values()} | {self._own: self._name}
        met = {self._store_of(row) for row in self._origins_of_memories()}
        for seqs in self._selected.chunks():
            met |= journals.stores(self._db, seqs, self._own)
        for store in sorted(met - {self._origin.id}):
            yield x.StoreLine(store, named.get(store, ""))

    def _store_of(self, row: int | None) -> str:
        return self._own if row is None else self._known[row].store

    # --- memories

    def _memories(self, seqs: Sequence[int]) -> Iterator[msgspec.Struct]:
        these = json.dumps(list(seqs))
        tags = _grouped(self._db, "SELECT memory, name FROM tag", these, "memory, name")
        sayings = _grouped(
            self._db, "SELECT memory, said_at, event_at, source FROM saying", these, "memory, said_at, rowid"
        )
        used = _grouped(
            self._db, "SELECT memory, at, verdict, who, via, session, recall FROM use", these, "memory, at, id"
        )
        histories = journals.of_memories(self._db, seqs, self._own)
        came = origins.of_memories(self._db, seqs)
        for row in self._db.execute(_MEMORY, (these,)):
            seq, store = row[0], self._store_of(came.get(row[0]))
            if row[22] is not None:
                yield self._purged(row, store)
                continue
            yield x.MemoryLine(
                id=row[1],
                text=row[2],
                kind=row[3],
                scope=row[4],
                recorded_at=from_ms(row[5]),
                said_at=from_ms(row[6]),
                said=row[7],
                tags=tuple(name for (name,) in tags.get(seq, ())),
                source=_source(row[8]),
                event_at=moment(row[9]),
                episode=row[10],
                position=row[11],
                forgotten_at=moment(row[12]),
                superseded_at=moment(row[13]),
                store="" if store == self._origin.id else store,
                sayings=tuple(
                    x.Saying(from_ms(at), _source(source), moment(event)) for at, event, source in sayings.get(seq, ())
                ),
                life=_life(row[14:18]),
                uses=tuple(x.Use(from_ms(at), *rest) for at, *rest in used.get(seq, ())),
                past=tuple(
                    (from_ms(event.at), cast(x.Verdict, event.verdict)) for event in uses.unpack(row[18] or b"")
                ),
                noted=None if row[19] is None else x.Noted(tuple(json.loads(row[19])), moment(row[20]), row[21]),
                history=tuple(_less(entry, store) for entry in histories[seq]),
            )

    def _purged(self, row: Sequence[object], store: str) -> x.PurgedLine:
        ms: list[int] = [row[5], row[22]]  # type: ignore[list-item]
        return x.PurgedLine(
            id=str(row[1]),
            scope=str(row[4]),
            recorded_at=from_ms(ms[0]),
            purged_at=from_ms(ms[1]),
            forgotten_at=moment(row[12]),
            superseded_at=moment(row[13]),
            store="" if store == self._origin.id else store,
        )


def _source(source: str) -> Source:
    return x.NO_SOURCE if source == "{}" else _decode_source(source)


def moment(ms: object) -> datetime | None:
    """A stored time that may be missing."""
    return None if ms is None else from_ms(ms)  # type: ignore[arg-type]


def _life(row: Sequence[object]) -> x.Life:
    importance, pinned, tier, tier_at = row
    if importance is None or tuple(row) == _UNTOUCHED:
        return x.UNTOUCHED
    return x.Life(
        importance=importance,  # type: ignore[arg-type]
        pinned=bool(pinned),
        tier=tier,  # type: ignore[arg-type]
        tier_at=moment(tier_at),
    )


def _less(entry: x.Entry, store: str) -> x.Entry:
    """The entry without its store, where that is the memory's own."""
    return msgspec.structs.replace(entry, store="") if entry.store == store else entry


def _grouped(db: sqlite3.Connection, select: str, these: str, order: str) -> dict[int, list[tuple]]:  # type: ignore[type-arg]
    """Rows by their first column, the memory, for the memories in `these` (JSON)."""
    found: dict[int, list[tuple]] = {}  # type: ignore[type-arg]
    for memory, *rest in db.execute(
        f"{select} WHERE memory IN (SELECT value FROM json_each(?)) ORDER BY {order}", (these,)
    ):
        found.setdefault(memory, []).append(tuple(rest))
    return found
