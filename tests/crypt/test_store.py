"""A store as it lies on the disk: nothing in it can be read without the key, and with it everything is as it was."""

from __future__ import annotations

import os
import re
import sqlite3 as other_programs
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.api import Memory
from memd.errors import BadInput, StoreBusy, StoreCorrupt, StoreFull, StoreLocked, WrongKey
from memd.model import NewMemory
from memd.store import backups, cipher, keys, moving
from memd.store.cipher import Key
from tests.crypt.conftest import files_with
from tests.damage import overwrite_pages
from tests.store.older import format_1_store

WORDS = ("harbourmaster", "lighthouse_keeper", "tidewrack")
PASSPHRASE = "a lantern for the tide"
COPIED_AT = datetime(2026, 1, 2, tzinfo=UTC)


def filled(home: Path, count: int = 60) -> list[str]:
    with Memory.open(home, encode="off") as memory:
        done = memory.remember_many([
            NewMemory(f"The harbourmaster of quay {n} calls `lighthouse_keeper_{n % 7}()`", tags=("tidewrack",))
            for n in range(count)
        ])  # fmt: skip
        memory.forget([one.id for one in done[: count // 6]])
        memory.supersede(done[-1].id, "The harbourmaster retired")
    return [one.id for one in done]


def everything(path: Path, key: Key | None) -> dict[str, Any]:
    """Every row of every table, and what the file says of itself."""
    db = cipher.connect(path, key, "ro")
    try:
        names = [
            (name, bool(without_rowid))
            for name, without_rowid in db.execute(
                "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')"
            )
        ]
        held: dict[str, Any] = {
            name: db.execute(f'SELECT {"" if wr else "rowid, "}* FROM "{name}" ORDER BY 1, 2').fetchall()
            for name, wr in names
            if name != "sqlite_schema"
        }
        held["schema"] = sorted(db.execute("SELECT type, name, sql FROM sqlite_master").fetchall(), key=str)
        for pragma in ("application_id", "user_version", "auto_vacuum"):
            held[pragma] = db.execute(f"PRAGMA {pragma}").fetchone()
        return held
    finally:
        db.close()


def test_no_file_of_an_encrypted_store_holds_a_word_of_it(tmp_path: Path) -> None:
    filled(tmp_path)
    store = tmp_path / "memd.db"
    backups.make(store, tmp_path / "backups" / backups.name(COPIED_AT))
    assert len(files_with(tmp_path, *WORDS)) == 2
    moving.move(store, keys.random_key())
    assert files_with(tmp_path, *WORDS) == []
    with Memory.open(tmp_path, encode="off") as memory:
        written = memory.remember("The harbourmaster is back", tags=["tidewrack"]).id
        assert [hit.memory.id for hit in memory.recall("harbourmaster back", limit=1).hits] == [written]
        backups.make(store, tmp_path / "backups" / backups.name(datetime.now(UTC)))
        assert (tmp_path / "memd.db-wal").stat().st_size > 0
        assert files_with(tmp_path, *WORDS, "SQLite format 3") == []
        assert memory.store.check() == [] and memory.audit().sound
    assert files_with(tmp_path, *WORDS, "SQLite format 3") == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks at open files in /proc")
def test_what_sqlite_spills_stays_in_memory(tmp_path: Path) -> None:
    moving.move(tmp_path / "memd.db", keys.random_key())
    with Memory.open(tmp_path, encode="off") as memory:
        for setting, spills in (
            ("", False),
            ("PRAGMA temp_store = FILE", True),
        ):  # the second shows that we would see it
            with memory.store.examining() as db:
                db.execute(setting)
                db.execute(
                    "CREATE TEMP TABLE much AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                    "LIMIT 8000) SELECT i, randomblob(4000) AS b FROM n"
                )
                assert any("etilqs" in file for file in open_files()) == spills


def open_files() -> list[str]:
    """The paths of this process's open files; SQLite removes its temporary ones as soon as it has opened them."""
    found = []
    for one in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{one}"))
        except OSError:  # that of the listing itself
            pass
    return found


@settings(max_examples=8)
@given(st.lists(st.tuples(st.text(min_size=1).filter(str.strip), st.booleans()), min_size=1, max_size=8))
def test_there_and_back_again_every_row_is_as_it_was(tmp_path_factory: Any, said: list[tuple[str, bool]]) -> None:
    home = tmp_path_factory.mktemp("there")
    store = home / "memd.db"
    with Memory.open(home, encode="off") as memory:
        for text, forgotten in said:
            try:
                id_ = memory.remember(text).id
            except BadInput:
                continue
            if forgotten:
                memory.forget([id_])
    before = everything(store, None)
    first, second = keys.random_key(), keys.random_key()
    for key in (first, second, None):
        moving.move(store, key)
        assert everything(store, key) == before
        assert cipher.encryption(cipher.start_of(store)) == ("key" if key else "off")


def test_a_store_with_vectors_answers_as_before(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="inline") as memory:
        memory.remember_many([NewMemory(text) for text in ("the mole is lit at night", "bread is baked at dawn")])
        before = memory.recall("where is light in the dark?", min_relevance=0.0)
    moving.move(tmp_path / "memd.db", keys.random_key())
    with Memory.open(tmp_path, encode="inline") as memory:
        after = memory.recall("where is light in the dark?", min_relevance=0.0)
    assert [(hit.memory.id, hit.score) for hit in after.hits] == [(hit.memory.id, hit.score) for hit in before.hits]


def test_another_key_doesnt_open_it_and_changes_nothing(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    store = tmp_path / "memd.db"
    key = keys.passphrase_key(PASSPHRASE)
    moving.move(store, key)
    bytes_before = store.read_bytes()
    fresh = keys.Keys()
    with pytest.raises(StoreLocked) as locked:
        fresh.of(store)
    assert "memd unlock" in locked.value.hint
    for wrong in ("another lantern", "ff" * 32, "", "\udcff"):
        with pytest.raises(WrongKey):
            fresh.offer(wrong, store)
    assert store.read_bytes() == bytes_before
    assert fresh.offer(PASSPHRASE, store) == key == fresh.of(store)
    assert keys.Keys().offer(key.raw.hex(), store) == key
    assert PASSPHRASE not in repr(key) and key.raw.hex() not in repr(key) and repr(key.raw) not in repr(key)


def test_other_programs_open_it_with_the_passphrase_and_none_without(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    store = tmp_path / "memd.db"
    moving.move(store, keys.passphrase_key(PASSPHRASE))
    sqlcipher = cipher.sqlcipher()
    db = sqlcipher.connect(str(store))
    db.execute(f"PRAGMA key = '{PASSPHRASE}'")
    assert db.execute("SELECT count(*) FROM memory").fetchone()[0] == 4
    db.close()
    with pytest.raises(other_programs.DatabaseError):
        other_programs.connect(store).execute("SELECT count(*) FROM memory")


def test_rekeying_takes_the_copies_along_and_the_former_key_opens_nothing(tmp_path: Path) -> None:
    ids = filled(tmp_path)
    store, copy = tmp_path / "memd.db", tmp_path / "backups" / backups.name(COPIED_AT)
    elsewhere = tmp_path / "usb" / "mine.db"
    first, second = keys.random_key(), keys.random_key()
    moving.move(store, first)
    for target in (copy, elsewhere):
        backups.make(store, target)
    made_at = copy.stat().st_mtime_ns
    moved = moving.move(store, second)
    assert set(moved.backups) == {str(copy), str(elsewhere)} and moved.left == ()
    assert copy.stat().st_mtime_ns == made_at
    for file in (store, copy, elsewhere):
        assert cipher.start_of(file) == second.salt
        with pytest.raises(WrongKey):
            cipher.connect(file, first, "ro")
    assert backups.verify(copy).memories == len(ids) + 1


def test_a_copy_that_cant_be_reached_or_read_is_named(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    store, away = tmp_path / "memd.db", tmp_path / "usb" / "mine.db"
    backups.make(store, away)
    away.rename(tmp_path / "usb" / "carried away")
    broken = tmp_path / "backups" / backups.name(COPIED_AT)
    backups.make(store, broken)
    broken.write_bytes(broken.read_bytes()[:9000])
    moved = moving.move(store, keys.random_key())
    assert {left.path for left in moved.left} == {str(away), str(broken)} and moved.backups == ()
    assert moving.plain_copies(store) == [broken]


def test_decrypting_leaves_the_copies_encrypted_and_says_so(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    store, copy = tmp_path / "memd.db", tmp_path / "backups" / backups.name(COPIED_AT)
    moving.move(store, keys.random_key())
    backups.make(store, copy)
    moved = moving.move(store, None)
    assert [left.path for left in moved.left] == [str(copy)] and backups.verify(copy).encrypted
    assert files_with(tmp_path, "harbourmaster") == ["memd.db"]


def test_putting_a_copy_back_never_turns_encryption_off(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    store = tmp_path / "memd.db"
    plain = Path(backups.make(store, tmp_path / "elsewhere" / "plain.db").path)
    (tmp_path / "backups" / "elsewhere").unlink()  # nobody knows of it
    moving.move(store, keys.random_key())
    encrypted = Path(backups.make(store, tmp_path / "backups" / backups.name(COPIED_AT)).path)
    assert cipher.start_of(plain) == cipher.PLAIN
    backups.put_back(plain, store, tmp_path / "aside-1.db")
    assert cipher.start_of(store) == cipher.start_of(encrypted) == cipher.start_of(tmp_path / "aside-1.db")
    with Memory.open(tmp_path, encode="off") as memory:
        assert memory.stats().memories == 3
    moving.move(store, None)
    backups.put_back(encrypted, store, tmp_path / "aside-2.db")  # a copy says for itself which key it needs
    with Memory.open(tmp_path, encode="off") as memory:
        assert memory.store.encryption == "key" and memory.store.check() == []


def test_a_store_that_is_open_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    store = tmp_path / "memd.db"
    with Memory.open(tmp_path, encode="off") as memory:
        with pytest.raises(StoreBusy):
            moving.move(store, keys.random_key())
        memory.remember("still at work")
    holding = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holding.stdout and holding.stdout.readline() == "open\n"
    with pytest.raises(StoreBusy):
        moving.move(store, keys.random_key())
    holding.communicate("\n")
    assert moving.move(store, keys.random_key()).memories == 5
    assert moving.leftovers(store) == []


HOLD = """
import sys
from memd.api import Memory
with Memory.open(sys.argv[1], encode="off"):
    print("open", flush=True)
    sys.stdin.readline()
"""


def test_without_room_for_a_second_copy_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, 3)
    before = (tmp_path / "memd.db").read_bytes()
    little = os.statvfs(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": little.f_bsize * 10})())
    with pytest.raises(StoreFull):
        moving.move(tmp_path / "memd.db", keys.random_key())
    assert (tmp_path / "memd.db").read_bytes() == before and moving.leftovers(tmp_path / "memd.db") == []


def test_a_damaged_store_is_not_written_anew(tmp_path: Path) -> None:
    filled(tmp_path, 400)
    store = tmp_path / "memd.db"
    overwrite_pages(store)
    with pytest.raises(StoreCorrupt):
        moving.move(store, keys.random_key())
    assert store.read_bytes()[:16] == cipher.PLAIN and moving.leftovers(store) == []


def test_damage_to_an_encrypted_store_is_found(tmp_path: Path) -> None:
    filled(tmp_path, 200)
    store = tmp_path / "memd.db"
    moving.move(store, keys.random_key())
    data = bytearray(store.read_bytes())
    data[len(data) // 2] ^= 1  # one bit: each page carries its own code
    store.write_bytes(bytes(data))
    with pytest.raises(StoreCorrupt):
        backups.make(store, tmp_path / "copy.db")
    damaged = bytearray(data)
    damaged[100] ^= 1  # in the first page, by which a wrong key is told
    store.write_bytes(bytes(damaged))
    with pytest.raises(WrongKey) as told:
        Memory.open(tmp_path, encode="off")
    assert "damaged" in told.value.message


def test_an_older_encrypted_store_is_migrated_and_its_copy_encrypted(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    format_1_store(old, ["the tests need FFmpeg on the PATH", "deploys go out on Tuesdays"])
    key = keys.keys.keep(keys.random_key())
    home = tmp_path / "home"
    home.mkdir()
    moving.rewrite(old, None, home / "memd.db", key)
    with Memory.open(home, encode="off") as memory:
        assert memory.stats().memories > 0 and memory.store.check() == []
    [copy] = backups.files(home / "backups")
    assert cipher.start_of(copy) == key.salt


def test_a_plain_store_imports_nothing_for_it(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom memd.api import Memory\n"
        "with Memory.open(sys.argv[1], encode='off') as memory:\n"
        "    memory.remember('plain'); memory.recall('plain')\n"
        "print({'sqlcipher3', 'keyring', 'memd.store.moving'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(BadInput):
        keys.passphrase_key("short")


def test_a_store_that_a_link_leads_to_is_moved_where_it_lies(tmp_path: Path) -> None:
    filled(tmp_path / "home", 3)
    (tmp_path / "disk").mkdir()
    (tmp_path / "home" / "memd.db").rename(tmp_path / "disk" / "real.db")
    (tmp_path / "home" / "memd.db").symlink_to(tmp_path / "disk" / "real.db")
    moving.move(tmp_path / "home" / "memd.db", keys.random_key())
    assert (tmp_path / "home" / "memd.db").is_symlink() and files_with(tmp_path, *WORDS) == []
    with Memory.open(tmp_path / "home", encode="off") as memory:
        assert memory.stats().memories > 0


def test_python_can_give_the_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [kept] = filled(tmp_path, 1)
    moving.move(tmp_path / "memd.db", keys.passphrase_key(PASSPHRASE))
    monkeypatch.setattr(keys.keys, "_known", {})  # as in another process
    with pytest.raises(StoreLocked):
        Memory.open(tmp_path, encode="off")
    with pytest.raises(WrongKey):
        Memory.open(tmp_path, encode="off", passphrase="another lantern")
    with Memory.open(tmp_path, encode="off", passphrase=PASSPHRASE) as memory:
        assert memory.history(kept).versions and memory.store.encryption == "passphrase"
    moving.move(tmp_path / "memd.db", None)
    Memory.open(tmp_path, encode="off", passphrase=PASSPHRASE).close()  # which a plain one doesn't need


def test_files_of_memd_are_opened_in_one_place() -> None:
    """Whatever else connects must be to memory, to a temporary file without texts, or to other tools' files."""
    elsewhere = {"memd/store/cipher.py", "memd/exchange/foreign/databases.py"}
    root = Path(__file__).parents[2]
    for source in [*(root / "memd").rglob("*.py"), *(root / "cli").rglob("*.py")]:
        if source.relative_to(root).as_posix() not in elsewhere:
            calls = re.findall(r"sqlite3?\.connect\(\s*([^,)]*)", source.read_text(encoding="utf-8"))
            assert set(calls) <= {'":memory:"', '""'}, source
