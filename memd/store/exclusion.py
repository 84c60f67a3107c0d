"""Having the store for oneself: what puts another file in its place needs to know that nobody writes to this one."""

from __future__ import annotations

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
    db = cipher.connect(store, key, "rw", PATIENCE, library)
    try:
        try:
            # Out of the write-ahead log: closing the connection would delete it by its name, under which the log of the
            # file may lie by then that has taken this one's place.
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("COMMIT")
            mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        except sqlite3.Error as error:
            if isinstance(translate(error, store), StoreBusy):
                raise _busy(store) from None
            raise
        if mode != "delete":  # somebody opened it in between
            raise _busy(store)
        yield db
    finally:
        db.close()


def _busy(store: Path) -> StoreBusy:
    return StoreBusy(f"Another process has the store {store} open.", BUSY_HINT)
