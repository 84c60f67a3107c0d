"""Gists among the hits of a recall, and hits within a budget of tokens. Pure but for what is read of gists.

Where several hits are members of one gist, it stands for them at the place of the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.model import Excerpt, Gist, Hit, Query, Source, StoredMemory
from memd.store import gists

TOGETHER = 2  # hits that one gist stands for, at least
KIND = "gist"


def fits(query: Query) -> bool:
    """Whether gists may stand among the answers of a query.

    Those of what holds now may: not of what was known earlier, nor where only some memories are asked for.
    """
    narrowed = (query.kinds, query.tags, query.source, query.since, query.until, query.superseded, query.as_of)
    return query.gists and not any(narrowed)


def stand_in(db: sqlite3.Connection, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits, those that a gist stands for in its place. O(hits)."""
    if gists.is_empty(db):
        return tuple(hits)
    of = gists.whole_of(db, [hit.memory.id for hit in hits])
    members: dict[int, list[Hit]] = {}
    for hit in hits:
        if hit.memory.id in of:
            members.setdefault(of[hit.memory.id], []).append(hit)
    standing = [gist for gist, theirs in members.items() if len(theirs) >= TOGETHER]
    read = dict(zip(standing, gists.read(db, standing), strict=True))
    found: list[Hit] = []
    for hit in hits:
        gist = of.get(hit.memory.id)
        if gist not in read:
            found.append(hit)
        elif hit is members[gist][0]:
            found.append(_hit(read[gist], members[gist]))
    return tuple(found)


def within(hits: Sequence[Hit], budget: int, count: Callable[[str], int]) -> tuple[Hit, ...]:
    """The best hits whose passages fit into a budget of tokens together; one that is too long makes way for others."""
    left = budget
    found = []
    for hit in hits:
        tokens = count(hit.excerpt.text)
        if tokens <= left:
            found.append(hit)
            left -= tokens
    return tuple(found)


def as_memory(gist: Gist) -> StoredMemory:
    """A gist as the memory that it is: of kind `gist`, its text the quoted sentences, a line each."""
    return StoredMemory(
        id=gist.id,
        text="\n".join(quote.text for quote in gist.quotes),
        kind=KIND,
        scope=gist.scope,
        tags=(),
        source=Source(via="memd"),
        recorded_at=gist.made_at,
        event_at=None,
        episode=None,
        position=None,
        said=1,
        said_at=gist.made_at,
        forgotten_at=None,
        passages=0,
        encoded=0,
        members=gist.members,
    )


def _hit(gist: Gist, members: Sequence[Hit]) -> Hit:
    memory = as_memory(gist)
    return msgspec.structs.replace(members[0], memory=memory, excerpt=Excerpt(0, len(memory.text), memory.text))
