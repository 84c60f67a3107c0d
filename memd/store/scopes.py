"""Scopes: where a memory applies."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3

from memd.model import ALL_SCOPES

GLOBAL_ID = 1  # row 1, written by the migration


def find(db: sqlite3.Connection, path: str) -> int | None:
    """The scope's row, or None when nothing was ever stored there."""
    row = db.execute("SELECT id FROM scope WHERE path = ?", (path,)).fetchone()
    return int(row[0]) if row else None


def ensure(db: sqlite3.Connection, path: str) -> int:
    """The scope's row, made when it is new."""
    found = find(db, path)
    if found is None:
        found = int(db.execute("INSERT INTO scope (path) VALUES (?)", (path,)).lastrowid)
    return found


def visible(db: sqlite3.Connection, path: str) -> tuple[int, ...] | None:
    """The scopes that one standing in `path` sees: it and the global one; None for all of them."""
    if path == ALL_SCOPES:
        return None
    found = find(db, path)
    return (GLOBAL_ID,) if found in (None, GLOBAL_ID) else (GLOBAL_ID, found)
