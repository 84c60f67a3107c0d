"""A memory made ready for the write: everything that can be worked out before the write lock is taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from memd.clock import to_ms
from memd.errors import BadInput
from memd.model import GLOBAL_SCOPE, NewMemory, Source
from memd.store.validation import plain_scope
from memd.text import chunking, dialogue
from memd.text.entities import Entity, extract
from memd.text.redaction import redact

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
        redacted: the kinds of what was taken out of the text.
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
    redacted: tuple[str, ...] = ()


def draft(
    item: NewMemory,
    offsets: Callable[[str], chunking.Offsets] | None,
    most: int = chunking.TOKENS,
    allowed: Iterable[str] = (),
    *,
    named: bool = True,
) -> Draft:
    """Work out `item`, which must have passed `check_new`. Secrets and private parts go no further than this.

    Args:
        item: the new memory; a scope of None means the global one.
        offsets: the tokenizer's offsets for cutting passages; None estimates them.
        most: tokens of a passage.
        allowed: what looks like a secret and is none.
        named: find what it names, which takes half of the time; False where nothing is to be stored.

    Raises:
        BadInput: all of the text is private.
    """
    text, redacted = redact(item.text, allowed)
    if redacted:
        if not text.strip():
            raise _all_private()
        item = msgspec.structs.replace(item, text=text)
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
        entities=[extract(item.text[start:stop]) for start, stop in spans] if named else [],
        importance=item.importance,
        pinned=item.pinned,
        redacted=redacted,
    )


def refuse_private(text: str) -> None:
    """Raise BadInput where private parts leave nothing of a text."""
    if "<private>" in text.lower() and not redact(text).text.strip():
        raise _all_private()


def _all_private() -> BadInput:
    return BadInput("All of the text is private.", "Leave something outside <private> to store it.")


def digest_of(text: str) -> bytes:
    """By which the same text is known again: BLAKE2b, 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def plain_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Lower-case, each once, in order of the alphabet."""
    return tuple(sorted({tag.lower() for tag in tags}))


def source_json(source: Source) -> str:
    """The source as it is stored."""
    return _encode_source(source).decode()
