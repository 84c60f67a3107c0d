"""What goes in by any door comes back as it was."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.command import Memd

TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=200).filter(
    lambda text: bool(text.strip())
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXTS)
def test_any_text_comes_back_word_for_word(full: Memd, text: str) -> None:
    id_ = full.remember(text)
    assert full("show", "--text", id_).out == text.encode()
    assert full.json("show", id_)["memories"][0]["text"] == text


def test_the_id_is_all_that_a_pipe_gets(memd: Memd) -> None:
    done = memd("remember", "one", "two", "three")
    id_ = done.text.rstrip("\n")
    assert len(done.lines) == 1 and memd("show", "--text", id_).text == "one two three"


def test_the_same_text_is_said_again(full: Memd) -> None:
    first, second = (full.json("remember", "said twice")["remembered"][0] for _ in range(2))
    assert first["id"] == second["id"] and not first["again"] and second["again"]


def test_files_keep_their_path_and_their_last_line_end(full: Memd, tmp_path: Path) -> None:
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for file in files:
        file.write_bytes(f"in {file.name}\r\n".encode())
    data = full.json("remember", "--file", str(files[0]), "-f", str(files[1]), "-t", "Files")
    for file, remembered in zip(files, data["remembered"], strict=True):
        memory = full.json("show", remembered["id"])["memories"][0]
        assert memory["text"] == f"in {file.name}\r\n" and memory["tags"] == ["files"]
        assert memory["source"] == {"via": "cli", "path": str(file.resolve())}


def test_all_options_are_kept(full: Memd) -> None:
    words = [
        "--kind",
        "turn",
        "--who",
        "ada",
        "--session",
        "s1",
        "--at",
        "2023-05-07T12:00:00Z",
        "--episode",
        "talk",
        "--position",
        "4",
    ]
    id_ = full.json("remember", *words, "-s", "/srv/project", "hello there")["remembered"][0]["id"]
    memory = full.json("show", id_)["memories"][0]
    assert memory["source"] == {"who": "ada", "via": "cli", "session": "s1"}
    assert (memory["kind"], memory["scope"], memory["episode"], memory["position"]) == (
        "turn",
        "/srv/project",
        "talk",
        4,
    )
    assert memory["event_at"].startswith("2023-05-07T12:00:00")


def test_the_scope_is_the_repository_around(full: Memd) -> None:
    below = full.cwd / "src" / "deep"
    below.mkdir(parents=True, exist_ok=True)
    id_ = Memd(full.home, below).remember("kept for the whole project")
    assert full.json("show", id_)["memories"][0]["scope"] == str(full.cwd.resolve())


def test_ten_megabytes_are_found_by_any_part(memd: Memd) -> None:
    parts = [f"line {number} says nothing much" for number in range(320_000)]
    parts[200_000] = "here hides the xylophone"
    text = "\n".join(parts)
    assert len(text) > 8_000_000
    id_ = memd.remember(text)
    assert memd("recall", "xylophone").lines[0][0] == id_
    assert memd("show", "--text", id_).out == text.encode()


def test_lines_become_memories(full: Memd) -> None:
    rows = [
        {"text": "first of a chat", "episode": "chat", "position": 0, "event_at": "2024-05-07"},
        {"text": "second of a chat", "episode": "chat", "kind": "turn", "tags": ["own"], "source": {"who": "bo"}},
    ]
    lines = "\n\n".join(map(json.dumps, rows)).encode()
    ids = full("remember", "--jsonl", "-t", "all", "--who", "ada", "-s", "global", stdin=lines).text.split()
    first, second = full.json("show", *ids)["memories"]
    assert (first["kind"], first["tags"], first["source"]["who"], first["scope"]) == ("note", ["all"], "ada", "global")
    assert (second["kind"], second["tags"], second["source"]["who"]) == ("turn", ["all", "own"], "bo")
    assert first["episode"] == second["episode"] == "chat"


def test_a_live_pipe_is_stored_as_it_speaks(memd: Memd) -> None:
    memd("remember", "start the daemon")
    process = memd.popen("remember", "--jsonl", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    guard = threading.Timer(240, process.kill)
    guard.start()
    for text in ("one", "two"):
        process.stdin.write(json.dumps({"text": text}).encode() + b"\n")
        process.stdin.flush()
        id_ = process.stdout.readline().decode().strip()  # the id comes before the next line is written
        assert memd("show", "--text", id_).text == text
    process.stdin.close()
    assert process.wait(240) == 0
    guard.cancel()
    process.stdout.close()


BAD_LINES = {
    "no JSON": b"{text: 1}",
    "no object": b'["a"]',
    "no text": b'{"kind": "note"}',
    "empty text": b'{"text": "  "}',
    "no UTF-8": b'{"text": "caf\xe9"}',
    "bad date": b'{"text": "x", "event_at": "the day of never"}',
    "unknown kind": b'{"text": "x", "kind": "rumour"}',
    "unknown field": b'{"text": "x", "mood": "good"}',
    "lone surrogate": b'{"text": "\\ud800"}',
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_named_and_a_file_left_out_whole(full: Memd, tmp_path: Path, name: str) -> None:
    before = full.json("stats")["memories"]
    file = tmp_path / "lines.jsonl"
    file.write_bytes(json.dumps({"text": f"good {name}"}).encode() + b"\n" + BAD_LINES[name] + b"\n")
    done = full("remember", "--jsonl", "--file", str(file), check=False)
    assert done.code == 2 and "ine" in done.err.split("\n")[0] and "2" in done.err, done.err
    assert full.json("stats")["memories"] == before


def test_a_pipe_keeps_what_was_stored_before_a_bad_line(memd: Memd) -> None:
    memd("remember", "start the daemon")
    process = memd.popen("remember", "--jsonl", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(b'{"text": "good"}\n')
    process.stdin.flush()
    id_ = process.stdout.readline().decode().strip()
    _, told = process.communicate(b"bad\n", timeout=240)
    assert process.returncode == 2 and b"Line 2" in told and b"1 before it" in told
    assert memd("show", "--text", id_).text == "good"


def test_many_lines_come_in_batches(memd: Memd) -> None:
    lines = b"".join(json.dumps({"text": f"memory number {number}"}).encode() + b"\n" for number in range(1200))
    done = memd("remember", "--jsonl", stdin=lines)
    assert len(set(done.text.split())) == 1200 and memd.json("stats")["memories"] == 1200


def test_a_named_pipe_is_read_once(memd: Memd, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = memd.popen("remember", "--jsonl", "--file", str(fifo), stdout=subprocess.PIPE)
    with fifo.open("wb") as end:
        end.write(b'{"text": "through a fifo"}\n')
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0 and memd("show", "--text", out.decode().strip()).text == "through a fifo"
