"""opencode: servers in opencode.json or opencode.jsonc, events by a plugin of memd's own.

Of version 2 the servers stand one level deeper (``mcp.servers``), and its plugins are made otherwise: it gets the
server alone.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from memd.agents.install import files as disk
from memd.agents.install.agent import USER, Agent, Event, Place, hook_line
from memd.agents.install.jsontext import JSONC, find, parse
from memd.agents.install.parts import Command, JsonServer, Whole
from memd.agents.install.work import Target
from memd.errors import MemdError

NAME = "opencode"
PATIENCE = 5  # seconds for `opencode --version`

EVENTS = (
    Event("chat.message (first)", "SessionStart"),
    Event("chat.message", "UserPromptSubmit"),
    Event("tool.execute.after", "PostToolUse"),
    Event("tool.execute.after (failed)", "PostToolUseFailure"),
    Event("experimental.session.compacting", "PreCompact"),
    Event("session.idle", "Stop"),
)
_PLUGIN = Path(__file__).with_name("opencode_plugin.js")
_PROGRAM = re.compile(r"^const PROGRAM = (\[.*\])$", re.MULTILINE)


def folder(place: Place) -> Path:
    """``opencode`` in XDG_CONFIG_HOME, else in ~/.config."""
    return place.config("opencode")


def files(place: Place, scope: str, program: Sequence[str]) -> list[Target]:
    """The settings, and the plugin where the version is one that takes it."""
    settings = next((path for path in _settings(place, scope) if path.exists()), _settings(place, scope)[1])
    second = _is_second(place, settings)
    found = [_server(settings, program, second)]
    return found if second else [*found, Target(_plugin(place, scope), (plugin(program),))]


def former(place: Place, scope: str, program: Sequence[str]) -> list[Target]:
    """All that may have been written under the other name or the other version."""
    settings = [_server(path, program, second) for path in _settings(place, scope) for second in (False, True)]
    return [*settings, Target(_plugin(place, scope), (plugin(program),))]


def plugin(program: Sequence[str]) -> Whole:
    """The plugin that starts memd by these words."""
    text = _PLUGIN.read_text(encoding="utf-8")
    return Whole(_PROGRAM.sub(lambda _: f"const PROGRAM = {json.dumps(list(program))}", text, count=1), _hooked)


def after(scope: str) -> list[str]:
    """What is left to do."""
    return ["Start opencode again; it reads its settings and plugins when it starts."]


def _settings(place: Place, scope: str) -> list[Path]:
    base = folder(place) if scope == USER else place.project
    return [base / "opencode.jsonc", base / "opencode.json"]


def _plugin(place: Place, scope: str) -> Path:
    base = folder(place) if scope == USER else place.project / ".opencode"
    return base / "plugins" / "memd.js"


def _server(settings: Path, program: Sequence[str], second: bool) -> Target:
    entry = {"type": "local", "command": [*program, "mcp"]}
    parent = ("mcp", "servers") if second else ("mcp",)
    blank = '{\n  "$schema": "https://opencode.ai/config.json"\n}\n'
    return Target(settings, (JsonServer(parent, entry, JSONC, "environment"),), blank)


def _is_second(place: Place, settings: Path) -> bool:
    """Whether servers go where version 2 wants them: as the file has them, else as the program says."""
    try:
        root = parse(disk.read(settings).text, JSONC)
    except MemdError:  # whoever reads it next says so, with its name
        root = None
    servers, first = find(root, ["mcp", "servers"]), find(root, ["mcp"])
    if first is not None and first.elements:
        return servers is not None and servers.kind == "object" and "type" not in servers.value
    program = place.finds("opencode")
    if program is None:
        return False
    try:
        told = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return False
    found = re.search(r"(\d+)\.\d+", told)
    return found is not None and int(found[1]) >= 2


def _hooked(text: str) -> list[Command]:
    """The commands that a plugin's text runs."""
    found = _PROGRAM.search(text)
    program = json.loads(found[1]) if found else []
    return [Command(event.name, (), (), hook_line(program, event, NAME)) for event in EVENTS] if program else []


AGENT = Agent(NAME, "opencode", EVENTS, folder, ("opencode",), files, after, former)
