"""Gemini CLI: servers and hooks in settings.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memd.agents.install.agent import USER, Agent, Event, Place, hooks
from memd.agents.install.jsontext import JSON_WITH_COMMENTS
from memd.agents.install.parts import JsonServer
from memd.agents.install.work import Target

NAME = "gemini-cli"
TIMEOUT = 5_000  # milliseconds

EVENTS = (
    Event("SessionStart", "SessionStart"),
    Event("BeforeAgent", "UserPromptSubmit"),
    Event("AfterTool", "PostToolUse", "run_shell_command|replace|write_file"),
    Event("PreCompress", "PreCompact"),
    Event("AfterAgent", "Stop"),
    Event("SessionEnd", "SessionEnd"),
)


def folder(place: Place) -> Path:
    """.gemini in GEMINI_CLI_HOME, else in the home folder."""
    return (place.named("GEMINI_CLI_HOME") or place.home) / ".gemini"


def files(place: Place, scope: str, program: Sequence[str]) -> list[Target]:
    """The settings."""
    base = folder(place) if scope == USER else place.project / ".gemini"
    entry = {"command": program[0], "args": [*program[1:], "mcp"]}
    handler = {"name": "memd", "type": "command", "timeout": TIMEOUT}
    hooked = hooks(program, NAME, EVENTS, handler, dialect=JSON_WITH_COMMENTS)
    return [Target(base / "settings.json", (JsonServer(("mcpServers",), entry, JSON_WITH_COMMENTS), hooked))]


def after(scope: str) -> list[str]:
    """What is left to do."""
    trust = [] if scope == USER else ["Gemini CLI reads a project's settings only in a folder that you trust."]
    return [*trust, "Start a new session of Gemini CLI; /mcp and /hooks in it list memd."]


AGENT = Agent(NAME, "Gemini CLI", EVENTS, folder, ("gemini",), files, after)
