"""Cursor: servers in mcp.json, hooks in hooks.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memd.agents.install.agent import USER, Agent, Event, Place, hooks
from memd.agents.install.jsontext import JSONC
from memd.agents.install.parts import JsonServer
from memd.agents.install.work import Target

NAME = "cursor"
TIMEOUT = 5  # seconds

_DOING = "Shell|Write|StrReplace|Edit|Delete"
EVENTS = (
    Event("sessionStart", "SessionStart"),
    Event("beforeSubmitPrompt", "UserPromptSubmit"),
    Event("postToolUse", "PostToolUse", _DOING),
    Event("postToolUseFailure", "PostToolUseFailure", _DOING),
    Event("preCompact", "PreCompact"),
    Event("afterAgentResponse", "Stop"),
    Event("stop", "Stop"),
    Event("sessionEnd", "SessionEnd"),
)


def folder(place: Place) -> Path:
    """~/.cursor."""
    return place.home / ".cursor"


def files(place: Place, scope: str, program: Sequence[str]) -> list[Target]:
    """The server's file and the hooks' file."""
    base = folder(place) if scope == USER else place.project / ".cursor"
    entry = {"command": program[0], "args": [*program[1:], "mcp"]}
    hooked = hooks(program, NAME, EVENTS, {"timeout": TIMEOUT}, nested=False, dialect=JSONC)
    return [
        Target(base / "mcp.json", (JsonServer(("mcpServers",), entry, JSONC),)),
        Target(base / "hooks.json", (hooked,), blank='{\n  "version": 1\n}\n'),
    ]


def after(scope: str) -> list[str]:
    """What is left to do."""
    return ["Switch memd on under Tools & MCP in Cursor's settings; its hooks are listed under Hooks."]


AGENT = Agent(NAME, "Cursor", EVENTS, folder, ("cursor", "cursor-agent"), files, after)
