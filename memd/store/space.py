"""The file's pages: how many are free, and how large one is."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3


def free_pages(db: sqlite3.Connection) -> int:
    """Pages of the file that hold nothing."""
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])


def page_size(db: sqlite3.Connection) -> int:
    """Bytes a page."""
    return int(db.execute("PRAGMA page_size").fetchone()[0])
