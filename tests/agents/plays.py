"""Plays of sessions: read with their labels, and rendered as the transcripts that agents write.

A line begins with who acts: `user:`, `say:` (the assistant), `think:`, `meta:`, `side:` (a side chain), `summary:`
(of a compaction), `edit PATH`, `patch PATH`, `bash COMMAND` (`bash!` failed). Lines that begin with `|` are output,
with `-` and `+` an edit's change, with a backslash the text's next line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLAYS = Path(__file__).parent / "plays"
_MARK = re.compile(r"\{\{([a-z-]+)\|(.*?)\}\}", re.DOTALL)
_ACT = re.compile(r"(user|say|think|meta|side|summary): ?(.*)|(edit|patch|bash!?) (.+)")


@dataclass
class Act:
    """One thing that happens, with its labels: (kind, words); kind `-` is a near miss."""

    name: str
    text: str
    more: list[str] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Play:
    """A session: whose, in which folder, and what happens."""

    name: str
    agent: str
    folder: str
    acts: list[Act]

    def labels(self) -> list[tuple[str, str, str]]:
        """All labels: (who, kind, words)."""
        return [(act.name, kind, words) for act in self.acts for kind, words in act.labels]


def load(name: str) -> Play:
    """A play by its name."""
    lines = (PLAYS / f"{name}.play").read_text(encoding="utf-8").splitlines()
    play = Play(name, lines[0].removeprefix("agent: "), lines[1].removeprefix("folder: "), [])
    for line in lines[2:]:
        if line[:1] == "\\":
            play.acts[-1].text += "\n" + line[1:]
        elif line[:2] in ("| ", "- ", "+ "):
            play.acts[-1].more.append(line)
        elif match := _ACT.fullmatch(line):
            play.acts.append(Act(match[1] or match[3], match[2] if match[1] else match[4]))
        else:
            raise ValueError(f"{name}: {line}")
    for act in play.acts:
        act.labels = [(kind, words) for kind, words in _MARK.findall(act.text)]
        act.text = _MARK.sub(r"\2", act.text)
    return play


def names(prefix: str = "") -> list[str]:
    return sorted(path.stem for path in PLAYS.glob(f"{prefix}*.play"))


def transcript(play: Play, root: str, session: str, minute: int = 0) -> str:
    """The session's transcript as its agent writes it."""
    render = _codex if play.agent == "codex" else _claude
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in render(play, root, session, minute))


def _stamp(number: int, minute: int) -> str:
    return f"2026-03-02T{10 + minute // 60:02d}:{minute % 60:02d}:{number % 60:02d}.{number:03d}Z"


def _claude(play: Play, root: str, session: str, minute: int) -> Iterator[dict[str, Any]]:
    yield {"type": "summary", "summary": f"The {play.folder}", "leafUuid": f"{session}-leaf"}
    parent = None
    for number, (act, kind, content, marks) in enumerate(_claude_messages(play, root, session)):
        uuid = f"{session}-{number}"
        message: dict[str, Any] = {"role": kind, "content": content}
        if kind == "assistant":
            usage = {"input_tokens": 9, "output_tokens": 9}
            message = {"id": f"msg_{number}", "type": "message", "model": "claude", **message, "usage": usage}
        yield {
            "parentUuid": parent, "isSidechain": False, "userType": "external", "cwd": root, "sessionId": session,
            "version": "2.1.37", "gitBranch": "main", "type": kind, "message": message, "uuid": uuid,
            "timestamp": _stamp(number, minute), **marks,
        }  # fmt: skip
        parent = uuid
        if act.name == "user":
            snapshot = {"messageId": uuid, "trackedFileBackups": {}}
            yield {"type": "file-history-snapshot", "messageId": uuid, "snapshot": snapshot, "isSnapshotUpdate": False}


