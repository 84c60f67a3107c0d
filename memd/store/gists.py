"""Gists: which memories one stands for, and which of their sentences it quotes; and the queue of what to look at.

No text is kept here. What a gist says is read off its members whenever it is shown, so that nothing of it can outlive
them: one of whose members was forgotten, superseded or purged isn't whole, is shown to nobody, and is dropped by the
next maintenance pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.errors import Ambiguous
from memd.model import Gist, Quote
from memd.store import journal, scopes, vectors
from memd.store.ids import IdMaker

HOLDS = "{0}.forgotten_at IS NULL AND {0}.superseded_at IS NULL"
_WHOLE = (
    "NOT EXISTS (SELECT 1 FROM gist_member AS part JOIN memory AS m ON m.seq = part.memory"
    f" WHERE part.gist = g.seq AND NOT ({HOLDS.format('m')}))"
)
# What waits for its vectors is looked at when it has them.
_READY = f"""
FROM ungisted AS u JOIN memory AS m ON m.seq = u.memory WHERE NOT EXISTS (
    SELECT 1 FROM passage AS p WHERE p.memory = u.memory
    AND (+p.encoder IS NULL OR (+p.encoder <> 0 AND +p.encoder IS NOT {vectors.CURRENT}))
    AND {HOLDS.format("m")})
"""


class Member(NamedTuple):
    """What is looked at of a memory; its scope's row, its text, and when it was recorded."""

    seq: int
    id: str
    text: str
    scope: int
    recorded_at: int


class Cited(NamedTuple):
    """A sentence of a memory (by seq), as characters [start, stop) of its text."""

    memory: int
    start: int
    stop: int


def waiting(db: sqlite3.Connection, limit: int) -> list[int]:
    """Memories (by seq) to look at, those stored first ahead. O(1) where nothing was ever encoded."""
    if vectors.current(db) is None:
        return []
    return [row[0] for row in db.execute(f"SELECT u.memory {_READY} ORDER BY u.memory LIMIT ?", (limit,))]


def count_waiting(db: sqlite3.Connection) -> int:
    """How many memories wait, those included that have no vectors yet."""
    return int(db.execute("SELECT count(*) FROM ungisted").fetchone()[0])


def done(db: sqlite3.Connection, memories: Iterable[int]) -> None:
    """Take memories off the queue, in the transaction that writes what came of it."""
    db.executemany("DELETE FROM ungisted WHERE memory = ?", [(memory,) for memory in memories])


def members(db: sqlite3.Connection, memories: Iterable[int]) -> list[Member]:
    """Those of these memories that hold and may be in a gist, by seq."""
    rows = db.execute(
        "SELECT m.seq, m.id, m.text, m.scope, m.recorded_at FROM json_each(?) AS wanted"
        " CROSS JOIN memory AS m ON m.seq = wanted.value"
        f" WHERE {HOLDS.format('m')} AND m.kind NOT IN ('turn', 'commit', 'task', 'fix') AND length(m.text) <= 2000"
        " ORDER BY m.seq",
        (json.dumps(list(memories)),),
    )
    return [Member(*row) for row in rows]


def twins(db: sqlite3.Connection, memories: Iterable[int]) -> list[tuple[int, int]]:
    """The near-duplicates among and around these memories."""
    wanted = json.dumps(list(memories))
    rows = db.execute(
        "SELECT one, other FROM twin WHERE one IN (SELECT value FROM json_each(:these))"
        " UNION SELECT one, other FROM twin WHERE other IN (SELECT value FROM json_each(:these))",
        {"these": wanted},
    )
    return [(int(one), int(other)) for one, other in rows]


def of_members(db: sqlite3.Connection, memories: Iterable[int]) -> dict[int, list[int]]:
    """The gists that these memories are in, whole or not, each with all its members."""
    rows = db.execute(
        "SELECT gist, memory FROM gist_member WHERE gist IN (SELECT gist FROM gist_member"
        " WHERE memory IN (SELECT value FROM json_each(?))) ORDER BY memory",
        (json.dumps(list(memories)),),
    )
    found: dict[int, list[int]] = {}
    for gist, memory in rows:
        found.setdefault(gist, []).append(memory)
    return found


def broken(db: sqlite3.Connection, limit: int) -> list[int]:
    """Gists that aren't whole any more. O(gists)."""
    return [row[0] for row in db.execute(f"SELECT g.seq FROM gist AS g WHERE NOT ({_WHOLE}) LIMIT ?", (limit,))]


def drop(db: sqlite3.Connection, gists: Sequence[int], at: int, *, again: bool = False) -> None:
    """Take gists out. With `again` their members that hold are to be looked at once more."""
    if not gists:
        return
    wanted = json.dumps(list(gists))
    ids = db.execute("SELECT id FROM gist WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq", (wanted,))
    journal.append(db, at, [("ungist", None, {"id": row[0]}) for row in ids.fetchall()])
    if again:
        db.execute(
            "INSERT OR IGNORE INTO ungisted (memory) SELECT memory FROM gist_member JOIN memory AS m ON m.seq = memory"
            f" WHERE gist IN (SELECT value FROM json_each(?)) AND {HOLDS.format('m')}",
            (wanted,),
        )
    for table, column in (("gist_quote", "gist"), ("gist_member", "gist"), ("gist", "seq")):
        db.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (wanted,))


