"""The store as memd knew it at an earlier time: which memories were known, living and in force then.

Nothing is kept for it but what the store has anyway: when each memory was recorded, when one replaced another, and
the journal's entries on what was forgotten and restored. Tags, kinds and scopes are those of today.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.model import StoredMemory
from memd.store import versions


class Past(NamedTuple):
    """What had happened by a time, memories by seq.

    Attributes:
        at: that time, milliseconds since 1970.
        forgotten: forgotten then, whatever came later.
        superseded: not in force then: a memory that was living then stood in their place.
    """

    at: int
    forgotten: set[int]
    superseded: set[int]


def read(db: sqlite3.Connection, at: int) -> Past:
    """What had happened by `at`. O(entries on forgetting + replacements)."""
    rows = db.execute(
        "SELECT memory, op, max(seq) FROM journal WHERE op IN ('forget', 'restore') AND at <= ? GROUP BY memory", (at,)
    )
    forgotten = {row[0] for row in rows if row[1] == "forget"}
    replaced: dict[int, list[int]] = {}
    for old, new in db.execute("SELECT old, new FROM version WHERE at <= ?", (at,)):
        replaced.setdefault(new, []).append(old)
    superseded: set[int] = set()
    waiting = [old for new, olds in replaced.items() if new not in forgotten for old in olds]
    while waiting:
        seq = waiting.pop()
        if seq not in superseded:
            superseded.add(seq)
            if seq in forgotten:  # a living one stands for what it replaced either way
                waiting += replaced.get(seq, ())
    return Past(at, forgotten, superseded)


def as_then(db: sqlite3.Connection, past: Past, stored: Iterable[StoredMemory]) -> list[StoredMemory]:
    """These memories as `show` would have given them then, but for their tags and vectors."""
    return [_as_then(db, past, memory) for memory in stored]


def _as_then(db: sqlite3.Connection, past: Past, memory: StoredMemory) -> StoredMemory:
    seq = db.execute("SELECT seq FROM memory WHERE id = ?", (memory.id,)).fetchone()[0]
    stands = versions.stands_for(db, seq, past.at, past.forgotten) if seq in past.superseded else None
    again, last = db.execute(
        "SELECT count(*), max(said_at) FROM saying WHERE memory = ? AND said_at <= ?", (seq, past.at)
    ).fetchone()
    replaced = db.execute(
        "SELECT json_group_array(m.id ORDER BY v.at, v.old) FROM version AS v JOIN memory AS m ON m.seq = v.old"
        " WHERE v.new = ? AND v.at <= ?",
        (seq, past.at),
    ).fetchone()
    return msgspec.structs.replace(
        memory,
        said=1 + again,
        said_at=from_ms(last) if again else memory.recorded_at,
        forgotten_at=None,
        superseded_by=stands[0] if stands else None,
        until=from_ms(stands[1]) if stands else None,
        supersedes=tuple(json.loads(replaced[0])),
    )
