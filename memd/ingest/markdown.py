"""Markdown by heading: each section, with its heading, is one memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memd.ingest import frontmatter
from memd.ingest.lines import Section, cut, split

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


def sections(text: str) -> Iterator[Section]:
    """The sections of a Markdown document, in order, as exact source text.

    A section runs from a heading to the next heading of any level. Headings inside code, quotes and
    lists start nothing. Front matter and headings with no text of their own are kept with the
    section that follows them. Linear in the text.
    """
    lines = split(text)
    skipped = frontmatter.line_count(lines)
    body = "".join(lines[skipped:])
    headings = [(first + skipped, last + skipped) for first, last in _headings(body)]
    return cut(lines, _starts(lines, skipped, headings))


def _headings(text: str) -> list[tuple[int, int]]:
    """Line ranges [first, last) of the document's own headings."""
    return [
        (token.map[0], token.map[1])
        for token in _block_parser().parse(text)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def _block_parser() -> MarkdownIt:
    """A CommonMark parser with the block rules alone: the inline ones cost most and move no heading."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable("inline")


def _starts(lines: list[str], skipped: int, headings: list[tuple[int, int]]) -> list[int]:
    """Where sections start: at each heading before which there is text, front matter aside."""
    starts = [0]
    written = skipped  # lines before this one are front matter or the current section's headings
    for first, last in headings:
        if any(line.strip() for line in lines[written:first]):
            starts.append(first)
        written = last
    return starts
