"""Who speaks and whether it is a question, read off the form of a turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.text.dialogue import asks, speaker


@pytest.mark.parametrize(
    "text",
    [
        "Which port?",
        "I moved it. Did you see?",
        '"Really?"',
        "Is it this one? [screenshot of a log]",
        "Shall we? (asking for a friend)",
        "本当？",
        "**Why?**",
    ],
)
def test_a_turn_that_ends_in_a_question_asks(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize(
    "text", ["", "Port 80.", "Why? Because it was free.", "See a?b=c for it", "What a day!", "(is it?) no", "[?] done"]
)
def test_others_do_not(text: str) -> None:
    assert not asks(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada: hello", "ada"),
        ("Ada Lovelace: hello", "ada lovelace"),
        ("  Jean-Luc: engage", "jean-luc"),
        ("Ada:hello", ""),
        ("ada: hello", ""),
        ("Note: the build is slow", ""),
        ("TODO: mend it", ""),
        ("https://example.org", ""),
        ("The way we do it here is this: we wait", ""),
        ("12:30 lunch", ""),
        ("", ""),
    ],
)
def test_the_speaker_stands_before_the_colon(text: str, name: str) -> None:
    assert speaker(text) == name


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(asks(text), bool)
    name = speaker(text)
    assert name == name.casefold()
    assert not name or text.lstrip().casefold().startswith(name)
