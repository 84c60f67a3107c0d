"""File descriptors used up: clients are shed and told so, and the daemon recovers."""

from __future__ import annotations

import os
import resource
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, connect, rendezvous
from memd.daemon.server import CROWDED_TIMEOUT, SHED_PAUSE
from memd.errors import MemdError
from tests.waiting import ended, eventually

FEW = 90


def test_a_hundred_clients_of_a_daemon_that_may_open_few_files_are_all_served(home: Path) -> None:
    """Those that were idle for longest are hung up on, and come back when they have something to ask."""
    command = f"ulimit -n {FEW}; exec {sys.executable} -m memd.daemon"
    with subprocess.Popen(["sh", "-c", command], stderr=subprocess.PIPE, text=True) as child:
        try:
            assert eventually(lambda: rendezvous(str(home)) is not None)
            doors = [Door(start=False, timeout=240) for _ in range(100)]
            kept = []
            for number, door in enumerate(doors):
                kept.append(door.call("remember", {"items": [{"text": f"number {number}"}]})["remembered"][0]["id"])
            for number, door in enumerate(doors):
                assert door.call("show", {"ids": [kept[number]]})["memories"][0]["text"] == f"number {number}"
            assert psutil.Process(child.pid).num_fds() < FEW
            for door in doors:
                door.close()
        finally:
            process.stop(Config.load())


def is_hung_up(sock: Any) -> bool:
    return bool(select.select([sock], [], [], 0)[0]) and sock.recv(1) == b""


def test_who_says_nothing_for_long_makes_room_first(home: Path) -> None:
    command = f"ulimit -n {FEW}; exec {sys.executable} -m memd.daemon"
    with subprocess.Popen(["sh", "-c", command], stderr=subprocess.PIPE, text=True):
        try:
            assert eventually(lambda: rendezvous(str(home)) is not None)
            silent = [connect(str(home)) for _ in range(3)]
            time.sleep(CROWDED_TIMEOUT + 0.1)
            doors: list[Door] = []  # of which some may go, too: who was answered while others wait
            while len(doors) < 4 * process.connections_for(FEW) and not all(map(is_hung_up, silent)):
                doors.append(Door(start=False, timeout=240))
                doors[-1].call("show", {"ids": []})
            assert eventually(lambda: all(map(is_hung_up, silent)))
            for one in [*doors, *silent]:
                one.close()
        finally:
            process.stop(Config.load())


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="sets the limit of another process (Linux)")
def test_without_a_descriptor_left_clients_are_told_and_later_served(home: Path, door: Door) -> None:
    kept = door.call("remember", {"items": [{"text": "before"}]})["remembered"][0]["id"]
    pid = door.call("status", {})["pid"]
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    log = home / "daemon.log"
    told: list[str] = []
    held: list[Any] = []

    def ask() -> None:
        door = Door(start=False, timeout=240)
        held.append(door)
        try:
            door.call("show", {"ids": [kept]})
        except MemdError as error:
            assert error.hint
            told.append(error.message)

    def is_full() -> bool:
        """One client more, which stays: numbers below the limit may have been free."""
        ask()
        return "making room" in log.read_text()

    used = max(int(name) for name in os.listdir(f"/proc/{pid}/fd")) + 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, before[1]))
    try:
        assert eventually(is_full)
        for _ in range(12):
            ask()
        slow = connect(str(home))  # whose request is on its way for longer than the daemon waits before it looks again
        held.append(slow)
        time.sleep(10 * SHED_PAUSE)
        if select.select([slow], [], [], 0)[0]:
            assert b"descriptor" in slow.recv(4096), "hung up on who had just come, while nobody waited"
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        for one in held:
            one.close()
    assert not ended(pid)
    assert eventually(lambda: Door(start=False).call("show", {"ids": [kept]})["memories"][0]["text"] == "before")
    assert log.read_text().count("making room") < 5, "said, and not again and again"
    assert all("descriptor" in one or "open" in one for one in told), told
