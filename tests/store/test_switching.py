"""Switching to the write-ahead log while others are at the same file: what passes is waited for, each for its time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from memd.store import connection

LOCKED, UNREADABLE = "database is locked", "disk I/O error"
PATIENCE = {LOCKED: "BUSY_TIMEOUT_S", UNREADABLE: "SWITCHING_S"}


class Switching(sqlite3.Connection):  # type: ignore[misc]
    """A connection before whose every attempt to switch something happens to the file."""

    before: Callable[[], None]

    def execute(self, sql: str, *given: object) -> sqlite3.Cursor:
        if "auto_vacuum" in sql:  # each attempt begins with it
            self.before()
        return super().execute(sql, *given)


@pytest.fixture
def switching(tmp_path: Path) -> Iterator[Callable[[list[str]], None]]:
    """Switches a new store's log, with a trouble of SQLite's own for each attempt; "" for none."""
    path = tmp_path / "memd.db"
    log = tmp_path / "memd.db-wal"
    other = sqlite3.connect(str(path), isolation_level=None)
    ours = sqlite3.connect(str(path), timeout=0, isolation_level=None, factory=Switching)

    def meet(trouble: str) -> None:
        if other.in_transaction:
            other.execute("ROLLBACK")
        if log.is_dir():
            log.rmdir()
        if trouble == LOCKED:
            other.execute("BEGIN EXCLUSIVE")
        elif trouble == UNREADABLE:
            log.mkdir()  # SQLite would remove what lies there, and can't

    def switch(troubles: list[str]) -> None:
        left = iter(troubles)
        ours.before = lambda: meet(next(left))
        connection._use_wal(ours)
        assert list(left) == [], "as many attempts as there were troubles, and the one that went well"
        assert ours.execute("PRAGMA journal_mode").fetchone()[0] == "wal"

    yield switch
    ours.close()
    other.close()


@pytest.mark.parametrize(("first", "second"), [(LOCKED, UNREADABLE), (UNREADABLE, LOCKED)])
def test_each_trouble_has_a_patience_of_its_own(
    switching: Callable[[list[str]], None], monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    monkeypatch.setattr(connection, PATIENCE[first], 3600.0)
    monkeypatch.setattr(connection, PATIENCE[second], 0.0)  # it may come once, however long that is since the first
    switching([first, first, second, first, ""])


@pytest.mark.parametrize("trouble", [LOCKED, UNREADABLE])
def test_a_trouble_that_stays_is_said(
    switching: Callable[[list[str]], None], monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setattr(connection, PATIENCE[trouble], 0.0)
    with pytest.raises(sqlite3.OperationalError, match=trouble):
        switching([trouble, trouble, ""])
