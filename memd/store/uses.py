"""Uses of memories, and what is kept of how alive each one is.

Use events are rows for a year; then `fold` packs their times and verdicts into the memory's `past`, to the
millisecond, so that every score stays what it was; who used it, and from where, is dropped.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

VERDICTS = ("useful", "cited", "restated", "useless")  # the place of each is its code in `past`: only append
USELESS = "useless"
_CODE_BITS = 3

# Verdicts that count as a use, as SQL.
HELPED = f"verdict <> '{USELESS}'"


class Event(NamedTuple):
    """One use: when (ms), and what was said of it."""

    at: int
    verdict: str

    @property
    def helped(self) -> bool:
        """Whether it speaks for the memory."""
        return self.verdict != USELESS


class NewUse(NamedTuple):
    """A use to be written."""

    memory: int
    at: int
    verdict: str
    who: str = ""
    via: str = ""
    session: str = ""
    recall: str = ""


class Life(NamedTuple):
    """What the store keeps of how alive a memory is, with what that follows from. Times in ms, stability in days."""

    memory: int
    kind: str
    recorded_at: int
    importance: float
    pinned: bool
    used_at: int | None
    stability: float | None
    tier: int
    tier_at: int | None
    due: int | None


_LIFE = (
    "SELECT l.memory, m.kind, m.recorded_at, l.importance, l.pinned, l.used_at, l.stability, l.tier, l.tier_at, l.due"
    " FROM life AS l JOIN memory AS m ON m.seq = l.memory"
)
_DUE = (
    "l.due <= ? AND m.forgotten_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM passage AS p WHERE p.memory = l.memory AND p.encoder IS NULL)"
)


def add(db: sqlite3.Connection, new: Iterable[NewUse]) -> None:
    """Write uses down."""
    db.executemany(
        "INSERT INTO use (memory, at, verdict, who, via, session, recall) VALUES (?, ?, ?, ?, ?, ?, ?)", list(new)
    )


def history(db: sqlite3.Connection, memories: Sequence[int]) -> dict[int, list[Event]]:
    """All uses of these memories, folded or not, in order of time; an empty list where there are none."""
    found: dict[int, list[Event]] = {memory: [] for memory in memories}
    these = json.dumps(list(memories))
    for memory, past in db.execute(
        "SELECT memory, past FROM life WHERE memory IN (SELECT value FROM json_each(?)) AND past <> x''", (these,)
    ):
        found[memory] += unpack(past)
    for memory, at, verdict in db.execute(
        "SELECT memory, at, verdict FROM use WHERE memory IN (SELECT value FROM json_each(?))", (these,)
    ):
        found[memory].append(Event(at, verdict))
    for events in found.values():
        events.sort(key=_order)
    return found


def lives(db: sqlite3.Connection, memories: Sequence[int]) -> list[Life]:
    """What is kept of these memories, in that order."""
    rows = db.execute(f"{_LIFE} WHERE l.memory IN (SELECT value FROM json_each(?))", (json.dumps(list(memories)),))
    found = {row[0]: _life(row) for row in rows}
    return [found[memory] for memory in memories if memory in found]


def due(db: sqlite3.Connection, now_ms: int, limit: int) -> list[Life]:
    """Living memories whose tier may change by `now_ms`, at most `limit`, the longest due first.

    What still waits for its first vector isn't among them: it is about to be encoded at full precision.
    """
    rows = db.execute(f"{_LIFE} WHERE {_DUE} ORDER BY l.due LIMIT ?", (now_ms, limit))
    return [_life(row) for row in rows]


def all_due(db: sqlite3.Connection, now_ms: int) -> Iterator[Life]:
    """The same without a limit, one by one."""
    return map(_life, db.execute(f"{_LIFE} WHERE {_DUE}", (now_ms,)))


def count_due(db: sqlite3.Connection, now_ms: int) -> int:
    """How many `due` would find without a limit."""
    row = db.execute(f"SELECT count(*) FROM life AS l JOIN memory AS m ON m.seq = l.memory WHERE {_DUE}", (now_ms,))
    return int(row.fetchone()[0])


def living(db: sqlite3.Connection) -> Iterator[Life]:
    """All living memories, one by one."""
    return map(_life, db.execute(f"{_LIFE} WHERE m.forgotten_at IS NULL"))


def count_before(db: sqlite3.Connection, before_ms: int) -> int:
    """How many uses aren't folded yet that lie before `before_ms`."""
    return int(db.execute("SELECT count(*) FROM use WHERE at < ?", (before_ms,)).fetchone()[0])


def any_before(db: sqlite3.Connection, before_ms: int) -> bool:
    """Whether there are any. O(1)."""
    return db.execute("SELECT 1 FROM use WHERE at < ? LIMIT 1", (before_ms,)).fetchone() is not None


