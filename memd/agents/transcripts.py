"""Transcripts of coding agents as what happened in them, in order: words said, tools called, results returned.

Two formats, both JSON lines that grow at their end: Claude Code's (``~/.claude/projects/**/*.jsonl``) and Codex's
rollouts (``~/.codex/sessions/**/rollout-*.jsonl``). Each thing comes with the line and byte where it begins, so that
reading can go on from there. What nobody said stays out: thinking, side chains, compaction summaries, reminders and
other notes that a program put between tags, instructions files, and whatever memd itself put in.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from memd.agents import tools
from memd.agents.decoding import decode
from memd.agents.injected import between_tags, without_injected
from memd.clock import to_ms
from memd.store.validation import EARLIEST, LATEST

LINE_BYTES = 32 << 20  # a longer line is passed over: it holds a picture, or a whole file
USER, ASSISTANT = "user", "assistant"
READABLE = ("claude-code", "codex")  # agents whose transcripts can be found and read


class Place(NamedTuple):
    """Where a record stands: its line (from 1), the bytes it begins and ends at, its time in milliseconds."""

    line: int
    begin: int
    end: int
    at: int | None


class Said(NamedTuple):
    """Words of the user or the assistant."""

    place: Place
    who: str
    text: str


class Called(NamedTuple):
    """A call of a tool: the files it changes, the command it runs, and all it was given as one text."""

    place: Place
    call: str
    tool: str
    edits: list[tools.Edit]
    command: str
    given: str


class Returned(NamedTuple):
    """What came back from a call; `failed` is None where that can't be told."""

    place: Place
    call: str
    failed: bool | None
    output: str


class Opened(NamedTuple):
    """Which session this is and where it works, as its records say."""

    place: Place
    session: str
    folder: str


Item = Said | Called | Returned | Opened


def read(path: Path, start: int = 0, line: int = 0) -> Iterator[Item]:
    """What happened in a transcript from byte `start` on, before which `line` lines lie.

    Stops before a last line that isn't finished. Lines that are no JSON object are passed over. O(what follows).

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        file.seek(start)
        begin = start
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            line += 1
            end = begin + len(raw)
            record = _record(raw)
            if record is not None:
                place = Place(line, begin, end, _time(record.get("timestamp")))
                yield from _items(record, place)
            begin = end


def end_of(path: Path) -> int:
    """The byte after the last finished line. Raises OSError."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - 65536)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
    return 0


def find(agent: str, home: Path) -> list[Path]:
    """The transcripts that an agent has left in a user's home folder, oldest first; side chains' files left out."""
    if agent == "claude-code":
        base, pattern = Path(os.environ.get("CLAUDE_CONFIG_DIR") or home / ".claude") / "projects", "**/*.jsonl"
    else:
        base, pattern = Path(os.environ.get("CODEX_HOME") or home / ".codex") / "sessions", "**/rollout-*.jsonl"
    return in_folder(base, pattern)


def in_folder(base: Path, pattern: str = "**/*.jsonl") -> list[Path]:
    """The transcripts under a folder, oldest first."""
    found = [path for path in base.glob(pattern) if path.is_file() and not path.name.startswith("agent-")]
    return sorted(found, key=lambda path: (path.stat().st_mtime, str(path)))


def agent_of(path: Path) -> str:
    """Whose transcript a file is, by its first records; empty where it is none. Raises OSError."""
    with path.open("rb") as file:
        for raw in (file.readline(LINE_BYTES) for _ in range(20)):
            record = _record(raw) or {}
            if _is_codex(record):
                return "codex"
            if "sessionId" in record or record.get("type") in ("summary", "file-history-snapshot"):
                return "claude-code"
    return ""


