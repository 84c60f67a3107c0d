"""Whatever text comes, what reads it takes time by its length, not by the square of it."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings

from .adversarial import READERS, repeated, seconds_of_work

LONG = 200_000  # characters: the square of it takes minutes

# What a search over such texts found, each with who read it; all took over a second at a tenth of this length.
FOUND = [
    ("links of org", "", "[[", ""),
    ("links of org", "", "[[12:30", ""),
    ("links of org", "", "::", "[["),
    ("links of asciidoc", "", "link:", ""),
    ("links of asciidoc", "", "%xref:", ""),
    ("links of asciidoc", "<<", ".a", ""),
    ("links of asciidoc", "<<a.", "b", ""),
    ("links of markdown", "`" * 1000, "a", ""),
    ("links of markdown", "", "`a``a```a````a", ""),
    ("asciidoc", "", "____", "!"),
    ("asciidoc", "= a", " ", "b"),
    ("asciidoc", "= a", " \t", "=b"),
    ("org", "* a", " ", "b"),
    ("org", "* a", "\t", "[1"),
    ("redaction", "1234567890 ", "/", "npm"),
    ("redaction", "1234567890 ", "//", "password["),
    ("redaction", "Authorization: Bearer ", " ", ""),
    ("redaction", "api-key", " ", "="),
    ("redaction", "aB3dE5gH1234567890aB token", " ", "x"),
    ("redaction", "aB3dE5gH1234567890aB key=", " ", "x"),
    ("redaction", "aB3dE5gH1234567890aB ", "sk-", ""),
    ("redaction", "aB3dE5gH1234567890aB ", "eyJ", "!"),
    ("redaction", "aB3dE5gH1234567890aB ", "=eyJ", "!"),
    ("redaction", "", "-----BEGIN PRIVATE KEY-----\nA: ", ""),
    ("redaction", "", "-----BEGIN PRIVATE KEY-----\n\\n\n", "!"),
    ("redaction", "-----BEGIN PRIVATE KEY-----", "\\n", "!"),
    ("lessons", "---,", "|-\r\n|\n", "A"),
    ("lessons", "", "---", "TODO "),
    ("lessons", "", "<div>", ""),
    ("lessons", "", "\n", ""),
    ("lessons", "a", "!", "b"),
]


@pytest.mark.parametrize(("reader", "head", "unit", "tail"), FOUND)
def test_what_was_found_to_take_the_square_of_its_length(reader: str, head: str, unit: str, tail: str) -> None:
    with seconds_of_work(30):
        READERS[reader](head + unit * (LONG // len(unit)) + tail)


@pytest.mark.parametrize("reader", READERS)
def test_a_long_run(reader: str) -> None:
    for unit in ("a", " ", "\n", "aB3", "_", "\u0301", "中", "[", "`", "a. "):
        with seconds_of_work(4):
            READERS[reader](unit * (LONG // 4 // len(unit)))


@settings(max_examples=int(os.environ.get("FUZZ", "5")), suppress_health_check=list(HealthCheck))
@given(text=repeated(20_000))
def test_a_repetition_of_anything(text: str) -> None:
    for name, read in READERS.items():
        try:
            with seconds_of_work(2):
                read(text)
        except TimeoutError as error:
            raise AssertionError(f"{name}: {error}") from None