def _claude_messages(play: Play, root: str, session: str) -> Iterator[tuple[Act, str, Any, dict[str, Any]]]:
    for number, act in enumerate(play.acts):
        text = [{"type": "text", "text": act.text}]
        match act.name:
            case "user":
                reminder = "<system-reminder>\nAlways use the todo tool.\n</system-reminder>"
                yield act, "user", [*text, {"type": "text", "text": reminder}] if number % 3 else act.text, {}
            case "say":
                yield act, "assistant", text, {}
            case "think":
                yield act, "assistant", [{"type": "thinking", "thinking": act.text, "signature": "c2ln"}], {}
            case "meta":
                yield act, "user", act.text, {"isMeta": True}
            case "summary":
                yield act, "user", act.text, {"isCompactSummary": True, "isVisibleInTranscriptOnly": True}
            case "side":
                yield act, "assistant", text, {"isSidechain": True}
            case _:
                call = f"toolu_{session}_{number}"
                tool, given = _tool(act, root)
                yield act, "assistant", [{"type": "tool_use", "id": call, "name": tool, "input": given}], {}
                result = {"tool_use_id": call, "type": "tool_result", **_result(act)}
                yield act, "user", [result], {"toolUseResult": {"stdout": "", "stderr": ""}}


def _tool(act: Act, root: str) -> tuple[str, dict[str, Any]]:
    if act.name.startswith("bash"):
        return "Bash", {"command": act.text, "description": "Run it"}
    before, after = ("\n".join(line[2:] for line in act.more if line[0] == sign) for sign in "-+")
    return "Edit", {"file_path": f"{root}/{act.text}", "old_string": before, "new_string": after}


def _result(act: Act) -> dict[str, Any]:
    if not act.name.startswith("bash"):
        return {"content": f"The file {act.text} has been updated."}
    output = "\n".join(line[2:] for line in act.more)
    return {"content": f"Exit code 1\n{output}", "is_error": True} if act.name == "bash!" else {"content": output}


def _codex(play: Play, root: str, session: str, minute: int) -> Iterator[dict[str, Any]]:
    for number, (kind, payload) in enumerate(_codex_payloads(play, root, session)):
        yield {"timestamp": _stamp(number, minute), "type": kind, "payload": payload}


def _codex_payloads(play: Play, root: str, session: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "session_meta", {"id": session, "cwd": root, "originator": "codex_cli_rs", "cli_version": "0.130.0"}
    around = f"<environment_context>\n  <cwd>{root}</cwd>\n</environment_context>"
    yield "response_item", _said("user", "input_text", around)
    yield "turn_context", {"cwd": root, "model": "gpt-5-codex"}
    for number, act in enumerate(play.acts):
        match act.name:
            case "user":
                yield "response_item", _said("user", "input_text", act.text)
                yield "event_msg", {"type": "user_message", "message": act.text}
            case "say":
                yield "response_item", _said("assistant", "output_text", act.text)
                yield "event_msg", {"type": "agent_message", "message": act.text}
            case "think":
                yield "response_item", {"type": "reasoning", "summary": [{"type": "summary_text", "text": act.text}]}
            case "patch" | "edit":
                call = f"call_{session}_{number}"
                body = "\n".join(line[0] + line[2:] for line in act.more)
                patch = f"*** Begin Patch\n*** Update File: {act.text}\n@@\n{body}\n*** End Patch"
                yield "response_item", {
                    "type": "custom_tool_call", "status": "completed", "call_id": call, "name": "apply_patch",
                    "input": patch,
                }  # fmt: skip
                done = json.dumps({"output": "Success.", "metadata": {"exit_code": 0, "duration_seconds": 0.1}})
                yield "response_item", {"type": "custom_tool_call_output", "call_id": call, "output": done}
            case "bash" | "bash!":
                call = f"call_{session}_{number}"
                arguments = json.dumps({"command": ["bash", "-lc", act.text], "workdir": root})
                yield "response_item", {
                    "type": "function_call", "name": "shell", "arguments": arguments, "call_id": call,
                }  # fmt: skip
                output = "\n".join(line[2:] for line in act.more)
                code = int(act.name == "bash!")
                done = f"Exit code: {code}\nWall time: 0.5 seconds\nOutput:\n{output}"
                yield "response_item", {"type": "function_call_output", "call_id": call, "output": done}
        yield "event_msg", {"type": "token_count", "info": None}


def _said(role: str, kind: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
