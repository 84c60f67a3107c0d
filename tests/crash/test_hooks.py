"""A fork bomb of hooks: bounded processes, bounded memory, and each ends with 0 in time."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from memd.daemon.client import Door
from memd.daemon.launch import is_held
from tests.waiting import eventually

MIB = 1 << 20
HOOK = [sys.executable, "-m", "memd_cli", "hook", "UserPromptSubmit"]


def all_at_once(many: int, command: list[str], payload: Path) -> tuple[float, list[tuple[int, bytes, bytes]]]:
    """Seconds until the last has ended, and of each its exit code and output."""
    began = time.monotonic()
    children = []
    for _ in range(many):
        with payload.open("rb") as stdin:
            children.append(subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    ends = [child.communicate() for child in children]
    return time.monotonic() - began, [(child.returncode, *said) for child, said in zip(children, ends, strict=True)]


class Census(threading.Thread):
    """Counts the daemons of a data folder, starting ones too, until told to stop; the most there were at a time."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self.stop = threading.Event()
        self._home = str(home)

    def run(self) -> None:
        while not self.stop.wait(0.2):
            self.most = max(self.most, len(daemons(self._home)))


def daemons(home: str) -> list[int]:
    found = []
    for one in psutil.process_iter():
        try:
            if one.cmdline()[1:4] == ["-P", "-m", "memd.daemon"] and one.environ().get("MEMD_HOME") == home:
                found.append(one.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


@pytest.mark.parametrize("many", [30, pytest.param(200, marks=pytest.mark.soak)])
@pytest.mark.parametrize("running", [False, True], ids=["no daemon yet", "a daemon runs"])
def test_hooks_all_at_once(home: Path, tmp_path: Path, running: bool, many: int) -> None:
    payload = tmp_path / "payload"
    payload.write_text(json.dumps({"session_id": "s1", "cwd": str(tmp_path), "prompt": "how do we deploy this?"}))
    if running:
        with Door() as door:
            door.call("remember", {"items": [{"text": "we deploy with make release"}]})
            before = door.call("status", {})["rss_bytes"]
    census = Census(home)
    census.start()
    took, ended = all_at_once(many, HOOK, payload)
    census.stop.set()
    census.join()
    assert {(code, error) for code, _, error in ended} == {(0, b"")}
    assert all(not said or json.loads(said) for _, said, _ in ended)
    if many > 100:
        # Each has half a second from its own start; the machine's part of it is what as many bare interpreters take.
        alone, _ = all_at_once(many, [sys.executable, "-c", "import sys; sys.stdin.read()"], payload)
        print(f"{many} hooks: {took:.2f} s, beside {alone:.2f} s of bare interpreters; {census.most} daemons at most")
        assert took < 5 * alone + 2.0
    assert census.most <= 2, "a daemon that starts forks once"
    if running:
        with Door(start=False, timeout=240) as door:
            assert eventually(lambda: door.call("status", {})["connections"] == 1)
            assert door.call("status", {})["rss_bytes"] - before < 64 * MIB
            assert psutil.Process(door.call("status", {})["pid"]).num_threads() < 150
    else:
        # On a busy machine the half second of each may have been over before it came to that.
        assert eventually(lambda: is_held(str(home)) or not all_at_once(1, HOOK, payload)), "one of them has started it"
        with Door() as door:
            assert door.call("stats", {})["memories"] == 0


def test_hooks_where_nothing_can_be_written(tmp_path: Path, home: Path) -> None:
    """The data folder's place is a file: no daemon can start, and the agent must not notice."""
    home.write_text("in the way")
    command = [sys.executable, "-m", "memd_cli", "hook", "SessionEnd"]
    done = subprocess.run(command, input=b'{"session_id": "s1"}', capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    home.unlink()
