"""From ranked slots to hits: the best passage of each memory, its text, its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.model import Contribution, Excerpt, Hit, StoredMemory
from memd.recall.ranking import Scores, Slots

_PASSAGE = "SELECT m.id, p.start, p.stop FROM passage AS p JOIN memory AS m ON m.seq = p.memory WHERE p.id = ?"


class Found(NamedTuple):
    """Memories in the order of the answer: places in the pool, slots and scores of their best passages."""

    places: Slots
    slots: Slots
    scores: Scores


class Passage(NamedTuple):
    """A found passage: whose it is, and where in its text."""

    memory: str
    excerpt: Excerpt


def excerpts(db: sqlite3.Connection, passages: Sequence[int], stored: Mapping[str, StoredMemory]) -> list[Passage]:
    """The texts of passages, in order. `stored` holds their memories by id."""
    found = []
    for passage in passages:
        memory, start, stop = db.execute(_PASSAGE, (passage,)).fetchone()
        found.append(Passage(memory, Excerpt(start, stop, stored[memory].text[start:stop])))
    return found


def hits(
    found: Sequence[Passage],
    stored: Mapping[str, StoredMemory],
    scores: Scores,
    reasons: Sequence[tuple[Contribution, ...]] | None,
) -> tuple[Hit, ...]:
    """The hits; `reasons`, one for each, when they were asked for."""
    return tuple(
        Hit(stored[passage.memory], passage.excerpt, round(float(score), 6), reasons[place] if reasons else ())
        for place, (passage, score) in enumerate(zip(found, scores, strict=False))
    )
