"""Having the store for oneself: what puts another file in its place needs to know that nobody writes to this one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from memd.errors import StoreBusy
from memd.store import cipher
from memd.store.cipher import Key
from memd.store.failures import BUSY_HINT, translate

PATIENCE = 1.0  # seconds for others to let go
_POLL = 0.01


@contextmanager
def alone(store: Path, key: Key | None, library: Any = None) -> Iterator[Any]:
    """A connection beside which there is no other, until the block ends; the log is written into the file, and empty.

    Who opens the file meanwhile waits, and then sees whether it is still the store (`Store.open`).

    Args:
        store: the file.
        key: its key.
        library: what connects, where that isn't told by the key.

    Raises:
        StoreBusy: somebody has it open, perhaps this process itself.
        sqlite3.Error: it can't be read.
    """
    if library is not None and cipher.open_files.in_use(store):  # two libraries don't see each other's locks
        raise _busy(store)
    deadline = time.monotonic() + PATIENCE
    while (db := _taken(store, key, library)) is None:  # SQLite doesn't wait here, so this does
        if time.monotonic() > deadline:
            raise _busy(store)
        time.sleep(_POLL)
    try:
        yield db
    finally:
        db.close()


def _taken(store: Path, key: Key | None, library: Any) -> Any:
    """A connection that has the file to itself; None where somebody else has it open."""
    db = cipher.connect(store, key, "rw", _POLL, library)
    try:
        # Out of the write-ahead log: closing the connection would delete it by its name, under which the log of the
        # file may lie by then that has taken this one's place.
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        db.execute("COMMIT")
        if db.execute("PRAGMA journal_mode").fetchone()[0] == "delete":  # nobody opened it in between
            return db
    except BaseException as error:
        db.close()
        if not (isinstance(error, sqlite3.Error) and isinstance(translate(error, store), StoreBusy)):
            raise
        return None
    db.close()
    return None


def _busy(store: Path) -> StoreBusy:
    return StoreBusy(f"Another process has the store {store} open.", BUSY_HINT)
