"""Transcripts of sessions with anything in them: what can be read is taken in, and nobody behind them waits."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memd.agents.decoding import decode
from memd.agents.hooks import SessionReader, take
from memd.api import Memory
from memd.errors import BadInput
from tests.agents import plays

from .adversarial import PIECES, mixed, seconds_of_work
from .params import BIG, TIMES, WRONG

MANY = int(os.environ.get("FUZZ", "20"))
PLAYS = ("dev_harbour", "dev_codex_mill")


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMD_ENCODER", "/none")
        with Memory.open(tmp_path_factory.mktemp("transcripts"), encode="off") as memory:
            yield memory


def _spoil(draw: st.DrawFn, line: Any) -> None:
    """Change something in it, somewhere."""
    while isinstance(line, dict | list) and line:
        name = draw(st.sampled_from(sorted(line) if isinstance(line, dict) else range(len(line))))
        if not isinstance(line[name], dict | list) or not line[name] or draw(st.integers(0, 3)) == 0:
            line[name] = draw(WRONG | mixed() | BIG | TIMES)
            return
        line = line[name]


@st.composite
def transcripts(draw: st.DrawFn) -> tuple[str, bytes]:
    """A play's transcript under a session's name of its own, with lines that are otherwise, or none."""
    play = plays.load(draw(st.sampled_from(PLAYS)))
    session = f"s{draw(st.integers(0, 10**9))}"
    lines = [json.loads(line) for line in plays.transcript(play, "/w", session).splitlines()]
    lines = lines[: draw(st.integers(3, len(lines)))]
    for _ in range(draw(st.integers(1, 6))):
        _spoil(draw, lines[draw(st.integers(0, len(lines) - 1))])
    raw = [json.dumps(line).encode() for line in lines]
    if draw(st.booleans()):
        raw.insert(draw(st.integers(0, len(raw))), draw(st.binary(max_size=30) | st.just(b"[" * 50_000)))
    return session, b"\n".join(raw) + b"\n"


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(told=transcripts())
def test_any_transcript(memory: Memory, tmp_path_factory: pytest.TempPathFactory, told: tuple[str, bytes]) -> None:
    session, content = told
    path = tmp_path_factory.getbasetemp() / f"{session}.jsonl"
    path.write_bytes(content)
    first = take(memory, path)
    again = take(memory, path)
    assert not again.gain.added or first.agent == "", "reading again adds nothing"
    path.unlink()


def test_the_store_is_sound_after_all_that(memory: Memory) -> None:
    assert memory.audit().sound
    memory.list(scope="all", limit=10_000)


CLAUDE = {"type": "user", "sessionId": "s", "cwd": "/w", "timestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    "line",
    [
        {"type": "response_item", "payload": {"type": "message", "role": "user", "content": 5}},
        {"type": "session_meta", "payload": {"id": "\ud800", "cwd": "\0"}},
        {**CLAUDE, "message": {"content": "\ud800 half a pair"}},
        {**CLAUDE, "cwd": "/\0/x", "message": {"content": "NUL\0"}},
        {**CLAUDE, "cwd": "/" + "x" * 100_000, "message": {"content": "long"}},
        {**CLAUDE, "timestamp": "9999-12-31T23:59:59-14:00", "message": {"content": "late"}},
        {**CLAUDE, "timestamp": "0001-01-01T00:00:00+14:00", "message": {"content": "early"}},
        {**CLAUDE, "sessionId": "x" * 1_000_000, "message": {"content": "named at length"}},
        {
            **CLAUDE,
            "message": {"content": [{"type": "tool_use", "id": 1, "name": "Edit", "input": {"file_path": "\0"}}]},
        },
    ],
    ids=lambda line: str(line)[-40:],
)
def test_lines_that_once_stopped_the_reader_or_could(memory: Memory, tmp_path: Path, line: dict[str, Any]) -> None:
    path = tmp_path / "t.jsonl"
    good = {
        **CLAUDE,
        "sessionId": f"s-{tmp_path.name}",
        "message": {"content": f"We decided on port 7 in {tmp_path.name}."},
    }
    reply = {
        **good,
        "type": "assistant",
        "message": {"content": [{"type": "text", "text": f"Done in {tmp_path.name}."}]},
    }
    path.write_text("".join(json.dumps(each) + "\n" for each in (good, line, reply)))
    take(memory, path)
    assert memory.list(scope="all", source=f"s-{tmp_path.name}", limit=5), "what is good in it was taken in"


@pytest.mark.parametrize("folder", ["2024", "~", "/a\0b", "/" + "x" * 5000, "\ud800"])
def test_a_folder_that_is_none(memory: Memory, tmp_path: Path, folder: str) -> None:
    told = {**CLAUDE, "sessionId": "y" * 5000 + tmp_path.name, "cwd": folder}
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({**told, "message": {"content": f"We decided on port 9 in {tmp_path.name}."}}) + "\n")
    taken = take(memory, path)
    assert len(taken.session) == 400
    assert taken.scope.startswith(("/a", "global"))


def test_an_output_nested_deep_is_read_no_deeper(memory: Memory, tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = [{"content": deep}]
    lines = [{**CLAUDE, "message": {"content": [{"type": "tool_result", "tool_use_id": "t", "content": deep}]}}]
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    take(memory, path)


def test_a_transcript_that_can_not_be_read_holds_nobody_up(memory: Memory, tmp_path: Path) -> None:
    """Of two sessions that wait, the first has a folder for a transcript; the second is taken in."""
    reader = SessionReader(memory, tmp_path)
    (tmp_path / "bad.jsonl").mkdir()
    (tmp_path / "bad.jsonl" / "x").touch()
    good = {**CLAUDE, "sessionId": "good", "message": {"content": "We decided that the mill has port 8."}}
    (tmp_path / "good.jsonl").write_text(json.dumps(good) + "\n")
    for name in ("bad", "good"):
        told = {"session_id": name, "cwd": "/w", "transcript_path": str(tmp_path / f"{name}.jsonl")}
        reader.handle("claude-code", "SessionEnd", json.dumps(told), "/w")
    reader._work_off()
    assert memory.list(scope="all", source="good", limit=5)


NAMED = re.compile(r"^s$|positions|datetime|npm|TypeError|pool")  # the session, and words of each play's fix


def _marked(value: Any, mark: str) -> Any:
    """A record with something behind each of these words, in JSON within a text too."""
    if isinstance(value, list):
        return [_marked(part, mark) for part in value]
    if isinstance(value, dict):
        return {name: _marked(part, mark) for name, part in value.items()}
    if not isinstance(value, str):
        return value
    return json.dumps(_marked(json.loads(value), mark)) if value[:1] == "{" else NAMED.sub(lambda m: m[0] + mark, value)


@pytest.mark.parametrize("name", PLAYS)
@pytest.mark.parametrize(("mark", "read"), [("\0", ""), ("\ud83d", "?")], ids=["NUL", "half a character"])
def test_what_no_text_holds_takes_nothing_along(tmp_path: Path, name: str, mark: str, read: str) -> None:
    path, taken = tmp_path / "t.jsonl", []
    for written in (mark, read):
        records = [json.loads(line) for line in plays.transcript(plays.load(name), "/w", "s").splitlines()]
        path.write_text("".join(json.dumps(_marked(record, written)) + "\n" for record in records))
        with Memory.open(tmp_path / f"{len(taken)}", encode="off") as memory:
            take(memory, path)
            found = memory.list(scope="all", limit=1000)
            taken.append([(one.kind, one.text, one.source) for one in found])
    assert taken[0] == taken[1]
    assert "fix" in {kind for kind, *_ in taken[0]}


def test_nul_in_what_a_tool_was_given_takes_no_fix_along(memory: Memory, tmp_path: Path) -> None:
    reader = SessionReader(memory, tmp_path)
    run = {"tool_name": "Bash", "tool_input": {"command": "make wells\0"}}
    edit = {"file_path": "well.c\0", "old_string": "int depth\0 = 1;", "new_string": "int depth = 2;"}
    for event, told in (
        ("PostToolUseFailure", {**run, "tool_use_id": "t1", "error": "Exit code 2\nld: error: no such\0 depth"}),
        ("PostToolUse", {"tool_name": "Edit", "tool_input": edit, "tool_use_id": "t2"}),
        ("PostToolUse", {**run, "tool_use_id": "t3", "tool_response": {"stdout": "ok"}}),
        ("SessionEnd", {}),
    ):
        reader.handle("claude-code", event, json.dumps({"session_id": "wells\0", "cwd": "/w", **told}), "/w")
    reader._work_off()
    (fix,) = memory.list(scope="all", source="wells", limit=5)
    assert fix.kind == "fix"
    assert "`make wells` failed:\nld: error: no such depth" in fix.text and "-int depth = 1;\n" in fix.text


@settings(max_examples=MANY)
@given(text=st.text(st.sampled_from('\\\0u0"a\ud83d')))
@example(text="\\u0000 \\\0 \\\\\0\0")
def test_what_only_looks_like_nul_is_read_as_it_was_written(text: str) -> None:
    assert decode(json.dumps(text).encode()) == text.replace("\0", "").encode("utf-8", "replace").decode()


def test_tags_without_an_end(memory: Memory, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    content = "<a-b>" * 40_000 + " ".join(PIECES) * 10
    path.write_text(json.dumps({**CLAUDE, "sessionId": "tags", "message": {"content": content}}) + "\n")
    with seconds_of_work(10):
        try:
            take(memory, path)
        except BadInput as error:
            assert error.hint
