"""What is killed: a process that does one thing to a data folder, and says on its output what was acknowledged.

python acts.py ACT HOME ARGUMENT, where ACT is a key of `ACTS`. A line is written before each change (`try`) and once
it is acknowledged (`done`), so whoever kills this process knows what must be there and what may be.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

WORDS = ("harbour", "lighthouse", "tide", "deploy", "parser", "cache", "release", "branch", "socket", "ledger", "index")


def say(**what: object) -> None:
    """One line, whole: a pipe takes up to 4 KiB at once."""
    os.write(1, json.dumps(what).encode() + b"\n")


def sentence(chance: random.Random, words: int = 8) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words)) + f" {chance.getrandbits(48):x}"


class Writer:
    """Changes its own memories at random, for ever, through a door of the daemon's or one that is none."""

    def __init__(self, door: Any, seed: int) -> None:
        self.door = door
        self.chance = random.Random(seed)
        self.name = f"w{seed}"
        self.mine: list[str] = []
        self.forgotten: set[str] = set()

    def run(self) -> None:
        from memd.errors import DaemonUnavailable

        while True:
            try:
                self.step()
            except DaemonUnavailable:  # killed under our hands twice: nothing was promised
                say(act="", state="failed")

    def step(self) -> None:
        holding = [id_ for id_ in self.mine if id_ not in self.forgotten]
        acts = ("remember", "remember", "remember", "batch", "supersede", "forget", "restore", "tag", "use", "pin")
        act = self.chance.choice(acts)
        if act in ("remember", "batch") or len(holding) < 3:
            return self.remember(1 if act == "remember" else self.chance.randint(2, 12))
        if act == "supersede":
            return self.supersede(self.chance.choice(holding))
        if act == "restore" and self.forgotten:
            return self.change("restore", self.chance.choice(sorted(self.forgotten)))
        return self.change("tag" if act == "restore" else act, self.chance.choice(holding))

    def remember(self, many: int) -> None:
        items = [self.item() for _ in range(many)]
        say(act="remember", state="try", texts=[item["text"] for item in items])
        ids = [one["id"] for one in self.door.call("remember", {"items": items})["remembered"]]
        say(act="remember", state="done", ids=ids, texts=[item["text"] for item in items])
        self.mine += ids

    def item(self) -> dict[str, Any]:
        text = sentence(self.chance, self.chance.choice((4, 8, 8, 8, 40)))
        return {"text": text, "tags": [self.name], "episode": self.chance.choice((None, self.name))}

    def supersede(self, old: str) -> None:
        text = f"instead {sentence(self.chance)}"
        say(act="supersede", state="try", old=old, texts=[text])
        done = self.door.call("supersede", {"old": old, "text": text})
        say(act="supersede", state="done", old=old, ids=[done["id"]], texts=[text])
        self.mine[self.mine.index(old)] = done["id"]

    def change(self, act: str, id_: str) -> None:
        more = {"tag": {"add": [f"t{self.chance.randrange(1000)}"]}}.get(act, {})
        say(act=act, state="try", ids=[id_], **more)
        self.door.call(act, {"ids": [id_], **more})
        say(act=act, state="done", ids=[id_], **more)
        if act == "forget":
            self.forgotten.add(id_)
        elif act == "restore":
            self.forgotten.discard(id_)


def client(home: str, seed: str) -> None:
    """A client of the daemon."""
    from memd.daemon.client import Door

    Writer(Door(home, timeout=240), int(seed)).run()


def alone(home: str, seed: str) -> None:
    """What `--no-daemon` does: the store is opened here, what is stored is encoded before the answer."""
    from memd_cli.inprocess import InProcess

    Writer(InProcess(Path(home)), int(seed)).run()


def maintain(home: str, now: str) -> None:
    """A pass of the lifecycle at a later time: codes of fewer bits, uses folded, pages given back."""
    from memd.api import Memory

    with Memory.open(home, encode="off") as memory:
        say(act="maintain", state="try")
        memory.lifecycle.run(now=datetime.fromisoformat(now))
    say(act="maintain", state="done")


def migrate(home: str, _: str) -> None:
    """The first opening of a store of an older format."""
    import sqlite_utils  # noqa: F401  # takes longer to import than the moving takes

    from memd.api import Memory

    say(act="migrate", state="try")
    with Memory.open(home, encode="off"):
        say(act="migrate", state="done")


def backup(home: str, seed: str) -> None:
    """`memd backup --keep 3`, again and again."""
    from memd.store import backups

    folder = Path(home) / backups.FOLDER
    while True:
        say(act="backup", state="try")
        made = backups.make(Path(home) / "memd.db", folder / backups.name(datetime.now(UTC)))
        say(act="backup", state="done", path=made.path, memories=made.memories)
        backups.prune(folder, 3)


def restore(home: str, path: str) -> None:
    """`memd restore --from PATH`."""
    os.environ["MEMD_HOME"] = home
    from memd_cli import backup as copies
    from memd_cli.session import Session

    say(act="restore", state="try")
    copies.put_back(Session("restore", {"words": [], "from_": path, "json": True}))
    say(act="restore", state="done")


ACTS: dict[str, Callable[[str, str], None]] = {
    act.__name__: act for act in (client, alone, maintain, migrate, backup, restore)
}

if __name__ == "__main__":
    ACTS[sys.argv[1]](*sys.argv[2:4])
