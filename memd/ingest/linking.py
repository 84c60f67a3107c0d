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

_BACKTICKS = re.compile("`+")
_WIKI = re.compile(r"\[\[([^\[\]|#\n]*)(?:#([^\[\]|\n]*))?(?:\|[^\[\]\n]*)?\]\]")
_INLINE = re.compile(r"\]\(\s*(?:<([^<>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))")
_DEFINITION = re.compile(r"^[ ]{0,3}\[[^\]\n]+\]:[ \t]*<?([^\s>]+)>?", re.M)
_REST = re.compile(r"`[^`<]*<([^`>]+)>`_|:doc:`(?:[^`<]*<)?([^`>]+)>?`")
# A run up to a bracket, whole; where in it the macro begins is looked for afterwards. As one pattern it would be
# tried from each of its macros to the end.
_ASCIIDOC = re.compile(r"(?<![^\s\[\]])([^\s\[\]]++)\[|<<([^<>,\s]*+)(?:,[^<>]*+)?>>")
_MACRO = re.compile(r"(?:xref|link):(.+)")
_ORG = re.compile(r"\[\[([^\[\]\n]+)\](?:\[[^\]\n]*\])?\]")
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
            name, _, heading = found[1].removeprefix("file:").partition("::")
            yield _relative(path, name, heading.removeprefix("*"))
        return
    if suffix == ".rst":
        for found in _REST.finditer(text):
            yield _relative(path, found[1] or f"{found[2]}.rst")
        return
    if suffix in (".adoc", ".asciidoc"):
        for found in _ASCIIDOC.finditer(text):
            if found[1] is None:
                yield _relative(path, _cross_reference(found[2]))
            elif macro := _MACRO.search(found[1]):
                yield _relative(path, macro[1])
        return
    if "](" in text or "[[" in text or "]:" in text:
        yield from _markdown(path, text)


def _markdown(path: Path, text: str) -> Iterator[Link | None]:
    from memd.ingest.markdown import prose

    for block in prose(text):
        plain = _without_code(block)
        for found in _WIKI.finditer(plain):
            yield _wiki(path, found[1], found[2] or "")
        for found in _INLINE.finditer(plain):
            yield _relative(path, found[1] or found[2])
    for found in _DEFINITION.finditer(text):
        yield _relative(path, found[1])


def _without_code(text: str) -> str:
    """The text without its code spans: from a run of backticks to the next that is as long. O(len(text))."""
    runs = [match.span() for match in _BACKTICKS.finditer(text)]
    following: dict[int, int] = {}
    closers = [0] * len(runs)  # of each run the next of its length, 0 for none
    for number in range(len(runs) - 1, -1, -1):
        length = runs[number][1] - runs[number][0]
        closers[number] = following.get(length, 0)
        following[length] = number
    parts, end, number = [], 0, 0
    while number < len(runs):
        if closer := closers[number]:
            parts.append(text[end : runs[number][0]])
            end, number = runs[closer][1], closer
        number += 1
    return "".join((*parts, text[end:]))


def _cross_reference(inner: str) -> str:
    """What `<<…>>` names, as a path with its anchor: `other.adoc#part`, or `#part` of the file itself."""
    file, _, part = inner.partition("#")
    return f"{file}#{part}" if re.search(r".\.\w+\Z", file) else f"#{inner.removeprefix('#')}"


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
