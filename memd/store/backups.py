"""Copies of the store: made while it is in use, verified by opening them, and put back in its place."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.disk import sync
from memd.errors import (
    Conflict,
    EncryptionMissing,
    MemdError,
    NotFound,
    StoreBusy,
    StoreCorrupt,
    StoreLocked,
    StoreNewer,
    WrongKey,
)
from memd.home import STORE
from memd.store import cipher, copies, schema
from memd.store.cipher import Key
from memd.store.exclusion import alone
from memd.store.failures import corrupt, translate, translate_os
from memd.store.keys import keys
from memd.store.statistics import held

FOLDER = "backups"
_PREFIX, _SUFFIX = "memd-", ".db"
_SIDE_FILES = ("-wal", "-shm")
_RESTORING = ".restoring"  # beside the store: a copy on its way to its place
_REPLACED = ".replaced"  # among the copies: the store that one is about to replace, or has just replaced


class Backup(msgspec.Struct, frozen=True):
    """A copy that was found whole.

    Attributes:
        path: where it lies.
        made_at: when its file was last written.
        bytes: its size.
        format: of the store that it is a copy of; None where it is encrypted and its key isn't at hand.
        memories: that it holds, forgotten ones too; None likewise.
        encrypted: whether it is.
    """

    path: str
    made_at: datetime
    bytes: int
    format: int | None
    memories: int | None
    encrypted: bool = False


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
    tidy(store)
    part = target.with_name(target.name + copies.PART)
    with _errors_of(target):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with copies.claimed(part), _dropped(part):
            key = keys.of(store)  # an encrypted store's copies are encrypted as it is
            with _opened(store, key) as source, _opened(part, key) as copy:
                source.backup(copy)
            verify(part)
            sync(part)
            copies.note(store.parent, target)
            os.rename(part, target)
            sync(target.parent)
        _purge_too(store, target)
    return _described(target)


@contextmanager
def _dropped(part: Path) -> Iterator[None]:
    try:
        yield
    finally:
        for side in copies.SIDES:
            Path(f"{part}{side}").unlink(missing_ok=True)


def _purge_too(store: Path, copy: Path) -> None:
    """What the store says is purged isn't left in a copy of it, made before or meanwhile."""
    from memd.store import purging  # it knows backups

    with _opened(store, keys.of(store)) as db:
        purged = purging.purged_in(db)
    if purged:
        purging.purge_copy(copy, purged)


def verify(path: Path) -> Backup:
    """Read a copy through, without changing it or leaving a file beside it. O(its size).

    Raises:
        NotFound: there is none.
        StoreNewer: a newer memd made it.
        StoreCorrupt: it is damaged, or no copy of a store.
        StoreLocked, WrongKey, EncryptionMissing: it is encrypted, and the key isn't at hand, or no use.
    """
    if not path.is_file():
        raise NotFound(f"There is no backup at {path}.", "'memd backup --list' shows them.")
    with _errors_of(path), _opened(path, _key_of(path), read_only=True) as copy:
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
    if folder.name == FOLDER:
        tidy(folder.parent / STORE)
    found = []
    for path in files(folder):
        with suppress(StoreCorrupt, NotFound):
            found.append(_described(path))
    return found


def files(folder: Path) -> list[Path]:
    """The files in a folder that have names as `name` gives them, the newest first."""
    return sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"), reverse=True)


def prune(folder: Path, keep: int) -> list[Path]:
    """Delete all but the `keep` newest copies of those that `name` named; what was deleted."""
    old = files(folder)[max(keep, 1) :]
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
    fresh = store.with_name(store.name + _RESTORING)
    linked = aside.with_name(aside.name + _REPLACED)
    with _errors_of(store):
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        tidy(store)
        with _at_work(aside.parent, fcntl.LOCK_SH), _dropped(fresh):
            _lay_out(backup, store, fresh)
            there = store.exists()
            if there:
                with suppress(MemdError, sqlite3.Error):  # of a damaged one nobody knows what was purged in it
                    _purge_too(store, fresh)
            with _settled(store):
                if there:
                    os.link(store, linked)
                    _move_sides(store, linked)
                os.replace(fresh, store)
                sync(store.parent)
            if there:
                _move_sides(linked, aside)
                os.rename(linked, aside)
                sync(aside.parent)
    return there


