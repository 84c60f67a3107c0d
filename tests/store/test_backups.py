"""Copies of the store: whole whatever happens meanwhile, verified, and put back without a moment of no store."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory
from memd.errors import Conflict, NotFound, StoreBusy, StoreCorrupt, StoreNewer
from memd.model import NewMemory
from memd.store import backups, exclusion, schema
from tests.damage import overwrite_pages


def filled(home: Path, count: int = 20) -> list[str]:
    with Memory.open(home, encode="off") as memory:
        return [one.id for one in memory.remember_many([NewMemory(f"fact number {n}") for n in range(count)])]


def ids(home: Path) -> set[str]:
    with Memory.open(home, encode="off") as memory:
        return {one.id for one in memory.list(scope="all", limit=1000)}


def test_a_copy_made_under_writers_is_whole_and_has_all_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    before = filled(tmp_path / "home")
    stop = threading.Event()
    with Memory.open(tmp_path / "home", encode="off") as memory:

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                memory.remember(f"meanwhile {number}")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            made = [backups.make(memory.store.path, tmp_path / f"copy{n}.db") for n in range(5)]
        finally:
            stop.set()
            writer.join()
    assert [made.memories for made in made] == sorted(made.memories for made in made)
    for copy in made:
        home = tmp_path / f"of-{Path(copy.path).stem}"
        home.mkdir()
        Path(copy.path).rename(home / "memd.db")
        with Memory.open(home, encode="off") as memory:  # how much was written meanwhile depends on the machine
            assert memory.stats().memories == copy.memories
            assert [memory.show(id_).id for id_ in before] == before
            assert memory.store.check() == [] and memory.recall("fact number 7").hits


def test_a_copy_comes_back_and_what_was_there_is_kept_aside(tmp_path: Path) -> None:
    before = filled(tmp_path)
    store = tmp_path / "memd.db"
    copy = backups.make(store, tmp_path / "copy.db")
    with Memory.open(tmp_path, encode="off") as memory:
        later = memory.remember("said after the copy").id
    assert backups.put_back(Path(copy.path), store, tmp_path / "aside" / "memd.db")
    assert ids(tmp_path) == set(before)
    assert ids(tmp_path / "aside") == {*before, later}


def test_a_store_in_use_is_not_replaced(tmp_path: Path) -> None:
    before = filled(tmp_path)
    copy = backups.make(tmp_path / "memd.db", tmp_path / "copy.db")
    with Memory.open(tmp_path, encode="off") as memory:
        with pytest.raises(StoreBusy):
            backups.put_back(Path(copy.path), memory.store.path, tmp_path / "aside.db")
        assert not (tmp_path / "aside.db").exists()
        memory.remember("still at work")
    assert len(ids(tmp_path)) == len(before) + 1


def test_a_damaged_store_is_set_aside_as_it_is_and_replaced(tmp_path: Path) -> None:
    before = filled(tmp_path)
    store = tmp_path / "memd.db"
    copy = backups.make(store, tmp_path / "copy.db")
    store.write_bytes(b"SQLite format 3\0" + b"not any more" * 999)
    broken = store.read_bytes()
    backups.put_back(Path(copy.path), store, tmp_path / "aside.db")
    assert ids(tmp_path) == set(before) and (tmp_path / "aside.db").read_bytes() == broken


def test_what_is_no_whole_copy_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, 200)
    copy = Path(backups.make(tmp_path / "memd.db", tmp_path / "copy.db").path)
    with pytest.raises(NotFound):
        backups.verify(tmp_path / "none.db")
    with pytest.raises(Conflict):
        backups.make(tmp_path / "memd.db", copy)
    other = sqlite3.connect(str(tmp_path / "other.db"))
    other.execute("CREATE TABLE t (x)")
    other.commit()
    other.close()
    with pytest.raises(StoreCorrupt):
        backups.verify(tmp_path / "other.db")
    newer = sqlite3.connect(str(copy))
    newer.execute(f"PRAGMA user_version = {schema.FORMAT + 1}")
    newer.close()
    with pytest.raises(StoreNewer):
        backups.verify(copy)
    cut = tmp_path / "cut.db"
    cut.write_bytes((tmp_path / "memd.db").read_bytes()[:20_000])
    with pytest.raises(StoreCorrupt):
        backups.verify(cut)


def test_a_damaged_store_gives_no_copy(tmp_path: Path) -> None:
    filled(tmp_path, 400)
    store = tmp_path / "memd.db"
    overwrite_pages(store)
    with pytest.raises(StoreCorrupt):
        backups.make(store, tmp_path / "copies" / "copy.db")
    assert list((tmp_path / "copies").iterdir()) == []


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    filled(tmp_path)
    folder = tmp_path / backups.FOLDER
    names = [backups.name(datetime(2026, 1, day, tzinfo=UTC)) for day in (3, 1, 2)]
    for each in names:
        backups.make(tmp_path / "memd.db", folder / each)
    (folder / "mine.db").write_bytes(b"not one of them")
    gone = backups.prune(folder, 2)
    assert [path.name for path in gone] == [backups.name(datetime(2026, 1, 1, tzinfo=UTC))]
    assert [Path(one.path).name for one in backups.listed(folder)] == [names[0], names[2]]
    assert (folder / "mine.db").exists()


# Ends the process, as kill -9 would, before the call of one of `os`'s functions that has this number.
ENDING = """
import os, sys
from pathlib import Path
from memd.store import backups
calls = 0
def ending(function):
    def call(*args, **options):
        global calls
        calls += 1
        if calls == int(sys.argv[4]):
            os._exit(9)
        return function(*args, **options)
    return call
