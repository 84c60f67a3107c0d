"""A coding agent as far as memd joins it: where its files lie, which events it has, what to tell the user."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memd.agents.install.jsontext import JSON, Dialect
from memd.agents.install.parts import Hook, JsonHooks
from memd.agents.install.program import line
from memd.agents.install.work import Target
from memd.errors import MemdError

USER, PROJECT = "user", "project"
SCOPES = (USER, PROJECT)


@dataclass(frozen=True)
class Place:
    """Where files are looked for: the user's home folder, the project's root, the variables, the system."""

    home: Path
    project: Path
    environ: Mapping[str, str]
    mac: bool = sys.platform == "darwin"

    @classmethod
    def here(cls, project: Path) -> Place:
        """As this process sees it."""
        return cls(Path.home(), project, os.environ)

    def named(self, variable: str) -> Path | None:
        """The folder that a variable names."""
        value = self.environ.get(variable, "")
        return self.home / os.path.expanduser(value) if value else None

    def config(self, name: str) -> Path:
        """A program's folder by the XDG rules."""
        return (self.named("XDG_CONFIG_HOME") or self.home / ".config") / name

    def finds(self, *programs: str) -> str | None:
        """The first of these programs that is on the search path."""
        path = self.environ.get("PATH", os.defpath)
        return next((found for name in programs if (found := shutil.which(name, path=path))), None)


@dataclass(frozen=True)
class Event:
    """An event of an agent's: its own name, memd's name for it, and which tools it is wanted for (all, if empty)."""

    name: str
    means: str
    matcher: str = ""


@dataclass(frozen=True)
class Agent:
    """One agent.

    Attributes:
        name: as the command line calls it.
        title: as its makers do.
        events: those that memd hooks into.
        folder: where it keeps its files for a user; there when it has been used.
        programs: by which it is started.
        files: what memd puts where, for a scope; the words are those that start memd.
        next: what is left to do after an install, for a scope, a sentence each.
        former: further files to take memd out of, where it may have been put under other circumstances.
    """

    name: str
    title: str
    events: tuple[Event, ...]
    folder: Callable[[Place], Path]
    programs: tuple[str, ...]
    files: Callable[[Place, str, Sequence[str]], list[Target]]
    next: Callable[[str], list[str]]
    former: Callable[[Place, str, Sequence[str]], list[Target]] = lambda place, scope, program: []

    def is_there(self, place: Place) -> bool:
        """Whether the user has it."""
        return place.finds(*self.programs) is not None or self.folder(place).is_dir()

    def is_joined(self, place: Place, scope: str, program: Sequence[str]) -> bool:
        """Whether memd stands in its files, as far as they can be read."""
        for target in self.files(place, scope, program):
            with suppress(MemdError):
                if target.commands():
                    return True
        return False


def hook_line(program: Sequence[str], event: Event, agent: str) -> str:
    """The shell's line that an agent runs at an event."""
    return line([*program, "hook", event.means, "--agent", agent])


def hooks(
    program: Sequence[str],
    agent: str,
    events: Sequence[Event],
    handler: Mapping[str, Any],
    nested: bool = True,
    dialect: Dialect = JSON,
) -> JsonHooks:
    """The hooks of an agent as a part of a JSON file; `handler` is what stands beside each command."""
    made = tuple(Hook(event.name, hook_line(program, event, agent), event.matcher) for event in events)
    return JsonHooks(made, tuple(handler.items()), nested, dialect)
