"""From ranked slots to hits: the best passage of each memory, its text, its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.model import Contribution, Excerpt, Hit, StoredMemory
from memd.recall.ranking import Scores, Slots

_PASSAGE = "SELECT m.id, p.start, p.stop FROM passage AS p JOIN memory AS m ON m.seq = p.memory WHERE p.id = ?"


class Found(NamedTuple):
    """Memories in the order of the answer: places in the pool, slots, scores and relevance of their best passages.

    A relevance that isn't known is NaN.
    """

    places: Slots
    slots: Slots
    scores: Scores
    relevance: Scores

    def select(self, chosen: NDArray[np.bool_]) -> Found:
        """Those that are chosen, bool [n]."""
        return Found(self.places[chosen], self.slots[chosen], self.scores[chosen], self.relevance[chosen])


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
    passages: Sequence[Passage],
    stored: Mapping[str, StoredMemory],
    found: Found,
    reasons: Sequence[tuple[Contribution, ...]] | None,
) -> tuple[Hit, ...]:
    """The hits; `reasons`, one for each, when they were asked for."""
    return tuple(
        Hit(
            stored[passage.memory],
            passage.excerpt,
            round(float(found.scores[place]), 6),
            None if np.isnan(found.relevance[place]) else round(float(found.relevance[place]), 4),
            reasons[place] if reasons else (),
        )
        for place, passage in enumerate(passages)
    )
