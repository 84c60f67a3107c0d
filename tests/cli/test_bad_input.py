"""Bad input: a clear error on standard error, a documented exit code, nothing lost, no traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, Memd

WRONG = {
    "no text": (["remember"], "empty", 2),
    "white space": (["remember", "   "], "", 2),
    "unknown kind": (["remember", "-k", "rumour", "x"], "rumour", 2),
    "all scopes": (["remember", "-s", "all", "x"], "scope", 2),
    "text and file": (["remember", "x", "--file", "y"], "--file", 2),
    "missing file": (["remember", "--file", "/no/such/file"], "/no/such/file", 2),
    "folder as file": (["remember", "--file", "/"], "folder", 2),
    "malformed date": (["remember", "--at", "the day of never", "x"], "--at", 2),
    "date past all calendars": (["recall", "--since", "99999-01-01", "x"], "--since", 2),
    "malformed since": (["recall", "--since", "2024-13-45", "x"], "--since", 2),
    "malformed now": (["recall", "--now", "''", "x"], "--now", 2),
    "unknown channel": (["recall", "--without", "psychic", "x"], "psychic", 2),
    "limit of none": (["recall", "-n", "0", "x"], "limit", 2),
    "limit of too many": (["recall", "-n", "1001", "x"], "limit", 2),
    "limit of no number": (["recall", "-n", "few", "x"], "--limit", 2),
    "negative limit": (["list", "-n", "-1"], "limit", 2),
    "empty question": (["recall", ""], "", 2),
    "unknown id": (["show", "zzzzzzzzzzzzz"], "zzz", 1),
    "no id": (["show"], "id", 2),
    "id with a quote": (["show", "'; DROP TABLE memory --"], "", None),
    "empty id": (["show", ""], "", 2),
    "no tag": (["tag", "zzz"], "tag", 2),
    "nobody to ask": (["forget", "zzz"], "", None),
    "unknown command": (["rember", "x"], "remember", 2),
    "unknown option": (["recall", "--limti", "3", "x"], "--limit", 2),
    "dash text": (["remember", "-not an option"], "--", 2),
    "missing value": (["recall", "--limit"], "--limit", 2),
    "unknown setting": (["config", "get", "colour.scheme"], "colour.scheme", 2),
    "bad setting": (["config", "set", "daemon.idle_exit", "soon"], "idle_exit", 2),
    "missing path": (["ingest", "/no/such/folder"], "/no/such/folder", 2),
    "nothing to ingest": (["ingest"], "ingest", 2),
    "no repository": (["ingest", "--git", "/"], "", 2),
}


@pytest.fixture(autouse=True, scope="module")
def untouched(full: Memd) -> Iterator[None]:
    """Whatever goes wrong in this module, the store has at the end what it had before."""
    before = full.json("stats")
    yield
    after = full.json("stats")
    assert (after["memories"], after["passages"], after["forgotten"]) == (before["memories"], before["passages"], 0)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_told_in_a_line(full: Memd, name: str) -> None:
    words, told, code = WRONG[name]
    done = full(*words, check=False)
    assert done.out == b"" and done.err.startswith("memd: ") and done.err.count("\n") <= 2
    assert done.code == code if code is not None else done.code in (1, 2)
    assert told in done.err


@pytest.mark.parametrize(
    "name", ["white space", "malformed since", "unknown id", "unknown option", "bad setting", "limit of no number"]
)
def test_wrong_use_is_told_in_one_object(full: Memd, name: str) -> None:
    words, told, code = WRONG[name]
    at = 1 if words[0] != "config" else 3
    done = full(*words[:at], "--json", *words[at:], check=False)
    error = done.answer["error"]
    assert (done.code, done.err, done.answer["ok"]) == (code, "", False)
    assert error["code"] and told in error["message"] + error["hint"]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"caf\xe9", "UTF-8 (byte 3)"), (b"a\0b", "NUL"), (b"", ""), (b" \n\t\n", ""), (b"\xed\xa0\x80", "UTF-8")],
)
def test_bytes_that_are_no_text_are_refused(full: Memd, tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "text"
    file.write_bytes(content)
    for done in (full("remember", stdin=content, check=False), full("remember", "--file", str(file), check=False)):
        assert done.code == 2 and done.err.startswith("memd: ") and told in done.err


def test_an_argument_that_is_no_utf8_is_refused(full: Memd) -> None:
    for words in (
        [b"remember", b"caf\xe9"],
        [b"recall", b"caf\xe9"],
        [b"show", b"caf\xe9"],
        [b"recall", b"--json", b"caf\xe9"],
    ):
        done = subprocess.run(
            [*map(os.fsencode, COMMAND), *words], capture_output=True, env=full.environ({}), cwd=full.cwd, check=False
        )
        assert done.returncode == 2 and b"Traceback" not in done.stderr


def test_more_than_64_mib_is_refused_before_it_is_read_whole(full: Memd) -> None:
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(
            [*COMMAND, "remember"],
            stdin=endless,
            capture_output=True,
            env=full.environ({}),
            cwd=full.cwd,
            timeout=240,
            check=False,
        )
    assert done.returncode == 2 and b"64 MiB" in done.stderr


def test_a_question_may_hold_anything(full: Memd) -> None:
    for question in (
        '"',
        "AND OR NOT NEAR(",
        "a* ^b",
        "'; DROP TABLE memory; --",
        "🙂👩‍👩‍👧",
        "é" * 500,
        "x" * 60_000,
        "\x1b[31m",
    ):
        done = full("recall", "--", question, check=False)
        assert done.code in (0, 1), done.err


def test_an_ambiguous_beginning_is_told(full: Memd) -> None:
    done = full("show", "1", check=False)
    assert done.code == 2 and "hint: " in done.err


def test_a_removed_working_folder_means_the_global_scope(full: Memd, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && exec {COMMAND[0]} -m memd_cli list --json"
    done = subprocess.run(["sh", "-c", script], capture_output=True, env=full.environ({}), check=False)
    assert b'"scope":"global"' in done.stdout and done.returncode == 0, done


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cant_be_written_is_told(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    for more in ([], ["--no-daemon"]):
        done = Memd(locked / "home", tmp_path)("remember", "x", *more, check=False)
        assert done.code == 3 and "hint: " in done.err


@pytest.mark.parametrize("more", [[], ["--no-daemon"]])
def test_a_file_that_is_no_store_is_told_and_left_alone(tmp_path: Path, more: list[str]) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "memd.db").write_bytes(b"dear diary, " * 1000)
    done = Memd(home, tmp_path)("remember", "x", *more, check=False)
    assert done.code == 3 and "memd: " in done.err
    assert (home / "memd.db").read_bytes() == b"dear diary, " * 1000


def in_own_mounts(script: str, memd: Memd) -> list[tuple[str, int]]:
    """Run a shell script that may mount; what each `memd` in it printed and its exit code. Skips where it may not."""
    tried = ["unshare", "--mount", "true"]
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or subprocess.run(tried, check=False).returncode:
        pytest.skip("needs root on Linux: mounts a file system")
    command = f'memd() {{ "{COMMAND[0]}" -m memd_cli "$@" 2>&1 && echo "exit 0" || echo "exit $?"; }}\nset -e\n'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command + script],
        capture_output=True, text=True, env=memd.environ({}), cwd=memd.cwd, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "Traceback" not in done.stdout + done.stderr, done
    return [(said, int(code)) for said, code in re.findall(r"(.*?)^exit (\d)$", done.stdout, re.DOTALL | re.MULTILINE)]


def test_a_full_disk_is_told_and_nothing_is_lost(memd: Memd) -> None:
    memd.home.mkdir(mode=0o700)
    script = f"""
        mount -t tmpfs -o size=1m,mode=700 tmpfs {memd.home}
        memd remember "before the flood"
        memd daemon stop
        dd if=/dev/zero of={memd.home}/filler bs=4k 2>/dev/null || true
        memd recall flood
        memd recall flood --no-daemon
        memd doctor
        rm {memd.home}/filler
        memd remember "after the flood"
        memd recall flood
        memd daemon stop
    """
    _, _, refused, in_process, doctor, _, (both, _), _ = in_own_mounts(script, memd)
    for said, code in (refused, in_process):  # without room, SQLite can't even make the files beside the store
        assert code == 3 and "isk is full" in said and "hint: " in said
    assert doctor[1] == 3 and "Report this" not in doctor[0]
    assert "before the flood" in both and "after the flood" in both


def test_a_read_only_file_system_is_told(memd: Memd) -> None:
    memd.home.mkdir(mode=0o700)
    script = f"""
        mount -t tmpfs -o size=4m,mode=700 tmpfs {memd.home}
        memd remember "carved in stone"
        memd daemon stop
        mount -o remount,ro {memd.home}
        memd remember "in sand"
        memd remember "in sand" --no-daemon
        memd doctor
        mount -o remount,rw {memd.home}
        memd recall stone
        memd daemon stop
    """
    _, _, refused, in_process, doctor, (found, _), _ = in_own_mounts(script, memd)
    for said, code in (refused, in_process):
        assert code == 3 and "can't be written" in said and "hint: " in said
    assert doctor[1] == 3 and "Report this" not in doctor[0] and "carved in stone" in found
