"""No secret is kept, and little else is taken: measured on a labelled set, and broken on purpose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.text.redaction import PRIVATE, mark, redact
from tests.text.labelled_secrets import LOOK_ALIKES, SECRETS, drawn, secret

SEEDS = range(5)


def test_at_least_95_in_a_hundred_secrets_are_found() -> None:
    missed = []
    for template in SECRETS:
        for seed in SEEDS:
            text, value = secret(template, seed)
            if value in redact(text).text:
                missed.append(text)
    assert len(missed) <= 0.05 * len(SECRETS) * len(SEEDS), missed


def test_at_most_2_in_a_hundred_look_alikes_are_marked() -> None:
    marked = []
    for template in LOOK_ALIKES:
        for seed in SEEDS:
            text = drawn(template, seed)
            if redact(text).kinds:
                marked.append((text, redact(text).text))
    assert len(marked) <= 0.02 * len(LOOK_ALIKES) * len(SEEDS), marked


def test_what_stands_around_a_secret_stays_and_the_mark_says_what_it_was() -> None:
    text, value = secret("deploy with «ghp_{b62:36}» from main\nand tag it", 1)
    assert redact(text) == (text.replace(value, mark("github token")), ("github token",))


def test_an_allowed_secret_stays_and_others_go() -> None:
    allowed, other = drawn("AKIA{up:16}", 1), drawn("AKIA{up:16}", 2)
    found = redact(f"the docs use {allowed}, we use {other}", [allowed])
    assert allowed in found.text and other not in found.text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("before <private>my own</private> after", "before  after"),
        ("<PRIVATE>all of it</PRIVATE>", ""),
        ("a <private>b <private>c</private> d</private> e", "a  e"),
        ("not closed <private>goes to the end", "not closed "),
        ("a stray </private> is a word", "a stray </private> is a word"),
        ("<private>one</private> and <private>two</private>", " and "),
    ],
)
def test_private_parts_are_dropped(text: str, left: str) -> None:
    assert redact(text).text == left


def test_a_secret_inside_a_private_part_goes_with_it() -> None:
    text, _ = secret("x <private>token «ghp_{b62:36}»</private> y", 1)
    assert redact(text) == ("x  y", (PRIVATE,))


@given(st.text(max_size=300))
def test_any_text_can_be_read_and_reading_twice_finds_no_more(text: str) -> None:
    once = redact(text)
    assert redact(once.text).text == once.text or once.kinds


@given(st.sampled_from(SECRETS), st.integers(0, 99), st.text(max_size=40), st.text(max_size=40))
def test_prose_on_other_lines_hides_no_secret(template: str, seed: int, before: str, after: str) -> None:
    text, value = secret(template, seed)
    if value not in redact(text).text and "<private>" not in before.lower():
        assert value not in redact(f"{before}\n{text}\n{after}").text


def test_a_long_text_of_runs_takes_no_longer_than_its_length() -> None:
    """Nothing here may be quadratic: a megabyte of the worst runs is read in seconds, not hours."""
    for run in ("a1B2" * 250_000, "password=" * 100_000, "://" * 300_000, "-----BEGIN PRIVATE KEY-----\n" * 20_000):
        redact(run)
