"""Cutting documents into sections: nothing is lost, nothing is changed, and cuts fall at headings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.ingest import markdown, plain
from memd.ingest.lines import Section, split

LINES = st.sampled_from(
    [
        "# One",
        "## Two",
        "text",
        "",
        " ",
        "```",
        "~~~",
        "- item",
        "> # quoted",
        "    # code",
        "===",
        "---",
        "+++",
        "é\u2028x",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
DOCUMENTS = st.one_of(
    st.text(),
    st.lists(st.tuples(LINES, ENDS)).map(lambda lines: "".join(line + end for line, end in lines)),
)


@pytest.mark.parametrize("reader", [markdown, plain])
@given(text=DOCUMENTS)
def test_every_line_with_text_is_in_one_section_word_for_word(reader, text: str) -> None:
    lines = split(text)
    covered: list[int] = []
    for section in reader.sections(text):
        exact = "".join(lines[section.first - 1 : section.last])
        assert section.text == exact.rstrip("\r\n")
        assert section.text.strip()
        covered += range(section.first, section.last + 1)
    assert covered == sorted(set(covered))
    written = {number for number, line in enumerate(lines, 1) if line.strip()}
    assert written <= set(covered)


def test_markdown_is_cut_at_its_own_headings_only() -> None:
    text = """Preface.

# Title

## First
Body.

```sh
# not a heading
make
```

> # quoted

Second
------
- # in a list

  more
### Third ###
"""
    assert [(section.first, section.last) for section in markdown.sections(text)] == [
        (1, 1),
        (3, 13),
        (15, 19),
        (20, 20),
    ]


def test_a_heading_without_text_stays_with_what_follows() -> None:
    assert list(markdown.sections("# A\n\n## B\n\n### C\ntext\n## D\n")) == [
        Section(1, 6, "# A\n\n## B\n\n### C\ntext", ("A", "B", "C"), 17),
        Section(7, 7, "## D", ("A", "D"), 4),
    ]


@pytest.mark.parametrize("fences", [("---", "---"), ("---", "..."), ("+++", "+++")])
def test_front_matter_is_no_heading_and_stays_with_the_first_section(fences: tuple[str, str]) -> None:
    text = f"{fences[0]}\ntitle: x\n{fences[1]}\n\n# A\nbody\n# B\nbody\n"
    assert [(section.first, section.last) for section in markdown.sections(text)] == [(1, 6), (7, 8)]


def test_a_rule_at_the_top_is_not_front_matter() -> None:
    assert [section.first for section in markdown.sections("---\n\nsome text\n\n# A\nbody\n")] == [1, 5]


def test_line_numbers_are_the_editors_even_after_odd_separators() -> None:
    text = "a\u2028b\x0cc\n\n# Heading\r\nbody\r# Next\rbody"
    assert [(section.first, section.last) for section in markdown.sections(text)] == [(1, 1), (3, 4), (5, 6)]


def test_a_markdown_section_may_be_of_any_length() -> None:
    body = "word " * 200_000
    assert list(markdown.sections(f"# A\n{body}\n")) == [Section(1, 2, f"# A\n{body}", ("A",), 4)]


def test_short_paragraphs_of_plain_text_are_grouped() -> None:
    paragraphs = [f"paragraph {number}: " + "word " * 60 for number in range(12)]
    found = list(plain.sections("\n\n".join(paragraphs)))
    assert 2 < len(found) < len(paragraphs)
    assert all(len(section.text) < 2 * plain.TARGET for section in found)


def test_a_title_starts_a_group_and_stays_with_its_text() -> None:
    text = "Title\n=====\n\nSub\n---\n\nshort\n\n***\nTop\n***\n\nalso short\n"
    assert [section.text for section in plain.sections(text)] == [
        "Title\n=====\n\nSub\n---\n\nshort",
        "***\nTop\n***\n\nalso short",
    ]


def test_an_indented_paragraph_stays_with_what_it_belongs_to() -> None:
    listing = "\n\n".join(f"    line {number} of a listing" for number in range(20))
    text = "introduction " * 90 + "::\n\n" + listing + "\n\nAfter it.\n"
    first, second = plain.sections(text)
    assert first.text.endswith("line 19 of a listing")
    assert second.text == "After it."


def test_an_endless_listing_is_cut_all_the_same() -> None:
    listing = "\n\n".join(f"    line {number} of a listing" for number in range(2_000))
    found = list(plain.sections(listing))
    assert max(len(section.text) for section in found) < plain.LIMIT + 100


@given(st.text())
def test_split_is_the_inverse_of_join(text: str) -> None:
    assert "".join(split(text)) == text
    assert all(not re.search(r"[\r\n](?!\Z)", line.replace("\r\n", "\n")) for line in split(text))