def _record(raw: bytes) -> dict[str, Any] | None:
    if len(raw) > LINE_BYTES:
        return None
    try:
        value = decode(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_codex(record: dict[str, Any]) -> bool:
    return isinstance(record.get("payload"), dict) or ("id" in record and "instructions" in record)


def _items(record: dict[str, Any], place: Place) -> Iterator[Item]:
    kind, payload = record.get("type"), record.get("payload")
    if isinstance(payload, dict):
        yield from _codex(str(kind), payload, place)
    elif kind in (USER, ASSISTANT) and isinstance(record.get("message"), dict):
        yield from _claude(record, place)
    elif kind in ("message", "function_call", "function_call_output"):  # Codex before records had a payload
        yield from _codex("response_item", record, place)
    elif "id" in record and "instructions" in record:
        yield Opened(place, str(record["id"]), "")


# --- Claude Code ------------------------------------------------------------------------------------


def _claude(record: dict[str, Any], place: Place) -> Iterator[Item]:
    if any(record.get(mark) for mark in ("isSidechain", "isMeta", "isCompactSummary", "isVisibleInTranscriptOnly")):
        return
    if record.get("sessionId"):
        yield Opened(place, str(record["sessionId"]), str(record.get("cwd") or ""))
    who, content = record["type"], record["message"].get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list):
        return
    blocks = [block for block in blocks if isinstance(block, dict)]
    words = "\n\n".join(str(block.get("text") or "") for block in blocks if block.get("type") == "text")
    if text := _words(words):
        yield Said(place, who, text)
    for block in blocks:
        if block.get("type") == "tool_use":
            yield _called(place, block.get("id"), str(block.get("name")), block.get("input"))
        elif block.get("type") == "tool_result":
            output = tools.output_text(block.get("content"))
            is_error = bool(block.get("is_error"))
            yield Returned(place, str(block.get("tool_use_id")), tools.failed(output, is_error), output)


# --- Codex ------------------------------------------------------------------------------------------


def _codex(kind: str, payload: dict[str, Any], place: Place) -> Iterator[Item]:
    if kind == "session_meta":
        yield Opened(place, str(payload.get("id") or ""), str(payload.get("cwd") or ""))
    if kind != "response_item":
        return
    match payload.get("type"):
        case "message" if payload.get("role") in (USER, ASSISTANT):
            parts = payload.get("content")
            parts = parts if isinstance(parts, list) else []
            words = [str(part.get("text") or "") for part in parts if isinstance(part, dict)]
            if text := _words("\n\n".join(words)):
                yield Said(place, str(payload["role"]), text)
        case "function_call":
            yield _called(place, payload.get("call_id"), str(payload.get("name")), _arguments(payload.get("arguments")))
        case "custom_tool_call":
            yield _called(place, payload.get("call_id"), str(payload.get("name")), {"input": payload.get("input")})
        case "local_shell_call":
            call = payload.get("call_id") or payload.get("id")
            yield _called(place, call, "local_shell", payload.get("action"))
        case "function_call_output" | "custom_tool_call_output" | "local_shell_call_output":
            output = tools.output_text(payload.get("output"))
            yield Returned(place, str(payload.get("call_id")), tools.failed(output), output)


def _arguments(text: object) -> object:
    try:
        return decode(str(text).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}


# --- both -------------------------------------------------------------------------------------------

# What programs write into a message between tags: reminders, hooks' output, slash commands, the environment.
_TAG = re.compile(r"<([a-z]+(?:[-_][a-z]+)+)(?:\s[^<>]*)?>")
_NOT_SAID = re.compile(
    r"\s*(?:\[Request interrupted|Caveat: The messages below|# AGENTS\.md instructions|"
    r"This session is being continued from a previous conversation|API Error|Stop hook feedback|No response requested)"
)


def _words(text: str) -> str:
    """What was said, without what programs put in; empty where nothing is left."""
    bare = without_injected(between_tags(_TAG, text, lambda length: "")).strip()
    return "" if _NOT_SAID.match(bare) else bare


def _called(place: Place, call: object, tool: str, given: object) -> Called:
    table = given if isinstance(given, dict) else {}
    edits, command = tools.edits(tool, table), tools.command(tool, table)
    return Called(place, str(call or f"line-{place.line}"), tool, edits, command, json.dumps(table, ensure_ascii=False))


def _time(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return to_ms(moment) if moment.tzinfo and EARLIEST <= moment < LATEST else None
