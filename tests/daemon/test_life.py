"""A daemon's life: one a data folder, whatever happened to the one before, and what it had acknowledged is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from memd import __version__
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, rendezvous
from memd.daemon.launch import is_held
from memd.errors import DaemonUnavailable, MemdError, StoreCorrupt, StoreReadOnly, VersionMismatch
from tests.waiting import ended, eventually

from .conftest import Line, daemon_in_foreground, gone, request


def remember(door: Door, *texts: str) -> list[str]:
    answer = door.call("remember", {"items": [{"text": text} for text in texts]})
    return [one["id"] for one in answer["remembered"]]


def texts(door: Door, ids: list[str]) -> list[str]:
    return [memory["text"] for memory in door.call("show", {"ids": ids})["memories"]]


def daemons(home: Path) -> list[int]:
    """Process ids of the daemons of a data folder."""
    found = []
    for one in psutil.process_iter():
        try:
            if "memd.daemon" in one.cmdline() and one.environ().get("MEMD_HOME") == str(home):
                found.append(one.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_clients_that_start_at_once_end_with_one_daemon(home: Path) -> None:
    code = "from memd.daemon.client import Door\nprint(Door().call('status', {})['pid'])"
    clients = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    pids = {client.communicate(timeout=240)[0].strip() for client in clients}
    assert len(pids) == 1
    assert eventually(lambda: daemons(home) == [int(next(iter(pids)))])


def test_the_daemon_outlives_its_client_and_is_no_child_of_it(home: Path, door: Door) -> None:
    pid = door.call("status", {})["pid"]
    assert psutil.Process(pid).ppid() != os.getpid()
    door.close()
    assert Door(start=False).call("status", {})["pid"] == pid


def test_stop_and_restart(home: Path, door: Door) -> None:
    config = Config.load()
    assert process.status(config) is None
    assert process.stop(config) is False
    first = process.start(config)
    assert process.start(config)["pid"] == first["pid"]
    assert process.status(config)["pid"] == first["pid"]
    second = process.restart(config)
    assert second["pid"] != first["pid"]
    assert eventually(lambda: ended(first["pid"]))
    assert process.stop(config) is True
    assert not config.socket.exists()
    assert not config.rendezvous.exists()
    assert not is_held(str(home))


def test_a_killed_daemon_is_replaced_and_nothing_acknowledged_is_lost(home: Path, door: Door) -> None:
    ids = remember(door, "one", "two")
    pid = door.call("status", {})["pid"]
    os.kill(pid, signal.SIGKILL)
    assert gone(home)
    assert rendezvous(str(home)) is not None, "the stale file is there"
    assert Config.load().socket.exists(), "and the stale socket"
    assert texts(door, ids) == ["one", "two"], "the same door goes on"
    assert door.call("status", {})["pid"] != pid


# A client that ends each daemon it has launched, the first so many, where it is about to look where that one answers.
UNLUCKY = """
import os, signal, sys
home, most = sys.argv[1:]
launched = ended = 0

def watch(event, args):
    global launched, ended
    if event == "subprocess.Popen":
        launched += 1
    elif event == "open" and args[0] == os.path.join(home, "daemon.pid") and ended < min(launched, int(most)):
        ended += 1
        os.kill(rendezvous(home)[0], signal.SIGTERM)
        assert eventually(lambda: not is_held(home))

from memd.daemon.client import Door, rendezvous
from memd.daemon.launch import is_held
from memd.errors import DaemonUnavailable
from tests.waiting import eventually

sys.addaudithook(watch)
try:
    said = Door(home, timeout=240).call("status", {})["pid"] == rendezvous(home)[0]
except DaemonUnavailable as error:
    said = error.message
