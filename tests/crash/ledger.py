"""What was acknowledged, from what a victim said before it was killed, and whether a store has all of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from memd.api import Memory
from memd.model import StoredMemory


@dataclass
class Known:
    """A memory as it must be."""

    text: str
    forgotten: bool = False
    pinned: bool = False
    tags: set[str] = field(default_factory=set)
    uses: int = 0
    by: str | None = None


class Ledger:
    """The acknowledged changes of any number of writers, and the ones that were under way when they ended.

    What was under way may have happened or not, whole; nothing else may be in doubt.

    Args:
        asked_again: how often a client may have asked a second time, because its daemon was killed before it answered;
            a use may count twice then.
    """

    def __init__(self, asked_again: int = 0) -> None:
        self.asked_again = asked_again
        self.known: dict[str, Known] = {}
        self.doubtful: dict[str, set[str]] = {}
        self.told: set[str] = set()
        self.texts: set[str] = set()

    def read(self, lines: Iterable[bytes]) -> None:
        """Take in what one writer said; the last line may be cut short."""
        under_way: dict[str, Any] | None = None
        for line in lines:
            if not line.endswith(b"\n"):
                break
            said = json.loads(line)
            if said["state"] == "try":
                under_way = said
                self.texts.update(said.get("texts", ()))
            elif said["state"] == "done":
                under_way = None
                self._done(said)
            else:
                self._doubt(under_way)
                under_way = None
        self._doubt(under_way)

    def _doubt(self, said: dict[str, Any] | None) -> None:
        if said is not None:
            for id_ in said.get("ids", [said["old"]] if "old" in said else []):
                self.doubtful.setdefault(id_, set()).add(said["act"])

    def _done(self, said: dict[str, Any]) -> None:
        act = said["act"]
        for id_, text in zip(said.get("ids", ()), said.get("texts", ()), strict=False):
            self.known.setdefault(id_, Known(text))
        if act == "supersede":
            self.known[said["old"]].by = said["ids"][0]
            return
        for id_ in said.get("ids", ()) if act != "remember" else ():
            one = self.known[id_]
            if act in ("forget", "restore"):
                one.forgotten = act == "forget"
            elif act == "pin":
                one.pinned = True
            elif act == "tag":
                one.tags.update(said["add"])
            elif act == "use":
                one.uses += 1

    def troubles(self, memory: Memory) -> list[str]:
        """In which the store isn't as it must be."""
        found = [f"{one.part}: {one.what}" for one in memory.check().troubles]
        stored = {one.id: one for forgotten in (False, True) for one in _all(memory, forgotten)}
        lives = {one.id: one for one in memory.lifecycle.vitality(sorted(self.known.keys() & stored.keys()))}
        for id_, known in self.known.items():
            if (there := stored.get(id_)) is None:
                found.append(f"{id_} is gone: {known.text!r}")
                continue
            found += [f"{id_}: {what}" for what in self._differences(id_, known, there, lives[id_])]
        ours = Counter(one.text for one in stored.values() if one.text in self.texts)
        found += [f"stored {times} times: {text!r}" for text, times in ours.items() if times > 1]
        return found

    def _differences(self, id_: str, known: Known, there: StoredMemory, life: Any) -> list[str]:
        doubt = self.doubtful.get(id_, set())
        found = []
        if there.text != known.text:
            found.append(f"{there.text!r} instead of {known.text!r}")
        if (there.forgotten_at is not None) != known.forgotten and not doubt & {"forget", "restore"}:
            found.append(f"forgotten is {there.forgotten_at}")
        if known.tags - set(there.tags):
            found.append(f"tags {known.tags - set(there.tags)} are gone")
        if known.pinned and not life.pinned:
            found.append("is not pinned")
        if not known.uses <= life.uses <= known.uses + ("use" in doubt) + self.asked_again:
            found.append(f"{life.uses} uses instead of {known.uses}")
        if known.by is not None and not self._stands(known.by, there.superseded_by):
            found.append(f"superseded by {there.superseded_by} instead of {known.by}")
        if known.by is None and there.superseded_by is not None and "supersede" not in doubt:
            found.append(f"superseded by {there.superseded_by}, which nobody asked for")
        return found

    def _stands(self, by: str, there: str | None) -> bool:
        """Whether `there` may stand in the place of what `by` replaced: itself, or what replaced it, while it lives."""
        seen: list[str] = []
        while by is not None and by not in seen:
            seen.append(by)
            if there == by:
                return True
            known = self.known.get(by)
            if known is None or known.by is None:
                # The last of the chain: forgotten, nobody stands there; or replaced by what was under way.
                return known is None or known.forgotten or bool(self.doubtful.get(by))
            by = known.by
        return False


def _all(memory: Memory, forgotten: bool) -> list[StoredMemory]:
    found: list[StoredMemory] = []
    while page := memory.list(
        scope="all", limit=5000, forgotten=forgotten, superseded=True, before=found[-1].id if found else None
    ):
        found += page
    return found
