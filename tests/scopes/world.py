"""Projects that say alike things, each with marks of its own in all it says: what is shown says whose it is."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

from memd.api import Memory
from memd.errors import MemdError
from memd.model import GLOBAL_SCOPE, KINDS, NewMemory, Source

MARK = re.compile(r"zq[0-9]+x")  # a word of one scope's own
ID = re.compile(r"\b[0-9a-hjkmnp-tv-z]{13}\b")
SUBJECTS = ("harbour", "lighthouse", "ledger", "parser")

# What any project might say. The mark comes last, so that texts of two projects are as near as they can be.
LURES = (
    "The {0} listens on port {1}.",
    "We decided to deploy the {0} with make release {1}.",
    "The {0} no longer needs FFmpeg 7.{1}.",
    "`{0}_cache` raises KeyError in src/{0}.py when it is cold, attempt {1}.",
    "On 7 May 2023 Ada said that the {0} takes {1} ms.",
    "I prefer tabs in the {0}, always, all {1} of them.",
    "MAX_{0}: {1}",
)


class World:
    """One store, many scopes. `here` is where the questions are asked; all else but what is global is foreign."""

    _numbers = itertools.count(1)

    def __init__(self, memory: Memory, folder: Path, seed: int) -> None:
        self.memory = memory
        self.dice = random.Random(seed)
        self.owner: dict[str, str] = {}  # of marks and ids
        base = folder / f"w{next(self._numbers)}"
        self.here = str(base / "b")
        # Nearby in every way that a path can be: above, below, beside, alike.
        names = ("a", "b/sub", "b2", "B", "b ", "é", ".")
        self.foreign = [str(base / name) if name != "." else str(base) for name in names]
        for scope in (self.here, *self.foreign):
            (Path(scope) / ".git").mkdir(parents=True, exist_ok=True)
        self.ids: dict[str, list[str]] = {scope: [] for scope in (*self.foreign, self.here, GLOBAL_SCOPE)}
        self._tasks: dict[str, int] = {}
        for _ in range(self.dice.randint(25, 45)):
            self._happen(self.dice.choice(list(self.ids)))
        for scope in (self.here, GLOBAL_SCOPE, self.foreign[0]):  # none of these is empty
            self._remember(scope)
        memory.compare()

    def mark(self, scope: str) -> str:
        """A new word of this scope's."""
        word = f"zq{next(self._numbers)}x"
        self.owner[word] = scope
        return word

    def lure(self) -> str:
        """What every project might say, word for word."""
        return self.dice.choice(LURES).format(self.dice.choice(SUBJECTS), self.dice.randint(1, 3))

    def foreigners(self, shown: str) -> set[str]:
        """The marks and ids of other projects in what was shown."""
        found = {*MARK.findall(shown), *ID.findall(shown)}
        return {word for word in found if self.owner.get(word, GLOBAL_SCOPE) not in (self.here, GLOBAL_SCOPE)}

    def own(self) -> list[str]:
        """Ids that may be named here."""
        return [*self.ids[self.here], *self.ids[GLOBAL_SCOPE]]

    def others(self) -> dict[str, Any]:
        """All that other projects have, to see later that nobody changed it."""
        ids = [id_ for scope in self.foreign for id_ in self.ids[scope]]
        return {id_: self.memory.show(id_) for id_ in ids}

    # --- what happens -------------------------------------------------------------------------------

    def _happen(self, scope: str) -> None:
        act = self.dice.choice(
            [self._remember] * 5 + [self._supersede, self._forget, self._task, self._note, self._session]
        )
        try:
            act(scope)
        except MemdError:  # a text that is there already, say: the world is as it is
            pass

    def _remember(self, scope: str) -> None:
        mark, dice = self.mark(scope), self.dice
        text = self.lure() + ("" if dice.random() < 0.3 else f" {mark}")
        item = NewMemory(
            text=text if mark in text or dice.random() < 0.5 else f"{text}\n{mark}",
            kind=dice.choice([kind for kind in KINDS if kind != "task"]),
            scope=scope,
            tags=("shared", mark) if dice.random() < 0.5 else ("shared",),
            source=Source(who=f"Ada {mark}", via="cli", path=f"/src/{mark}.py", session=f"s-{mark}"),
            episode=dice.choice([None, "one episode", mark]),
            importance=dice.random(),
            pinned=dice.random() < 0.2,
        )
        self._came(scope, self.memory.remember_many([item])[0].id)

    def _supersede(self, scope: str) -> None:
        if ids := self.ids[scope]:
            mark = self.mark(scope)
            done = self.memory.supersede(self.dice.choice(ids), f"{self.lure()} {mark}", why=f"because {mark}")
            self._came(scope, done.id)

    def _forget(self, scope: str) -> None:
        if len(self.ids[scope]) > 1:
            self.memory.forget([self.dice.choice(self.ids[scope])])

    def _task(self, scope: str) -> None:
        mark, tasks = self.mark(scope), self.memory.tasks
        add = tasks.step if self._tasks.get(scope) else tasks.start
        task = add(title=f"Mend the {self.dice.choice(SUBJECTS)} {mark}", scope=scope)
        self._tasks[scope] = task.number
        self._came(scope, task.memory)
        if self.dice.random() < 0.5:
            tasks.block(number=task.number, scope=scope, note=f"waits for {mark}")

    def _note(self, scope: str) -> None:
        from memd.ingest import read_notes

        mark, number = self.mark(scope), next(self._numbers)
        folder = Path(self.here).parent / f"n{number}"
        folder.mkdir()
        links = "".join(f"[[n{other}]] [x](../n{other}/n{other}.md) " for other in range(max(1, number - 60), number))
        path = folder / f"n{number}.md"
        path.write_text(f"# {self.lure()}\n\n{self.lure()} {mark}\n{links}\n\n## {mark}\n\n{self.lure()}\n")
        notes = list(read_notes(path))
        self.memory.notes.take(notes, scope)
        for memory in self.memory.list(scope=scope, source=str(folder), limit=100):
            self._came(scope, memory.id)

    def _session(self, scope: str) -> None:
        from memd.agents.hooks import Hooks

        mark, hooks = self.mark(scope), Hooks(self.memory, lambda: None)
        folder = scope if scope != GLOBAL_SCOPE else "/"
        about = {"session_id": f"s-{mark}", "cwd": folder, "tool_name": "Edit"}
        given = {"file_path": f"{folder}/src/harbour.py", "old_string": mark, "new_string": f"{mark} 2"}
        hooks.handle(
            "claude-code", "PostToolUse", json.dumps({**about, "tool_input": given, "tool_use_id": mark}), folder
        )
        self.owner[f"s-{mark}"] = scope

    def _came(self, scope: str, id_: str) -> None:
        if self.owner.setdefault(id_, scope) == scope and id_ not in self.ids[scope]:
            self.ids[scope].append(id_)
