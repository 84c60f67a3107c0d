"""Plain text and reStructuredText: paragraphs in groups of a readable size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memd.ingest.lines import Section, cut, split

TARGET = 1_000
"""Characters from which a group is large enough: about one passage of 256 tokens."""

LIMIT = 4 * TARGET
"""Characters from which a group ends even before an indented paragraph (say, in a long listing)."""

# A line of one punctuation mark, as reStructuredText and many plain notes underline their titles.
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*")


def sections(text: str) -> Iterator[Section]:
    """Groups of whole paragraphs (blocks between blank lines), in order, as exact source text.

    A title (an underlined line) starts a group; otherwise one starts when the last has `TARGET`
    characters, but not before an indented paragraph, which belongs to what it follows, unless the
    group has `LIMIT`. Linear in the text.
    """
    lines = split(text)
    return cut(lines, _starts(lines))


def _starts(lines: list[str]) -> list[int]:
    starts = [0]
    size = 0
    only_titles = True
    for index, line in enumerate(lines):
        if _begins_paragraph(lines, index):
            titled = _is_title(lines, index)
            full = size >= LIMIT or (size >= TARGET and not line[0].isspace())
            if (titled or full) and not only_titles:
                starts.append(index)
                size = 0
                only_titles = True
            only_titles = only_titles and titled and _is_bare_title(lines, index)
        size += len(line)
    return starts


def _begins_paragraph(lines: list[str], index: int) -> bool:
    return bool(lines[index].strip()) and (index == 0 or not lines[index - 1].strip())


def _is_title(lines: list[str], index: int) -> bool:
    """Whether a title stands at `index`: text over an adornment, perhaps under one too."""
    first = _line(lines, index)
    second = _line(lines, index + 1)
    if _ADORNMENT.fullmatch(first):
        return bool(second.strip()) and bool(_ADORNMENT.fullmatch(_line(lines, index + 2)))
    return bool(_ADORNMENT.fullmatch(second)) and len(second.rstrip()) >= len(first.rstrip())


def _is_bare_title(lines: list[str], index: int) -> bool:
    """Whether the title at `index` is a paragraph of its own, with its text still to come."""
    height = 3 if _ADORNMENT.fullmatch(_line(lines, index)) else 2
    return not _line(lines, index + height).strip()


def _line(lines: list[str], index: int) -> str:
    return lines[index] if index < len(lines) else ""
