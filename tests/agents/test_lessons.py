"""What sessions teach: the labelled plays, in the shape of both transcripts, and the forms that rules must not take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.agents import fixes, lessons, transcripts
from memd.agents.lessons import Lesson, Turn
from memd.store.sessions import Event
from tests.agents import plays


def exchanges(play: plays.Play, folder: Path) -> Iterator[tuple[list[Turn], str | None]]:
    """The exchanges of a play as its transcript has them, each with what the user said next."""
    path = folder / f"{play.name}.jsonl"
    path.write_text(plays.transcript(play, f"/work/{play.folder}", "s1"), encoding="utf-8")
    turns: list[Turn] = []
    for item in transcripts.read(path):
        if not isinstance(item, transcripts.Said):
            continue
        if item.who == "user" and any(turn.who != "user" for turn in turns):
            yield turns, item.text
            turns = []
        turns.append(Turn(item.who, item.text, item.place.line, item.place.at))
    yield turns, None


def found(play: plays.Play, folder: Path) -> list[Lesson]:
    return [lesson for turns, reply in exchanges(play, folder) for lesson in lessons.statements(turns, reply)]


def met(lesson: Lesson, kind: str, words: str) -> bool:
    same_kind = lessons.KINDS.get(kind, kind) == lesson.kind
    return same_kind and (words.rstrip(".") in lesson.text or lesson.text.rstrip(".") in words)


def score(prefix: str, folder: Path) -> tuple[float, float, list[str]]:
    """Precision and recall over plays, and what was wrongly found. What isn't labelled counts as wrong too."""
    right, wrong, expected, reached = 0, [], 0, 0
    for name in plays.names(prefix):
        play = plays.load(name)
        wanted = [(kind, words) for _, kind, words in play.labels() if kind != "-"]
        lessons_found = found(play, folder)
        for lesson in lessons_found:
            if any(met(lesson, *label) for label in wanted):
                right += 1
            else:
                wrong.append(f"{name}: {lesson.kind}: {lesson.text}")
        expected += len(wanted)
        reached += sum(any(met(lesson, *label) for lesson in lessons_found) for label in wanted)
    return right / (right + len(wrong)), reached / expected, wrong


@pytest.mark.parametrize("prefix", ["dev", "held", "late", "last"])
def test_the_labelled_expectations_are_met(prefix: str, tmp_path: Path) -> None:
    precision, recall, wrong = score(prefix, tmp_path)
    print(f"{prefix}: precision {precision:.3f}, recall {recall:.3f}")
    assert precision >= 0.9, wrong
    assert recall >= 0.5


def test_there_is_enough_to_be_wrong_about() -> None:
    labels = [label for name in plays.names() for label in plays.load(name).labels()]
    assert len(plays.names()) >= 8 and len(labels) >= 120
    assert sum(kind == "-" for _, kind, _ in labels) > len(labels) / 2


def test_lessons_are_quoted_word_for_word_with_their_line(tmp_path: Path) -> None:
    for name in plays.names():
        for turns, reply in exchanges(plays.load(name), tmp_path):
            by_line = {turn.line: turn.text for turn in turns}
            for lesson in lessons.statements(turns, reply):
                assert lesson.span is not None and lesson.text in by_line[lesson.span[0]]


@pytest.mark.parametrize(
    "text",
    [
        "Should we always squash?",
        "If the cache is cold, never retry.",
        "Maybe we always squash here.",
        "She said we always squash.",
        "```\nAlways squash.\n```",
        "> Never squash a branch.",
        "    Always squash the branch.",
        'The guide has "Always squash your branch before a review." in it.',
        "<notes>Always squash the branch.</notes>",
        "TODO: always squash the branch",
        "2026-03-02 10:00:00 never squash a branch",
    ],
)
def test_what_is_asked_supposed_quoted_or_pasted_is_no_lesson(text: str) -> None:
    assert lessons.statements([Turn("user", text, 1, None)], None) == []


def test_what_is_taken_back_rejected_or_refuted_is_dropped() -> None:
    stated = Turn("user", "We decided to use Kafka.", 1, None)
    assert lessons.statements([stated], "ok") and not lessons.statements([stated], "scratch that, I was tired")
    cause = Turn("assistant", "The job failed because the disk was full.", 2, None)
    assert lessons.statements([cause], "thanks") and not lessons.statements([cause], "No, that's not it")
    assert not lessons.statements([cause, Turn("assistant", "That wasn't it, it still fails.", 3, None)], "ok")


def test_the_assistants_proposals_are_no_decisions() -> None:
    words = "We decided to use Redis. I prefer Redis. Always use Redis. From now on all keys have a prefix."
    assert lessons.statements([Turn("assistant", words, 1, None)], "sounds good") == []


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    for lesson in lessons.statements([Turn("user", text, 1, None), Turn("assistant", text, 2, None)], text):
        assert lesson.text in text
    ends = [bound for span in lessons.sentences(text) for bound in span]
    assert ends == sorted(ends)


# --- fixes ------------------------------------------------------------------------------------------


def happened(*steps: tuple[str, str, int | None, str]) -> list[Event]:
    """Events of a session: kind, what, outcome, detail."""
    return [
        Event(n, f"c{n}", kind, what, detail, outcome, 1000 * n, 10 * n + 1, 10 * n + 2)
        for n, (kind, what, outcome, detail) in enumerate(steps)
    ]


def test_a_fix_quotes_the_error_and_the_change_between() -> None:
    events = happened(
        ("command", "cd /w && make test 2>&1 | tail -5", 0, "E   KeyError: 'port'"),
        ("edit", "/w/src/a.py", 1, "-x = d['port']\n+x = d.get('port')"),
        ("command", "make test", 1, ""),
    )
    (fix,) = fixes.found(events, "/w")
    assert fix.kind == "fix" and fix.span == (1, 22)
    for quoted in ("`make test` failed", "KeyError: 'port'", "src/a.py", "+x = d.get('port')"):
        assert quoted in fix.text


@pytest.mark.parametrize(
    "steps",
    [
        [("command", "make test", 0, "E"), ("command", "make test", 1, "")],  # chance
        [("command", "grep -r port .", 0, "E"), ("edit", "/w/a", 1, "+x"), ("command", "grep -r port .", 1, "")],
        [("command", "make test", 0, "E"), ("edit", "/w/a", 1, "+x"), ("command", "make lint", 1, "")],
        [("command", "make test", 0, "E"), ("edit", "/w/a", 0, "+x"), ("command", "make test", 1, "")],  # no edit
        [("command", "make test", 0, "E"), ("edit", "/w/a", 1, "+x"), ("command", "make test", None, "")],
    ],
)
def test_no_fix_where_nothing_shows_one(steps: list[tuple[str, str, int | None, str]]) -> None:
    assert fixes.found(happened(*steps), "/w") == []


def test_a_broader_command_that_passes_shows_the_fix_and_a_setting_up_counts_as_a_change() -> None:
    broader = happened(
        ("command", "pytest tests/test_a.py -x", 0, "E   assert 1 == 2"),
        ("edit", "/w/a.py", 1, "+x"),
        ("command", "pytest -q", 1, ""),
    )
    assert len(fixes.found(broader, "/w")) == 1
    set_up = happened(
        ("command", "npm test", 0, "Error: Cannot find module 'left'"),
        ("command", "npm install left", 1, ""),
        ("command", "npm test", 1, ""),
    )
    (fix,) = fixes.found(set_up, "/w")
    assert "`npm install left`" in fix.text
