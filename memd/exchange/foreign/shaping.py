"""Values of other tools in the shape that memd takes: texts, keys, tags, kinds, times, roots of projects."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from pathlib import PurePosixPath

from memd.store.validation import NAME_LENGTH, TAG_LENGTH, TAGS
from memd.text.redaction import SHORTEST, redact

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MILLISECONDS_FROM = 1e11  # as seconds the year 5138, as milliseconds 1973
_MICROSECONDS_FROM = 1e14
_KEY_LENGTH = 300
_LONGEST_NUMBER = 64  # bits
_ROOTS_KEPT = 1000  # of a project, so that memory stays bounded

# Words by which tools sort what they keep, and memd's kind for each; what isn't here is the reader's to choose.
_KINDS = {
    "decision": "decision architecture tool_choice approach configuration adr choice design",
    "preference": "preference user_preference likes",
    "convention": "convention rule directive standard best_practice anti_pattern guideline policy feedback",
    "procedure": "procedure workflow how_to howto runbook recipe method technique steps",
    "fix": "fix bugfix bug error failure exception timeout recurring_issue solution troubleshooting",
    "fact": "fact discovery learning insight gotcha finding reference knowledge requirement config",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}


def kind_of(word: object, default: str) -> str:
    """memd's kind for what a tool calls a type or category."""
    plain = re.sub(r"[\s\-]+", "_", text(word).strip().casefold())
    return _KIND_OF.get(plain) or _KIND_OF.get(plain.removesuffix("s"), default)


def text(value: object) -> str:
    """A value as text that can be stored: without NUL bytes, what isn't Unicode marked as such.

    Empty for None, and for what is neither a text nor a number or date.
    """
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    elif isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        return ""  # not a number that anybody wrote, and Python refuses to print the longest
    elif isinstance(value, int | float | date):
        value = str(value)
    elif not isinstance(value, str):
        return ""
    if "\0" in value:
        value = value.replace("\0", "")
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)


def name(value: object) -> str:
    """A text that names something: on one line, no longer than a name may be."""
    return " ".join(_CONTROL.sub(" ", text(value)).split())[:NAME_LENGTH]


def key(*parts: object) -> str:
    """A key from what tells a record apart; where that is too long, its digest."""
    joined = "/".join(name(part) for part in parts)
    return joined if len(joined) <= _KEY_LENGTH else digest(joined)


def digest(words: str) -> str:
    """By which the same text is known again: BLAKE2b, 16 bytes, in hexadecimal."""
    return hashlib.blake2b(words.encode(errors="replace"), digest_size=16).hexdigest()


def grouped(tool: str, group: str) -> str | None:
    """The key of an ordered group of the tool's; None for one without a name. Secrets don't go into it."""
    return f"{tool}:{_public(group)}"[:NAME_LENGTH] if group else None


def tags(*values: object) -> tuple[str, ...]:
    """Tags from words, lists of them, or texts with commas between them. Several words become one with hyphens.

    What looks like a secret becomes none.
    """
    found: dict[str, None] = {}
    for value in values:
        parts = value if isinstance(value, list | tuple) else text(value).split(",")
        for part in parts:
            words = " ".join(_CONTROL.sub(" ", text(part)).replace(",", " ").split())
            tag = words.replace(" ", "-").lower().lstrip("#")[:TAG_LENGTH]
            if tag and (len(tag) < SHORTEST or _public(words) == words):
                found[tag] = None
    return tuple(found)[:TAGS]


@lru_cache(4096)
def _public(word: str) -> str:
    """A name without secrets; the same few come again and again."""
    return redact(word).text


def strings(value: object) -> list[str]:
    """The texts of a list, or of one written as JSON; another text is a list of itself, None an empty one."""
    if isinstance(value, str | bytes):
        plain = text(value).strip()
        if plain.startswith("["):
            try:
                value = json.loads(plain)
            except (ValueError, RecursionError):
                value = [plain]
        else:
            value = [plain]
    if not isinstance(value, list):
        return []
    return [one for item in value if isinstance(item, str | int | float) and (one := text(item).strip())]


def moment(value: object, zone: tzinfo | None = UTC) -> datetime | None:
    """A time in UTC, from seconds, milliseconds or microseconds since 1970, or as ISO 8601 writes it.

    Args:
        value: a number, a text or a date; None where it isn't known.
        zone: of times that don't say theirs; None: this machine's.

    Returns:
        None for what is no time.
    """
    try:
        if isinstance(value, str | bytes):
            value = _parsed(text(value).strip())
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            return _since_1970(float(value))
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        if not isinstance(value, datetime):
            return None
        if value.tzinfo is None:
            value = value.replace(tzinfo=zone) if zone else value.astimezone()
        return value.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _parsed(written: str) -> float | datetime:
    try:
        return float(written)
    except ValueError:
        return datetime.fromisoformat(re.sub(r"(?<=\d)([+-]\d\d:\d\d)Z$", r"\1", written))  # some write both


def _since_1970(number: float) -> datetime | None:
    if not math.isfinite(number) or number <= 0:
        return None
    if number >= _MICROSECONDS_FROM:
        number /= 1e6
    elif number >= _MILLISECONDS_FROM:
        number /= 1e3
    return datetime.fromtimestamp(number, UTC)


class Roots:
    """Which folders projects lie in, that a tool knows by name alone: told by the files that it saw there.

    A file `/home/me/work/shop/src/cart.ts` of the project `shop` says that its root is `/home/me/work/shop`. What most
    of a project's files say is taken. A project of which no file tells is looked for beside the others.
    """

    def __init__(self) -> None:
        self._found: dict[str, Counter[str]] = {}
        self._roots: dict[str, str | None] = {}

    def see(self, project: str, paths: Iterable[str]) -> None:
        """Files, or working folders, of a project, by their absolute paths; others tell nothing."""
        wanted = _plain(project.rsplit("/", 1)[-1])
        if not wanted:
            return
        found = self._found.setdefault(project, Counter())
        for path in paths:
            if (root := _above(path, wanted)) and (root in found or len(found) < _ROOTS_KEPT):
                found[root] += 1

    def told(self, project: str) -> bool:
        """Whether a file or folder said where the project lies."""
        return bool(self._found.get(project))

    def of(self, project: str) -> str | None:
        """The project's root; None where nothing tells it."""
        if project not in self._roots:
            found = self._found.get(project)
            self._roots[project] = _most(found) if found else self._beside(project)
        return self._roots[project]

    def _beside(self, project: str) -> str | None:
        """A folder of the project's name beside those of most other projects, if there is one."""
        parents = Counter(os.path.dirname(_most(found)) for found in self._found.values() if found)
        if parents and project and "/" not in project and project not in (".", ".."):
            folder = os.path.join(_most(parents), project)
            return folder if os.path.isdir(folder) else None
        return None


def _most(found: Counter[str]) -> str:
    return min(found, key=lambda path: (-found[path], len(path), path))


def _above(path: str, wanted: str) -> str | None:
    if not path.startswith("/") or len(path) > NAME_LENGTH:
        return None
    parts = PurePosixPath(path).parts
    for depth, part in enumerate(parts):
        if depth and _plain(part) == wanted:
            return str(PurePosixPath(*parts[: depth + 1]))
    return None


def _plain(word: str) -> str:
    """A folder's name as tools write it for a project: letter case, and what stands between words, don't count."""
    return re.sub(r"[\s_\-.]+", "-", name(word).casefold()).strip("-")
