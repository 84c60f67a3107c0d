"""From ranked slots to hits: the best passage of each memory, its text, its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd.model import Contribution, Excerpt, Hit, StoredMemory
from memd.recall.ranking import Scores, Slots


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

    def head(self, limit: int) -> Found:
        """The first `limit`."""
        return Found(self.places[:limit], self.slots[:limit], self.scores[:limit], self.relevance[:limit])


class Passage(NamedTuple):
    """A found passage: whose it is, and where in its text."""

    memory: StoredMemory
    excerpt: Excerpt


def passages(stored: Sequence[StoredMemory], starts: Iterable[int], stops: Iterable[int]) -> list[Passage]:
    """Passages by their memories and the characters [start, stop) of their texts."""
    return [
        Passage(memory, Excerpt(start, stop, memory.text[start:stop]))
        for memory, start, stop in zip(stored, starts, stops, strict=True)
    ]


def hits(
    passages: Sequence[Passage],
    found: Found,
    reasons: Sequence[tuple[Contribution, ...]] | None,
) -> tuple[Hit, ...]:
    """The hits; `reasons`, one for each, when they were asked for."""
    return tuple(
        Hit(
            passage.memory,
            passage.excerpt,
            round(float(found.scores[place]), 6),
            None if np.isnan(found.relevance[place]) else round(float(found.relevance[place]), 4),
            reasons[place] if reasons else (),
        )
        for place, passage in enumerate(passages)
    )