def tidy(store: Path) -> None:
    """Finish or undo what was cut short at `make` or `put_back`, where nobody is at it just now."""
    with suppress(OSError), _at_work(store.parent / FOLDER, fcntl.LOCK_EX | fcntl.LOCK_NB):
        copies.sweep(store.parent)
        for part in store.parent.glob(f"{store.name}{_RESTORING}*"):
            part.unlink(missing_ok=True)
        for linked in (store.parent / FOLDER).glob(f"*{_SUFFIX}{_REPLACED}"):
            if store.exists() and store.samefile(linked):  # nothing was replaced yet
                _move_sides(linked, store)
                linked.unlink()
            else:
                aside = linked.with_name(linked.name.removesuffix(_REPLACED))
                _move_sides(linked, aside)
                os.rename(linked, aside)


@contextmanager
def _at_work(folder: Path, how: int) -> Iterator[None]:
    """Hold a lock on a folder of copies: shared by who puts one back, alone by who tidies. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _move_sides(path: Path, target: Path) -> None:
    """Take along the log of a store that couldn't be settled; without a store it must not stay at its old place."""
    for side in _SIDE_FILES:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{side}", f"{target}{side}")


def _lay_out(backup: Path, store: Path, fresh: Path) -> None:
    """The copy as it will be the store: what is encrypted stays so, though the copy is plain."""
    if cipher.is_encrypted(cipher.start_of(store)) and not cipher.is_encrypted(cipher.start_of(backup)):
        from memd.store import moving

        moving.rewrite(backup, None, fresh, _key_for_plain(store))
        return
    shutil.copyfile(backup, fresh)
    os.chmod(fresh, 0o600)
    sync(fresh)


def _key_for_plain(store: Path) -> Key | None:
    try:
        return keys.of(store)
    except (StoreLocked, WrongKey) as error:
        told = f"The copy isn't encrypted and the store is, with a key that isn't at hand: {error.message}"
        hint = f"Move {store} away to have the copy as it is, not encrypted. Else: {error.hint}"
        raise type(error)(told, hint) from None


@contextmanager
def _settled(store: Path) -> Iterator[None]:
    """The log written into the file, and nobody else at it. What is damaged or can't be opened stays as it is."""
    with ExitStack() as stack:
        if store.exists():
            try:
                stack.enter_context(alone(store, keys.of(store)))
            except StoreBusy:
                raise
            except (sqlite3.Error, MemdError):
                pass
        yield


def _described(path: Path) -> Backup:
    version = memories = None
    encrypted = cipher.is_encrypted(cipher.start_of(path))
    with (
        suppress(StoreLocked, WrongKey, EncryptionMissing),
        _errors_of(path),
        _opened(path, _key_of(path), read_only=True) as copy,
    ):
        version = copy.execute("PRAGMA user_version").fetchone()[0]
        memories = held(copy)
    info = path.stat()
    return Backup(str(path), datetime.fromtimestamp(info.st_mtime, UTC), info.st_size, version, memories, encrypted)


def _key_of(path: Path) -> Key | None:
    """The key of a copy. Raises StoreCorrupt where it is neither a SQLite file nor an encrypted store."""
    start = cipher.start_of(path)
    if start != cipher.PLAIN and not cipher.is_encrypted(start):
        raise StoreCorrupt(f"{path} is not a memd store.", "'memd backup --list' shows the backups.")
    return keys.of(path)


@contextmanager
def _opened(path: Path, key: Key | None, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    connection = cipher.connect(path, key, "copy" if read_only else "rw")
    try:
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
