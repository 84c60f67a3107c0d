"""A daemon that is there and says nothing: stopped by a signal, or something else on its socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from memd.config import Config
from memd.daemon import client, process
from memd.daemon.client import Door
from memd.errors import DaemonUnavailable
from tests.waiting import eventually

HOOK = [sys.executable, "-m", "memd_cli", "hook"]


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """What takes 5 and 10 seconds, in tenths of them. Only where nothing can answer: on a busy machine a daemon that is
    alive may need longer.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "PATIENCE", 0.3)
        patch.setattr(client, "LIFE_TIMEOUT", 0.6)
        yield


@contextmanager
def stopped(pid: int, home: Path) -> Iterator[None]:
    """SIGSTOP, not in the middle of a write (which would keep all others from writing), and SIGCONT at the end."""
    stop(pid)
    while is_writing(home):
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
        stop(pid)
    try:
        with in_a_hurry():
            yield
    finally:
        os.kill(pid, signal.SIGCONT)


def stop(pid: int) -> None:
    """SIGSTOP; threads go on until they have noticed."""
    os.kill(pid, signal.SIGSTOP)
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.exists():
        time.sleep(0.1)
        return
    assert eventually(lambda: {state(task) for task in tasks.iterdir()} <= {"T", None})


def state(task: Path) -> str | None:
    """What a thread is at, a letter; None where it has ended meanwhile."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def is_writing(home: Path) -> bool:
    with closing(sqlite3.connect(str(home / "memd.db"), timeout=0.2, isolation_level=None)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False


@contextmanager
def ends_before(timeout: float) -> Iterator[None]:
    """Long before the time for an answer is over."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < timeout / 3


def test_a_stopped_daemon_is_told_in_bounded_time_and_goes_on_when_it_may(home: Path, door: Door) -> None:
    kept = door.call("remember", {"items": [{"text": "before"}]})["remembered"][0]["id"]
    pid = door.call("status", {})["pid"]
    with stopped(pid, home):
        for waiting in (door, Door(timeout=600)):  # one that was connected, and a new one
            with ends_before(waiting.timeout), pytest.raises(DaemonUnavailable, match="stopped by a signal") as caught:
                waiting.call("recall", {"text": "before"})
            assert f"kill -CONT {pid}" in caught.value.hint and "--no-daemon" in caught.value.hint
            waiting.close()
        beside = subprocess.run(
            [sys.executable, "-m", "memd_cli", "remember", "--no-daemon", "beside it"],
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert beside.returncode == 0
    listed = door.call("list", {"scope": "all"})["memories"]
    assert {kept, beside.stdout.strip()} <= {one["id"] for one in listed}
    assert door.call("status", {})["pid"] == pid


def test_a_request_larger_than_the_sockets_buffer_is_given_up_too(home: Path, door: Door) -> None:
    pid = door.call("status", {})["pid"]
    with stopped(pid, home), pytest.raises(DaemonUnavailable, match="stopped"):
        door.call("remember", {"items": [{"text": "word " * 2_000_000}]})
    assert door.call("stats", {})["memories"] == 0


def test_a_slow_answer_is_waited_for(home: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the client's patience: the daemon greets whoever asks, so it is alive."""
    monkeypatch.setattr(client, "PATIENCE", 0.1)
    monkeypatch.setattr(client, "LIFE_TIMEOUT", 120.0)
    door.call("remember", {"items": [{"text": "no encoder, so this waits"}]})
    items = [{"text": f"{number} " + "words of a note " * 40} for number in range(3000)]
    assert len(door.call("remember", {"items": items})["remembered"]) == 3000


def test_hooks_pass_a_stopped_daemon_by_and_leave_word(home: Path, door: Door, tmp_path: Path) -> None:
    pid = door.call("status", {})["pid"]
    payload = f'{{"session_id": "s1", "transcript_path": "{tmp_path}/t.jsonl", "cwd": "{tmp_path}"}}'
    with stopped(pid, home):

        def leaves_word() -> bool:
            done = subprocess.run([*HOOK, "SessionEnd"], input=payload, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
            return any((home / "hooks").glob("*.json"))

        assert eventually(leaves_word)  # on a busy machine half a second may be over before Python has begun
    assert door.call("status", {})["pid"] == pid


def test_a_stopped_daemon_can_be_replaced(home: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.5)
    pid = door.call("status", {})["pid"]
    os.kill(pid, signal.SIGSTOP)
    assert process.restart(Config.load())["pid"] != pid
    door.close()
    assert door.call("stats", {})["memories"] == 0


def test_more_clients_than_a_stopped_daemon_lets_wait(home: Path, door: Door) -> None:
    """Beyond the queue of the socket even connecting waits; it did so for ever."""
    pid = door.call("status", {})["pid"]
    with stopped(pid, home):
        waiting = []
        try:
            while True:
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                sock.settimeout(0.5)
                waiting.append(sock)
                sock.connect(str(Config.load().socket))
        except (BlockingIOError, TimeoutError):
            pass
        with pytest.raises(DaemonUnavailable, match="stopped by a signal"):
            Door().call("status", {})
        for sock in waiting:
            sock.close()
    assert eventually(lambda: door.call("status", {})["connections"] == 1)


@pytest.fixture
def hanging(home: Path) -> Iterator[Path]:
    """Something that listens where the daemon would, accepts, and never says a word."""
    home.mkdir()
    path = home / "daemon.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(8)
        held = []

        def hold() -> None:
            with suppress(OSError):  # until the listener is closed
                while True:
                    held.append(listener.accept())

        threading.Thread(target=hold, daemon=True).start()
        (home / "daemon.pid").write_text(f"{os.getpid()}\n{path}\n0.0\n")
        yield path


def test_a_socket_that_hangs_is_told(hanging: Path) -> None:
    with in_a_hurry(), ends_before(600), pytest.raises(DaemonUnavailable, match="no daemon") as caught:
        Door(timeout=600).call("recall", {"text": "x"})
    assert str(hanging) in caught.value.hint and "--no-daemon" in caught.value.hint
    done = subprocess.run([*HOOK, "Stop"], input='{"session_id": "s"}', capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
