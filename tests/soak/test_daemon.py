"""The daemon over minutes: killed again and again, asked by many at once, and by one for thousands of times.

`make soak` runs these; each runs in `make test` too, with a share of its rounds that takes seconds.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, rendezvous
from memd.errors import MemdError
from tests.waiting import eventually

WORDS = ("harbour", "lighthouse", "tide", "deploy", "parser", "cache", "release", "branch", "socket", "ledger", "index")
MIB = 1 << 20


def rounds(few: int, many: int) -> pytest.MarkDecorator:
    """`few` for every day, `many` for `make soak`."""
    return pytest.mark.parametrize("rounds", [few, pytest.param(many, marks=pytest.mark.soak)])


def sentence(chance: random.Random, words: int = 20) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words)) + f" {chance.getrandbits(64):x}"


class Writer(threading.Thread):
    """Remembers until told to stop, through whatever happens to the daemon; knows what was acknowledged."""

    def __init__(self, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.acknowledged: dict[str, str] = {}
        self.broken: Exception | None = None
        self._chance = random.Random(number)
        self._stop_now = stop

    def run(self) -> None:
        while not self._stop_now.is_set():
            texts = [sentence(self._chance) for _ in range(self._chance.choice((1, 1, 1, 20)))]
            try:
                with Door(timeout=240) as door:
                    answer = door.call("remember", {"items": [{"text": text} for text in texts]})
            except MemdError:
                continue  # killed under our hands: nothing was promised
            except Exception as error:
                self.broken = error
                return
            self.acknowledged.update(zip((one["id"] for one in answer["remembered"]), texts, strict=True))


@rounds(4, 60)
@pytest.mark.timeout(1800)
def test_kill_nine_at_any_moment_loses_nothing_that_was_acknowledged(home: Path, rounds: int) -> None:
    stop = threading.Event()
    writers = [Writer(number, stop) for number in range(3)]
    chance = random.Random(1)
    for writer in writers:
        writer.start()
    pid = lambda: (rendezvous(str(home)) or (0,))[0]  # noqa: E731
    done = lambda: sum(len(writer.acknowledged) for writer in writers)  # noqa: E731
    killed = 0
    for _ in range(rounds):
        assert eventually(lambda killed=killed: pid() not in (0, killed)), "no other daemon was started"
        before = done()
        assert eventually(lambda before=before: done() > before), "it acknowledges nothing"
        time.sleep(chance.uniform(0, 1.0))
        killed = pid()
        os.kill(killed, signal.SIGKILL)
    stop.set()
    for writer in writers:
        writer.join()
        assert writer.broken is None
    acknowledged = {id_: text for writer in writers for id_, text in writer.acknowledged.items()}
    with Door(timeout=400) as door:  # what the writers left takes the encoder minutes
        assert door.call("wait_encoded", {"timeout_s": 360})["pending"] == 0
        last = next(reversed(acknowledged.items()))
        assert door.call("recall", {"text": last[1]})["hits"][0]["memory"]["id"] == last[0]
    process.stop(Config.load(home, {}))
    with Memory.open(home, encode="off") as memory:
        assert memory.store.check() == []
        assert [id_ for id_, text in acknowledged.items() if memory.show(id_).text != text] == []


@pytest.mark.parametrize(("visits", "seconds"), [(6, 0), pytest.param(1, 90, marks=pytest.mark.soak)])
@pytest.mark.timeout(600)
def test_many_clients_at_once_are_all_served(home: Path, visits: int, seconds: int) -> None:
    until = time.monotonic() + seconds
    clients = [Client(number, visits, until) for number in range(24)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert [client.broken for client in clients if client.broken] == []
    assert all(client.served >= visits for client in clients)
    with Door(timeout=400) as door:
        assert door.call("stats", {})["memories"] == sum(client.living for client in clients)
        assert door.call("wait_encoded", {"timeout_s": 300})["pending"] == 0
        assert door.call("status", {})["peak_rss_bytes"] < 300 * MIB


class Client(threading.Thread):
    """Does everything a client does, by chance, and minds the answers: a number of times, and until a time."""

    def __init__(self, number: int, visits: int, until: float) -> None:
        super().__init__()
        self.broken: Exception | None = None
        self.served = self.living = 0
        self._number = number
        self._chance = random.Random(number)
        self._visits = visits
        self._until = until

    def run(self) -> None:
        try:
            while self.served < self._visits or time.monotonic() < self._until:
                with Door(timeout=240) as door:
                    self._visit(door)
        except Exception as error:
            self.broken = error

    def _visit(self, door: Door) -> None:
        text = sentence(self._chance)
        id_: str = door.call("remember", {"items": [{"text": text, "tags": [f"c{self._number}"]}]})["remembered"][0][
            "id"
        ]
        self.living += 1
        found: Any = door.call("recall", {"text": text, "limit": 10})["hits"]
        assert id_ in [hit["memory"]["id"] for hit in found]  # by its words at least, the vector may be to come
        act = self._chance.choice(("show", "list", "forget", "restore"))
        if act == "show":
            assert door.call("show", {"ids": [id_]})["memories"][0]["text"] == text
        elif act == "list":
            assert door.call("list", {"scope": "all", "tags": [f"c{self._number}"]})["memories"][0]["id"] == id_
        else:
            door.call("forget", {"ids": [id_]})
            self.living -= 1
            if act == "restore":
                door.call("restore", {"ids": [id_]})
                self.living += 1
        self.served += 1


@rounds(300, 6000)
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_requests(home: Path, rounds: int) -> None:
    """The same memories said again and asked for: nothing new is stored, so nothing more may be held."""
    chance = random.Random(7)
    texts = [sentence(chance) for _ in range(200)]
    with Door(timeout=400) as door:
        door.call("remember", {"items": [{"text": text} for text in texts]})
        assert door.call("wait_encoded", {"timeout_s": 300})["pending"] == 0
        ask_around(door, texts, 300)
        before = door.call("status", {})["rss_bytes"]
        ask_around(door, texts, rounds)
        after = door.call("status", {})["rss_bytes"]
    assert after - before < 12 * MIB


def ask_around(door: Door, texts: list[str], times: int) -> None:
    for number in range(times):
        text = texts[number % len(texts)]
        assert door.call("recall", {"text": text, "limit": 1, "explain": number % 5 == 0})["hits"]
        if number % 10 == 0:
            door.call("remember", {"items": [{"text": text}]})
            door.call("list", {"scope": "all"})
            door.call("stats", {})
