"""Where memories came from that were stored elsewhere first, by which ids they are known there, and what was imported.

An import is entries of the journal: one for the store as a whole when it begins, one for each new memory, which says
all of it and by which an audit goes from then on, and what the origin's own journal had said, word for word and
without effect (`TOLD`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.store import journal


class Place(NamedTuple):
    """A store that memories came from: its row, its id, its name."""

    row: int
    store: str
    name: str


def own(db: sqlite3.Connection) -> str:
    """The id of this store."""
    return str(db.execute("SELECT value FROM meta WHERE key = 'store'").fetchone()[0])


def ensure(db: sqlite3.Connection, store: str, name: str = "") -> int | None:
    """The row of a store that memories come from, made when it is new; None for this store itself.

    A name that was given later counts, so that one that was renamed is known by its last name.
    """
    return None if store == own(db) else _row(db, store, name)


def _row(db: sqlite3.Connection, store: str, name: str = "") -> int:
    row = db.execute(
        "INSERT INTO origin (store, name) VALUES (?, ?) ON CONFLICT (store) DO UPDATE SET"
        " name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END RETURNING id",
        (store, name),
    ).fetchone()
    return int(row[0])


def all_of(db: sqlite3.Connection) -> dict[int, Place]:
    """Every store that memories came from, by row."""
    return {row[0]: Place(*row) for row in db.execute("SELECT id, store, name FROM origin ORDER BY id")}


def of_memories(db: sqlite3.Connection, memories: Sequence[int]) -> dict[int, int]:
    """The origins (rows) of those of these memories that came from elsewhere."""
    these = json.dumps(list(memories))
    return dict(
        db.execute("SELECT memory, origin FROM came WHERE memory IN (SELECT value FROM json_each(?))", (these,))
    )


def note(db: sqlite3.Connection, memory: int, origin: int | None) -> None:
    """Note where a new memory came from."""
    if origin is not None:
        db.execute("INSERT INTO came (memory, origin) VALUES (?, ?)", (memory, origin))


def find(db: sqlite3.Connection, store: str, id_: str) -> int | None:
    """The memory that is known in `store` by this id: by another one here, else by the same."""
    row = (
        db.execute(
            "SELECT e.memory FROM elsewhere AS e JOIN origin AS o ON o.id = e.origin WHERE o.store = ? AND e.id = ?",
            (store, id_),
        ).fetchone()
        or db.execute("SELECT seq FROM memory WHERE id = ?", (id_,)).fetchone()
    )
    return int(row[0]) if row else None


def know(db: sqlite3.Connection, memory: int, store: str, id_: str) -> None:
    """Note that a memory has another id in a store, or in an altered copy of this one."""
    db.execute(
        "INSERT INTO elsewhere (origin, id, memory) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (_row(db, store), id_, memory),
    )


def begun(db: sqlite3.Connection, digest: str) -> dict[str, object] | None:
    """What the journal says of the import of this file; None where it never began."""
    rows = db.execute("SELECT payload FROM journal WHERE memory IS NULL AND op = ?", (journal.IMPORT,))
    found = (json.loads(row[0]) for row in rows if row[0] is not None)
    return next((said for said in found if said.get("file") == digest), None)
