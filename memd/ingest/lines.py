"""Lines and the sections cut from them: the shape that every reader of a format returns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# The line ends of CommonMark. str.splitlines() knows more (form feed, U+2028 …), which would put
# every later line number out of step with the Markdown parser's and the user's editor.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Section(NamedTuple):
    """A run of lines: first and last line, counted from 1, both included, and their exact text
    (without the last one's line end).

    Attributes:
        headings: the titles above it, from the outermost to its own; empty where it has none.
        body: where in `text` begins what follows its own heading.
    """

    first: int
    last: int
    text: str
    headings: tuple[str, ...] = ()
    body: int = 0


class Heading(NamedTuple):
    """A title: its lines [first, last), counted from 0, how deep it stands (1 is the outermost), its words."""

    first: int
    last: int
    level: int
    title: str


def split(text: str) -> list[str]:
    """The lines of `text` with their line ends; joined they give `text` again."""
    return _LINE.findall(text)


def cut(lines: Sequence[str], starts: Sequence[int]) -> Iterator[Section]:
    """Cuts `lines` before each index in `starts` (rising, the first is 0).

    Blank lines around a piece are left out; a piece of nothing else gives no section.
    """
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        written = [index for index in range(start, stop) if not lines[index].isspace()]
        if written:
            first, last = written[0], written[-1]
            yield Section(first + 1, last + 1, "".join(lines[first : last + 1]).rstrip("\r\n"))


def cut_at(lines: Sequence[str], headings: Sequence[Heading], skipped: int = 0) -> Iterator[Section]:
    """Cuts `lines` at `headings` (rising), each section with the titles that it stands under.

    A section runs from a heading to the next of any level. What stands before the first heading is one of its own;
    headings with no text of their own are kept with the section that follows them, and so are the first `skipped`
    lines (front matter).
    """
    groups: list[list[Heading]] = [[]]
    starts = [0]
    written = skipped  # lines before this one are front matter or the current section's headings
    for heading in headings:
        if any(line.strip() for line in lines[written : heading.first]):
            starts.append(heading.first)
            groups.append([])
        groups[-1].append(heading)
        written = heading.last
    titles = _Titles()
    under = {start: (titles.after(group), group[-1].last if group else start)
             for start, group in zip(starts, groups, strict=True)}  # fmt: skip
    stops = dict(zip(starts, [*starts[1:], len(lines)], strict=True))
    for start in starts:
        for section in cut(lines[start : stops[start]], [0]):
            first = start + section.first - 1
            path, after = under[start]
            body = sum(map(len, lines[first:after]))
            yield Section(first + 1, start + section.last, section.text, path, min(body, len(section.text)))


class _Titles:
    """The titles that are open, by their depth."""

    def __init__(self) -> None:
        self._open: list[Heading] = []

    def after(self, headings: Sequence[Heading]) -> tuple[str, ...]:
        """The titles that stand above what follows these headings."""
        for heading in headings:
            while self._open and self._open[-1].level >= heading.level:
                self._open.pop()
            self._open.append(heading)
        return tuple(heading.title for heading in self._open)
