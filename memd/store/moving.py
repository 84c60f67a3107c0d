"""Writing a store anew with another key, or with none: encrypt, decrypt, rekey.

The new file lies beside the old one until it has been read through and compared with it, and is on the disk. Then it
takes its place in one rename, while nobody else has the store open. So at every moment there is one whole store, old
or new, and a kill leaves at most a part of a file, of a name that `sweep` removes. The copies that memd made follow,
one by one, in the same way.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.disk import sync
from memd.errors import MemdError, StoreCorrupt, StoreFull
from memd.store import cipher, copies
from memd.store.cipher import Key
from memd.store.connection import Store
from memd.store.exclusion import alone
from memd.store.failures import FULL_HINT, corrupt, translate, translate_os
from memd.store.keys import keys
from memd.store.statistics import held

SUFFIX = ".moving"
SPARE = 16 << 20  # bytes that stay free
GROWTH = 1.05  # an encrypted page holds 80 bytes less
_INTERRUPTED = 9
_TICK = 100_000  # instructions of SQLite's between two looks whether Ctrl-C was pressed

Step = Callable[[], None]


class Left(msgspec.Struct, frozen=True):
    """A file that was not written anew, and why."""

    path: str
    why: str


class Moved(msgspec.Struct, frozen=True):
    """What became of a store.

    Attributes:
        bytes: of the store as it is now.
        memories: that it holds, forgotten ones too.
        backups: the copies that were written anew.
        left: those that were not.
    """

    bytes: int
    memories: int
    backups: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()


def move(store: Path, key: Key | None, step: Step = lambda: None) -> Moved:
    """Write the store anew, encrypted with `key` or plain, and with a key also its copies. O(their size).

    When the store is so already, the copies alone are looked after. Copies stay encrypted where the store becomes
    plain. The caller sees to it that no daemon starts meanwhile.

    Args:
        store: the file; an empty store is made where there is none.
        key: a new one, which is safely kept; or the store's own.
        step: called after each file.

    Raises:
        StoreBusy: another process has the store open.
        StoreFull: there isn't room for a second copy of the largest file. Nothing was changed.
        StoreLocked, WrongKey, EncryptionMissing: the present key isn't at hand, or no use.
        StoreCorrupt: the store, or what was written, isn't whole. The store is as it was.
    """
    cipher.sqlcipher()
    sweep(store)
    Store.open(store).close()  # in the present format; what is damaged or foreign is refused
    old = keys.of(store)
    affected = [] if key is None else list(_copies(store, key))
    _check_room([store, *affected])
    if old != key:
        _move_store(store, old, key)
        if key is not None:
            keys.keep(key)
    step()
    done, left = [], []
    for copy in affected:
        try:
            _move_copy(copy, key)
            done.append(str(copy))
        except MemdError as error:
            left.append(Left(str(copy), error.message))
        step()
    failed = {one.path for one in left}
    left += [one for one in _left_alone(store, key) if one.path not in failed]
    with _errors_of(store), alone(store, key, cipher.sqlcipher()) as db:
        memories = held(db)
    return Moved(store.stat().st_size, memories, tuple(done), tuple(left))


def count(store: Path, key: Key | None) -> int:
    """How many files `move` will look at."""
    return 1 if key is None else 1 + sum(1 for _ in _copies(store, key))


def sweep(store: Path) -> list[Path]:
    """Remove what a move that was killed left behind. Nobody must be moving."""
    found = leftovers(store)
    for path in found:
        with suppress(FileNotFoundError):
            path.unlink()
    return found


def leftovers(store: Path) -> list[Path]:
    """The parts of files that moves left behind, and one that goes on now has."""
    folders = {store.parent, store.resolve().parent, *(path.parent for path in copies.all_of(store.parent))}
    return sorted(path for folder in folders for path in folder.glob(f"*.db{SUFFIX}"))


def plain_copies(store: Path) -> list[Path]:
    """The copies that aren't encrypted, of those within reach."""
    return [path for path in copies.all_of(store.parent) if _start(path) == cipher.PLAIN]


def rewrite(source: Path, old: Key | None, target: Path, new: Key | None) -> None:
    """Write what nobody changes (a copy) anew, with another key, to a file that isn't there yet; compare and sync it.

    Raises:
        StoreCorrupt: the source, or what was written, isn't whole.
    """
    if any(_has_content(f"{source}{side}") for side in ("-wal", "-journal")):
        raise StoreCorrupt(f"{source} has a log beside it.", "It is a store that was set aside: restore it first.")
    with _errors_of(source):
        db = cipher.connect(source, old, "copy", library=cipher.sqlcipher())
        try:
            _export(db, target, new)
        finally:
            db.close()


def _move_store(store: Path, old: Key | None, key: Key | None) -> None:
    store = store.resolve()  # the file itself, where a link leads to it
    fresh = store.with_name(store.name + SUFFIX)
    with _errors_of(store), alone(store, old, cipher.sqlcipher()) as db, _made(fresh):
        _export(db, fresh, key)
        os.replace(fresh, store)
        sync(store.parent)


