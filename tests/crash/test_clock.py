"""A clock that jumps back a year, and forth again: nothing is refused, lost, or out of order."""

from __future__ import annotations

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
from tests.daemon.conftest import daemon_in_foreground
from tests.waiting import eventually

YEAR = timedelta(days=365)

# Python that the daemon runs first: its clocks go a year slow while a file is there.
JUMPING = """
import datetime, os, time
import memd.clock
really, wall, there = memd.clock.system_clock, time.time, {flag!r}
memd.clock.system_clock = lambda: really() - datetime.timedelta(days=365) * os.path.exists(there)
time.time = lambda: wall() - 365 * 86400 * os.path.exists(there)
"""


class Clock:
    """Moves on by a second at each look, and jumps when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off", clock=clock) as memory:
        yield memory


def test_the_journal_stays_whole_and_in_order_of_what_happened(memory: Memory, clock: Clock) -> None:
    first = memory.remember("the port is 8080").id
    clock.now -= YEAR
    second = memory.supersede(first, "the port is 9090").id
    memory.use([second])
    memory.forget([second])
    clock.now += YEAR
    memory.restore([second])
    assert memory.audit().sound and memory.check().troubles == ()
    assert [change.what for change in memory.history(first).changes] == [
        "remember", "remember", "supersede", "use", "forget", "restore",
    ]  # fmt: skip
    assert memory.show(first).superseded_by == second


def test_what_is_stored_afterwards_is_the_newest(memory: Memory, clock: Clock) -> None:
    """In the order of storing, whatever the clock says: lists, pages of them, and ids."""
    ids = [memory.remember("before").id]
    clock.now -= YEAR
    ids += [memory.remember(f"after {n}").id for n in range(3)]
    assert [one.id for one in memory.list()] == ids[::-1] and ids == sorted(ids)
    assert [one.id for one in memory.list(before=ids[2])] == ids[1::-1]


def test_another_process_whose_clock_is_right_again_goes_on(tmp_path: Path) -> None:
    """Written by a process in the future (ids, uses, tiers of then), read and changed by one in the present."""
    ahead, behind = Clock(), Clock()
    ahead.now += YEAR
    with Memory.open(tmp_path, encode="off", clock=ahead) as memory:
        kept = memory.remember("we deploy with make release").id
        memory.use([kept])
        memory.lifecycle.run()
    with Memory.open(tmp_path, encode="off", clock=behind) as memory:
        later = memory.remember("we deploy from main").id
        assert {hit.memory.id for hit in memory.recall("how do we deploy").hits} == {kept, later}
        memory.use([kept])
        memory.lifecycle.run()
        (life,) = memory.lifecycle.vitality([kept])
        assert 0 <= life.retention <= 1 and life.tier == "active" and life.uses == 2
        assert [one.id for one in memory.list(limit=1)] == [later]
        assert memory.recall("deploy", since=behind.now - timedelta(days=1)).hits
        assert memory.audit().sound and memory.check().troubles == ()


def test_as_of_answers_by_what_the_clock_said(memory: Memory, clock: Clock) -> None:
    memory.remember("the harbour opens at six")
    between = clock.now
    clock.now -= YEAR
    memory.remember("the harbour opens at nine, says a clock that is slow")
    told = lambda at: {hit.memory.text[:26] for hit in memory.recall("harbour opens", as_of=at).hits}  # noqa: E731
    assert told(between) == {"the harbour opens at six", "the harbour opens at nine,"}
    assert told(clock.now) == {"the harbour opens at nine,"}


def test_passes_of_the_lifecycle_lose_nothing_over_jumps(memory: Memory, clock: Clock) -> None:
    texts = [f"memory number {n}" for n in range(20)]
    memory.remember_many([NewMemory(text) for text in texts])
    for days in (400, -365, 800, -1200, 30):
        clock.now += timedelta(days=days)
        memory.lifecycle.run()
        memory.use([memory.list(limit=1)[0].id])
        assert memory.check().troubles == ()
    assert sorted(one.text for one in memory.list(limit=100)) == sorted(texts)


def test_a_daemon_goes_on_over_a_jump(home: Path, tmp_path: Path) -> None:
    """Requests, hooks, the watcher and the pass: none waits for a time that is a year away."""
    flag, notes = tmp_path / "a year back", tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("# Port\n\nThe port is 8080.\n")
    child = daemon_in_foreground(home, JUMPING.format(flag=str(flag)))
    try:
        with Door(timeout=240) as door:
            door.call("remember", {"items": [{"text": "before the jump"}]})
            door.call("watch_add", {"path": str(notes), "scope": str(notes)})
            flag.touch()
            kept = door.call("remember", {"items": [{"text": "after the jump"}]})["remembered"][0]["id"]
            assert door.call("list", {"scope": "global"})["memories"][0]["id"] == kept
            assert {hit["memory"]["text"] for hit in door.call("recall", {"text": "the jump"})["hits"]} == {
                "before the jump", "after the jump",
            }  # fmt: skip
            (notes / "a.md").write_text("# Port\n\nThe port is 9090.\n")
            taken = lambda: [one["text"] for one in door.call("list", {"scope": str(notes)})["memories"]]  # noqa: E731
            assert eventually(lambda: any("9090" in text for text in taken()))
            hook = [sys.executable, "-m", "memd_cli", "hook", "SessionStart"]
            done = subprocess.run(hook, input=b'{"session_id": "s"}', capture_output=True, check=False)
            assert done.returncode == 0
            door.call("maintain", {})
            flag.unlink()
            assert door.call("audit", {})["sound"]
            assert door.call("status", {})["uptime_s"] < 1000
    finally:
        process.stop(Config.load())
        child.wait(240)
        assert child.stderr is not None
        child.stderr.close()
    with Memory.open(home, encode="off") as memory:
        assert memory.check().troubles == ()
