"""VS Code (GitHub Copilot's agent): servers in mcp.json, hooks in a file of memd's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memd.agents.install.agent import USER, Agent, Event, Place, hooks
from memd.agents.install.jsontext import JSONC
from memd.agents.install.parts import JsonServer
from memd.agents.install.work import Target

NAME = "vscode"
TIMEOUT = 5  # seconds

EVENTS = (
    Event("SessionStart", "SessionStart"),
    Event("UserPromptSubmit", "UserPromptSubmit"),
    Event("PostToolUse", "PostToolUse"),
    Event("PreCompact", "PreCompact"),
    Event("Stop", "Stop"),
)
_EDITIONS = ("Code", "Code - Insiders", "VSCodium")


def folders(place: Place) -> list[Path]:
    """The user folder of every edition that is there; that of the plain one where none is."""
    if portable := place.named("VSCODE_PORTABLE"):
        return [portable / "user-data" / "User"]
    base = place.named("VSCODE_APPDATA") or (
        place.home / "Library" / "Application Support" if place.mac else place.config("")
    )
    all_ = [base / edition / "User" for edition in _EDITIONS]
    return [path for path in all_ if path.is_dir()] or all_[:1]


def folder(place: Place) -> Path:
    """The user folder of the first edition."""
    return folders(place)[0]


def files(place: Place, scope: str, program: Sequence[str]) -> list[Target]:
    """The servers' file (of each edition) and the hooks' file."""
    if scope == USER:
        servers = [path / "mcp.json" for path in folders(place)]
        hooked = (place.named("COPILOT_HOME") or place.home / ".copilot") / "hooks" / "memd.json"
    else:
        servers = [place.project / ".vscode" / "mcp.json"]
        hooked = place.project / ".github" / "hooks" / "memd.json"
    entry = {"type": "stdio", "command": program[0], "args": [*program[1:], "mcp"]}
    part = hooks(program, NAME, EVENTS, {"type": "command", "timeout": TIMEOUT}, nested=False)
    return [
        *[Target(path, (JsonServer(("servers",), entry, JSONC),)) for path in servers],
        Target(hooked, (part,), blank='{\n  "version": 1\n}\n'),
    ]


def after(scope: str) -> list[str]:
    """What is left to do."""
    return ["Run “MCP: List Servers” in VS Code, start memd there and trust it."]


AGENT = Agent(NAME, "VS Code", EVENTS, folder, ("code", "code-insiders", "codium"), files, after)
