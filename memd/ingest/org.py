"""Org by headline, and what its keywords say of the document."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memd.ingest.frontmatter import Facts, facts_of
from memd.ingest.lines import Heading, Section, cut_at, split

_HEADLINE = re.compile(r"(\*+)[ \t]+(.*)")
_STATE = re.compile(r"(?:TODO|DONE|NEXT|WAITING|WAIT|HOLD|STARTED|SOMEDAY|CANCELL?ED)\b[ \t]*")
_PRIORITY = re.compile(r"\[#\w\][ \t]*")
# Blanks are taken from their first on: tried from each of them, a long run would take the square of its length.
_COOKIE = re.compile(r"(?<![ \t])[ \t]*\[\d*(?:%|/\d*)\]")
_TAGS = re.compile(r"(?<![ \t])[ \t]+(:[\w@#%:]+:)[ \t]*$")
_KEYWORD = re.compile(r"#\+(date|filetags):[ \t]*(.*)", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def sections(text: str) -> Iterator[Section]:
    """The sections of an Org document, in order, as exact source text.

    A headline is known by its words alone: its state, priority, count and tags may change.
    """
    lines = split(text)
    headings = [
        Heading(index, index + 1, len(found[1]), _title(found[2]))
        for index, line in enumerate(lines)
        if (found := _HEADLINE.match(line))
    ]
    return cut_at(lines, headings)


def facts(text: str) -> Facts:
    """The document's date (`#+DATE:`) and tags (`#+FILETAGS:`)."""
    fields: dict[str, str] = {}
    for line in split(text[:20_000]):
        if _HEADLINE.match(line):
            break
        if found := _KEYWORD.match(line):
            fields[found[1].lower()] = found[2].strip()
    day = _DAY.search(fields.get("date", ""))
    tags = fields.get("filetags", "").replace(":", " ")
    return facts_of(day[0] if day else None, tags)


def _title(words: str) -> str:
    words = _TAGS.sub("", words.strip())
    words = _PRIORITY.sub("", _STATE.sub("", words, count=1), count=1)
    return " ".join(_COOKIE.sub("", words).split())
