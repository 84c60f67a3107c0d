"""Lines and the sections cut from them: the shape that both text readers return."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# The line ends of CommonMark. str.splitlines() knows more (form feed, U+2028 …), which would put
# every later line number out of step with the Markdown parser's and the user's editor.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Section(NamedTuple):
    """A run of lines: first and last line, counted from 1, both included, and their exact text
    (without the last one's line end)."""

    first: int
    last: int
    text: str


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