def next_due(db: sqlite3.Connection) -> int | None:
    """When the next living memory is due that was looked at before; None where none ever is."""
    row = db.execute(
        "SELECT l.due FROM life AS l JOIN memory AS m ON m.seq = l.memory"
        " WHERE l.due > 0 AND m.forgotten_at IS NULL ORDER BY l.due LIMIT 1"
    ).fetchone()
    return None if row is None else int(row[0])


_KEPT = (
    "FROM vector AS v JOIN passage AS p ON p.id = v.passage JOIN memory AS m ON m.seq = p.memory"
    " WHERE m.forgotten_at IS NULL"
)


def bytes_by_tier(db: sqlite3.Connection) -> dict[int, tuple[int, int]]:
    """How many vectors of living memories are kept at each number of bits, and their bytes. O(passages)."""
    rows = db.execute(f"SELECT v.bits, count(*), sum(length(v.code)) {_KEPT} GROUP BY v.bits")
    return {bits: (count, size) for bits, count, size in rows}


def float_bytes(db: sqlite3.Connection) -> int:
    """What the vectors of all encoded passages, and of dormant ones, would take at 32 bits. O(passages)."""
    row = db.execute(
        "SELECT count(*) * 4 * coalesce((SELECT dimension FROM encoder WHERE id ="
        " (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'encoder')), 0)"
        " FROM passage AS p JOIN memory AS m ON m.seq = p.memory WHERE m.forgotten_at IS NULL AND p.encoder IS NOT NULL"
    )
    return int(row.fetchone()[0])


def marked(db: sqlite3.Connection, memories: Sequence[int] | None) -> list[tuple[int, int, bool]]:
    """Of these memories, or of all (None), those that have faded or have uses: memory, tier, whether it has any."""
    among = "" if memories is None else " AND l.memory IN (SELECT value FROM json_each(:these))"
    rows = db.execute(
        "SELECT l.memory, l.tier, l.used_at IS NOT NULL OR l.past <> x'' OR"
        " EXISTS (SELECT 1 FROM use AS u WHERE u.memory = l.memory) AS used FROM life AS l"
        f" WHERE (l.tier < 32 OR used){among}",
        {} if memories is None else {"these": json.dumps(list(memories))},
    )
    return [(int(memory), int(tier), bool(used)) for memory, tier, used in rows]


def put(db: sqlite3.Connection, lives: Iterable[Life]) -> None:
    """Write down how alive these memories are."""
    db.executemany(
        "UPDATE life SET importance = ?, pinned = ?, used_at = ?, stability = ?, tier = ?, tier_at = ?, due = ?"
        " WHERE memory = ?",
        [
            (one.importance, one.pinned, one.used_at, one.stability, one.tier, one.tier_at, one.due, one.memory)
            for one in lives
        ],
    )


def fold(db: sqlite3.Connection, before_ms: int, limit: int) -> int:
    """Fold the uses before `before_ms` of a few memories into their `past`; return how many rows that took.

    Args:
        limit: about how many rows; a memory's are folded together.
    """
    rows = db.execute(
        "SELECT id, memory, at, verdict FROM use WHERE at < ? ORDER BY at LIMIT ?", (before_ms, limit)
    ).fetchall()
    events: dict[int, list[Event]] = defaultdict(list)
    for _, memory, at, verdict in rows:
        events[memory].append(Event(at, verdict))
    for memory, fresh in events.items():
        past = db.execute("SELECT past FROM life WHERE memory = ?", (memory,)).fetchone()[0]
        db.execute("UPDATE life SET past = ? WHERE memory = ?", (pack([*unpack(past), *fresh]), memory))
    db.executemany("DELETE FROM use WHERE id = ?", [(row[0],) for row in rows])
    return len(rows)


def pack(events: Iterable[Event]) -> bytes:
    """Times and verdicts as bytes: the milliseconds since the event before, and the verdict's code, each one varint."""
    packed = bytearray()
    last = 0
    for event in sorted(events, key=_order):
        number = _zigzag(event.at - last) << _CODE_BITS | VERDICTS.index(event.verdict)
        last = event.at
        while number >= 0x80:
            packed.append(number & 0x7F | 0x80)
            number >>= 7
        packed.append(number)
    return bytes(packed)


def unpack(packed: bytes) -> list[Event]:
    """What `pack` was given, in order of time."""
    events = []
    at = 0
    for number in _varints(packed):
        at += _unzigzag(number >> _CODE_BITS)
        events.append(Event(at, VERDICTS[number & (1 << _CODE_BITS) - 1]))
    return events


def _varints(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


def _zigzag(number: int) -> int:
    """Small negative numbers (times before 1970) as small natural ones."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def _unzigzag(number: int) -> int:
    return number >> 1 if number & 1 == 0 else -(number + 1 >> 1)


def _order(event: Event) -> tuple[int, int]:
    return event.at, VERDICTS.index(event.verdict)


def _life(row: Sequence[object]) -> Life:
    memory, kind, recorded_at, importance, pinned, *times = row
    return Life(memory, kind, recorded_at, importance, bool(pinned), *times)  # type: ignore[arg-type]
