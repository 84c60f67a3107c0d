"""What an import would do, tried on a copy of what it looks at: in memory, without texts, indexes and vectors.

The very same code runs as in an import, so that what it tells is what would happen; the store is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pysqlite3 import dbapi2 as sqlite3

# Derived from the texts, or of no account here: made, and left empty.
_EMPTY = ("passage", "vector", "token_code", "mention", "entity", "change", "unchecked", "ungisted", "purging")
_CHUNK = 2000


@contextmanager
def stage(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A database in memory with the rows of a store, of which `db` is a snapshot. O(memories), about 1 kB each."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        copy.execute("BEGIN")
        for name, sql in _tables(db):
            copy.execute(sql)
            if name not in _EMPTY:
                _copy(db, copy, name)
        for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"):
            if not _is_shadow(sql.split(" ON ", 1)[-1]):
                copy.execute(sql)
        yield copy
    finally:
        copy.close()


def _tables(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """The plain tables: not the virtual ones, nor what lies behind them."""
    rows = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return [(name, sql) for name, sql in rows.fetchall() if not _is_shadow(name)]


def _is_shadow(name: str) -> bool:
    return name.startswith(("passage_fts", "passage_bits"))


def _copy(db: sqlite3.Connection, copy: sqlite3.Connection, table: str) -> None:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    wanted = ", ".join("''" if (table, column) == ("memory", "text") else f'"{column}"' for column in columns)
    rows = db.execute(f"SELECT {wanted} FROM {table}")
    marks = ", ".join("?" * len(columns))
    while chunk := rows.fetchmany(_CHUNK):
        copy.executemany(f"INSERT INTO {table} VALUES ({marks})", chunk)
