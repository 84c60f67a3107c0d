"""Every format by its own headings, and the files that mean more than their text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.ingest import asciidoc, markdown, matching, org, plain, restructuredtext
from memd.ingest.lines import split
from memd.ingest.matching import Known
from memd.ingest.notes import ReadNote, read_note

READERS = (markdown, restructuredtext, asciidoc, org, plain)
LINES = st.sampled_from(
    ["* A", "** TODO B :x:", "= A", "== B ==", "----", "====", "A", "Title", "=====", "-----", "~~~", "", " ", "|==="]
)


@pytest.mark.parametrize("reader", READERS)
@given(text=st.one_of(st.text(), st.lists(LINES).map("\n".join), st.lists(LINES).map("\r\n".join)))
def test_every_line_with_text_is_in_one_section_word_for_word(reader, text: str) -> None:  # type: ignore[no-untyped-def]
    lines = split(text)
    covered: list[int] = []
    for section in reader.sections(text):
        assert section.text == "".join(lines[section.first - 1 : section.last]).rstrip("\r\n")
        assert 0 <= section.body <= len(section.text)
        covered += range(section.first, section.last + 1)
    assert covered == sorted(set(covered))
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= set(covered)


def read(tmp_path: Path, name: str, text: str) -> ReadNote:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return read_note(path)


def outline(note: ReadNote) -> list[tuple[str, ...]]:
    return [section.headings for section in note.sections]


def test_markdown_headings_are_known_by_those_above_them(tmp_path: Path) -> None:
    note = read(
        tmp_path, "n.md", "intro\n# A\n## B\ntext\n### C `d`\nx\n## B\ny\n\nE\n=\nz\n```\n# no\n```\n| # | no |\n"
    )
    assert outline(note) == [(), ("A", "B"), ("A", "B", "C `d`"), ("A", "B"), ("E",)]
    assert [section.number for section in note.sections] == [0, 0, 0, 1, 0]


def test_restructuredtext_levels_are_those_of_the_document(tmp_path: Path) -> None:
    text = (
        "=====\nTitle\n=====\n\nintro\n\nOne\n---\n\nx\n\n::\n\n  Not\n  ---\n\nDeep\n~~~~\n\ny\n\n----\n\n"
        "=== ===\na   b\n=== ===\n\nTwo\n---\n\nz\n"
    )
    assert outline(read(tmp_path, "n.rst", text)) == [
        ("Title",),
        ("Title", "One"),
        ("Title", "One", "Deep"),
        ("Title", "Two"),
    ]


def test_asciidoc_titles_outside_of_blocks(tmp_path: Path) -> None:
    text = (
        "= Doc\nAnn <a@e.org>\nv1.0, 2024-03-01\n:keywords: build, two words\n\n== One\n\n----\n== not\n----\n\n"
        "|===\n|== no\n|===\n\n=== Deep ===\ny\n\n== Two\nz\n"
    )
    note = read(tmp_path, "n.adoc", text)
    assert outline(note) == [("Doc",), ("Doc", "One"), ("Doc", "One", "Deep"), ("Doc", "Two")]
    assert (note.dated, note.tags) == (datetime(2024, 3, 1, tzinfo=UTC), ("build", "two-words"))


def test_org_headlines_are_known_by_their_words_alone(tmp_path: Path) -> None:
    head = "#+TITLE: x\n#+DATE: <2024-03-01 Fri>\n#+FILETAGS: :ops:home:\n"
    before = read(tmp_path, "n.org", head + "* TODO [#A] Call Ann [0/2] :phone:\na\n** Deep\nb\n")
    after = read(tmp_path, "n.org", head + "* DONE Call Ann [2/2]\na\n** Deep\nb\n")
    assert outline(before) == outline(after) == [(), ("Call Ann",), ("Call Ann", "Deep")]
    assert (before.dated, before.tags) == (datetime(2024, 3, 1, tzinfo=UTC), ("ops", "home"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("AGENTS.md", "convention"),
        ("sub/CLAUDE.md", "convention"),
        (".github/copilot-instructions.md", "convention"),
        (".cursor/rules/style.mdc", "convention"),
        (".cursorrules", "convention"),
        ("docs/adr/0001-use-sqlite.md", "decision"),
        ("docs/decisions/0002-x.adoc", "decision"),
        ("docs/decisions/notes.md", "document"),
        ("docs/adr/README.md", "document"),
        ("README.md", "document"),
    ],
)
def test_kinds_go_by_convention(tmp_path: Path, name: str, kind: str) -> None:
    assert read(tmp_path, name, "# A\ntext\n").kind == kind


@pytest.mark.parametrize(
    ("text", "day", "state"),
    [
        ("# 1. Use it\n\nDate: 2024-03-01\n\n## Status\n\nAccepted\n\n## Context\nx\n", 1, "accepted"),
        ("---\nstatus: superseded by ADR-0004\ndate: 2024-03-02\n---\n# X\ny\n", 2, "superseded"),
        ("# X\n\n* Status: accepted, then superseded by [2](0002-y.md)\n* Date: 2024-03-03\n", 3, "superseded"),
        ("# X\n\n**Status:** proposed\n", None, "proposed"),
        ("# X\nno word of it\n", None, None),
    ],
)
def test_a_decision_says_its_status_and_date(tmp_path: Path, text: str, day: int | None, state: str | None) -> None:
    note = read(tmp_path, "adr/0001-x.md", text)
    assert note.tags == (("adr", state) if state else ("adr",))
    assert note.dated == (datetime(2024, 3, day, tzinfo=UTC) if day else None)


def known(*sections: tuple[str, str]) -> list[Known]:
    """Sections of (title, body), numbered as a reader does."""
    numbers: dict[str, int] = {}
    found = []
    for title, body in sections:
        numbers[title] = number = numbers.get(title, -1) + 1
        found.append(Known((title + body).encode(), (title,) if title else (), number, body.encode()))
    return found


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        ([("A", "1"), ("B", "2")], [("A", "1"), ("B", "3")], [(1, 1)]),
        ([("A", "1"), ("B", "2")], [("B", "2"), ("A", "1")], []),
        ([("A", "1")], [("Z", "1")], [(0, 0)]),
        ([("A", "1"), ("A", "2"), ("A", "3")], [("A", "2"), ("A", "4")], [(2, 1)]),
        ([("A", "1"), ("A", "2")], [("A", "0"), ("A", "1"), ("A", "3")], [(1, 2)]),
        ([("", "1"), ("", "2"), ("", "3")], [("", "0"), ("", "1"), ("", "4"), ("", "3")], [(1, 2)]),
        ([("A", "1")], [("B", "2")], []),
        ([], [("A", "1")], []),
    ],
)
def test_edited_sections_are_known_again(
    old: list[tuple[str, str]], new: list[tuple[str, str]], pairs: list[tuple[int, int]]
) -> None:
    assert matching.edited(known(*old), known(*new)) == pairs


@given(*[st.lists(st.tuples(st.sampled_from("AB "), st.sampled_from("123"))) for _ in range(2)])
def test_no_section_is_edited_into_two(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    pairs = matching.edited(known(*old), known(*new))
    for side in zip(*pairs, strict=True):
        assert len(set(side)) == len(side)


def test_private_parts_over_several_sections_are_left_out(tmp_path: Path) -> None:
    text = "# A\none <private>x\n\n# B\r\nhidden\n\n```\n</private> two\n# C\nthree\n"
    sections = read(tmp_path, "n.md", text).sections
    found = [(section.headings, section.first, section.last) for section in sections]
    assert found == [(("A",), 1, 8), (("C",), 9, 10)]
    assert sections[0].text.split() == ["#", "A", "one", "two"]
