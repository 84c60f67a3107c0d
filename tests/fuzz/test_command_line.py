"""Whatever stands on a command line, in a payload or in a settings file: an exit code and words, never a traceback."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memd.agents.hooks import Hooks
from memd.agents.payloads import AGENTS, EVENTS, event_named
from memd.api import Memory
from memd.config import LONGEST, Config
from memd.errors import BadInput, MemdError
from memd_cli.app import command
from memd_cli.main import main
from tests.cli.command import COMMAND, Memd

from .adversarial import mixed
from .params import TEXTS, WRONG

MANY = int(os.environ.get("FUZZ", "8"))


# --- the command line -------------------------------------------------------------------------------


def _leaves(below: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(below, "commands", {})
    for name, more in inner.items():
        yield from _leaves(more, (*path, name))
    if not inner:
        yield path, below


# What goes on by itself, asks nobody, or leaves files elsewhere.
APART = {("daemon",), ("service",), ("bench",), ("mcp",), ("hook",), ("encrypt",), ("rekey",), ("key",), ("unlock",)}
COMMANDS = {path: leaf for path, leaf in _leaves(command()) if path[:1] not in APART}
OPTIONS = {
    path: [name for option in leaf.params for name in option.opts if name[0] == "-"] for path, leaf in COMMANDS.items()
}
VALUES = st.one_of(
    st.sampled_from(
        ["", "-", "--", "0", "-1", "999999999999999999999", "1e999", "nan", "x", "now", "2024-01-01", "/", "."]
    ),
    st.sampled_from(["global", "all", "note", "~", "%", "/dev/null", "/none", "a=b", "=", "true"]),
    TEXTS.filter(lambda text: "\0" not in text and len(text) < 500),
)
FORBIDDEN = {"--follow", "-f", "--install", "--install-completion", "--show-completion"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder of a process without a daemon, and a working folder."""
    folder = tmp_path_factory.mktemp("line")
    (folder / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMD_HOME", str(folder / "home"))
        patch.setenv("MEMD_ENCODER", str(folder / "none"))
        patch.setenv("HOME", str(folder))
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        patch.chdir(folder / "work")
        with Memory.open(folder / "home", encode="off") as memory:
            memory.remember("The harbour listens on port 1.")
        yield folder


def run(words: list[str]) -> tuple[int, str, str]:
    """A command line in this process: its exit code, and what it printed."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b""), "utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err), suppress(SystemExit):
            code = main(words)
        out.flush()
        return code, out.buffer.getvalue().decode(), err.getvalue()  # type: ignore[attr-defined]
    finally:
        sys.stdin = stdin


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    path = draw(st.sampled_from(sorted(COMMANDS)))
    words = list(path)
    for _ in range(draw(st.integers(0, 4))):
        options = [option for option in OPTIONS[path] if option not in FORBIDDEN]
        if options and draw(st.booleans()):
            words.append(draw(st.sampled_from(options)))
        words.append(draw(VALUES))
    in_process = "--no-daemon" in OPTIONS[path]
    return words + (["--no-daemon"] if in_process else [])


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(words=command_lines(), json_=st.booleans())
@example(words=["recall", "\ud800", "--no-daemon"], json_=True)
@example(words=["doctor"], json_=True)
@example(words=["list", "--limit", "9" * 5000, "--no-daemon"], json_=False)
@example(words=["task", "done", "9" * 30, "--no-daemon"], json_=False)
@example(words=["recall", "x", "--now", "9999-12-31", "--no-daemon"], json_=False)
@example(words=["tag", "0", "--add", "", "--no-daemon"], json_=False)
def test_any_command_line(home: Path, words: list[str], json_: bool) -> None:
    if words[:1] in (["watch"], ["backup"], ["doctor"]) or words[:2] == ["model", "add"]:
        words = [word for word in words if not word.startswith("/")]
    code, out, err = run([*words, *(["--json"] if json_ else [])])
    assert code in (0, 1, 2, 3), (words, out, err)
    assert "Traceback" not in out + err, (words, err)
    assert "bug in memd" not in out + err, (words, out, err)
    if code > 1 and "--help" not in words:
        assert err.strip() or json_ or out.strip(), words
    if json_ and out.startswith("{"):
        answer = json.loads(out.splitlines()[0])
        assert ("data" in answer) != ("error" in answer), words
        # A report of what is amiss, as doctor's, has data all the same.
        assert answer["ok"] == ("data" in answer and code < 2), words


def test_words_that_are_no_text(home: Path) -> None:
    """Bytes that are no UTF-8, as a shell may pass them."""
    import subprocess

    for words in (
        [b"recall", b"\xff\xfe"],
        [b"remember", b"\xff"],
        [b"\xff"],
        [b"list", b"--scope", b"/\xff"],
        [b"show", b"\xff"],
    ):
        done = subprocess.run(
            [*map(str.encode, COMMAND), *words, b"--no-daemon"], env=dict(os.environ), capture_output=True, check=False
        )
        assert done.returncode in (0, 1, 2, 3)
        assert b"Traceback" not in done.stderr + done.stdout


# --- hooks ------------------------------------------------------------------------------------------


def _payloads() -> dict[tuple[str, str], dict[str, Any]]:
    """A payload of each agent's for each event that it has."""
    told = {"cwd": "/w", "transcript_path": "/none.jsonl", "prompt": "which port has the harbour?", "tool_name": "Edit",
            "tool_input": {"file_path": "/w/a.py", "old_string": "a", "new_string": "b", "command": "make"},
            "tool_response": {"stdout": "error: x"}, "tool_use_id": "t", "last_assistant_message": "done"}  # fmt: skip
    names = {"vscode": "sessionId", "cursor": "conversation_id"}
    return {
        (agent, event): {**told, names.get(agent, "session_id"): "s", "hook_event_name": event}
        for agent in AGENTS
        for event in EVENTS
    }


PAYLOADS = _payloads()


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str, str]:
    """A payload with some of its fields as they shouldn't be, or cut, or what is no payload."""
    agent, event = draw(st.sampled_from(sorted(PAYLOADS)))
    payload = dict(PAYLOADS[agent, event])
    for _ in range(draw(st.integers(0, 4))):
        field = draw(st.sampled_from(sorted(payload)) | TEXTS)
        change = draw(st.integers(0, 3))
        if change == 0:
            payload.pop(field, None)
        elif change == 1 and payload.get(field) and isinstance(payload[field], dict):
            payload[field] = {**payload[field], draw(st.sampled_from(sorted(payload[field]))): draw(WRONG)}
        else:
            payload[field] = draw(WRONG | mixed())
    raw = json.dumps(payload, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 9)) == 0:
        raw = raw[: draw(st.integers(0, len(raw)))] + draw(TEXTS)
    return draw(st.sampled_from([agent, "", "nobody"])), draw(st.sampled_from([event, event_named(event), "what"])), raw


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMD_ENCODER", "/none")
        with Memory.open(tmp_path_factory.mktemp("hooks"), encode="off") as memory:
            memory.remember("We decided that the harbour listens on port 1.", kind="decision", pinned=True)
            yield Hooks(memory, lambda: None)