print(launched, said)
"""


@pytest.mark.parametrize(("ending", "said"), [(0, "1 True"), (1, "2 True"), (9, "2 no daemon answers for {home}")])
def test_a_daemon_that_ends_before_it_is_asked_is_launched_once_more(home: Path, ending: int, said: str) -> None:
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", UNLUCKY, str(home), str(ending)],
        capture_output=True, text=True, cwd=root, timeout=240, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (said.format(home=home) + "\n", "")
    assert is_held(str(home)) == (ending < 2)


@pytest.mark.parametrize(
    "stale", [b"", b"garbage", b"\xff\xfe\n\n", b"1\n/nowhere\n0.1.0\n", b"1\n" + b"x" * 5000 + b"\n"]
)
def test_no_stale_file_stands_in_the_way(home: Path, door: Door, stale: bytes) -> None:
    home.mkdir()
    (home / "daemon.pid").write_bytes(stale)
    (home / "daemon.sock").write_bytes(b"") if not stale else None
    (home / "daemon.lock").write_bytes(stale)
    if stale:
        assert door.call("status", {})["home"] == str(home)
    else:
        with pytest.raises(DaemonUnavailable, match="not a socket"):  # somebody's file is not ours to remove
            door.call("status", {})


def test_sigterm_finishes_the_write_in_hand(home: Path) -> None:
    child = daemon_in_foreground(home)
    items = [{"text": f"number {number} " + "words of a note " * 50} for number in range(400)]
    with Line(home) as writer, Line(home) as other:
        writer.greet(), other.greet()
        writer.send(request("remember", {"items": items}))
        before = 0
        while (seen := other.ask("status")["result"]["requests"]) <= before + 1:
            before = seen
        child.send_signal(signal.SIGTERM)
        answer = writer.read()
        ids = [one["id"] for one in answer["result"]["remembered"]]
    assert child.wait(240) == 0
    assert child.stderr is not None
    child.stderr.close()
    assert not is_held(str(home))
    with Door() as door:
        assert texts(door, ids) == [item["text"] for item in items]


def test_requests_that_meet_a_stopping_daemon_are_answered_by_the_next(home: Path, door: Door) -> None:
    remember(door, "before")
    failed: list[BaseException] = []
    done: list[str] = []

    def write(name: str) -> None:
        try:
            with Door(timeout=240) as mine:
                for number in range(20):
                    done.extend(remember(mine, f"{name} {number}"))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(f"writer {number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        process.stop(Config.load())
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(done)) == 60
    assert len(texts(door, done)) == 60


def test_a_newer_client_replaces_an_older_daemon(home: Path) -> None:
    child = daemon_in_foreground(home, "memd.__version__ = '0.0.9'")
    with pytest.raises(VersionMismatch, match=r"0\.0\.9"):
        Door(start=False).call("status", {})
    assert child.poll() is None, "asking how it is doesn't stop it"
    with Door() as door:
        status = door.call("status", {})
    assert status["version"] == __version__
    assert status["pid"] != child.pid
    assert child.wait(240) == 0
    assert child.stderr is not None
    child.stderr.close()


def test_an_older_client_is_told_so_and_the_newer_daemon_stays(home: Path) -> None:
    child = daemon_in_foreground(home, "memd.__version__ = '99.0.0'")
    with pytest.raises(VersionMismatch, match=r"99\.0\.0") as caught:
        Door().call("recall", {"text": "x"})
    assert caught.value.hint
    assert child.poll() is None
    assert process.stop(Config.load()) is True, "any version can be asked to stop"
    assert child.wait(240) == 0
    assert child.stderr is not None
    child.stderr.close()


def test_a_damaged_store_is_named_to_the_client_that_waits(home: Path, door: Door) -> None:
    home.mkdir()
    (home / "memd.db").write_bytes(b"not a database, but somebody's words" * 500)
    for _ in range(2):
        with pytest.raises(StoreCorrupt) as caught:
            door.call("recall", {"text": "x"})
        assert caught.value.hint
    assert not is_held(str(home))


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, home: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreReadOnly):
        Door(str(tmp_path / "file" / "home")).call("status", {})


def test_a_bad_configuration_is_named_to_the_client_that_waits(home: Path, door: Door) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[daemon]\nidle_exit = 'soon'\n")
    with pytest.raises(MemdError, match="idle_exit"):
        door.call("status", {})


def test_without_start_no_daemon_is_started(home: Path) -> None:
    with pytest.raises(DaemonUnavailable):
        Door(start=False).call("status", {})
    assert not home.exists()


def test_a_second_daemon_in_the_foreground_says_that_one_runs(home: Path, door: Door) -> None:
    door.call("status", {})
    second = subprocess.run(
        [sys.executable, "-m", "memd.daemon"], capture_output=True, text=True, timeout=240, check=False
    )
    assert second.returncode == 3
    assert "already" in second.stderr


def test_idle_exit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMD_DAEMON_IDLE_EXIT", "1")
    with Door() as door:
        first = door.call("status", {})["pid"]
        assert gone(home), "a client that stays connected and says nothing doesn't keep it"
        assert door.call("status", {})["pid"] != first


def test_a_data_folder_with_a_long_name(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "/".join(["folder with ünïcode and spaces"] * 6)
    monkeypatch.setenv("MEMD_HOME", str(deep))
    with Door() as door:
        assert texts(door, remember(door, "far down")) == ["far down"]
    config = Config.load()
    assert config.socket.parent == Path(f"/tmp/memd-{os.getuid()}")
    assert process.stop(config)
    assert not config.socket.exists()


def test_a_client_with_another_environment_finds_the_daemon(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    pid = Door().call("status", {})["pid"]
    assert [path.suffix for path in runtime.iterdir()] == [".sock"]
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert Door().call("status", {})["pid"] == pid
