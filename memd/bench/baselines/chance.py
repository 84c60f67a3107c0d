"""Chance: a shuffle."""

from __future__ import annotations

import random

from memd.bench.collection import Collection, Question


class Chance:
    """Ranks at random; the same seed, collection and question give the same ranking."""

    size = 0

    def __init__(self, collection: Collection, seed: int) -> None:
        self._collection = collection
        self._seed = seed

    def rank(self, question: Question, limit: int) -> list[str]:
        """`limit` keys drawn without putting back. A longer ranking goes on where a shorter one ends."""
        keys = self._collection.keys
        drawn = random.Random(f"{self._seed}/{self._collection.name}/{question.key}")
        return [keys[place] for place in _shuffled(len(keys), min(limit, len(keys)), drawn)]


def _shuffled(count: int, length: int, drawn: random.Random) -> list[int]:
    """The first `length` of a shuffle of range(count), in O(length) (Fisher & Yates, with a sparse array)."""
    moved: dict[int, int] = {}
    shuffled = []
    for place in range(length):
        other = drawn.randrange(place, count)
        shuffled.append(moved.get(other, other))
        moved[other] = moved.get(place, place)
    return shuffled
