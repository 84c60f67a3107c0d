"""Facts about the store itself, by name."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3


def get(db: sqlite3.Connection, key: str) -> str | None:
    """What is written under a name; None where nothing is."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None


def put(db: sqlite3.Connection, key: str, value: str) -> None:
    """Write something under a name, in place of what was there."""
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))
