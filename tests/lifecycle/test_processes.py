"""The daemon looks after the store by itself; after a pass that was killed anywhere the next one goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door
from memd.model import NewMemory
from tests.waiting import eventually


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data folder with 60 memories, recorded and encoded 300 days ago."""
    then = datetime.now(UTC) - timedelta(days=300)
    with Memory.open(tmp_path / "home", clock=lambda: then) as memory:
        memory.remember_many([NewMemory(f"note {n}: the build of part {n} takes {n} minutes") for n in range(60)])
    return tmp_path / "home"


def tiers(memory: Memory) -> dict[str, int]:
    return {share.tier: share.memories for share in memory.lifecycle.status().tiers if share.memories}


@pytest.fixture
def door(old: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setenv("MEMD_HOME", str(old))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with Door(timeout=240) as door:
        yield door
    process.stop(Config.load(old, {}))


def test_an_idle_daemon_looks_after_the_store(old: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMD_LIFECYCLE_IDLE", "0.3")  # for the daemon that the first call starts
    door.call("stats", {})
    with Memory.open(old, encode="off") as memory:
        assert eventually(lambda: tiers(memory) == {"cold": 60})
        assert eventually(lambda: memory.lifecycle.status().last is not None)
    status = door.call("lifecycle", {})
    assert status["last"]["moved"] == [{"before": "active", "after": "cold", "memories": 60}]
    id_ = door.call("list", {})["memories"][0]["id"]
    assert door.call("use", {"ids": [id_]})["lives"][0]["tier"] == "active"
    assert door.call("wait_encoded", {"timeout_s": 240})["pending"] == 0
    shown = door.call("show", {"ids": [id_]})
    assert shown["memories"][0]["encoded"] == 1 and shown["lives"][0]["uses"] == 1


def test_the_socket_can_ask_for_a_pass(old: Path, door: Door) -> None:
    told = door.call("maintain", {"now": "2090-01-01T00:00:00Z", "dry_run": True})
    assert told["dry_run"] and told["moved"] == [{"before": "active", "after": "dormant", "memories": 60}]


# A pass in a process of its own: a few memories a transaction, a line after each.
PASS = """
import sys
from memd.api import Memory
from memd.lifecycle import maintenance
maintenance.BATCH = 4
with Memory.open(sys.argv[1], encode="off") as memory:
    memory.lifecycle.run(stopped=lambda: print(flush=True))
    sys.stdin.read()
"""


@pytest.mark.parametrize("after", [3, 9])
def test_a_pass_killed_anywhere_goes_on(old: Path, after: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PASS, str(old)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    )
    assert child.stdout is not None
    for _ in range(after):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    assert child.wait(240) == -signal.SIGKILL
    child.communicate()
    with Memory.open(old, encode="off") as memory:
        assert memory.store.check() == []
        moved = tiers(memory).get("cold", 0)
        assert moved % 4 == 0 and moved >= 4 * (after - 2)
        with memory.store.reading() as db:  # each transaction moved memories and vectors together
            rows = db.execute(
                "SELECT count(*) FROM life JOIN passage ON passage.memory = life.memory"
                " JOIN vector ON vector.passage = passage.id WHERE vector.bits <> life.tier"
            )
            assert rows.fetchone()[0] == 0
        memory.lifecycle.run()
        assert tiers(memory) == {"cold": 60} and memory.store.check() == []
