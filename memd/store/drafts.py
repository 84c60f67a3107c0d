"""A memory made ready for the write: everything that can be worked out before the write lock is taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from memd.clock import to_ms
from memd.model import GLOBAL_SCOPE, NewMemory, Source
from memd.store.validation import plain_scope
from memd.text import chunking, dialogue
from memd.text.entities import Entity, extract

_encode_source = msgspec.json.Encoder().encode


class Draft(NamedTuple):
    """A checked memory with all that is derived from it.

    Attributes:
        digest: BLAKE2b of the text, 16 bytes.
        source: as JSON.
        event_at: milliseconds since 1970.
        speaker: who says it, case-folded; empty for nobody.
        asks: it ends in a question.
        spans: its passages, as characters [start, stop) of the text.
        entities: what each passage names.
        importance: 0 to 1.
    """

    text: str
    digest: bytes
    kind: str
    scope: str
    tags: tuple[str, ...]
    source: str
    event_at: int | None
    episode: str | None
    position: int | None
    speaker: str
    asks: bool
    spans: list[tuple[int, int]]
    entities: list[list[Entity]]
    importance: float
    pinned: bool


def draft(item: NewMemory, offsets: Callable[[str], chunking.Offsets] | None, most: int = chunking.TOKENS) -> Draft:
    """Work out `item`, which must have passed `check_new`.

    Args:
        item: the new memory; a scope of None means the global one.
        offsets: the tokenizer's offsets for cutting passages; None estimates them.
        most: tokens of a passage.
    """
    spans = chunking.cut(item.text, offsets, most)
    return Draft(
        text=item.text,
        digest=digest_of(item.text),
        kind=item.kind,
        scope=GLOBAL_SCOPE if item.scope is None else plain_scope(item.scope),
        tags=plain_tags(item.tags),
        source=source_json(item.source),
        event_at=None if item.event_at is None else to_ms(item.event_at),
        episode=item.episode,
        position=item.position,
        speaker=dialogue.speaker(item.text) or item.source.who.casefold(),
        asks=dialogue.asks(item.text),
        spans=spans,
        entities=[extract(item.text[start:stop]) for start, stop in spans],
        importance=item.importance,
        pinned=item.pinned,
    )


def digest_of(text: str) -> bytes:
    """By which the same text is known again: BLAKE2b, 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def plain_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Lower-case, each once, in order of the alphabet."""
    return tuple(sorted({tag.lower() for tag in tags}))


def source_json(source: Source) -> str:
    """The source as it is stored."""
    return _encode_source(source).decode()
