"""Whether the values of a salvaged row make sense: a flipped bit may leave what no memd would have written."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from memd.model import KINDS, Source
from memd.store.uses import VERDICTS

PLACES = ("purged", "lost")  # kinds of what is only a memory's place

_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999  # of the years 1 to 9999
_TIMES = frozenset({
    "at", "until", "due", "tier_at", "recorded_at", "event_at", "said_at", "forgotten_at", "superseded_at", "purged_at",
    "used_at", "begun_at", "seen_at", "ended_at", "added_at", "retired_at", "changed_at", "focus", "settled_at",
    "made_at",
})  # fmt: skip
_JSON = {
    "watch": ("include", "exclude"), "note_file": ("tags",), "section": ("headings",),
    "noted": ("tags",),
}  # fmt: skip
_ONE_OF: dict[tuple[str, str], tuple[object, ...]] = {
    ("use", "verdict"): VERDICTS,
    ("life", "tier"): (32, 8, 4, 1, 0),
    ("life", "pinned"): (0, 1),
    ("task", "state"): ("open", "blocked", "done", "dropped"),
    ("watch", "kind"): ("notes", "git"),
}


def is_sound(table: str, row: Mapping[str, object]) -> bool:
    """Whether a row is one that memd may have written."""
    if not all(is_time(value) for name, value in row.items() if name in _TIMES):
        return False
    if table == "saying" and not is_source(row["source"]):
        return False
    if not all(is_json(row[name]) for name in _JSON.get(table, ())):
        return False
    return all(row[name] in known for (of, name), known in _ONE_OF.items() if of == table and name in row)


def is_kind(value: object) -> bool:
    """Whether it is a kind of memory, or of what is left of one."""
    return value in KINDS or value in PLACES


def is_time(value: object) -> bool:
    """Whether it is a time, in milliseconds since 1970, that a calendar has; or none."""
    return value is None or (isinstance(value, int) and _FIRST_MS <= value <= _LAST_MS)


def is_source(value: object) -> bool:
    """Whether it is a source, as JSON."""
    try:
        msgspec.json.decode(str(value), type=Source)
    except msgspec.MsgspecError:
        return False
    return True


def is_json(value: object) -> bool:
    """Whether it is JSON."""
    try:
        json.loads(str(value))
    except ValueError:
        return False
    return True
