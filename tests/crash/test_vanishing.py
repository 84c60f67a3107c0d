"""Files that go away, or are in the way, under a daemon and before one: nothing is written into the void."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, rendezvous
from memd.daemon.launch import is_held
from memd.errors import MemdError, StoreUnusable
from tests.daemon.conftest import gone
from tests.waiting import ended, eventually

OTHERS = ("daemon.pid", "daemon.sock", "memd.db")


def remember(door: Door, text: str) -> str:
    return str(door.call("remember", {"items": [{"text": text}]})["remembered"][0]["id"])


def test_a_deleted_data_folder_ends_the_daemon_and_nothing_is_acknowledged_into_it(home: Path, door: Door) -> None:
    """A client goes on writing all the while: whatever is acknowledged afterwards is in the folder that is there."""
    remember(door, "before")
    pid = door.call("status", {})["pid"]
    shutil.rmtree(home)
    with Door(start=False) as impatient, pytest.raises(MemdError):  # the old daemon says that it can't, or has gone
        remember(impatient, "into the void")
    acknowledged: dict[str, str] = {}
    while not ended(pid) or not acknowledged:  # how many are written depends on the machine
        try:
            acknowledged[remember(door, f"after {len(acknowledged)}")] = f"after {len(acknowledged)}"
        except MemdError as error:
            assert error.hint
    assert door.call("status", {})["pid"] != pid
    with Memory.open(home, encode="off") as memory:
        assert memory.stats().memories == len(acknowledged)
        assert {id_: memory.show(id_).text for id_ in acknowledged} == acknowledged
        assert memory.check().sound


@pytest.mark.parametrize("which", ["daemon.lock", *(pytest.param(f, marks=pytest.mark.soak) for f in OTHERS)])
def test_a_deleted_file_of_the_daemon_leads_to_another_one(home: Path, door: Door, which: str) -> None:
    remember(door, "before")
    pid = door.call("status", {})["pid"]
    door.close()
    (home / which).unlink()
    if which == "memd.db":
        (home / "memd.db-wal").unlink(), (home / "memd.db-shm").unlink()
    assert eventually(lambda: ended(pid))
    assert door.call("stats", {})["memories"] == (which != "memd.db")
    config = Config.load()
    assert config.socket.exists() and rendezvous(str(home))[0] == door.call("status", {})["pid"]  # type: ignore[index]


def test_a_daemon_that_ends_late_leaves_what_is_the_next_ones(home: Path, door: Door) -> None:
    """The folder is deleted, and a client has another daemon there before the first one notices."""
    first = door.call("status", {})["pid"]
    os.kill(first, signal.SIGSTOP)
    shutil.rmtree(home)
    with Door() as other:
        kept = remember(other, "in the new folder")
        os.kill(first, signal.SIGCONT)
        assert eventually(lambda: ended(first))
        assert remember(other, "and another") != kept
    with Door(start=False) as later:
        assert later.call("stats", {})["memories"] == 2


def test_a_moved_data_folder_is_left_by_its_daemon(home: Path, door: Door, tmp_path: Path) -> None:
    kept = remember(door, "packed up")
    pid = door.call("status", {})["pid"]
    home.rename(tmp_path / "elsewhere")
    assert eventually(lambda: ended(pid))
    with Memory.open(tmp_path / "elsewhere", encode="off") as memory:
        assert memory.show(kept).text == "packed up"
        assert memory.check().sound


def test_a_store_that_is_replaced_under_a_writer_takes_no_more_from_it(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember("one")
        (tmp_path / "memd.db").rename(tmp_path / "old.db")
        with pytest.raises(StoreUnusable, match="deleted or moved"):
            memory.remember("two")
        with Memory.open(tmp_path, encode="off") as other:
            other.remember("three")
        with pytest.raises(StoreUnusable, match="deleted or moved"):
            memory.remember("four")


@pytest.mark.parametrize("many", [5, pytest.param(20, marks=pytest.mark.soak)])
def test_daemons_started_at_once_end_as_one(home: Path, many: int) -> None:
    """Each in the foreground, so that none is spared the race; one stays, the others say that it runs."""
    command = [sys.executable, "-m", "memd.daemon"]
    racing = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(many)]
    try:
        assert eventually(lambda: sum(one.poll() is None for one in racing) == 1)
        (left,) = [one for one in racing if one.poll() is None]
        for one in racing:
            if one is not left:
                assert one.returncode == 3 and "already" in one.communicate()[1]
        assert rendezvous(str(home))[0] == left.pid  # type: ignore[index]
        with Door(start=False) as door:
            assert remember(door, "to the one")
    finally:
        process.stop(Config.load())
        for one in racing:
            one.wait(240)
            assert one.stderr is not None
            one.stderr.close()


def test_a_pid_that_is_another_programs_by_now_is_left_alone(home: Path, door: Door) -> None:
    """A stale rendezvous and lock file with the id of a living process: neither asked nor signalled."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        home.mkdir()
        (home / "daemon.pid").write_text(f"{innocent.pid}\n{home / 'daemon.sock'}\n0.1.0\n")
        (home / "daemon.lock").write_text(f"{innocent.pid}\n")
        assert process.stop(Config.load()) is False
        assert remember(door, "works")
        assert process.stop(Config.load()) is True
        assert innocent.poll() is None
        innocent.communicate(b"\n")


def test_a_home_that_cant_be_written_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/proc can't be written by anybody, root included."""
    if not Path("/proc/self").exists():
        pytest.skip("no /proc on this system")
    monkeypatch.setenv("MEMD_HOME", "/proc/memd")
    with pytest.raises(MemdError, match="can't be") as caught:
        Door(timeout=240).call("status", {})
    assert caught.value.hint
    with pytest.raises(StoreUnusable):
        Memory.open(encode="off")


def test_clients_that_race_a_stopping_daemon_start_one_more(home: Path, door: Door) -> None:
    kept = remember(door, "before")
    door.close()
    found: list[str] = []

    def ask() -> None:
        with Door(timeout=240) as mine:
            found.append(mine.call("show", {"ids": [kept]})["memories"][0]["text"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    process.stop(Config.load())
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["before"] * 8
    assert is_held(str(home))
    assert process.stop(Config.load()) and gone(home)