for name in ("link", "replace", "rename", "fsync", "unlink", "chmod"):
    setattr(os, name, ending(getattr(os, name)))
backups.put_back(*map(Path, sys.argv[1:4]))
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_cut_short_at_any_step_the_one_or_the_other_is_there_and_nothing_else(tmp_path: Path, damaged: bool) -> None:
    home = tmp_path / "home"
    new = set(filled(tmp_path / "other", 3))
    copy = backups.make(tmp_path / "other" / "memd.db", tmp_path / "copy.db").path
    outcomes = set()
    for step in range(1, 30):
        shutil.rmtree(home, ignore_errors=True)
        old = set(filled(home, 5))
        if damaged:
            (home / "memd.db").write_bytes(b"no SQLite any more" * 999)
        before = (home / "memd.db").read_bytes()
        aside = home / backups.FOLDER / backups.name(datetime.now(UTC), "replaced")
        words = [sys.executable, "-c", ENDING, copy, str(home / "memd.db"), str(aside), str(step)]
        code = subprocess.run(words, check=False).returncode
        backups.listed(home / backups.FOLDER)
        left = {path.relative_to(home).name for path in home.rglob("*") if path.is_file()}
        replaced = aside.exists()
        outcomes.add(replaced)
        if not replaced:
            assert left == {"memd.db"}
            assert damaged or ids(home) == old
            assert not damaged or (home / "memd.db").read_bytes() == before
        else:
            assert left == {"memd.db", aside.name}
            assert ids(home) == new
            assert damaged or backups.verify(aside).memories == 5
            assert not damaged or aside.read_bytes() == before
        if code == 0:
            break
    assert code == 0 and outcomes == {False, True}


def test_what_is_written_while_a_copy_is_put_back_stays(tmp_path: Path) -> None:
    """In the moment after a file has taken the store's place, and before who did that has let go of the former."""
    filled(tmp_path)
    filled(tmp_path / "other")
    with exclusion.alone(tmp_path / "memd.db", None):
        (tmp_path / "other" / "memd.db").replace(tmp_path / "memd.db")
        memory = Memory.open(tmp_path, encode="off")
        kept = memory.remember("in between").id
    with Memory.open(tmp_path, encode="off") as other:
        assert other.show(kept).text == "in between"
    memory.close()
    assert kept in ids(tmp_path)
