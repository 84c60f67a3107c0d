"""A store of an older format opens, is moved to the current one, and keeps all it had."""

from pathlib import Path

import pytest

from memd.api import Memory
from memd.store import backups, schema
from tests.store.older import format_1_store


@pytest.fixture
def format_1(tmp_path: Path) -> Path:
    """A file as the first format's memd left it: two memories, one said twice."""
    format_1_store(tmp_path / "memd.db", ["the tests need FFmpeg on the PATH", "deploys go out on Tuesdays"])
    return tmp_path


def test_a_format_1_store_is_moved(format_1: Path) -> None:
    with Memory.open(format_1, encode="off") as memory:
        assert memory.stats().format == schema.FORMAT
        assert [hit.memory.id for hit in memory.recall("FFmpeg tests", min_relevance=0).hits] == ["m1"]
        assert memory.show("m2").said == 2
        with memory.store.reading() as db:
            assert db.execute("PRAGMA user_version").fetchone()[0] == schema.FORMAT
            assert db.execute("SELECT memory, tier, pinned FROM life").fetchall() == [(1, 32, 0), (2, 32, 0)]
            assert db.execute("SELECT memory, at, verdict, who, via, session FROM use").fetchall() == [
                (2, 1700000500000, "restated", "simon", "", "s1")
            ]
        memory.remember("a new one")
        assert memory.store.check() == []


def test_moving_happens_once(format_1: Path) -> None:
    for _ in range(2):
        with Memory.open(format_1, encode="off") as memory, memory.store.reading() as db:
            assert db.execute("SELECT count(*) FROM life").fetchone()[0] == 2
            assert db.execute("SELECT count(*) FROM use").fetchone()[0] == 1


def test_a_moved_store_takes_tasks(format_1: Path) -> None:
    with Memory.open(format_1, encode="off") as memory:
        memory.tasks.start("release", scope="global")
        memory.tasks.step("tag it", scope="global")
        assert [task.title for task in memory.tasks.list(scope="global").tasks] == ["release", "tag it"]


def test_what_the_older_memd_wrote_is_kept_beside_the_moved_store(format_1: Path) -> None:
    for _ in range(2):  # the second finds nothing to move, and copies nothing
        with Memory.open(format_1, encode="off") as memory:
            memory.remember("a new one")
        (kept,) = backups.listed(format_1 / backups.FOLDER)
    assert (kept.format, kept.memories) == (1, 2)
    assert backups.verify(Path(kept.path)) == kept
