"""reStructuredText by title: levels as the document itself introduces them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memd.ingest import plain
from memd.ingest.lines import Heading, Section, cut_at, split

# Punctuation that docutils takes for an adornment.
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*")
SHORTEST = 4
"""An underline that is shorter than its title is one all the same from this length on (docutils warns and goes on)."""


def sections(text: str) -> Iterator[Section]:
    """The sections of a reStructuredText document, in order, as exact source text; without titles, its paragraphs."""
    lines = split(text)
    headings = _headings(lines)
    return cut_at(lines, headings) if headings else plain.sections(text)


def _headings(lines: list[str]) -> list[Heading]:
    styles: list[str] = []
    found: list[Heading] = []
    index = 0
    while index < len(lines):
        height = _title_height(lines, index)
        if not height:
            index += 1
            continue
        # What is over- and underlined is another style than what is underlined alone.
        mark, title = lines[index + height - 1][0], lines[index + height - 2].strip()
        style = mark if height == 2 else mark * 2
        if style not in styles:
            styles.append(style)
        found.append(Heading(index, index + height, styles.index(style) + 1, title))
        index += height
    return found


def _title_height(lines: list[str], index: int) -> int:
    """How many lines the title at `index` takes, its adornments among them; 0 where there is none."""
    if not lines[index].strip() or (index and lines[index - 1].strip()):
        return 0
    first = lines[index].rstrip()
    second = _line(lines, index + 1).rstrip()
    if _ADORNMENT.fullmatch(first):
        third = _line(lines, index + 2).rstrip()
        return 3 if second and third == first and len(second) <= len(first) else 0
    if first[0].isspace() or not _ADORNMENT.fullmatch(second or "x"):
        return 0
    return 2 if len(second) >= min(len(first), SHORTEST) else 0


def _line(lines: list[str], index: int) -> str:
    return lines[index] if index < len(lines) else ""