@settings(max_examples=MANY * 15, suppress_health_check=list(HealthCheck))
@given(told=mutated())
@example(told=("claude-code", "SessionStart", "[" * 100_000))
@example(told=("claude-code", "SessionStart", '{"session_id": "\\ud800", "cwd": "\\ud800"}'))
@example(
    told=(
        "claude-code",
        "PostToolUse",
        '{"session_id": "s", "tool_name": "Edit", "tool_input": {"file_path": "\\u0000"}}',
    )
)
@example(told=("claude-code", "UserPromptSubmit", json.dumps({"session_id": "s", "prompt": "\0harbour port\0"})))
@example(told=("claude-code", "SessionStart", json.dumps({"session_id": "s", "cwd": "/" + "x" * 70_000})))
@example(told=("", "SessionStart", json.dumps({"session_id": "s" * 100_000, "cwd": "~nobody/x"})))
def test_any_payload_is_answered_or_refused(hooks: Hooks, told: tuple[str, str, str]) -> None:
    agent, event, payload = told
    try:
        output = hooks.handle(agent, event, payload, "/w")
    except MemdError as error:
        assert isinstance(error, BadInput), error.message
        return
    if output:
        answer = json.loads(output)
        assert set(answer) <= {"hookSpecificOutput", "additional_context"}
        output.encode()


def test_every_agents_hook_ends_well_whatever_it_is_given(memd: Memd) -> None:
    """The process itself: 0, nothing said that isn't an answer, nothing on standard error."""
    for agent in AGENTS:
        for payload in (
            b"",
            b"\xff\xfe",
            b"[" * 50_000,
            b'{"session_id": 1e999}',
            b'{"session_id": "s", "cwd": [1]}',
            b"null",
        ):
            done = memd("hook", "SessionStart", "--agent", agent, stdin=payload)
            assert (done.out, done.err) == (b"", "")


# --- settings ---------------------------------------------------------------------------------------

TOML = st.one_of(
    mixed(),
    st.lists(
        st.tuples(
            st.sampled_from(
                ["[daemon]", "[lifecycle]", "[redaction]", "[x]", "[[daemon]]", "idle_exit", "idle", "allow"]
            ),
            st.sampled_from(
                ["", "= 1", "= -1", "= nan", "= inf", '= "x"', "= [1]", "= 1e400", "= true", "= 2024-01-01"]
            )
            | st.just("= " + "9" * 5000),
        ).map(" ".join),
        max_size=6,
    ).map("\n".join),
)


@settings(max_examples=MANY * 8, suppress_health_check=list(HealthCheck))
@given(text=TOML, variable=VALUES)
@example(text="a = " + "[" * 100_000, variable="")
@example(text="a = " + "9" * 5000, variable="")
@example(text="", variable="\udcff")
def test_any_settings_file(tmp_path_factory: pytest.TempPathFactory, text: str, variable: str) -> None:
    home = tmp_path_factory.getbasetemp() / "settings"
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    for environ in ({}, {"MEMD_DAEMON_IDLE_EXIT": variable}):
        try:
            found = Config.load(home, environ).settings
        except BadInput as error:
            assert error.hint
        else:
            assert 0 <= found.daemon.idle_exit <= LONGEST
            assert 0 < found.lifecycle.idle <= LONGEST
