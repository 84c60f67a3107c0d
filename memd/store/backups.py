"""Copies of the store: made while it is in use, verified by opening them, and put back in its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import msgspec
import sqlite_vec
from pysqlite3 import dbapi2 as sqlite3

from memd.errors import Conflict, NotFound, StoreBusy, StoreCorrupt, StoreNewer
from memd.store import schema
from memd.store.failures import BUSY_HINT, corrupt, translate, translate_os

FOLDER = "backups"
_PREFIX, _SUFFIX = "memd-", ".db"
_SIDE_FILES = ("-wal", "-shm")


class Backup(msgspec.Struct, frozen=True):
    """A copy that was found whole.

    Attributes:
        path: where it lies.
        made_at: when its file was last written.
        bytes: its size.
        format: of the store that it is a copy of.
        memories: that it holds, forgotten ones too.
    """

    path: str
    made_at: datetime
    bytes: int
    format: int
    memories: int


def name(now: datetime, why: str = "") -> str:
    """A file name by which copies sort by age."""
    return f"{_PREFIX}{now.astimezone(UTC):%Y%m%dT%H%M%S.%f}{'-' + why if why else ''}{_SUFFIX}"


def make(store: Path, target: Path) -> Backup:
    """Copy the store as it is at this moment, with SQLite's online backup; writers go on meanwhile. O(its size).

    The copy appears under its name once it is whole, verified and on the disk.

    Raises:
        NotFound: there is no store.
        Conflict: `target` exists.
        StoreCorrupt: the store is damaged, so its copy is.
        StoreFull, StoreReadOnly, StoreUnusable: the copy can't be written.
    """
    if not store.exists():
        raise NotFound(f"There is no store at {store}.", "'memd remember' makes it.")
    if target.exists():
        raise Conflict(f"{target} exists.", "Give another name, or a folder.")
    part = target.with_name(target.name + ".part")
    with _errors_of(target):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        try:
            with _opened(store) as source, _opened(part) as copy:
                source.backup(copy)
            verify(part)
            _sync(part)
            os.rename(part, target)
            _sync(target.parent)
        finally:
            part.unlink(missing_ok=True)
    return _described(target)


def verify(path: Path) -> Backup:
    """Read a copy through, without changing it or leaving a file beside it. O(its size).

    Raises:
        NotFound: there is none.
        StoreNewer: a newer memd made it.
        StoreCorrupt: it is damaged, or no copy of a store.
    """
    if not path.is_file():
        raise NotFound(f"There is no backup at {path}.", "'memd backup --list' shows them.")
    with _errors_of(path), _opened(path, read_only=True) as copy:
        if copy.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
            raise StoreCorrupt(f"{path} is not a memd store.", "'memd backup --list' shows the backups.")
        version = copy.execute("PRAGMA user_version").fetchone()[0]
        if version > schema.FORMAT:
            raise StoreNewer(f"{path} has format {version}; this memd knows formats up to {schema.FORMAT}.", "Update.")
        problems = [row[0] for row in copy.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
        if problems:
            raise corrupt(path, "; ".join(problems))
    return _described(path)


def listed(folder: Path) -> list[Backup]:
    """The copies in a folder, the newest first; what can't be read as one is passed over."""
    found = []
    for path in sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"), reverse=True):
        with suppress(StoreCorrupt, NotFound):
            found.append(_described(path))
    return found


def prune(folder: Path, keep: int) -> list[Path]:
    """Delete all but the `keep` newest copies of those that `name` named; what was deleted."""
    old = sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"), reverse=True)[max(keep, 1) :]
    for path in old:
        path.unlink(missing_ok=True)
    return old


def put_back(backup: Path, store: Path, aside: Path) -> bool:
    """Put a copy in the store's place, and what was there `aside`; whether there was something.

    At every moment there is a store at `store`: the one from before, or the copy. A damaged one is set aside as it is.

    Args:
        backup: a copy that `verify` let pass.
        aside: where the present store goes; nothing must be there.

    Raises:
        StoreBusy: another process has the store open.
        StoreFull, StoreReadOnly, StoreUnusable: the copy can't be written. The store is as it was.
    """
    fresh = store.with_name(store.name + ".restoring")
    with _errors_of(store):
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            shutil.copyfile(backup, fresh)
            os.chmod(fresh, 0o600)
            _sync(fresh)
            there = store.exists()
            if there:
                aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _settle(store)
                os.link(store, aside)
                for side in _SIDE_FILES:  # of a store that couldn't be settled
                    with suppress(FileNotFoundError):
                        os.rename(f"{store}{side}", f"{aside}{side}")
            os.replace(fresh, store)
            _sync(store.parent)
        finally:
            fresh.unlink(missing_ok=True)
    return there


def _settle(store: Path) -> None:
    """Write the log into the file, and see that nobody else has it open. What is damaged stays as it is."""
    try:
        connection = sqlite3.connect(str(store), timeout=1.0, isolation_level=None)
    except sqlite3.Error:
        return
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        if isinstance(translate(error, store), StoreBusy):
            raise StoreBusy(f"Another process has the store {store} open.", BUSY_HINT) from None
    finally:
        connection.close()


def _described(path: Path) -> Backup:
    with _errors_of(path), _opened(path, read_only=True) as copy:
        version = copy.execute("PRAGMA user_version").fetchone()[0]
        memories = copy.execute("SELECT count(*) FROM memory").fetchone()[0]
        info = path.stat()
    return Backup(str(path), datetime.fromtimestamp(info.st_mtime, UTC), info.st_size, version, memories)


@contextmanager
def _opened(path: Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    # `immutable`: no lock, no -wal file beside it; a copy is changed by nobody.
    mode = "mode=ro&immutable=1" if read_only else "mode=rw"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None, timeout=15.0)
    try:
        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        connection.enable_load_extension(False)
        yield connection
    finally:
        connection.close()


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) or corrupt(path, str(error)) from error
    except OSError as error:
        raise translate_os(error, path) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
