"""What agents hand to their hooks, read as one kind of event; and the answers, in the form that each agent takes.

Claude Code's names are the common ones. Codex, VS Code and opencode's plugin use them too; Gemini CLI and Cursor
have names of their own, and Cursor takes context at a session's start alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from memd.agents.decoding import decode
from memd.errors import BadInput
from memd.text.roles import AGENTS

EVENTS = ("SessionStart", "UserPromptSubmit", "PostToolUse", "PostToolUseFailure", "PreCompact", "Stop", "SessionEnd")

_NAMES = {
    **{event.lower(): event for event in EVENTS},
    "beforesubmitprompt": "UserPromptSubmit",
    "beforeagent": "UserPromptSubmit",
    "aftertool": "PostToolUse",
    "afterfileedit": "PostToolUse",
    "aftershellexecution": "PostToolUse",
    "precompress": "PreCompact",
    "afteragent": "Stop",
    "afteragentresponse": "Stop",
}


class Happening(msgspec.Struct, frozen=True):
    """One call of a hook.

    Attributes:
        agent: one of `AGENTS`.
        event: one of `EVENTS`.
        native: the event's name in the agent's own words, for the answer.
        session: the agent's id of the session.
        folder: where it works, absolute; may be empty.
        transcript: path of the transcript; may be empty.
        prompt: what the user asks (UserPromptSubmit).
        said: what the assistant answered at the end of a turn, where the payload has it (Stop).
        call, tool, given, output: of a tool's call (PostToolUse, PostToolUseFailure).
        failed: whether it went wrong, where the event itself says so.
    """

    agent: str
    event: str
    native: str
    session: str
    folder: str
    transcript: str
    prompt: str = ""
    said: str = ""
    call: str = ""
    tool: str = ""
    given: dict[str, Any] = {}
    output: Any = None
    failed: bool | None = None


def event_named(name: str) -> str:
    """The common name of an event, however it is written (`session-start`, `sessionStart`, `BeforeAgent`); or empty."""
    return _NAMES.get("".join(c for c in name if c.isalnum()).lower(), "")


def read(agent: str, event: str, payload: str, folder: str) -> Happening:
    """A payload as a happening.

    Args:
        agent: as the command line names it; empty where the payload must tell.
        event: as the command line names it.
        payload: JSON as the agent wrote it.
        folder: where the hook was run, for payloads that don't say.

    Raises:
        BadInput: the payload is no JSON object, names no session, or the event isn't known.
    """
    table = _table(payload)
    native = _text(table, "hook_event_name", "hookEventName") or event
    common = event_named(event) or event_named(native)
    if not common:
        raise BadInput(f"there is no event {event[:60]!r}", f"events: {', '.join(EVENTS)}")
    session = _text(table, "session_id", "sessionId", "conversation_id")
    if not session:
        raise BadInput("the payload names no session", "hooks are run by agents: see `memd install --help`")
    agent = agent or _guess(table)
    if agent not in AGENTS:
        raise BadInput(f"there is no agent {agent[:60]!r}", f"agents: {', '.join(AGENTS)}")
    return Happening(
        agent=agent,
        event=common,
        native=native,
        session=session[:400],
        folder=_folder(table) or folder,
        transcript=_absolute(_text(table, "transcript_path", "transcriptPath")),
        prompt=_text(table, "prompt"),
        said=_text(table, "last_assistant_message", "prompt_response", "text"),
        **_tool(table, native, common),
    )


def answer(happening: Happening, context: str) -> str:
    """What the hook prints so that the agent sees `context`; empty for none, and where the agent takes none."""
    if not context:
        return ""
    if happening.agent == "cursor":
        return _json({"additional_context": context}) if happening.event == "SessionStart" else ""
    return _json({"hookSpecificOutput": {"hookEventName": happening.native, "additionalContext": context}})


def takes_context(happening: Happening) -> bool:
    """Whether the agent reads what the hook says to this event."""
    return happening.event == "SessionStart" or (happening.event == "UserPromptSubmit" and happening.agent != "cursor")


def _table(payload: str) -> dict[str, Any]:
    try:
        value = decode(payload.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise BadInput("the payload is no JSON", "hooks are run by agents: see `memd install --help`") from None
    if not isinstance(value, dict):
        raise BadInput("the payload is no JSON object", "hooks are run by agents: see `memd install --help`")
    return value


def _text(table: Mapping[str, Any], *names: str) -> str:
    return next((table[name] for name in names if isinstance(table.get(name), str) and table[name]), "")


def _guess(table: Mapping[str, Any]) -> str:
    if "conversation_id" in table:
        return "cursor"
    if _text(table, "hook_event_name") in ("BeforeAgent", "AfterAgent", "AfterTool", "PreCompress"):
        return "gemini-cli"
    if f"{os.sep}.codex{os.sep}" in _text(table, "transcript_path") or "turn_id" in table:
        return "codex"
    return "vscode" if "sessionId" in table else "claude-code"


def _folder(table: Mapping[str, Any]) -> str:
    roots = table.get("workspace_roots")
    first = roots[0] if isinstance(roots, list) and roots and isinstance(roots[0], str) else ""
    return _absolute(_text(table, "cwd")) or _absolute(first)


def _absolute(path: str) -> str:
    path = os.path.expanduser(path)
    return path if os.path.isabs(path) else ""


def _tool(table: Mapping[str, Any], native: str, event: str) -> dict[str, Any]:
    if event not in ("PostToolUse", "PostToolUseFailure"):
        return {}
    given = table.get("tool_input")
    tool = _text(table, "tool_name", "toolName")
    output = next((table[name] for name in ("tool_response", "tool_output", "error", "error_message", "output")
                   if table.get(name)), None)  # fmt: skip
    if native == "afterFileEdit":
        tool, given = "Edit", {"file_path": table.get("file_path"), "edits": table.get("edits")}
    elif native == "afterShellExecution":
        tool, given = "Shell", {"command": table.get("command")}
    return {
        "call": _text(table, "tool_use_id", "toolUseId", "call_id"),
        "tool": tool,
        "given": given if isinstance(given, dict) else {},
        "output": output,
        "failed": (True if table.get("is_interrupt") is not True else None) if event == "PostToolUseFailure" else None,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
