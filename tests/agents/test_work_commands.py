"""`memd context` and `memd task` as they are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from memd.config import Config
from memd.daemon import process
from memd_cli.formats import DATA
from tests.cli.command import Memd

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


@pytest.fixture(scope="module")
def memd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memd]:
    folder = tmp_path_factory.mktemp("work")
    (folder / "work" / ".git").mkdir(parents=True)
    yield Memd(folder / "home", folder / "work", {"MEMD_ENCODER": str(folder / "none")})
    process.stop(Config.load(folder / "home", {}))


def titles(memd: Memd, *words: str) -> list[tuple[str, ...]]:
    return [(line[0], line[1], line[4]) for line in memd("task", "list", *words).lines]


def test_a_goal_from_its_beginning_to_its_end(memd: Memd) -> None:
    assert memd("task", "list", check=False).code == 1
    assert "no task" in memd("task", "done", check=False).err.lower()
    (goal,) = memd("task", "start", "release", "2.0", "--who", "ada").lines
    assert goal[:6] == ["1", "open", "0", "", "release 2.0", "current"]
    memd("task", "step", "write the changelog")
    (tag,) = memd("task", "step", "tag it", "--needs", "2").lines
    assert tag[6] == "2"
    memd("task", "block", "2", "--note", "waits for Ada")
    assert titles(memd) == [
        ("1", "open", "release 2.0"),
        ("2", "blocked", "write the changelog"),
        ("3", "open", "tag it"),
    ]
    refused = memd("task", "done", check=False)
    assert refused.code == 2 and "unfinished steps: 2, 3" in refused.err and "--all" in refused.err
    memd("task", "done", "2", "--note", "in CHANGELOG.md")
    memd("task", "drop", "3")
    (done,) = memd("task", "done").lines
    assert done[1] == "done" and done[8] == "2/2"
    assert titles(memd) == [("1", "done", "release 2.0")]
    assert len(titles(memd, "--all")) == 3
    memd("task", "open", "3")
    assert titles(memd)[-1] == ("3", "open", "tag it")
    assert memd("recall", "-k", "task", "tag it", "--min-relevance", "0").lines[0][2] == "task"


def test_context_is_printed_as_it_is_and_ends_in_one_when_there_is_none(memd: Memd) -> None:
    empty = memd("context", "--scope", str(memd.cwd / "elsewhere"), check=False)
    assert (empty.code, empty.out) == (1, b"") and "hint:" in empty.err
    id_ = memd.remember("we deploy with make release", "-k", "decision")
    text = memd("context").text
    assert f"we deploy with make release [{id_}]" in text and text.startswith("memd's context of ")
    assert memd("context", "--no-daemon").text == text
    assert memd.json("context")["text"] == text
    assert memd.json("context", "--budget", "120")["tokens"] <= 120
    scant = memd("context", "--budget", "20", check=False)
    assert scant.code == 1 and "give more tokens" in scant.err
    assert memd("context", "--budget", "0", check=False).code == 2
    assert memd("context", "--scope", "all", check=False).code == 2
    assert memd.at_terminal("context").text.replace("\r", "") == text


def test_every_answer_fits_its_schema(memd: Memd) -> None:
    memd("task", "start", "hold to schemas")
    lines = {
        "context": ["context"],
        "task start": ["task", "start", "another"],
        "task step": ["task", "step", "a step"],
        "task list": ["task", "list", "--all"],
        "task block": ["task", "block", "--note", "n"],
        "task open": ["task", "open", "1"],
        "task done": ["task", "done", "--all"],
        "task drop": ["task", "drop", "1"],
    }
    assert set(lines) == {name for name in DATA if name == "context" or name.startswith("task ")}
    for name, words in lines.items():
        answer = memd(*words, "--json", check=False).answer
        assert answer["ok"], answer
        jsonschema.validate(answer, json.loads((SCHEMAS / f"{name.replace(' ', '-')}.json").read_text()))


def test_at_a_terminal_the_tree_has_marks(memd: Memd) -> None:
    memd("task", "start", "look \x1b[31mred", "-s", "global")
    memd("task", "step", "closer", "-s", "global")
    shown = memd.at_terminal("task", "list", "-s", "global", NO_COLOR="1").text
    assert "○ #1" in shown and "  ○ #2 closer" in shown and "being worked on" in shown
    assert "\x1b[31mred" not in shown


@pytest.mark.parametrize(
    "words", [["start"], ["step"], ["drop"], ["open", "x"], ["done", "77"], ["block", "--on", "1"]]
)
def test_wrong_use_is_said_with_what_to_do(memd: Memd, words: list[str]) -> None:
    done = memd("task", *words, "--scope", str(memd.cwd / "nowhere"), check=False)
    assert done.code in (1, 2) and done.err.startswith("memd: ") and "hint: " in done.err
