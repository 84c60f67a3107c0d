"""Records of decisions (ADR) in the context block: one line a record, not one a heading. Pure.

A record's sections are memories each, all of kind `decision` and tagged `adr` with its status. What it decides stands
under its heading "Decision" (Nygard) or "Decision Outcome" (MADR); without one, in its first section.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

TAG = "adr"
NOT_IN_FORCE = frozenset({"proposed", "rejected", "deprecated", "superseded"})
_FRONT = re.compile(r"\A---\n.*?\n---\s*\n", re.DOTALL)
_MARKED = re.compile(r"\A\s*(?:#{1,6}|={1,6}|\*{1,6})[ \t]+(.+)")  # Markdown, AsciiDoc, Org
_UNDERLINED = re.compile(r"\A\s*(\S.*)\n([=\-~^\"'*+#])\2{2,}[ \t]*(?:\n|\Z)")  # reStructuredText, Markdown
_DECIDES = re.compile(
    r"^[ \t]*(?:(?:#{1,6}|={1,6}|\*{1,6})[ \t]+)?(?:\d+\.?[ \t]*)?decisions?(?: outcome)?[ \t#:]*\n"
    r"(?:[=\-~^\"'*+#]{3,}[ \t]*\n)?\s*(?P<what>\S.*)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)


class Decision(NamedTuple):
    """A memory of kind `decision`; `record` is the episode of its file where it is a section of a record, else 0."""

    id: str
    text: str
    at: int
    tags: frozenset[str]
    record: int
    position: int


def in_force(decisions: Sequence[Decision]) -> list[Decision]:
    """One for each decision, in the order of the first: of a record, what it decides, led in by its title."""
    records: dict[int, list[Decision]] = {}
    for decision in decisions:
        if _is_section(decision):
            records.setdefault(decision.record, []).append(decision)
    told: list[Decision] = []
    for decision in decisions:
        if not _is_section(decision):
            told.append(decision)
        elif sections := records.pop(decision.record, None):
            told += _of(sorted(sections, key=lambda section: section.position))
    return told


def _is_section(decision: Decision) -> bool:
    return bool(decision.record) and TAG in decision.tags


def _of(sections: Sequence[Decision]) -> list[Decision]:
    first = sections[0]
    if first.tags & NOT_IN_FORCE:  # of others' tags nothing follows: "Consequences: none" is one memory of many records
        return []
    title, body = _parted(first.text)
    for section in sections:
        if found := _DECIDES.search(section.text.replace("\r\n", "\n")):
            return [section._replace(text=_joined(title, found["what"]))]
    return [first._replace(text=_joined(title, body))]


def _joined(title: str, body: str) -> str:
    return ": ".join(part for part in (title, body.strip()) if part)


def _parted(text: str) -> tuple[str, str]:
    """The heading of a section, without its marks, and what stands under it."""
    text = _FRONT.sub("", text.replace("\r\n", "\n"))
    found = _MARKED.match(text) or _UNDERLINED.match(text)
    return (found[1].strip(), text[found.end() :].strip()) if found else ("", text.strip())
