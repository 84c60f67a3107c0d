"""The entity channel: opens when the query names something that few passages mention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.recall.calibration import Calibration
from memd.recall.fusion import Fused
from memd.recall.ranking import Scores, Slots, Voice, within
from memd.recall.resident import Resident

# An entity in more passages than this share, or this number, says too little to be worth reading its mentions.
COMMON_SHARE = 0.05
COMMON_COUNT = 300


class Mentions(NamedTuple):
    """Passages that mention the query's entities.

    Attributes:
        slots: int64 [n], ascending.
        weights: float64 [n], summed idf.
        names: of the entities that some of them mention.
    """

    slots: Slots
    weights: Scores
    names: frozenset[str]

    def head(self, depth: int) -> Slots:
        """The `depth` weightiest."""
        return self.slots[np.argsort(-self.weights, kind="stable")[:depth]]


def mentions(db: sqlite3.Connection, names: Sequence[str], visible: NDArray[np.bool_], resident: Resident) -> Mentions:
    """Who mentions what the query names, each entity weighted by ln(n / mentions). O(mentions read)."""
    n = len(resident)
    found: dict[int, float] = {}
    heard: list[str] = []
    for name in names:
        rows = db.execute(
            "SELECT DISTINCT mention.passage FROM entity JOIN mention ON mention.entity = entity.id"
            " WHERE entity.name = ? LIMIT ?",
            (name, COMMON_COUNT + 1),
        ).fetchall()
        if not rows or len(rows) > min(COMMON_COUNT, max(3, COMMON_SHARE * n)):
            continue
        weight = float(np.log(max(n, 2) / len(rows)))
        seen = [slot for slot in resident.slots([row[0] for row in rows]).tolist() if visible[slot]]
        for slot in seen:
            found[slot] = found.get(slot, 0.0) + weight
        heard += [name] if seen else []
    slots = np.array(sorted(found), np.int64)
    return Mentions(slots, np.array([found[slot] for slot in slots.tolist()], np.float64), frozenset(heard))


def speak(who: Mentions, base: Fused, numbers: Calibration) -> Voice:
    """Rank those that mention the most and rarest; among equals, by what the words and vectors say of them."""
    places = within(base.slots, who.slots)
    there = places >= 0
    slots, weights, said = who.slots[there], who.weights[there], base.scores[places[there]]
    order = np.lexsort((slots, -said, -weights))
    return Voice("entity", numbers.entity, slots[order], weights[order])