def _move_copy(copy: Path, key: Key | None) -> None:
    """Write a copy anew in its place; it stays as old as it is."""
    fresh = copy.with_name(copy.name + SUFFIX)
    with _errors_of(copy), _made(fresh):
        rewrite(copy, keys.of(copy), fresh, key)
        times = copy.stat()
        os.utime(fresh, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.replace(fresh, copy)
        sync(copy.parent)


def _export(db: Any, target: Path, key: Key | None) -> None:
    """Write all that a connection's main database holds to a new file, read it through and compare it."""
    with suppress(FileNotFoundError):
        target.unlink()
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    db.set_progress_handler(lambda: 0, _TICK)  # Python looks for signals in between
    with _attached(db, target, key):
        db.execute("PRAGMA target.journal_mode = OFF")  # it is thrown away when this is cut short,
        db.execute("PRAGMA target.synchronous = OFF")  # and synced when it is done
        db.execute(f"PRAGMA target.auto_vacuum = {_pragma(db, 'main', 'auto_vacuum')}")
        db.execute("SELECT sqlcipher_export('target')").fetchone()
        for name in ("application_id", "user_version"):
            db.execute(f"PRAGMA target.{name} = {_pragma(db, 'main', name)}")
        db.execute("PRAGMA target.journal_mode = WAL")  # as it will be: those who open it first need not agree on that
    sync(target)
    with _attached(db, target, key):
        _compare(db, target)


@contextmanager
def _attached(db: Any, path: Path, key: Key | None) -> Iterator[None]:
    db.execute("ATTACH ? AS target KEY ?", (cipher.uri(path, "mode=rw"), key.spec if key else ""))
    try:
        yield
    finally:
        with suppress(sqlite3.Error):
            db.execute("DETACH target")


def _compare(db: Any, target: Path) -> None:
    """See that the attached file is sound, and says the same as the main one, row by row. Raises StoreCorrupt."""
    problems = [row[0] for row in db.execute("PRAGMA target.integrity_check(3)") if row[0] != "ok"]
    if problems:
        raise corrupt(target, "; ".join(problems))
    for name in ("application_id", "user_version", "auto_vacuum", "encoding"):
        if _pragma(db, "main", name) != _pragma(db, "target", name):
            raise corrupt(target, f"another {name} was written")
    for one, other in (("main", "target"), ("target", "main")):
        columns = "type, name, tbl_name, sql"
        if db.execute(
            f"SELECT {columns} FROM {one}.sqlite_master EXCEPT SELECT {columns} FROM {other}.sqlite_master"
        ).fetchone():
            raise corrupt(target, "another schema was written")
    for table, without_rowid in db.execute(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')"
    ).fetchall():
        if not table.startswith("sqlite_schema"):
            _compare_table(db, target, table, bool(without_rowid))


def _compare_table(db: Any, target: Path, table: str, without_rowid: bool) -> None:
    described = db.execute("SELECT name, pk FROM pragma_table_info(?, 'main')", (table,)).fetchall()
    columns = [_quoted(name) for name, _ in described]
    keyed = [_quoted(name) for name, pk in described if pk] if without_rowid else ["rowid"]
    place = _quoted(table)
    same = " AND ".join(f"a.{name} = b.{name}" for name in keyed)
    row = " AND ".join(f"a.{name} IS b.{name} AND typeof(a.{name}) = typeof(b.{name})" for name in columns)
    alike = f"SELECT count(*) FROM main.{place} a CROSS JOIN target.{place} b ON {same} WHERE {row}"
    counts = {
        db.execute(counting).fetchone()[0]
        for counting in (f"SELECT count(*) FROM main.{place}", f"SELECT count(*) FROM target.{place}", alike)
    }
    if len(counts) != 1:
        raise corrupt(target, f"other rows of {table} were written")


def _copies(store: Path, key: Key) -> Iterator[Path]:
    """The copies that are to have this key: plain ones, and those that have the store's own."""
    mine = {_start(store), cipher.PLAIN} - {key.salt}
    yield from (path for path in copies.all_of(store.parent) if _start(path) in mine)


def _left_alone(store: Path, key: Key | None) -> Iterator[Left]:
    """The copies that have another key than the store, and those that are out of reach."""
    for path in copies.all_of(store.parent):
        start = _start(path)
        if not start:
            yield Left(str(path), "It isn't there now; where it was copied or moved to, it is as it was.")
        elif cipher.is_encrypted(start) and (key is None or start != key.salt):
            yield Left(str(path), f"It is encrypted with the key {cipher.name(start)}, which it still needs.")


def _check_room(files: list[Path]) -> None:
    """See that the largest of them fits on the disk once more. Raises StoreFull."""
    for path in files:
        wal = Path(f"{path}-wal")
        needed = int((path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)) * GROWTH) + SPARE
        free = shutil.disk_usage(path.parent).free
        if free < needed:
            raise StoreFull(
                f"{path} can't be written anew: that takes {needed:,} bytes and {free:,} are free.", FULL_HINT
            )


@contextmanager
def _made(path: Path) -> Iterator[None]:
    """A file that is gone when the block ends, unless it took another's place."""
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == _INTERRUPTED:
            raise KeyboardInterrupt from None
        raise translate(error, path) or corrupt(path, str(error)) from error
    except OSError as error:
        raise translate_os(error, path) from error


def _start(path: Path) -> bytes:
    return cipher.start_of(path)


def _pragma(db: Any, schema: str, name: str) -> Any:
    return db.execute(f"PRAGMA {schema}.{name}").fetchone()[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _has_content(path: str) -> bool:
    with suppress(FileNotFoundError):
        return os.stat(path).st_size > 0
    return False
