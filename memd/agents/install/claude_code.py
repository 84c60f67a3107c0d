"""Claude Code: servers in .claude.json (a project's in .mcp.json), hooks in settings.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memd.agents.install.agent import USER, Agent, Event, Place, hooks
from memd.agents.install.parts import JsonServer
from memd.agents.install.work import Target

NAME = "claude-code"
TIMEOUT = 5  # seconds; `memd hook` itself gives up long before

_DOING = "Bash|Edit|MultiEdit|Write|NotebookEdit"
EVENTS = (
    Event("SessionStart", "SessionStart"),
    Event("UserPromptSubmit", "UserPromptSubmit"),
    Event("PostToolUse", "PostToolUse", _DOING),
    Event("PostToolUseFailure", "PostToolUseFailure", _DOING),
    Event("PreCompact", "PreCompact"),
    Event("Stop", "Stop"),
    Event("SessionEnd", "SessionEnd"),
)


def folder(place: Place) -> Path:
    """CLAUDE_CONFIG_DIR, else ~/.claude."""
    return place.named("CLAUDE_CONFIG_DIR") or place.home / ".claude"


def files(place: Place, scope: str, program: Sequence[str]) -> list[Target]:
    """The server's file and the hooks' file."""
    if scope == USER:
        servers = (place.named("CLAUDE_CONFIG_DIR") or place.home) / ".claude.json"
        settings = folder(place) / "settings.json"
    else:
        servers, settings = place.project / ".mcp.json", place.project / ".claude" / "settings.json"
    entry = {"type": "stdio", "command": program[0], "args": [*program[1:], "mcp"]}
    return [
        Target(servers, (JsonServer(("mcpServers",), entry),)),
        Target(settings, (hooks(program, NAME, EVENTS, {"type": "command", "timeout": TIMEOUT}),)),
    ]


def after(scope: str) -> list[str]:
    """What is left to do."""
    if scope == USER:
        return ["Start a new session of Claude Code; /mcp and /hooks in it list memd."]
    return ["Start a new session of Claude Code in this project and approve the server that .mcp.json names."]


AGENT = Agent(NAME, "Claude Code", EVENTS, folder, ("claude",), files, after)
