"""What agents hand to hooks: one payload for each event, in each agent's own shape, and a transcript to go with them.

They were written down from the agents' documentation and name no real person, folder or session.
"""

from __future__ import annotations

import json
from typing import Any

PROMPT = "Which port does the ferret ledger listen on?"
STATED = "We decided to keep the ferret ledger's receipts for seven years, because the auditors ask for them."
ERROR = "Exit code 2\nmake: *** No rule to make target 'ledgers'.  Stop."

Payload = dict[str, Any]


def payload(agent: str, event: str, native: str, session: str, cwd: str, transcript: str) -> Payload:
    """The payload of an event.

    Args:
        agent: by its name on the command line.
        event: as memd calls it.
        native: as the agent does.
        session: the session's id.
        cwd: the folder it works in.
        transcript: the path of its transcript.
    """
    common, own_names, parts = _SHAPES[agent]
    return {**common(session, cwd, transcript, native if own_names else event), **parts.get(native, parts[event])}


def transcript(agent: str, session: str, cwd: str) -> str:
    """The lines of a short session in which something was decided, and a command failed and then passed."""
    return "".join([json.dumps(record) + "\n" for record in (_codex if agent == "codex" else _claude)(session, cwd)])


# --- shapes -----------------------------------------------------------------------------------------


def _claude_common(session: str, cwd: str, transcript: str, event: str) -> Payload:
    return {"session_id": session, "transcript_path": transcript, "cwd": cwd, "hook_event_name": event}


def _codex_common(session: str, cwd: str, transcript: str, event: str) -> Payload:
    return {**_claude_common(session, cwd, transcript, event), "model": "gpt-5-codex", "turn_id": "turn-1"}


def _gemini_common(session: str, cwd: str, transcript: str, event: str) -> Payload:
    return {**_claude_common(session, cwd, transcript, event), "timestamp": "2026-03-02T09:00:00.000Z"}


def _vscode_common(session: str, cwd: str, transcript: str, event: str) -> Payload:
    named = {"sessionId": session, "hookEventName": event, "timestamp": "2026-03-02T09:00:00.000Z"}
    return {**_claude_common(session, cwd, transcript, event), **named}


def _cursor_common(session: str, cwd: str, transcript: str, event: str) -> Payload:
    return {
        "conversation_id": session,
        "generation_id": "generation-1",
        "model": "default",
        "hook_event_name": event,
        "cursor_version": "2.4.0",
        "workspace_roots": [cwd],
        "user_email": None,
        "transcript_path": transcript,
    }


_EDIT = {"file_path": "ledger/port.py", "old_string": "PORT = 1", "new_string": "PORT = 4711"}
_CLAUDE: dict[str, Payload] = {
    "SessionStart": {"source": "startup"},
    "UserPromptSubmit": {"prompt": PROMPT},
    "PostToolUse": {"tool_name": "Edit", "tool_input": _EDIT, "tool_response": {"filePath": "ledger/port.py"}},
    "PostToolUseFailure": {"tool_name": "Bash", "tool_input": {"command": "make ledgers"}, "error": ERROR},
    "PreCompact": {"trigger": "auto", "custom_instructions": ""},
    "Stop": {"stop_hook_active": False},
    "SessionEnd": {"reason": "other"},
}
_CODEX: dict[str, Payload] = {
    **_CLAUDE,
    "PostToolUse": {"tool_name": "Bash", "tool_input": {"command": "make ledgers"}, "tool_response": ERROR},
}
_CURSOR: dict[str, Payload] = {
    "SessionStart": {"session_id": "", "is_background_agent": False, "composer_mode": "agent"},
    "UserPromptSubmit": {"prompt": PROMPT, "attachments": []},
    "PostToolUse": {
        "tool_name": "Write",
        "tool_input": {"file_path": "ledger/port.py"},
        "tool_output": "{}",
        "duration": 9,
    },
    "PostToolUseFailure": {
        "tool_name": "Shell",
        "tool_input": {"command": "make ledgers"},
        "error_message": ERROR,
        "failure_type": "error",
        "is_interrupt": False,
    },
    "PreCompact": {"trigger": "auto", "context_usage_percent": 85, "message_count": 40},
    "afterAgentResponse": {"text": STATED},
    "Stop": {"status": "completed", "loop_count": 0},
    "SessionEnd": {"reason": "completed", "duration_ms": 60_000, "final_status": "completed"},
}
_GEMINI: dict[str, Payload] = {
    **_CLAUDE,
    "PostToolUse": {
        "tool_name": "run_shell_command",
        "tool_input": {"command": "make ledgers"},
        "tool_response": {"llmContent": ERROR, "returnDisplay": ERROR},
    },
    "PreCompact": {"trigger": "auto"},
    "Stop": {"prompt": PROMPT, "prompt_response": STATED, "stop_hook_active": False},
    "SessionEnd": {"reason": "exit"},
}
_SHAPES: dict[str, tuple[Any, bool, dict[str, Payload]]] = {  # common fields, whether names are its own, the rest
    "claude-code": (_claude_common, False, _CLAUDE),
    "codex": (_codex_common, False, _CODEX),
    "vscode": (_vscode_common, False, _CLAUDE),
    "opencode": (_claude_common, False, _CLAUDE),
    "gemini-cli": (_gemini_common, True, _GEMINI),
    "cursor": (_cursor_common, True, _CURSOR),
}


# --- transcripts ------------------------------------------------------------------------------------

_STAMP = "2026-03-02T09:00:{:02d}.000Z"
_ANSWER = f"{STATED} I set it in ledger/receipts.py."


def _claude(session: str, cwd: str) -> list[Payload]:
    """Claude Code's lines of JSON."""
    call = {"type": "tool_use", "id": "call-1", "name": "Bash", "input": {"command": "make ledgers"}}
    result = {"type": "tool_result", "tool_use_id": "call-1", "content": ERROR, "is_error": True}
    messages: list[tuple[str, Any]] = [
        ("user", "How long do we keep the receipts?"),
        ("assistant", [call]),
        ("user", [result]),
        ("assistant", [{"type": "text", "text": _ANSWER}]),
    ]
    return [
        {
            "type": role,
            "uuid": f"{session}-{number}",
            "parentUuid": f"{session}-{number - 1}" if number else None,
            "sessionId": session,
            "cwd": cwd,
            "timestamp": _STAMP.format(number),
            "message": {"role": role, "content": content},
        }
        for number, (role, content) in enumerate(messages)
    ]


def _codex(session: str, cwd: str) -> list[Payload]:
    """A rollout of Codex's."""
    call = {
        "type": "function_call",
        "name": "shell",
        "call_id": "call-1",
        "arguments": '{"command": ["make", "ledgers"]}',
    }
    output = json.dumps({"output": ERROR, "metadata": {"exit_code": 2}})
    items: list[Payload] = [
        _said("user", "input_text", "How long do we keep the receipts?"),
        call,
        {"type": "function_call_output", "call_id": "call-1", "output": output},
        _said("assistant", "output_text", _ANSWER),
    ]
    head = {
        "id": session,
        "timestamp": _STAMP.format(0),
        "cwd": cwd,
        "originator": "codex_cli_rs",
        "cli_version": "0.99.0",
    }
    records = [("session_meta", head), *(("response_item", item) for item in items)]
    return [
        {"timestamp": _STAMP.format(number), "type": kind, "payload": item}
        for number, (kind, item) in enumerate(records)
    ]


def _said(role: str, kind: str, text: str) -> Payload:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
