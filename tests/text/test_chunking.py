"""Passages cover all of a text, fit the encoder, and end at the text's own joints."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.encoder import Tokenizer
from memd.text import chunking
from memd.text.chunking import CHARACTERS, TOKENS, cut, estimated_offsets, passages

words = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=12)
spaces = st.sampled_from([" ", " ", " ", "  ", "\n", "\n\n", "\t", ". ", "\n \n"])
prose = st.lists(st.tuples(words, spaces), max_size=700).map(lambda parts: "".join(a + b for a, b in parts))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.load()


def assert_covers(text: str, spans: list[tuple[int, int]]) -> None:
    assert "".join(text[start:stop] for start, stop in spans) == text
    assert all(start < stop for start, stop in spans)


@given(st.one_of(st.text(max_size=3000), prose))
def test_passages_cover_the_text_and_fit_the_encoder(tokenizer: Tokenizer, text: str) -> None:
    spans = cut(text, tokenizer.offsets)
    if not text:
        assert spans in ([], [(0, 0)])
        return
    assert_covers(text, spans)
    begins = [begin for begin, _ in tokenizer.offsets(text)]
    for start, stop in spans:
        assert stop - start <= CHARACTERS
        assert sum(start <= begin < stop for begin in begins) <= TOKENS


@given(prose)
def test_no_word_is_parted(tokenizer: Tokenizer, text: str) -> None:
    for offsets in (tokenizer.offsets, None):
        for _, stop in cut(text, offsets)[:-1]:
            assert text[stop - 1].isspace() or text[stop].isspace() or text[stop - 1] in "。！？"


@settings(max_examples=10)
@given(st.lists(words, min_size=20, max_size=60), st.integers(300, 500))
def test_a_window_changes_nothing_that_matters(parts: list[str], scale: int) -> None:
    text = " ".join(parts * scale)
    spans = cut(text)
    assert_covers(text, spans)
    assert all(len(estimated_offsets(text[start:stop])) <= TOKENS for start, stop in spans)
    assert all(stop - start > 20 for start, stop in spans[:-1])


@pytest.mark.parametrize("joint", ["\n\n", "\n", ". ", " "])
def test_the_strongest_joint_wins(joint: str) -> None:
    """Weaker joints all along; the one in the second half of what fits is where the passage ends."""
    weaker = {"\n\n": "\n", "\n": ". ", ". ": " ", " ": " "}[joint]
    head, tail = weaker.join(["word"] * (100 if weaker == ". " else 200)), weaker.join(["word"] * 900)
    text = head + joint + tail
    _, stop = passages(text, estimated_offsets(text))[0]
    if joint == " ":
        assert text[stop - 1] == " "
    else:
        assert stop == len(head + joint)


def test_the_last_two_are_alike() -> None:
    text = "word " * (TOKENS + 6)
    (_, middle), (_, end) = passages(text, estimated_offsets(text))
    assert abs(middle - end / 2) < 20


def test_short_text_needs_no_tokenizer() -> None:
    def never(text: str) -> list[tuple[int, int]]:
        raise AssertionError(text)

    assert cut("short", never) == [(0, 5)]


def test_a_million_characters_without_a_space(tokenizer: Tokenizer) -> None:
    for text in ("x" * 1_000_000, "é" * 1_000_000, "x,yz;" * 200_000, "漢" * 1_000_000):
        spans = cut(text, tokenizer.offsets)
        assert_covers(text, spans)
        assert max(stop - start for start, stop in spans) <= CHARACTERS


def test_marks_stay_with_their_letters() -> None:
    text = ("e\u0301\u0323" * 5000) + ("👩\u200d💻" * 3000)
    spans = cut(text)
    assert_covers(text, spans)
    assert not any(text[start] in "\u0301\u0323\u200d💻" for start, _ in spans)


def test_white_space_alone_is_covered() -> None:
    text = "a" + " " * 50_000 + "\n" * 50_000 + "b"
    assert_covers(text, cut(text))


def test_offsets_of_a_long_text_are_asked_for_in_windows(tokenizer: Tokenizer) -> None:
    asked: list[int] = []

    def offsets(text: str) -> list[tuple[int, int]]:
        asked.append(len(text))
        return tokenizer.offsets(text)

    text = "All work and no play makes a dull passage. " * 10_000
    assert_covers(text, cut(text, offsets))
    assert max(asked) <= chunking.WINDOW
    assert sum(asked) < 1.2 * len(text)
