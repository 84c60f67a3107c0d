"""Whether a line can be taken in: what its types can't say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from memd.errors import BadInput
from memd.exchange import lines as x
from memd.model import NewMemory, Source
from memd.store.drafts import refuse_private
from memd.store.ids import ALPHABET, LENGTH
from memd.store.validation import TAGS, check_new, check_scope, check_tags

LONGEST = 400 << 20  # bytes of a line: a memory of 64 MiB, with escapes

_ID = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")
_KEY = re.compile(r":[0-9a-f]{32}")
_OFFSET = re.compile(rb'[+-]\d\d:?\d\d"')
_HINT = "See schemas/export-line.json."


def read(raw: bytes) -> x.AnyLine:
    """A line of a file.

    Raises:
        BadInput: it isn't one, or says what can't be taken; in a few words why.
    """
    try:
        line: x.AnyLine = x.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise BadInput(f"{error}".rstrip("."), _HINT) from None
    if b"\\u0000" in raw and "\0" in "".join(_strings(msgspec.to_builtins(line))):
        raise BadInput("it contains a NUL byte", _HINT)
    if _OFFSET.search(raw):
        _check_times(line)
    if isinstance(line, x.MemoryLine):
        _check_memory(line)
    elif isinstance(line, x.PurgedLine):
        _check_id(line.id)
        check_scope(line.scope)
    elif isinstance(line, x.FileLine):
        check_scope(line.scope)
        _check_file(line)
    elif isinstance(line, x.TasksLine):
        check_scope(line.scope)
        _check_tasks(line)
    elif isinstance(line, x.SessionLine | x.WatchLine | x.GistLine):
        check_scope(line.scope)
    return line


def record(raw: bytes | str) -> x.Line:
    """A line between header and end.

    Raises:
        BadInput: it isn't one.
    """
    line = read(raw.encode() if isinstance(raw, str) else raw)
    if isinstance(line, x.Header | x.End | x.Signature):
        raise BadInput("it is no record", _HINT)
    return line


def new_memory(line: x.MemoryLine, scope: str) -> NewMemory:
    """A memory as `remember` takes it, in a scope of this store."""
    return NewMemory(
        text=line.text,
        kind=line.kind,
        scope=scope,
        tags=line.tags,
        source=line.source,
        event_at=line.event_at,
        episode=line.episode,
        position=line.position,
        importance=line.life.importance,
        pinned=line.life.pinned,
    )


def _check_memory(line: x.MemoryLine) -> None:
    _check_id(line.id)
    item = new_memory(line, line.scope)
    check_new(msgspec.structs.replace(item, tags=()))
    for begin in range(0, len(line.tags), TAGS):  # what several doors gave may be more than one takes
        check_tags(line.tags[begin : begin + TAGS])
    for saying in line.sayings:
        check_new(NewMemory(text=".", source=saying.source))
    refuse_private(line.text)
    try:
        msgspec.json.encode(line.history)
    except OverflowError:
        raise BadInput("a number is too large", _HINT) from None
    for entry in line.history:
        if len(entry.op) > 100:
            raise BadInput("an entry of the history has no word for what was done", _HINT)
        try:
            msgspec.convert(entry.said.get("source", {}), Source)
        except msgspec.ValidationError as error:
            raise BadInput(f"the source of an entry of the history: {error}", _HINT) from None


def _check_id(id_: str) -> None:
    if not (_ID.fullmatch(id_) or _KEY.fullmatch(id_)):
        raise BadInput(f"{id_[:40]!r} is no id", _HINT)


def _check_file(line: x.FileLine) -> None:
    positions = [section.position for section in line.sections]
    if len(set(positions)) < len(positions):
        raise BadInput("two sections have one position", _HINT)


def _check_tasks(line: x.TasksLine) -> None:
    seen: set[int] = set()
    for part in line.tasks:
        if part.number in seen or (part.parent is not None and part.parent not in seen):
            raise BadInput(f"task {part.number} is there twice, or before what it is a step of", _HINT)
        seen.add(part.number)


def _check_times(line: x.AnyLine) -> None:
    try:
        for moment in _moments(msgspec.to_builtins(line, builtin_types=(datetime,))):
            moment.astimezone(UTC)
    except OverflowError:
        raise BadInput("a time is out of range", _HINT) from None


def _strings(value: object) -> Iterator[str]:
    for one in _leaves(value):
        if isinstance(one, str):
            yield one


def _moments(value: object) -> Iterator[datetime]:
    for one in _leaves(value):
        if isinstance(one, datetime):
            yield one


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _leaves(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    else:
        yield value
