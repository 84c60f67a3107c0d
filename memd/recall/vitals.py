"""How alive candidates are, as a gentle prior: what was used ranks a little higher, what has faded a little lower.

Silent, and without cost, where nothing was ever used and nothing has faded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.lifecycle import tiers
from memd.lifecycle.activation import prior
from memd.lifecycle.vitality import ages
from memd.recall.fusion import Fused
from memd.recall.ranking import Scores, Voice
from memd.store import uses
from memd.store.uses import Event


class Vitals:
    """The uses of memories that have any, and how many tiers below active each one is.

    One byte for each memory of the store, and the events of those that were used.
    """

    def __init__(self) -> None:
        self._steps: NDArray[np.int8] = np.zeros(0, np.int8)  # by seq; `_USED` is added where it was used
        self._events: dict[int, list[Event]] = {}
        self._any = False

    def refresh(self, db: sqlite3.Connection, changed: Sequence[int] | None) -> None:
        """Catch up with these memories (by seq); None reads all. O(changed), or O(memories)."""
        if changed is None:
            self._steps, self._events = np.zeros(0, np.int8), {}
        marked = uses.marked(db, changed)
        for memory in changed or ():
            self._events.pop(memory, None)
        self._grow(max([*(changed or ()), *(memory for memory, _, _ in marked)], default=-1) + 1)
        self._steps[list(changed or ())] = 0
        for memory, tier, used in marked:
            self._steps[memory] = tiers.steps(tier) + _USED * used
        self._events |= uses.history(db, [memory for memory, _, used in marked if used])
        self._any = bool(self._steps.any())

    def factors(self, memories: NDArray[np.int64], now_ms: int) -> Scores | None:
        """What the scores of candidates are multiplied by, float64 [n]; None where it is 1 for all of them."""
        if not self._any:
            return None
        marks = self._steps[np.minimum(memories, len(self._steps) - 1)]
        marks[memories >= len(self._steps)] = 0
        if not marks.any():
            return None
        factors = np.ones(len(memories))
        known: dict[int, float] = {}
        for place in np.flatnonzero(marks).tolist():
            memory = int(memories[place])
            if memory not in known:
                helped, useless = ages(self._events.get(memory, ()), now_ms)
                known[memory] = prior(helped, useless, int(marks[place]) % _USED)
            factors[place] = known[memory]
        return factors

    def _grow(self, room: int) -> None:
        if room > len(self._steps):
            grown = np.zeros(max(room, len(self._steps) * 5 // 4), np.int8)
            grown[: len(self._steps)] = self._steps
            self._steps = grown


_USED = 16
ALIKE = 0.03  # two candidates match alike whose scores differ by no more than that share in every voice
HEAD = 50  # of a ranking, within which those that match alike are put in order
_ABOVE = 1 + 1e-9


def lifted(fused: Fused, voices: Sequence[Voice], totals: Scores, alive: Scores) -> Scores:
    """What totals are multiplied by: how alive each is, and more where that puts it before others that match alike.

    Reciprocal rank sets even twins apart by a whole rank, which is more than the prior weighs. So of those whose
    scores say the same, the more alive goes first; nothing passes what matches better in any voice. O(HEAD²).
    """
    weighed = totals * alive
    head = np.argsort(-weighed, kind="stable")[:HEAD]
    scores = _scores(fused, voices, head)
    order: list[int] = []  # places in `head`
    for place in range(len(head)):
        before = [
            at
            for at, other in enumerate(order)
            if alive[head[other]] < alive[head[place]] and _alike(scores[:, other], scores[:, place])
        ]
        order.insert(before[0] if before else len(order), place)
    for above, below in zip(order[-2::-1], order[:0:-1], strict=True):
        weighed[head[above]] = max(weighed[head[above]], weighed[head[below]] * _ABOVE)
    return np.divide(weighed, totals, out=np.ones_like(totals), where=totals != 0)


def _scores(fused: Fused, voices: Sequence[Voice], places: NDArray[np.int64]) -> Scores:
    """The scores that the voices gave to places of the pool, float64 [voices, n]; 0 where a voice is silent."""
    ranks = fused.ranks[:, places]
    heard = [np.append(speaker.scores, 0.0) for speaker in voices]  # rank 0 reads the last one
    rows = [scores[row - 1] for row, scores in zip(ranks, heard, strict=True)]
    return np.array(rows).reshape(len(voices), len(places))


def _alike(one: Scores, other: Scores) -> bool:
    return bool((np.abs(one - other) <= ALIKE * np.maximum(np.abs(one), np.abs(other))).all())
