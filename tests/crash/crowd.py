"""One of many clients: reads and writes at random for a while, then says what it did and how long that took.

python crowd.py HOME NUMBER DOOR SHARED, where DOOR is `daemon` or `none`, and SHARED the id of the memory that all of
them change. It says `ready`, and takes the time to end at (in seconds since 1970) from its input.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

WORDS = ("harbour", "lighthouse", "tide", "deploy", "parser", "cache", "release", "branch", "socket", "ledger", "index")
ACTS = ("remember",) * 4 + ("recall",) * 4 + ("list", "tag", "pin", "use", "supersede", "step", "done")
SCOPE = "/work/crowd"


class Client:
    """Does everything a client does, by chance, and minds the answers.

    Attributes:
        took: seconds of each call, by method.
        stored: text by id, of what it stored itself.
        pinned: whether, by id, of what it pinned or let go.
        tags, replaced, steps, done: what it did to what all share.
        uses: how often it told that the shared memory helped.
    """

    def __init__(self, door: Any, number: int, shared: str) -> None:
        self.door = door
        self.name = f"c{number}"
        self.chance = random.Random(number)
        self.head = shared
        self.shared = shared
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.stored: dict[str, str] = {}
        self.pinned: dict[str, bool] = {}
        self.tags: list[str] = []
        self.replaced: list[tuple[str, str]] = []
        self.steps: dict[int, str] = {}
        self.done: list[int] = []
        self.uses = 0
        self.count = 0

    def call(self, method: str, **params: Any) -> Any:
        began = time.perf_counter()
        try:
            return self.door.call(method, params)
        finally:
            self.took[method].append(time.perf_counter() - began)

    def step(self) -> None:
        act = self.chance.choice(ACTS)
        if not self.stored:
            act = "remember"
        self.count += 1
        getattr(self, f"_{act}")()

    def _text(self) -> str:
        return " ".join(self.chance.choices(WORDS, k=9)) + f" {self.name}x{self.count}"

    def _remember(self) -> None:
        text = self._text()
        item = {"text": text, "scope": SCOPE, "tags": [self.name]}
        self.stored[self.call("remember", items=[item])["remembered"][0]["id"]] = text

    def _recall(self) -> None:
        id_, text = self.chance.choice(list(self.stored.items()))
        hits = self.call("recall", text=text, scope=SCOPE, limit=10)["hits"]
        assert id_ in [hit["memory"]["id"] for hit in hits], f"{id_} isn't found: {text}"

    def _list(self) -> None:
        newest = self.call("list", scope=SCOPE, tags=[self.name], limit=1)["memories"][0]
        assert newest["id"] == list(self.stored)[-1], "the last one that was acknowledged isn't the newest"

    def _tag(self) -> None:
        """Put another tag of one's own in the place of the last, so that they don't become too many."""
        tag = f"{self.name}t{self.count}"
        self.call("tag", ids=[self.shared], add=[tag], remove=self.tags)
        self.tags = [tag]

    def _pin(self) -> None:
        id_, pinned = self.chance.choice(list(self.stored)), self.chance.random() < 0.5
        assert self.call("pin", ids=[id_], pinned=pinned)["lives"][0]["pinned"] == pinned
        self.pinned[id_] = pinned

    def _use(self) -> None:
        self.call("use", ids=[self.shared], who=self.name)
        self.uses += 1

    def _supersede(self) -> None:
        """Replace what stands at the end of the shared chain; another client may be there first."""
        from memd.errors import Conflict

        while True:
            try:
                new = self.call("supersede", old=self.head, text=self._text())["id"]
            except Conflict:
                self.head = self.call("show", ids=[self.head])["memories"][0]["superseded_by"]
            else:
                self.replaced.append((self.head, new))
                self.head = new
                return

    def _step(self) -> None:
        title = f"step {self.count} of {self.name}"
        self.steps[self.call("task_step", title=title, scope=SCOPE, under=1)["number"]] = title

    def _done(self) -> None:
        if open_ := [number for number in self.steps if number not in self.done]:
            self.call("task_done", number=open_[0], scope=SCOPE)
            self.done.append(open_[0])


def main(home: str, number: str, kind: str, shared: str) -> None:
    if kind == "daemon":
        from memd.daemon.client import Door

        door: Any = Door(home, timeout=240)
    else:
        from memd_cli.inprocess import InProcess

        door = InProcess(Path(home))
    client = Client(door, int(number), shared)
    door.call("show", {"ids": [shared]})
    print("ready", flush=True)
    until = float(input())
    while True:  # once at least, however late it got its turn
        client.step()
        if time.time() >= until:
            break
    door.close()
    told = {name: value for name, value in vars(client).items() if name not in ("door", "chance")}
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
