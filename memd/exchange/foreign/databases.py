"""Other programs' SQLite files, read as they stand at one moment, and never written to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pysqlite3 import dbapi2 as sqlite3

from memd.errors import FileChanged, FileUnusable, MemdError
from memd.exchange.foreign import files
from memd.exchange.foreign.faults import AS_IT_WAS, malformed, shown, unknown_form, unreadable

MAGIC = b"SQLite format 3\0"
_LOGS = ("-wal", "-journal")  # what a program that has the file open, or died, hasn't brought into it yet
_SHARED = "-shm"  # there while the log is in use
_TRIES = 5
_IN_PLACE = "mode=ro&immutable=1"


def is_sqlite(path: Path) -> bool:
    """Whether a regular file begins as SQLite's do."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


@contextmanager
def snapshot(path: Path) -> Iterator[Database]:
    """The file as it stands now. Its own program may go on writing to it.

    SQLite would write beside a file that another program has open, and take locks in it; so such a file is copied
    together with its log, into a folder for the user alone that is gone at the end. Others are read in place, as a file
    that nobody changes, and it is seen to that nobody did.

    Raises:
        MalformedFile: it is damaged (raised by whoever reads it, too).
        FileChanged: it was written to, again and again while it was copied, or once while it was read in place.
        FileUnusable: it can't be read, or there is no room for a copy.
    """
    before = _states(path)
    if not is_sqlite(path):
        raise malformed(path, "", "it is not an SQLite file, or its beginning is damaged")
    if not _in_use(path):
        with _connected(path, path, _IN_PLACE) as database:
            yield database
        if _states(path) != before:
            raise _changed(path)
        return
    with tempfile.TemporaryDirectory(prefix="memd-import-") as folder:
        copy = Path(folder) / "copy.db"
        try:
            _copy(path, copy)
        except OSError as error:
            raise unreadable(path, error) from None
        with _connected(copy, path, "mode=rw") as database:
            yield database


def looks_like(path: Path, test: Callable[[Database], bool]) -> bool:
    """Whether the file passes a test; one that can't be read doesn't. In place where that is enough to tell."""
    try:
        with _connected(path, path, _IN_PLACE) as database:
            if test(database):
                return True
    except MemdError:
        pass
    try:
        if not _in_use(path):
            return False
        with snapshot(path) as database:
            return test(database)
    except MemdError:
        return False


def digest(path: Path) -> str:
    """BLAKE2b of the file and its log, in hexadecimal; of another file, of it alone. O(its size)."""
    return files.digest([path, *(path.with_name(path.name + suffix) for suffix in _LOGS)])


class Database:
    """A connection that only reads. Errors name the file, and the table that they lie in.

    Args:
        path: the file that it is told about.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path
        with self._in("the schema"):
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        self.tables = frozenset(str(row[0]) for row in rows)

    def columns(self, table: str) -> tuple[str, ...]:
        """The names of a table's columns; empty where there is no such table."""
        if table not in self.tables:
            return ()
        with self._in(f"table {table}"):
            return tuple(row[0] for row in self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,)))

    def need(self, tool: str, table: str, *columns: str) -> None:
        """Raise MalformedFile unless the table has these columns: it is of a version that isn't known."""
        have = self.columns(table)
        for column in columns:
            if column not in have:
                what = f"table {table} has no column {column}" if have else f"there is no table {table}"
                raise unknown_form(self.path, tool, what)

    def rows(self, table: str, columns: Sequence[str], *, order: str, where: str = "1") -> Iterator[dict[str, Any]]:
        """The rows of a table, with those of the columns that it has.

        Args:
            table, columns: their names.
            order, where: SQL, of columns that are there.
        """
        have = self.columns(table)
        chosen = [column for column in columns if column in have]
        if not chosen:
            return
        listed = ", ".join(f'"{column}"' for column in chosen)
        query = f'SELECT {listed} FROM "{table}" WHERE {where} ORDER BY {order}'
        for row in self.query(f"table {table}", query):
            yield dict(zip(chosen, row, strict=True))

    def query(self, place: str, sql: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query about `place` ("table documents")."""
        with self._in(place):
            cursor = self._connection.execute(sql, values)
            try:
                for row in cursor:  # noqa: UP028 - `yield from` would close it where its errors aren't ours
                    yield row
            finally:
                with suppress(sqlite3.Error):  # who stops halfway may have closed the file before
                    cursor.close()

    @contextmanager
    def _in(self, place: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise malformed(self.path, place, f"SQLite can't read it ({error})") from None
        except UnicodeDecodeError:  # SQLite's own message quotes a damaged name
            raise malformed(self.path, place, "SQLite can't read it") from None


@contextmanager
def _connected(file: Path, told: Path, mode: str) -> Iterator[Database]:
    try:
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(file.absolute()))}?{mode}", uri=True, isolation_level=None
        )
    except sqlite3.Error as error:
        raise FileUnusable(f"{shown(told)} can't be opened ({error}).", AS_IT_WAS) from None
    with closing(connection):
        connection.text_factory = lambda raw: raw.decode(errors="replace")
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("PRAGMA mmap_size = 0")
        except sqlite3.Error as error:
            raise malformed(told, "", f"SQLite can't read it ({error})") from None
        yield Database(connection, told)


def _copy(path: Path, copy: Path) -> None:
    """The file and its log as they were at one moment."""
    for _ in range(_TRIES):
        before = _states(path)
        for suffix in ("", *_LOGS):
            target = copy.with_name(copy.name + suffix)
            target.unlink(missing_ok=True)
            if (source := path.with_name(path.name + suffix)).exists():
                shutil.copyfile(source, target)
        if _states(path) == before:
            return
    raise _changed(path)


def _states(path: Path) -> list[tuple[int, int, int] | None]:
    """By which one sees that neither the file nor a log of it changed."""
    found: list[tuple[int, int, int] | None] = []
    for suffix in ("", *_LOGS):
        try:
            state = path.with_name(path.name + suffix).stat()
        except FileNotFoundError:
            if not suffix:
                raise FileUnusable(f"There is no file {shown(path)}.") from None
            found.append(None)
        except OSError as error:
            raise unreadable(path, error) from None
        else:
            found.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return found


def _in_use(path: Path) -> bool:
    """Whether a program has it open, or died with it open, as far as what lies beside the file tells."""
    _, log, journal = _states(path)
    shared = path.with_name(path.name + _SHARED).exists()
    return shared or log is not None or (journal is not None and journal[1] > 0)


def _changed(path: Path) -> FileChanged:
    return FileChanged(
        f"{shown(path)} was written to while it was read.",
        "Stop what uses it, or try again. What was taken from it by then is known the next time.",
    )
