"""The links in a section: relative links of every format, and wiki links, as paths and names to look up."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

MOST = 200
"""Links of one section that are kept."""

_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.S)
_WIKI = re.compile(r"\[\[([^\[\]|#\n]*)(?:#([^\[\]|\n]*))?(?:\|[^\[\]\n]*)?\]\]")
_INLINE = re.compile(r"\]\(\s*(?:<([^<>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))")
_DEFINITION = re.compile(r"^[ ]{0,3}\[[^\]\n]+\]:[ \t]*<?([^\s>]+)>?", re.M)
_REST = re.compile(r"`[^`<]*<([^`>]+)>`_|:doc:`(?:[^`<]*<)?([^`>]+)>?`")
_ASCIIDOC = re.compile(r"(?:xref|link):([^\s\[\]]+)\[|<<([^<>,#\s]+\.\w+)?#?([^<>,\s]*)(?:,[^<>]*)?>>")
_ORG = re.compile(r"\[\[(?:file:)?([^\]\n]+?)(?:::\*?([^\]\n]*))?\](?:\[[^\]\n]*\])?\]")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


class Link(NamedTuple):
    """Where a link leads.

    Attributes:
        path: the file, absolute; for a wiki link the folders written before the name, empty for none.
        stem: of a wiki link the name without suffix, case-folded; empty for a path.
        anchor: the heading it leads to, as `anchor` writes it; empty for the file's beginning.
    """

    path: str
    stem: str
    anchor: str


def links(path: Path, text: str) -> tuple[Link, ...]:
    """The links of a section to other notes, each once, in order; those to elsewhere (URLs) left out.

    Args:
        path: the file that the section is from: relative links start at its folder.
        text: the section.
    """
    found = dict.fromkeys(link for link in _found(path, text) if link is not None)
    return tuple(found)[:MOST]


def anchor(heading: str) -> str:
    """A heading as links to it are written: lower case, hyphens for blanks, no punctuation (GitHub's rule)."""
    words = unicodedata.normalize("NFC", heading.strip()).lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words))


def stem(path: str) -> str:
    """A file's name as wiki links give it."""
    return unicodedata.normalize("NFC", Path(path).stem).casefold()


def _found(path: Path, text: str) -> Iterator[Link | None]:
    suffix = path.suffix.lower()
    if suffix == ".org":
        for found in _ORG.finditer(text):
            yield _relative(path, found[1], found[2] or "")
        return
    if suffix == ".rst":
        for found in _REST.finditer(text):
            yield _relative(path, found[1] or f"{found[2]}.rst")
        return
    if suffix in (".adoc", ".asciidoc"):
        for found in _ASCIIDOC.finditer(text):
            target = found[1] or f"{found[2] or ''}#{found[3]}"
            yield _relative(path, target)
        return
    if "](" in text or "[[" in text or "]:" in text:
        yield from _markdown(path, text)


def _markdown(path: Path, text: str) -> Iterator[Link | None]:
    from memd.ingest.markdown import prose

    for block in prose(text):
        plain = _CODE.sub("", block)
        for found in _WIKI.finditer(plain):
            yield _wiki(path, found[1], found[2] or "")
        for found in _INLINE.finditer(plain):
            yield _relative(path, found[1] or found[2])
    for found in _DEFINITION.finditer(text):
        yield _relative(path, found[1])


def _wiki(path: Path, name: str, heading: str) -> Link | None:
    name = name.strip().replace("\\", "/")
    # [[Note#A#B]] names a heading by those above it; the last one is meant.
    target = anchor(heading.rsplit("#", 1)[-1])
    if not name:
        return Link(str(path), "", target) if target else None
    folders, _, last = name.rpartition("/")
    last = re.sub(r"\.(?:md|markdown|mdx)$", "", last, flags=re.IGNORECASE)
    return Link(folders.strip("/"), unicodedata.normalize("NFC", last).casefold(), target) if last else None


def _relative(path: Path, target: str, heading: str = "") -> Link | None:
    if not target or _ELSEWHERE.match(target):
        return None
    name, _, fragment = unquote(target).partition("#")
    name = name.partition("?")[0]
    to = anchor(heading) or anchor(fragment)
    if not name:
        return Link(str(path), "", to) if to else None
    if "\0" in name or not _is_text(name):
        return None
    return Link(os.path.normpath(path.parent / name), "", to)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
