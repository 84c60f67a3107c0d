"""Opening the file, one writer and many readers on it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite3

from memd.errors import StoreCorrupt, StoreNewer, StoreReadOnly, StoreUnusable
from memd.store import cipher, schema
from memd.store.cipher import Key
from memd.store.failures import READ_ONLY_HINT, corrupt, translate, translate_os
from memd.store.turns import Turns

BUSY_TIMEOUT_S = 15.0
SWITCHING_S = 2.0  # for other processes to be done with switching to the write-ahead log, or from it
READERS_KEPT = 4
READER_CACHE_KIB = 4096
WRITER_CACHE_KIB = 8192
WAL_LIMIT_BYTES = 16 << 20  # the -wal file is cut back to this after a checkpoint

_CORE_TABLES = ("memory", "passage", "vector", "token_code", "passage_fts_data", "change", "meta")


class Store:
    """An open store: one writer at a time in this process, any number of snapshots beside it.

    Safe to use from many threads, and beside other processes that have the same file open. Connections
    are kept and lent out; none is used by two threads at once.

    Attributes:
        path: the SQLite file.
        key: what it is encrypted with; None for a plain one.
    """

    def __init__(self, path: Path, writer: sqlite3.Connection, key: Key | None, file: tuple[int, int]) -> None:
        self.path = path
        self.key = key
        self._file = file
        self._writer = writer
        self._turns = Turns(path.parent)
        self._write_lock = threading.Lock()
        self._writing_thread: int | None = None
        self._pool_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open the store at `path`, creating or migrating it as needed.

        Raises:
            StoreCorrupt: the file is damaged, or isn't a memd store (it is left as it was).
            StoreNewer: a newer memd wrote it.
            StoreReadOnly, StoreFull, StoreBusy: it can't be written, for that reason.
            StoreLocked, WrongKey, EncryptionMissing: it is encrypted, and the key isn't at hand, or no use.
            StoreUnusable: it can't be opened for another reason.
        """
        path = Path(path).absolute()
        with _typed_errors(path):
            while True:
                start, file = _prepare_file(path)
                try:
                    key = _key(path, start)
                    connection = _opened(path, key)
                except BaseException as error:
                    cipher.open_files.leave(file)
                    if _is_at(path, file) or not isinstance(error, Exception):
                        raise
                    continue  # another file took the place meanwhile, so what went wrong says nothing
                if _is_at(path, file):
                    return cls(path, connection, key, file)
                connection.close()
                cipher.open_files.leave(file)

    @property
    def encryption(self) -> cipher.Encryption:
        """What opens it."""
        return cipher.kind(self.key.salt) if self.key else "off"

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: committed (durable) when the block ends, rolled back when it raises."""
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("a write inside a write would wait for itself")
        with self._write_lock, _typed_errors(self.path):
            self._refuse_closed()
            self._writing_thread = threading.get_ident()
            db = self._writer
            try:
                with self._turns.next(BUSY_TIMEOUT_S):
                    db.execute("BEGIN IMMEDIATE")
                try:
                    self._refuse_moved()
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
                self._refuse_moved()  # what was deleted meanwhile took it along: nobody may be told that it is there
            finally:
                self._writing_thread = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A snapshot: every query in the block sees the store as it was at the first of them."""
        with _typed_errors(self.path):
            db = self._lend()
            try:
                db.execute("BEGIN")
                yield db
            finally:
                self._take_back(db)

    def check(self) -> list[str]:
        """Read the whole file and return what is wrong with it, in SQLite's words; empty when nothing is. O(size)."""
        with self.examining() as db:
            problems = [row[0] for row in db.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            strays = db.execute("PRAGMA foreign_key_check").fetchmany(20)
            return problems + [f"a row of {row[0]} names a missing {row[2]}" for row in strays]

    @contextmanager
    def examining(self) -> Iterator[sqlite3.Connection]:
        """A snapshot on a connection of its own, which may make temporary tables; nothing is kept of the block."""
        # One that has searched keeps FTS5's structure from then, and SQLite's check, unlike a search, doesn't look
        # whether it is still the same: it would call what others wrote since corrupt.
        with _typed_errors(self.path), closing(_connect(self.path, READER_CACHE_KIB, self.key)) as db:
            db.execute("BEGIN")
            yield db

    def rewrite(self) -> None:
        """Write the whole file anew, in order, with nothing in it of what was deleted. O(size), and as much memory.

        Writers wait meanwhile; readers go on. What was there before is in the log until `empty_log`.
        """
        with self._write_lock, _typed_errors(self.path):
            self._refuse_closed()
            self._writer.execute("VACUUM")

    def empty_log(self, seconds: float) -> bool:
        """Bring the write-ahead log into the file and cut it to nothing.

        False where somebody reads the store as it was before, or writes, for longer than so many seconds.
        """
        deadline = time.monotonic() + seconds
        while True:
            with self._write_lock, _typed_errors(self.path):
                self._refuse_closed()
                if not self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    return True
            if time.monotonic() > deadline:
                return False

    def close(self) -> None:
        """Wait for the write in hand, then close. The last one to close leaves no -wal file. Closing twice is fine."""
        with self._write_lock:
            if self._closed:
                return
            self._closed = True
            with self._pool_lock:
                idle, self._idle = self._idle, []
            for connection in idle:
                connection.close()
            self._writer.close()
            self._turns.close()
        cipher.open_files.leave(self._file)

    def _lend(self) -> sqlite3.Connection:
        self._refuse_closed()
        with self._pool_lock:
            if self._idle:
                return self._idle.pop()
        connection = _connect(self.path, READER_CACHE_KIB, self.key)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _take_back(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            with self._pool_lock:
                if not self._closed and len(self._idle) < READERS_KEPT:
                    self._idle.append(connection)
                    return
        connection.close()

    def _refuse_moved(self) -> None:
        """Raise StoreUnusable where the open file has left its path: nobody would find what is written."""
        if not self.is_there():
            raise StoreUnusable(
                f"The store {self.path} was deleted or moved while it was open, or another took its place.",
                "Nothing was written. Try again; `memd daemon restart` if that doesn't help.",
            )

    def is_there(self) -> bool:
        """Whether the open file still lies at its path."""
        return _is_at(self.path, self._file)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")


@contextmanager
def _typed_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        typed = translate(error, path)
        if typed is None:
            raise
        raise typed from error


def _prepare_file(path: Path) -> tuple[bytes, tuple[int, int]]:
    """Make the folder (for its owner alone) and an empty file, and find out early what can't be written.

    Returns:
        How the file begins, and the file itself, entered as open.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.is_dir():
            raise corrupt(path, "it is a folder")
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        start, file = cipher.open_files.enter(path)
    except OSError as error:
        raise translate_os(error, path) from error
    try:
        # SQLite itself would take a file of a few bytes for an empty one.
        if start not in (b"", cipher.PLAIN) and not cipher.is_encrypted(start):
            raise StoreCorrupt(
                f"{path} is not a memd store, or its beginning is damaged.",
                "If it is one: memd repair, or memd restore --from latest. Else move it away; it was left as it was.",
            )
        for place in (path.parent, path):
            if not os.access(place, os.W_OK):
                raise StoreReadOnly(f"{place} can't be written.", READ_ONLY_HINT)
    except StoreUnusable:
        cipher.open_files.leave(file)
        raise
    return start, file


def _key(path: Path, start: bytes) -> Key | None:
    if not cipher.is_encrypted(start):
        return None
    from memd.store.keys import keys  # most stores need none

    return keys.of_salt(start, path)


def _opened(path: Path, key: Key | None) -> sqlite3.Connection:
    """The connection that writes, once everything is known to be in order."""
    connection = _connect(path, WRITER_CACHE_KIB, key)
    try:
        _refuse_foreign(connection, path)
        _set_up(connection, path)
        _probe(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_at(path: Path, file: tuple[int, int]) -> bool:
    """Whether this file lies there still. From now on it does: who would replace it waits for the connection's end."""
    try:
        info = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return (info.st_dev, info.st_ino) == file


def _connect(path: Path, cache_kib: int, key: Key | None) -> sqlite3.Connection:
    connection: sqlite3.Connection = cipher.connect(
        path, key, timeout=BUSY_TIMEOUT_S, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # on macOS plain fsync leaves data in the drive's cache
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    # No memory mapping: its pages would count to this process once a connection, and a file cut short
    # under it would kill the process instead of raising.
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute(f"PRAGMA cache_size = {-cache_kib}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    return connection


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Look before anything is changed: a file that isn't ours must stay as it is."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != schema.APPLICATION_ID and not (application == 0 and version == 0 and empty):
        raise StoreCorrupt(
            f"{path} is a SQLite file of another program, not a memd store.",
            "Move it away, or point MEMD_HOME at another folder; it was left as it was.",
        )
    if version > schema.FORMAT:
        raise StoreNewer(
            f"The store {path} has format {version}; this memd knows formats up to {schema.FORMAT}.",
            "Update memd, or point MEMD_HOME at another folder.",
        )


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """Write-ahead log and, for a new or older store, the migrations, in one transaction."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _use_wal(connection)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == schema.FORMAT:
        return
    from memd.store import backups
    from memd.store.migrations import migrate  # sqlite-utils takes 90 ms to import; a current store needs none of it

    if version:  # what an older memd wrote is kept as it was
        copy = path.parent / backups.FOLDER / backups.name(datetime.now(UTC), f"format-{version}")
        backups.make(path, copy)

    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated it while this one waited for the lock.
        _refuse_foreign(connection, path)
        if connection.execute("PRAGMA user_version").fetchone()[0] != schema.FORMAT:
            migrate(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. SQLite doesn't wait here when another process does the same, so this does.

    It may also call it a failure to read, where another one switches at the same moment.
    """
    begun: dict[str, float] = {}
    patience = {"locked": BUSY_TIMEOUT_S, "disk I/O": SWITCHING_S}  # each from its first time on
    while True:
        try:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # heeded only while the file is empty
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                return
            raise sqlite3.OperationalError("this file system has no shared memory, which the write-ahead log needs")
        except sqlite3.OperationalError as error:
            trouble = next((words for words in patience if words in str(error)), "")
            now = time.monotonic()
            if not trouble or now - begun.setdefault(trouble, now) > patience[trouble]:
                raise
            time.sleep(0.01)


def _probe(connection: sqlite3.Connection, path: Path) -> None:
    """What a look can tell at a cost that doesn't grow with the store: its length and the way to each table's end."""
    page_size = int(connection.execute("PRAGMA page_size").fetchone()[0])  # SQLCipher gives text
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    missing = [name for name in _CORE_TABLES if name not in tables]
    if missing:
        raise corrupt(path, f"table {missing[0]} is missing")
    size = path.stat().st_size
    if size % page_size and not _has_wal(path):
        raise corrupt(path, "it was cut short")
    for name in _CORE_TABLES:
        if name != "meta":
            connection.execute(f"SELECT * FROM {name} ORDER BY rowid DESC LIMIT 1").fetchone()
    connection.execute("SELECT rowid FROM passage_fts LIMIT 1").fetchone()


def _has_wal(path: Path) -> bool:
    wal = path.with_name(path.name + "-wal")
    return wal.exists() and wal.stat().st_size > 0
