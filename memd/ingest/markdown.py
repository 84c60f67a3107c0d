"""Markdown by heading: each section, with its heading, is one memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from memd.ingest import frontmatter
from memd.ingest.lines import Heading, Section, cut_at, split

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


def sections(text: str) -> Iterator[Section]:
    """The sections of a Markdown document, in order, as exact source text.

    A section runs from a heading to the next heading of any level. Headings inside code, quotes and
    lists start nothing. Front matter and headings with no text of their own are kept with the
    section that follows them. Linear in the text.
    """
    lines = split(text)
    skipped = frontmatter.line_count(lines)
    return cut_at(lines, _headings("".join(lines[skipped:]), skipped), skipped)


def prose(text: str) -> list[str]:
    """The text of paragraphs, headings and tables: all in which a link is a link, code blocks left out."""
    return [token.content for token in _block_parser().parse(text) if token.type == "inline"]


def _headings(text: str, skipped: int) -> list[Heading]:
    """The document's own headings."""
    tokens: Sequence[Token] = _block_parser().parse(text)
    return [
        Heading(token.map[0] + skipped, token.map[1] + skipped, int(token.tag[1:]), " ".join(inline.content.split()))
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


@cache
def _block_parser() -> MarkdownIt:
    """A CommonMark parser with the block rules alone: the inline ones cost most and move no heading."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable("inline")
