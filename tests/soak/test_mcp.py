"""Eight MCP servers at once, each a process with its own client: all calls are answered, and nothing is lost.

`make test` makes two hundred mixed calls in all, while the daemon is killed twice; `make soak` two hundred a server,
with the encoder.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from mcp import Client

from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, rendezvous
from tests.agents.servers import client

SERVERS = 8


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "work" / ".git").mkdir(parents=True)
    yield tmp_path / "home"
    process.stop(Config.load(tmp_path / "home", {}), timeout=60)


class Tally:
    """What the servers were told, and what they answered."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}
        self.forgotten: set[str] = set()
        self.replaced: dict[str, str] = {}
        self.calls = 0
        self.failed: list[str] = []


async def _talk(session: Client, number: int, calls: int, tally: Tally) -> None:
    """A session's calls, chosen at random, on the memories that it stored itself."""
    chance = random.Random(number)
    mine: list[str] = []
    for count in range(calls):
        act = chance.choice(("remember", "remember", "recall", "context", "show", "use", "supersede", "forget"))
        if act in ("show", "use", "supersede", "forget") and not mine:
            act = "remember"
        about = chance.choice(mine) if mine else ""
        text = f"server {number} says {count}: the tide is {chance.random():.6f}"
        arguments = {
            "remember": {"text": text, "kind": chance.choice(("fact", "decision", "convention"))},
            "recall": {"query": f"what is the tide of server {number}", "explain": bool(count % 2)},
            "context": {"budget": chance.choice((100, 400, 1200))},
            "show": {"ids": [about]},
            "use": {"ids": [about]},
            "supersede": {"id": about, "text": text},
            "forget": {"ids": [about]},
        }[act]
        result = await session.call_tool(act, arguments)
        tally.calls += 1
        if result.is_error:
            tally.failed.append(f"{act}: {result.content}")
            continue
        answer = result.structured_content
        if act == "remember":
            tally.stored[answer["id"]] = text
            mine.append(answer["id"])
        elif act == "supersede":
            tally.stored[answer["id"]] = text
            tally.replaced[about] = answer["id"]
            mine[mine.index(about)] = answer["id"]
        elif act == "forget":
            tally.forgotten.add(about)
            mine.remove(about)


async def _all(home: Path, calls: int, kills: int, env: dict[str, str]) -> Tally:
    tally = Tally()

    async def one(number: int) -> None:
        async with client(home, home.parent / "work", **env) as session:
            await _talk(session, number, calls, tally)

    async def kill() -> None:
        for part in range(1, kills + 1):
            while tally.calls < calls * SERVERS * part / (kills + 1):
                await anyio.sleep(0.01)
            if found := rendezvous(str(home)):
                os.kill(found[0], signal.SIGKILL)

    async with anyio.create_task_group() as group:
        group.start_soon(kill)
        for number in range(SERVERS):
            group.start_soon(one, number)
    return tally


@pytest.mark.slow
@pytest.mark.parametrize(
    ("calls", "kills", "encoder"),
    [
        pytest.param(200, 0, True, id="200 calls each", marks=pytest.mark.soak),
        pytest.param(25, 2, False, id="25 calls each, the daemon killed twice"),
        pytest.param(200, 5, True, id="200 calls each, the daemon killed five times", marks=pytest.mark.soak),
    ],
)
def test_mixed_calls_of_eight_servers_lose_nothing(home: Path, calls: int, kills: int, encoder: bool) -> None:
    env = {} if encoder else {"MEMD_ENCODER": str(home.parent / "none")}
    tally = anyio.run(_all, home, calls, kills, env)
    assert tally.failed == []
    assert tally.calls == calls * SERVERS
    with Door(str(home)) as door:
        ids = list(tally.stored)
        found = {memory["id"]: memory for memory in door.call("show", {"ids": ids})["memories"]}
    assert {id_: memory["text"] for id_, memory in found.items()} == tally.stored
    assert {id_ for id_, memory in found.items() if memory["forgotten_at"]} == tally.forgotten
    for old, new in tally.replaced.items():
        assert found[old]["superseded_by"] is not None or new in tally.forgotten
