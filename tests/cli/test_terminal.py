"""What a person at a terminal sees."""

from __future__ import annotations

import re

import pytest

from tests.cli.command import Memd

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def plain(shown: bytes) -> str:
    return ESCAPE.sub("", shown.decode())


def widest(shown: bytes) -> int:
    return max(len(line) for line in plain(shown).splitlines())


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    "line", ["recall deploy", "recall --explain deploy of a release", "list -s all", "stats", "--help"]
)
def test_nothing_is_wider_than_the_terminal(full: Memd, columns: int, line: str) -> None:
    full("remember", "-t", "long", "a " + "very " * 80 + "long line about a deploy")
    assert widest(full.at_terminal(*line.split(), columns=columns).out) <= columns


def test_matched_words_are_marked(full: Memd) -> None:
    shown = full.at_terminal("recall", "how are releases deployed").out
    assert re.search(rb"\x1b\[1;33mdeploy\x1b\[0m", shown) and b"\x1b[1;33mrelease" in shown


@pytest.mark.parametrize("words", [["recall", "deploy"], ["list"], ["stats"], ["show", "zzz"], ["--help"]])
def test_no_color_is_respected(full: Memd, words: list[str]) -> None:
    shown = full.at_terminal(*words, NO_COLOR="1").out.decode()
    colours = [int(n) for codes in re.findall(r"\x1b\[([0-9;]*)m", shown) for n in codes.split(";") if n]
    assert not [n for n in colours if 30 <= n <= 48 or 90 <= n <= 107], shown


def test_explain_shows_channels_and_what_missed(full: Memd) -> None:
    shown = plain(full.at_terminal("recall", "-n", "1", "--explain", "deploy", "a", "release").out)
    for word in ("lexical", "semantic", "temporal", "silent", "just missed", "#1", "%", "ms"):
        assert word in shown, shown


def test_a_text_cannot_steer_the_terminal(full: Memd) -> None:
    id_ = full.remember("innocent \x1b]0;owned\x07 \x1b[2J \x9b31m words about steering")
    for words in (["show", id_], ["show", "--text", id_], ["list"], ["recall", "steering"]):
        shown = full.at_terminal(*words).out
        assert (
            b"\x1b]0;" not in shown
            and b"\x1b[2J" not in shown
            and b"\x07" not in shown
            and "\x9b".encode() not in shown
        )
    assert full("show", "--text", id_).text.startswith("innocent \x1b]0;owned\x07")


@pytest.mark.parametrize(
    ("answer", "forgotten"), [(b"y\n", True), (b"YES\n", True), (b"n\n", False), (b"\n", False), (b"\x04", False)]
)
def test_forget_asks(full: Memd, answer: bytes, forgotten: bool) -> None:
    id_ = full.remember(f"to be asked about {answer!r}")
    done = full.at_terminal("forget", id_, say=[answer])
    assert done.code == 0 and "[y/N]" in plain(done.out)
    assert (full.json("show", id_)["memories"][0]["forgotten_at"] is not None) == forgotten
    if forgotten:
        assert f"memd restore {id_}" in plain(done.out)


def test_forget_does_not_guess_where_nobody_can_be_asked(full: Memd) -> None:
    id_ = full.remember("not to be lost")
    assert full("forget", id_, check=False).code == 2
    assert full("forget", id_, "--json", check=False).code == 2
    assert full.json("show", id_)["memories"][0]["forgotten_at"] is None


def test_an_empty_store_says_how_to_begin(memd: Memd) -> None:
    for words in (["recall", "anything"], ["list"], ["stats"]):
        shown = plain(memd.at_terminal(*words).out)
        assert "Nothing is remembered yet" in shown and "memd remember" in shown and "memd ingest" in shown


def test_nothing_found_says_where_it_looked(memd: Memd) -> None:
    memd("remember", "-s", "/elsewhere", "something kept elsewhere")
    done = memd.at_terminal("recall", "something", "-k", "fix")
    assert done.code == 1
    assert "Nothing found" in plain(done.out) and "--scope all" in plain(done.out) and "--kind" in plain(done.out)


def test_a_remembered_text_is_acknowledged(full: Memd) -> None:
    assert "Remembered" in plain(full.at_terminal("remember", "seen at a terminal").out)
    assert "Said again" in plain(full.at_terminal("remember", "seen at a terminal").out)


def test_every_command_has_an_example_in_its_help() -> None:
    from memd_cli.app import command

    def walk(below: object, path: str) -> None:
        inner = getattr(below, "commands", {})
        assert "Examples" in (below.epilog or ""), path  # type: ignore[attr-defined]
        for name, more in inner.items():
            walk(more, f"{path} {name}")

    walk(command(), "memd")
