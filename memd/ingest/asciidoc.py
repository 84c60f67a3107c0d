"""AsciiDoc by title, and what its header says of the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from memd.ingest.frontmatter import Facts, facts_of
from memd.ingest.lines import Heading, Section, cut_at, split

_TITLE = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
# Blocks whose lines are no titles: listing, literal, passthrough, comment, example, quote, sidebar, open, tables.
_FENCE = re.compile(r"(-{4,}|\.{4,}|\+{4,}|/{4,}|={4,}|_{4,}+|\*{4,}|--|`{3,}(?=\w*\s*$)|[|,:!]={3,})\w*\s*")
_ATTRIBUTE = re.compile(r":([\w-]+):[ \t]*(.*)")
_REVISION = re.compile(r"(?:v[\d.]+,?[ \t]*)?(\d{4}-\d{2}-\d{2})\b.*")


def sections(text: str) -> Iterator[Section]:
    """The sections of an AsciiDoc document, in order, as exact source text."""
    lines = split(text)
    return cut_at(lines, _headings(lines))


def facts(text: str) -> Facts:
    """The date (`:revdate:`, `:date:` or the revision line) and tags (`:keywords:`, `:tags:`) of the header."""
    fields: dict[str, object] = {}
    for line in takewhile(str.strip, split(text[:20_000])):
        if found := _ATTRIBUTE.match(line):
            fields[found[1].lower().removeprefix("page-")] = found[2].strip()
        elif found := _REVISION.fullmatch(line.strip()):
            fields.setdefault("revdate", found[1])
    return facts_of(fields.get("revdate") or fields.get("date"), fields.get("keywords") or fields.get("tags"))


def _headings(lines: list[str]) -> list[Heading]:
    found: list[Heading] = []
    fence = ""
    for index, line in enumerate(lines):
        if fence:
            if line.rstrip() == fence:
                fence = ""
        elif block := _FENCE.fullmatch(line):
            fence = block[1]
        elif title := _TITLE.fullmatch(line.rstrip()):
            found.append(Heading(index, index + 1, len(title[1]), _words(title[2], title[1])))
    return found


def _words(title: str, mark: str) -> str:
    """A title without the mark that may close it, too."""
    open_ = title.removesuffix(mark)
    return open_.rstrip() if open_ != title and open_[-1:].isspace() else title
