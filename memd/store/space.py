"""The file's free pages, given back to the file system a few at a time."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3


def free_pages(db: sqlite3.Connection) -> int:
    """Pages of the file that hold nothing."""
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])


def give_back(db: sqlite3.Connection, pages: int) -> int:
    """Cut at most so many free pages off the file, in the open transaction; return how many bytes that were.

    The file gets smaller at the write-ahead log's next checkpoint.
    """
    before = free_pages(db)
    db.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
    return (before - free_pages(db)) * int(db.execute("PRAGMA page_size").fetchone()[0])
