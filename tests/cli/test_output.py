"""What is printed: one object with --json, stable lines in a pipe, and every stream's end taken calmly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.command import COMMAND, Memd

SCHEMAS = Path(__file__).parents[2] / "schemas"


def valid(answer: dict[str, Any], command: str) -> dict[str, Any]:
    """The answer, once its schema has agreed."""
    schema = json.loads((SCHEMAS / f"{command.replace(' ', '-')}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(answer)
    assert answer["command"] == command
    return answer


COMMANDS = [
    "remember a new one",
    "recall deploy",
    "recall --explain deploy",
    "recall zzzyx --without semantic",
    "list",
    "list --forgotten -s all",
    "stats",
    "config",
    "config get daemon.idle_exit",
    "config set daemon.idle_exit 0",
    "config unset daemon.idle_exit",
    "completion bash",
    "daemon start",
    "daemon status",
    "daemon logs",
    "doctor",
]


@pytest.mark.parametrize("line", COMMANDS)
def test_answers_are_as_their_schemas_say(full: Memd, line: str) -> None:
    words = line.split()
    command = " ".join(words[:2] if words[0] in ("config", "daemon") else words[:1])
    done = full(*words, "--json", check=False)
    answer = valid(done.answer, command)
    assert answer["ok"] and done.code in (0, 1), answer


@pytest.mark.parametrize("where", [[], ["--no-daemon"]])
def test_the_life_of_a_memory_by_its_schemas(full: Memd, where: list[str]) -> None:
    id_ = full.remember(f"short-lived {where}")
    steps = (
        ["show", id_],
        ["tag", id_, "--add", "b", "-a", "a"],
        ["forget", "--dry-run", id_],
        ["forget", "--yes", id_],
        ["list", "--forgotten"],
        ["restore", id_],
    )
    for words in steps:
        answer = valid(full(*words, *where, "--json").answer, words[0])
        memory = answer["data"]["memories"][0]
        assert memory["id"] == id_
        assert (memory["forgotten_at"] is not None) == (words in (["forget", "--yes", id_], ["list", "--forgotten"]))
    assert valid(full("show", id_, "--json").answer, "show")["data"]["memories"][0]["tags"] == ["a", "b"]


def test_ingest_adds_once(full: Memd, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Ports\n\nThe server listens on 8080.\n\n# Keys\n\nIn the vault.\n")
    (tmp_path / "blob.md").write_bytes(b"\x80\x81\0")
    first = valid(full("ingest", str(tmp_path), "--json").answer, "ingest")["data"]
    again = valid(full("ingest", str(tmp_path), "--json").answer, "ingest")["data"]
    assert first["added"] >= 2 and first["skipped"][0]["path"].endswith("blob.md")
    assert again["added"] == 0 and again["known"] == first["added"]


def test_an_error_is_as_its_schema_says(full: Memd) -> None:
    for words, code in ((["show", "zzzzz"], 1), (["remember", " "], 2), (["list", "--no-such"], 2)):
        done = full(*words, "--json", check=False)
        assert done.code == code and not valid(done.answer, words[0])["ok"] and not done.err


def test_the_schemas_and_the_docs_are_current() -> None:
    for script in ("make_schemas.py", "make_cli_docs.py"):
        done = subprocess.run(
            [sys.executable, str(SCHEMAS.parent / "scripts" / script), "--check"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_a_pipe_gets_a_record_a_line(full: Memd) -> None:
    id_ = full.remember("a tab\there,\na line end, a back\\slash", "-t", "odd", "-t", "lines")
    record = next(fields for fields in full("list").lines if fields[0] == id_)
    assert record[1] == "note" and record[3] == str(full.cwd.resolve()) and record[4] == "lines,odd"
    assert record[5:] == ["a tab\\there,\\na line end, a back\\\\slash"]
    hits = full("recall", "deploy").lines
    assert all(len(fields) == 7 for fields in hits) and any(fields[-1].startswith("we deploy") for fields in hits)


def test_explain_tells_every_channel_of_every_hit(full: Memd) -> None:
    lines = full("recall", "--explain", "-n", "2", "read_line() and releases in May 2023", "-s", "all").lines
    named = {fields[1] for fields in lines if fields[0] == "channel"}
    assert named == {"lexical", "semantic", "entity", "temporal", "spreading"}
    assert any(fields[0] == "why" for fields in lines) and any(fields[0] == "missed" for fields in lines)
    shares: dict[str, float] = {}
    for fields in lines:
        if len(fields) == 7:
            hit = fields[0]
            assert float(fields[1]) > 0
        elif fields[0] == "why":
            shares[hit] = shares.get(hit, 0) + float(fields[4])
    scores = {fields[0]: float(fields[1]) for fields in lines if len(fields) == 7}
    assert shares.keys() == scores.keys()


def test_nothing_found_exits_with_1_and_says_what_next(memd: Memd) -> None:
    for words in (["recall", "anything"], ["list"]):
        done = memd(*words, check=False)
        assert done.code == 1 and done.out == b"" and "nothing found" in done.err and "hint: " in done.err
    assert memd("recall", "anything", "--json", check=False).answer["ok"]


def test_degraded_is_said(memd: Memd) -> None:
    memd("remember", "we deploy with make release")
    done = memd("recall", "deploy")
    assert "memd: degraded: " in done.err and done.lines
    assert memd("recall", "deploy", "--json").answer["degraded"]


def test_output_is_utf8_in_any_locale(full: Memd) -> None:
    id_ = full.remember("naïve 🙂 text")
    for locale in ("C", "POSIX", "en_US.ISO-8859-1"):
        assert full("show", "--text", id_, LC_ALL=locale, PYTHONUTF8="0").text == "naïve 🙂 text"


def run_shell(memd: Memd, script: str) -> subprocess.CompletedProcess[bytes]:
    command = " ".join(COMMAND)
    return subprocess.run(
        ["bash", "-c", script.replace("memd", command)],
        capture_output=True,
        env=memd.environ({}),
        cwd=memd.cwd,
        timeout=240,
        check=False,
    )


def test_a_reader_that_leaves_ends_it_quietly(full: Memd) -> None:
    full("remember", "--jsonl", stdin=b"".join(b'{"text": "filler %d %s"}\n' % (n, b"x" * 500) for n in range(400)))
    done = run_shell(full, "memd list -n 1000 | head -1; exit ${PIPESTATUS[0]}")
    assert done.returncode in (0, 141) and done.stderr == b"" and done.stdout.count(b"\n") == 1
    for help_ in ("memd --help", "memd recall --help", "memd stats"):
        assert run_shell(full, f"{help_} | true").stderr == b""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(full: Memd, closed: str) -> None:
    for words in ("recall deploy", "list --no-daemon", "recall deploy --json", "stats"):
        done = run_shell(full, f"memd {words} {closed}")
        assert done.returncode == 0 and b"Traceback" not in done.stderr, done
    assert full.json("stats")["memories"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cant_be_written_is_told(full: Memd) -> None:
    done = run_shell(full, "memd list > /dev/full")
    assert done.returncode == 3 and done.stderr.startswith(b"memd: ") and b"No space left" in done.stderr


def test_ctrl_c_ends_it_quietly(full: Memd) -> None:
    process = full.popen("remember", "--jsonl", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin and process.stdout
    process.stdin.write(b'{"text": "before the interrupt"}\n')
    process.stdin.flush()
    assert process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=240)
    assert process.returncode == 130 and told == b""
