"""Conflicts and near-duplicates that were found among memories, and the queue of memories not yet looked at.

No text is kept here: what differs is read off the two memories whenever it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.store import changes, journal, scopes

SAME, BOTH = "restated", "both hold"
RELATION = "relation"  # the tag of edges of another tool's graph: what depends on one thing may depend on others

# Both are living and in force, and nobody has decided.
_OPEN = """
FROM conflict AS c JOIN memory AS one ON one.seq = c.one JOIN memory AS other ON other.seq = c.other
WHERE c.settled_at IS NULL AND one.forgotten_at IS NULL AND one.superseded_at IS NULL
    AND other.forgotten_at IS NULL AND other.superseded_at IS NULL
"""


class Text(NamedTuple):
    """What is compared of a memory; `path` is the file that it was taken in from, empty where it is no part of one."""

    seq: int
    id: str
    text: str
    scope: int
    recorded_at: int
    path: str


class Found(NamedTuple):
    """A conflict: two memories, the one recorded first ahead; the rule; when it was found, milliseconds since 1970."""

    one: int
    other: int
    rule: str
    at: int


def waiting(db: sqlite3.Connection, limit: int) -> list[int]:
    """Memories (by seq) that nobody compared yet, the newest first."""
    return [row[0] for row in db.execute("SELECT memory FROM unchecked ORDER BY memory DESC LIMIT ?", (limit,))]


def count_waiting(db: sqlite3.Connection) -> int:
    """How many memories wait to be compared."""
    return int(db.execute("SELECT count(*) FROM unchecked").fetchone()[0])


def done(db: sqlite3.Connection, memory: int) -> None:
    """Take a memory off the queue, in the transaction that writes what was found."""
    db.execute("DELETE FROM unchecked WHERE memory = ?", (memory,))


def text_of(db: sqlite3.Connection, memory: int) -> Text | None:
    """A memory that holds; None where it no longer does."""
    found = texts(db, [memory])
    return found[0] if found else None


def texts(db: sqlite3.Connection, memories: Sequence[int]) -> list[Text]:
    """Those of these memories that hold and are compared, by their kind and as no edges, in the order given."""
    rows = db.execute(
        "SELECT m.seq, m.id, m.text, m.scope, m.recorded_at,"
        " CASE WHEN m.source ->> 'via' = 'ingest' THEN coalesce(m.source ->> 'path', '') ELSE '' END FROM memory AS m"
        " WHERE m.seq IN (SELECT value FROM json_each(?)) AND m.forgotten_at IS NULL AND m.superseded_at IS NULL"
        " AND m.kind NOT IN ('turn', 'commit', 'task', 'fix') AND length(m.text) <= 2000"
        " AND NOT EXISTS (SELECT 1 FROM tag WHERE tag.name = ? AND tag.memory = m.seq)",
        (json.dumps(list(memories)), RELATION),
    )
    by = {row[0]: Text(*row) for row in rows}
    return [by[seq] for seq in memories if seq in by]


def add(db: sqlite3.Connection, found: Found) -> bool:
    """Note a conflict; whether it is new."""
    cursor = db.execute(
        "INSERT OR IGNORE INTO conflict (one, other, rule, at) VALUES (?, ?, ?, ?)",
        (*sorted((found.one, found.other)), found.rule, found.at),
    )
    if cursor.rowcount != 1:
        return False
    ids = _ids(db, found.one, found.other)
    journal.append(db, found.at, [("conflict", found.one, {"with": ids[1], "rule": found.rule})])
    changes.append(db, [found.one, found.other])
    return True


def settle(db: sqlite3.Connection, one: int, other: int, at: int, how: str) -> bool:
    """Note what came of a conflict (or that there is none between these two); whether one was open."""
    low, high = sorted((one, other))
    row = db.execute("SELECT settled_at FROM conflict WHERE one = ? AND other = ?", (low, high)).fetchone()
    db.execute(
        "INSERT INTO conflict (one, other, rule, at, settled_at, how) VALUES (?, ?, '', ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET settled_at = excluded.settled_at, how = excluded.how",
        (low, high, at, at, how),
    )
    ids = _ids(db, one, other)
    journal.append(db, at, [("resolve", one, {"with": ids[1], "how": how})])
    changes.append(db, [one, other])
    return row is not None and row[0] is None


def link(db: sqlite3.Connection, one: int, other: int, at: int) -> bool:
    """Note that two memories say the same; whether that is new."""
    cursor = db.execute("INSERT OR IGNORE INTO twin (one, other, at) VALUES (?, ?, ?)", (*sorted((one, other)), at))
    if cursor.rowcount != 1:
        return False
    journal.append(db, at, [("twin", one, {"of": _ids(db, other)[0]})])
    return True


def unsettled(db: sqlite3.Connection, scope: str, limit: int) -> list[Found]:
    """Open conflicts that one standing in `scope` sees, the latest found first."""
    condition = ""
    values: list[int] = []
    if (seen := scopes.visible(db, scope)) is not None:
        condition = f" AND one.scope IN ({', '.join('?' * len(seen))})"
        values += seen
    rows = db.execute(
        f"SELECT c.one, c.other, c.rule, c.at {_OPEN}{condition} ORDER BY c.at DESC, c.one, c.other LIMIT ?",
        (*values, limit),
    )
    return [Found(*row) for row in rows]


def twins(db: sqlite3.Connection, memory: int) -> list[str]:
    """The ids of the memories that say the same as this one."""
    rows = db.execute(
        "SELECT m.id FROM twin AS t JOIN memory AS m ON m.seq = t.one + t.other - :seq"
        " WHERE t.one = :seq OR t.other = :seq ORDER BY m.seq",
        {"seq": memory},
    )
    return [row[0] for row in rows]


def _ids(db: sqlite3.Connection, *memories: int) -> list[str]:
    return [db.execute("SELECT id FROM memory WHERE seq = ?", (seq,)).fetchone()[0] for seq in memories]
