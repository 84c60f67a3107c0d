"""The protocols: what a ranking is at each level, and how a question is put to a ranker.

They are fixed. A figure is comparable with another only where both come from here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

from memd.bench.collection import Collection, Question
from memd.bench.metrics import DEPTH, figures
from memd.bench.rankers import Ranker
from memd.errors import BadInput

Level = Literal["turn", "session"]

GROUPS_NEEDED = 10  # sessions that must appear in a ranking at session level
DEEPEST = 1000  # memories that a recall may be asked for


class Answer(NamedTuple):
    """One ranker's answer to one question.

    Attributes:
        ranking: keys of memories, or at session level of their groups, the best first.
        found_by: the memory that placed each of `ranking`: itself, or the first of its group.
        ms: how long the first ranking took.
    """

    ranking: list[str]
    found_by: list[str]
    ms: float


class Target(NamedTuple):
    """What a question looks for at a level: keys, and their grades where the data has them."""

    gold: tuple[str, ...]
    grades: tuple[float, ...]


class Protocol:
    """Asks the questions of one collection at one level.

    Raises:
        BadInput: the level is session and the collection has none.
    """

    def __init__(self, collection: Collection, level: Level) -> None:
        if level == "session" and not collection.groups:
            raise BadInput(f"{collection.name} has no sessions.", "Use --level turn.")
        self._level = level
        self._needed = min(GROUPS_NEEDED, len(set(collection.groups)))
        self._group = dict(zip(collection.keys, collection.groups, strict=True)) if level == "session" else {}

    def target(self, question: Question) -> Target:
        """What counts as found. Its `gold` is empty where the data names nothing at this level."""
        if self._level == "turn":
            return Target(question.gold, question.grades)
        return Target(question.groups or tuple(dict.fromkeys(self._group[key] for key in question.gold)), ())

    def ask(self, ranker: Ranker, question: Question) -> Answer:
        """Rank at depth `DEPTH`; at session level deeper, until `GROUPS_NEEDED` sessions appear or none is left."""
        started = time.perf_counter()
        keys = ranker.rank(question, DEPTH)
        ms = (time.perf_counter() - started) * 1000
        keys = [key for key in keys if key != question.itself]
        if self._level == "turn":
            return Answer(keys[:DEPTH], keys[:DEPTH], ms)
        limit = DEPTH
        while len(first := self._first_of_groups(keys)) < self._needed and len(keys) >= limit and limit < DEEPEST:
            limit = min(2 * limit, DEEPEST)
            keys = ranker.rank(question, limit)
        return Answer(list(first)[:DEPTH], list(first.values())[:DEPTH], ms)

    def _first_of_groups(self, keys: Sequence[str]) -> dict[str, str]:
        """Group → its best key, groups in the order of those."""
        first: dict[str, str] = {}
        for key in keys:
            first.setdefault(self._group[key], key)
        return first


def judge(answer: Answer, target: Target) -> dict[str, float]:
    """The figures of an answer, shares in [0, 1]."""
    return figures(answer.ranking, target.gold, target.grades)
