"""Files that mean more than their text: instructions for agents, and records of architecture decisions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from memd.ingest.frontmatter import Facts

INSTRUCTIONS = frozenset(
    {"agents.md", "agent.md", "claude.md", "claude.local.md", "gemini.md", "copilot-instructions.md", "conventions.md"}
)
"""Names of files in which a project tells agents how things are done here."""

RULES = frozenset({".cursorrules", ".windsurfrules", ".clinerules"})
"""The same, for one agent, in hidden files without a suffix."""

DECISION_FOLDERS = frozenset({"adr", "adrs", "decisions", "architecture-decisions", "decision-records"})
_NOT_DECISIONS = frozenset({"readme", "index", "template", "adr-template"})
_RECORD = re.compile(r"(?:adr[-_]?)?\d{1,6}[-_].+", re.IGNORECASE)

STATES = ("proposed", "accepted", "rejected", "deprecated", "superseded")
_STATUS_LINE = re.compile(r"^[-*]?[ \t]*(?:\*\*|__)?status(?:\*\*|__)?:(?:\*\*|__)?[ \t]*(.+)$", re.IGNORECASE | re.M)
_STATUS_HEADING = re.compile(r"^#+[ \t]*status[ \t]*#*\s*\n+[ \t]*([^\n#].*)$", re.IGNORECASE | re.M)
_DATE_LINE = re.compile(
    r"^[-*]?[ \t]*(?:\*\*|__)?date(?:\*\*|__)?:(?:\*\*|__)?[ \t]*(\d{4}-\d{2}-\d{2})\b", re.IGNORECASE | re.M
)
_HEAD = 4_000  # characters in which status and date are looked for


def kind(path: Path) -> str:
    """The kind of memory that the sections of this file are, by its name and folder."""
    name = path.name.lower()
    if name in INSTRUCTIONS or name in RULES or (name.endswith(".mdc") and path.parent.name == "rules"):
        return "convention"
    if path.suffix.lower() in (".md", ".markdown", ".rst", ".adoc", ".org") and _is_decision(path):
        return "decision"
    return "document"


def decided(text: str, facts: Facts) -> Facts:
    """What a record of a decision says of itself: its date, and its status among the tags, beside `adr`.

    The status stands in the front matter (MADR), on a line of its own, or under a heading (Nygard).
    """
    head = text[:_HEAD].replace("\r\n", "\n")
    said = facts.status or _first(_STATUS_LINE, head) or _first(_STATUS_HEADING, head)
    words = re.findall(r"[a-z]+", said.lower())
    states = [state for state in STATES if state in words]
    date = facts.date or _day(_first(_DATE_LINE, head))
    # A record that was accepted and then superseded names both; the later counts.
    return Facts(date, tuple(dict.fromkeys((*facts.tags, "adr", *states[-1:]))), said)


def _is_decision(path: Path) -> bool:
    if path.parent.name.lower() not in DECISION_FOLDERS or path.stem.lower() in _NOT_DECISIONS:
        return False
    return bool(_RECORD.fullmatch(path.stem)) or path.parent.name.lower() != "decisions"


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else ""


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
