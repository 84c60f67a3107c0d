"""The sentences of a text that can be quoted, by where they stand in it."""

from __future__ import annotations

import re

LEAST, MOST = 12, 320  # characters of a sentence that is quoted
WORDS = 3  # that it has at least
Spans = list[tuple[int, int]]

_CODE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^[ \t]{0,3}(?:#{1,6}[ \t]|[=*-]{3,}[ \t]*$|\|)")
_BULLET = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])?[ \t]*(?:\[[ xX]\][ \t]+)?")
# A full stop ends a sentence before a blank and what no lower-case letter begins; never after "e.g." and the like.
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\betc)(?<!\bvs)(?<!\bcf)[.!?…][)\]\"'”’»*_]*(?=\s+[^\sa-z])|[。！？]")
_WORD = re.compile(r"\w+")


def sentences(text: str) -> Spans:
    """Where the sentences stand, as characters [start, stop): without bullets, headings, tables, code. O(length).

    A sentence ends with its line at the latest, except that lines of a paragraph go on where the next begins with a
    lower-case letter.
    """
    found: Spans = []
    for start, stop in _paragraphs(text):
        begin = start
        for end in [match.end() for match in _END.finditer(text, start, stop)] + [stop]:
            span = _trimmed(text, begin, end)
            if LEAST <= span[1] - span[0] <= MOST and len(_WORD.findall(text, *span)) >= WORDS:
                found.append(span)
            begin = end
    return found


def _paragraphs(text: str) -> Spans:
    """Lines that are text, joined where one goes on in the next."""
    blocked = [match.span() for match in _CODE.finditer(text)]
    found: Spans = []
    goes_on = False
    for match in re.finditer(r"[^\n]+", text):
        start, stop = match.span()
        if any(begin <= start < end for begin, end in blocked) or _HEADING.match(match[0]) or match[0].isspace():
            goes_on = False
            continue
        begin = start + _BULLET.match(match[0]).end()  # type: ignore[union-attr]  # it matches the empty text
        plain = not text[start:begin].strip()
        if goes_on and plain and found[-1][1] == start - 1 and text[begin : begin + 1].islower():
            found[-1] = found[-1][0], stop
        else:
            found.append((begin, stop))
        goes_on = True
    return found


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    while start < stop and text[start].isspace():
        start += 1
    while stop > start and text[stop - 1].isspace():
        stop -= 1
    return start, stop
