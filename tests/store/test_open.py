"""Opening: what isn't a sound memd store is refused with the reason, and left as it was."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory
from memd.errors import MemdError, StoreBusy, StoreCorrupt, StoreFull, StoreNewer, StoreReadOnly, StoreUnusable
from memd.model import NewMemory
from memd.store import Store, connection, schema


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed store with some memories."""
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember_many([NewMemory(f"memory number {n}, some words of it", episode="e") for n in range(300)])
    return tmp_path / "memd.db"


def refusal(path: Path) -> MemdError:
    """The error with which the store is refused; the file must not have changed by a byte."""
    before = path.read_bytes()
    with pytest.raises(StoreUnusable) as caught:
        Store.open(path).close()
    assert path.read_bytes() == before
    assert caught.value.hint and str(path) in caught.value.message and caught.value.exit_code == 3
    return caught.value


def test_a_new_store_is_ours_and_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "memd.db"
    store = Store.open(path)
    with store.reading() as db:
        assert db.execute("PRAGMA application_id").fetchone()[0] == schema.APPLICATION_ID
        assert db.execute("PRAGMA user_version").fetchone()[0] == schema.FORMAT
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA auto_vacuum").fetchone()[0] == 2
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    for name in ("memd.db-wal", "memd.db-shm"):
        assert path.with_name(name).stat().st_mode & 0o777 == 0o600
    store.close()
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["memd.db"]
    with pytest.raises(RuntimeError, match="closed"), store.reading():
        pass


def test_a_store_opens_again(path: Path) -> None:
    with Memory.open(path.parent, encode="off") as memory:
        assert memory.stats().memories == 300
        assert memory.store.check() == []


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "memd.db").touch()
    with Memory.open(tmp_path, encode="off") as memory:
        assert memory.remember("first").id


def test_every_table_and_index_is_explained() -> None:
    scripts = [text for name, text in vars(schema).items() if name.startswith("M0")]
    lines = "".join(scripts).splitlines()
    bare = [line for above, line in pairwise(lines) if line.startswith("CREATE") and not above.startswith("--")]
    assert bare == []


@pytest.mark.parametrize("content", [b"hello " * 1000, b"\0" * 8192, b"SQLite format 3\0" + b"junk" * 3000, b"x"])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "memd.db"
    path.write_bytes(content)
    assert isinstance(refusal(path), StoreCorrupt)


@pytest.mark.parametrize("wal", [False, True])
def test_another_programs_database(tmp_path: Path, wal: bool) -> None:
    path = tmp_path / "memd.db"
    db = sqlite3.connect(str(path))
    if wal:
        db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE memory (id, text)")
    db.close()
    assert "another program" in refusal(path).message


def test_a_newer_store(path: Path) -> None:
    db = sqlite3.connect(str(path))
    db.execute(f"PRAGMA user_version = {schema.FORMAT + 1}")
    db.close()
    assert isinstance(refusal(path), StoreNewer)


def test_a_store_cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 + 100)
    assert isinstance(refusal(path), StoreCorrupt)


def test_a_store_cut_at_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 8192 * 4096)
    assert isinstance(refusal(path), StoreCorrupt)


def test_a_store_without_a_table(path: Path) -> None:
    db = sqlite3.connect(str(path))
    db.execute("DROP TABLE change")
    db.close()
    assert "change" in refusal(path).message


def test_damage_met_later_is_typed_and_found_by_check(path: Path) -> None:
    """A page overwritten in the middle of the texts: opening needn't see it, reading and checking must."""
    content = bytearray(path.read_bytes())
    at = content.index(b"memory number 150,") // 4096 * 4096
    content[at : at + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt) as caught, Memory.open(path.parent, encode="off") as memory:
        assert memory.store.check() != []
        memory.list(limit=1000)
    assert "memd repair" in caught.value.hint


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "memd.db").mkdir()
    with pytest.raises(StoreCorrupt):
        Store.open(tmp_path / "memd.db")


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("x")
    with pytest.raises(StoreUnusable):
        Store.open(tmp_path / "home" / "memd.db")


def test_a_lock_held_for_too_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_S", 0.05)
    with Memory.open(path.parent, encode="off") as memory:
        other = sqlite3.connect(str(path), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            memory.remember("too late")
        assert memory.stats().memories == 300
        other.execute("ROLLBACK")
        memory.remember("in time")
        other.close()


# Tried in a process of its own, without root's powers where it has them. Prints the error's code and the count after.
ATTEMPT = """
import os, resource, signal, sys
from memd.api import Memory
from memd.errors import MemdError
from memd.model import NewMemory
import memd.store.migrations
home, user, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if user:
    os.setgid(user); os.setuid(user)
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
stored = 0
try:
    with Memory.open(home, encode="off") as memory:
        for n in range(400):
            try:
                memory.remember(f"memory {n} " + "padding that fills the disk " * 200)
                stored += 1
            except MemdError as error:
                print(error.code, stored, memory.stats().memories)
                break
        else:
            print("no error", stored)
except MemdError as error:
    print(error.code, stored)
"""


def attempt(home: Path, *, limit: int = 0, before: str = "") -> list[str]:
    user = 65534 if os.geteuid() == 0 and not limit and not before else 0
    command = [sys.executable, "-c", ATTEMPT, str(home), str(user), str(limit)]
    if before:
        command = ["unshare", "--mount", "sh", "-c", before + ' && exec "$@"', "sh", *command]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return done.stdout.split()


def can_mount(command: str) -> bool:
    """Whether this user may run `command` in a mount namespace of its own."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "--mount", "sh", "-c", command], check=False, capture_output=True).returncode == 0


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that other users may enter (pytest's own is private)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_can_not_be_written(public: Path) -> None:
    public.chmod(0o555)
    assert attempt(public) == ["store_read_only", "0"]
    assert attempt(public / "below") == ["store_read_only", "0"]


def test_a_file_that_can_not_be_written(public: Path) -> None:
    public.chmod(0o777)
    (public / "memd.db").touch()
    (public / "memd.db").chmod(0o444)
    assert attempt(public) == ["store_read_only", "0"]


def test_a_file_that_can_not_grow(tmp_path: Path) -> None:
    """The limit on a file's size, as a quota would be: typed, and what was acknowledged is there."""
    code, stored, seen = attempt(tmp_path, limit=1 << 20)
    assert code == "store_unusable" and stored == seen and int(stored) > 0
    with Memory.open(tmp_path, encode="off") as memory:
        assert memory.stats().memories == int(stored)
        assert memory.store.check() == []
        memory.remember("room again")


def test_a_full_disk(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=2m tmpfs {tmp_path}"
    if not can_mount(mount):
        pytest.skip("needs root on Linux: mounts a small tmpfs")
    code, stored, seen = attempt(tmp_path, before=mount)
    assert code == StoreFull.code and stored == seen and int(stored) > 0


def test_a_full_disk_by_sqlites_own_word(path: Path) -> None:
    """The same where nothing can be mounted: the store may not grow by another page."""
    store = Store.open(path)
    with store.writing() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull) as caught, store.writing() as db:
        db.execute("INSERT INTO meta (key, value) VALUES ('big', ?)", ("x" * 100_000,))
    assert "safe" in caught.value.hint
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM memory").fetchone()[0] == 300
    store.close()


def test_a_read_only_file_system(path: Path) -> None:
    home = path.parent
    mount = f"mount --bind {home} {home} && mount -o remount,ro,bind {home}"
    if not can_mount(mount):
        pytest.skip("needs root on Linux: binds a folder read-only")
    assert attempt(home, before=mount) == [StoreReadOnly.code, "0"]