def put(
    db: sqlite3.Connection, make_id: IdMaker, scope: int, memories: Sequence[int], quotes: Sequence[Cited], at: int
) -> str:
    """Write a gist of these memories, none of which is in another; its id."""
    id_ = make_id.make(at)
    seq = db.execute("INSERT INTO gist (id, scope, made_at) VALUES (?, ?, ?)", (id_, scope, at)).lastrowid
    db.executemany("INSERT INTO gist_member (memory, gist) VALUES (?, ?)", [(memory, seq) for memory in memories])
    db.executemany(
        "INSERT INTO gist_quote (gist, position, memory, start, stop) VALUES (?, ?, ?, ?, ?)",
        [(seq, position, *cited) for position, cited in enumerate(quotes)],
    )
    names = dict(db.execute("SELECT seq, id FROM memory WHERE seq IN (SELECT value FROM json_each(?))",
                            (json.dumps(list(memories)),)).fetchall())  # fmt: skip
    said = {
        "id": id_,
        "of": [names[memory] for memory in memories],
        "quotes": [[names[one.memory], one.start, one.stop] for one in quotes],
    }
    journal.append(db, at, [("gist", None, said)])
    return id_


def count(db: sqlite3.Connection) -> int:
    """How many there are, whole or not. O(gists)."""
    return int(db.execute("SELECT count(*) FROM gist").fetchone()[0])


def find(db: sqlite3.Connection, prefix: str) -> int | None:
    """The whole gist (by seq) whose id begins like this; None where there is none.

    Raises:
        Ambiguous: several have.
    """
    wanted = prefix.strip().lower()
    if not wanted:
        return None
    rows = db.execute(
        f"SELECT g.seq, g.id FROM gist AS g WHERE g.id >= ? AND g.id < ? AND {_WHOLE} ORDER BY g.id LIMIT 3",
        (wanted, wanted + "\x7f"),
    ).fetchall()
    if len(rows) > 1 and rows[0][1] != wanted:
        raise Ambiguous(f"Several gists have an id that begins with {prefix.strip()!r}.", "Give more of the id.")
    return int(rows[0][0]) if rows else None


def id_of(db: sqlite3.Connection, prefix: str) -> str | None:
    """The id of the whole gist that this is the beginning of; None where there is none."""
    found = find(db, prefix)
    return None if found is None else str(db.execute("SELECT id FROM gist WHERE seq = ?", (found,)).fetchone()[0])


def seen(db: sqlite3.Connection, scope: str, limit: int) -> list[int]:
    """The whole gists (by seq) that one standing in `scope` sees, the latest made first."""
    condition, values = "", list[int]()
    if (rows := scopes.visible(db, scope)) is not None:
        condition = f" AND g.scope IN ({', '.join('?' * len(rows))})"
        values += rows
    found = db.execute(
        f"SELECT g.seq FROM gist AS g WHERE {_WHOLE}{condition} ORDER BY g.seq DESC LIMIT ?", (*values, limit)
    )
    return [row[0] for row in found]


def whole_of(db: sqlite3.Connection, ids: Iterable[str]) -> dict[str, int]:
    """Of these memories (by id) those in a whole gist, with its seq."""
    rows = db.execute(
        "SELECT mine.id, g.seq FROM json_each(?) AS wanted CROSS JOIN memory AS mine ON mine.id = wanted.value"
        " CROSS JOIN gist_member AS p ON p.memory = mine.seq CROSS JOIN gist AS g ON g.seq = p.gist"
        f" WHERE {_WHOLE}",
        (json.dumps(list(ids)),),
    )
    return dict(rows.fetchall())


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether there are no gists at all. O(1)."""
    return db.execute("SELECT 1 FROM gist LIMIT 1").fetchone() is None


def read(db: sqlite3.Connection, gists: Sequence[int]) -> list[Gist]:
    """Gists with what they say, in this order."""
    return [_read(db, gist) for gist in gists]


def _read(db: sqlite3.Connection, gist: int) -> Gist:
    id_, scope, made_at = db.execute(
        "SELECT g.id, s.path, g.made_at FROM gist AS g JOIN scope AS s ON s.id = g.scope WHERE g.seq = ?", (gist,)
    ).fetchone()
    quotes = db.execute(
        "SELECT m.id, q.start, q.stop, substr(m.text, q.start + 1, q.stop - q.start) FROM gist_quote AS q"
        " JOIN memory AS m ON m.seq = q.memory WHERE q.gist = ? ORDER BY q.position",
        (gist,),
    ).fetchall()
    names = db.execute(
        "SELECT m.id FROM gist_member AS p JOIN memory AS m ON m.seq = p.memory WHERE p.gist = ? ORDER BY m.seq",
        (gist,),
    )
    return Gist(
        id=id_,
        scope=scope,
        made_at=from_ms(made_at),
        quotes=tuple(Quote(*row) for row in quotes),
        members=tuple(row[0] for row in names),
    )
