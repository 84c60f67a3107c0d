"""A store of an older format opens, is moved to the current one, and keeps all it had."""

from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory
from memd.store import backups, schema
from memd.store.migrations import run_script


@pytest.fixture
def format_1(tmp_path: Path) -> Path:
    """A file as the first format's memd left it: two memories, one said twice."""
    db = sqlite3.connect(str(tmp_path / "memd.db"), isolation_level=None)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN")
    # sqlite-utils' own note of what was applied
    db.execute(
        "CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)"
    )
    db.execute("CREATE UNIQUE INDEX applied ON _sqlite_migrations (migration_set, name)")
    db.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('memd', 'm001_tables', 'then')"
    )
    run_script(db, schema.M001_TABLES)
    db.execute("INSERT INTO meta (key, value) VALUES ('store', 'abc'), ('seed', '1')")
    for seq, text in ((1, "the tests need FFmpeg on the PATH"), (2, "deploys go out on Tuesdays")):
        db.execute(
            "INSERT INTO memory (seq, id, text, digest, kind, scope, source, recorded_at, speaker, asks, said_at)"
            " VALUES (?, ?, ?, ?, 'fact', 1, '{}', 1700000000000, 1, 0, 1700000000000)",
            (seq, f"m{seq}", text, bytes([seq]) * 16),
        )
        db.execute(
            "INSERT INTO passage (id, memory, ordinal, start, stop) VALUES (?, ?, 0, 0, ?)", (seq, seq, len(text))
        )
        db.execute("INSERT INTO passage_fts (rowid, text, context, mark) VALUES (?, ?, '', 's1')", (seq, text))
    db.execute("UPDATE memory SET said = 2, said_at = 1700000500000 WHERE seq = 2")
    db.execute("""INSERT INTO saying VALUES (2, 1700000500000, NULL, '{"who":"simon","session":"s1"}')""")
    db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.execute("COMMIT")
    db.close()
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
