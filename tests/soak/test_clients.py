"""Sixteen clients read and write for a minute: all are answered, no update is lost, nobody is told of a lock.

How long the slowest hundredth waits is compared with how long one client waits that has the store for itself, measured
in the same run: sixteen that take turns wait sixteen times as long, and machines are noisy. The short form compares no
times: its hundredth is a few calls.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door
from tests.crash.crowd import SCOPE

CROWD = Path(__file__).parent.parent / "crash" / "crowd.py"
CLIENTS = 16
MIXED = 4  # of those, that open the store themselves
PATIENCE = 2  # times as long as sixteen in line would take, for the slowest hundredth


def crowd(home: Path, kinds: list[str], seconds: float, shared: str, first: int = 0) -> list[dict[str, Any]]:
    """Clients of these kinds at once; what each says of itself."""
    children = [
        subprocess.Popen(
            [sys.executable, str(CROWD), str(home), str(first + number), kind, shared],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number, kind in enumerate(kinds)
    ]  # fmt: skip
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n", child.communicate()[1]
    until = time.time() + seconds
    for child in children:
        assert child.stdin is not None
        child.stdin.write(f"{until}\n")
        child.stdin.flush()
    told = []
    for child in children:
        out, error = child.communicate(timeout=seconds + 240)
        assert (child.returncode, error) == (0, ""), error
        told.append(json.loads(out))
    return told


def count(told: list[dict[str, Any]]) -> int:
    """Of all calls."""
    return sum(len(seconds) for one in told for seconds in one["took"].values())


def quantile(told: list[dict[str, Any]], share: float) -> float:
    """Of all calls, in seconds."""
    took = sorted(second for one in told for seconds in one["took"].values() for second in seconds)
    return float(took[min(len(took) - 1, int(share * len(took)))])


@pytest.mark.parametrize("mixed", [False, True], ids=["clients", "clients and processes without a daemon"])
@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.soak)])
@pytest.mark.timeout(600)
def test_sixteen_clients_lose_no_update(
    home: Path, seconds: int, mixed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seconds < 10:
        monkeypatch.setenv("MEMD_ENCODER", str(tmp_path / "none"))
    with Door(timeout=400) as door:
        item = {"text": "the tide comes at eight", "scope": SCOPE}
        shared = door.call("remember", {"items": [item]})["remembered"][0]["id"]
        door.call("task_start", {"title": "what all work on", "scope": SCOPE})
        alone = crowd(home, ["daemon"], max(1.0, seconds / 10), shared, first=100)
        kinds = ["daemon"] * (CLIENTS - MIXED * mixed) + ["none"] * (MIXED * mixed)
        told = crowd(home, kinds, seconds, shared)
        median, slow, slowest = quantile(alone, 0.5), quantile(told, 0.99), quantile(told, 1.0)
        print(
            f"{count(told)} calls; alone: median {1000 * median:.1f} ms, p99 {1000 * quantile(alone, 0.99):.1f} ms;"
            f" {CLIENTS} at once: median {1000 * quantile(told, 0.5):.1f} ms, p99 {1000 * slow:.0f} ms,"
            f" most {1000 * slowest:.0f} ms; {by_kind(kinds, told)}"
        )
        if seconds >= 10:
            assert door.call("wait_encoded", {"timeout_s": 300})["pending"] == 0
    process.stop(Config.load(home, {}), timeout=60)
    with Memory.open(home, encode="off") as memory:
        compare(memory, [*alone, *told], shared)
    if seconds >= 10:
        assert slow < PATIENCE * CLIENTS * quantile(alone, 0.99)


def by_kind(kinds: list[str], told: list[dict[str, Any]]) -> str:
    """Of those with and of those without a daemon, in words."""
    said = []
    for kind in dict.fromkeys(kinds):
        part = [one for one, its in zip(told, kinds, strict=True) if its == kind]
        slow, most = 1000 * quantile(part, 0.99), 1000 * quantile(part, 1.0)
        said.append(f"{kind}: {count(part)} calls, p99 {slow:.0f} ms, most {most:.0f} ms")
    return "; ".join(said)


def compare(memory: Memory, told: list[dict[str, Any]], shared: str) -> None:
    """All that anybody was told is so."""
    assert memory.check().troubles == ()
    for one in told:
        for id_, text in one["stored"].items():
            assert memory.show(id_).text == text
        pinned = memory.lifecycle.vitality(list(one["pinned"])) if one["pinned"] else []
        assert {life.id: life.pinned for life in pinned} == one["pinned"]
    assert set(memory.show(shared).tags) == {tag for one in told for tag in one["tags"]}
    assert memory.lifecycle.vitality([shared])[0].uses == sum(one["uses"] for one in told)
    replaced = [tuple(pair) for one in told for pair in one["replaced"]]
    links = [(link.old, link.new) for link in memory.history(shared).replacements]
    assert Counter(links) == Counter(replaced), "each that was told it stands in a memory's place does, and alone"
    assert max(Counter(old for old, _ in replaced).values(), default=1) == 1
    tree = {task.number: task for task in memory.tasks.list(scope=SCOPE, all=True).tasks}
    for one in told:
        for number, title in one["steps"].items():
            assert tree[int(number)].title == title
            assert (tree[int(number)].state == "done") == (int(number) in one["done"])
    assert len(tree) == 1 + sum(len(one["steps"]) for one in told)
