"""Codex: servers in config.toml, hooks in hooks.json beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memd.agents.install.agent import USER, Agent, Event, Place, hooks
from memd.agents.install.parts import TomlServer
from memd.agents.install.work import Target

NAME = "codex"
TIMEOUT = 5  # seconds

EVENTS = (
    Event("SessionStart", "SessionStart"),
    Event("UserPromptSubmit", "UserPromptSubmit"),
    Event("PostToolUse", "PostToolUse", "Bash|apply_patch"),
    Event("PreCompact", "PreCompact"),
    Event("Stop", "Stop"),
)


def folder(place: Place) -> Path:
    """CODEX_HOME, else ~/.codex."""
    return place.named("CODEX_HOME") or place.home / ".codex"


def files(place: Place, scope: str, program: Sequence[str]) -> list[Target]:
    """The settings and the hooks' file."""
    base = folder(place) if scope == USER else place.project / ".codex"
    entry = {"command": program[0], "args": [*program[1:], "mcp"]}
    return [
        Target(base / "config.toml", (TomlServer(("mcp_servers",), entry),)),
        Target(base / "hooks.json", (hooks(program, NAME, EVENTS, {"type": "command", "timeout": TIMEOUT}),)),
    ]


def after(scope: str) -> list[str]:
    """What is left to do."""
    trust = [] if scope == USER else ["Codex reads a project's .codex folder only where you trust the project."]
    return [*trust, "Start Codex and review the hooks with /hooks: it runs none that you haven't trusted."]


AGENT = Agent(NAME, "Codex", EVENTS, folder, ("codex",), files, after)
