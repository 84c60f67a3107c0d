"""What channels hand to fusion: ranked slots."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd.model import Channel

Slots = NDArray[np.int64]
Scores = NDArray[np.float64]


class Voice(NamedTuple):
    """One ranking. A channel speaks with one voice or several.

    Attributes:
        channel: whose voice it is.
        weight: its weight in fusion.
        slots: int64 [n], best first, each once.
        scores: float64 [n], falling.
        name: tells the voices of a channel apart.
    """

    channel: Channel
    weight: float
    slots: Slots
    scores: Scores
    name: str = ""


def voice(channel: Channel, weight: float, slots: Slots, scores: Scores, name: str = "") -> Voice:
    """Rank `slots`, ascending, by falling score; ties by slot, which is the order of writing."""
    order = np.argsort(-scores, kind="stable")
    return Voice(channel, weight, slots[order], scores[order].astype(np.float64), name)


def best(scores: NDArray[np.float32], depth: int, among: Slots | None = None) -> Slots:
    """The slots of the `depth` highest scores, of all or among some (ascending), in any order. O(n)."""
    if among is not None:
        return among[best(scores[among], depth)]
    if len(scores) <= depth:
        return np.arange(len(scores))
    # Ties at the edge fall by slot, not by how the selection happened to run.
    edge = np.partition(scores, len(scores) - depth)[len(scores) - depth]
    found = np.flatnonzero(scores >= edge)
    if len(found) > depth:
        above = scores[found] > edge
        found = np.concatenate((found[above], found[~above][: depth - np.count_nonzero(above)]))
    return found


def distinct(slots: Slots) -> Slots:
    """Each slot once, ascending. O(n log n)."""
    ascending = np.sort(slots)
    return ascending[begins(ascending)]


def begins(ascending: Slots) -> NDArray[np.bool_]:
    """bool [n]: where a run of equal ones begins."""
    result = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=result[1:])
    return result


def within(pool: Slots, slots: Slots) -> Slots:
    """The places of slots in the ascending pool; -1 for what isn't there."""
    if not len(pool):
        return np.full(len(slots), -1)
    places = np.minimum(np.searchsorted(pool, slots), len(pool) - 1)
    return np.where(pool[places] == slots, places, -1)
