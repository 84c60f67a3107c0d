"""Spreading activation: from the head of the fused list, through episodes, to the episodes' own best passages.

After Anderson's account of associative activation (ACT-R): a passage gains in proportion to how active its
episode is and to how well it answers by itself; and, whatever it says itself, by how near its episode's best come.
Reciprocal ranks tell the first few apart: behind them it is the second that tells one episode from another. In talk,
what a question has goes on to the turn that replies to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from memd.recall.calibration import Calibration
from memd.recall.ranking import Scores, Slots, begins, within
from memd.recall.resident import Resident

HEAD = 100  # fused candidates that activate their episodes
LINKING = 10  # fused candidates whose notes' links are followed
_LINKED = 0.4  # how much of its score a passage gains that the best candidate links to, or that links to it
_CONTRAST = 4.0  # exponent of how well episodes answer as a whole: long ones all come near


def gains(
    slots: Slots,
    scores: Scores,
    matches: NDArray[np.float32],
    late: Scores,
    speakers: Sequence[int],
    resident: Resident,
    numbers: Calibration,
) -> Scores:
    """What each candidate gains (or loses), float64 [n].

    In proportion to its own score, by the activation of its episode, and what ends in a question loses; beside that,
    by how near its episode comes, by what the question passes on that it replies to, and as a turn of the speaker that
    the query names.

    Args:
        slots: int64 [n].
        scores: float64 [n], fused.
        matches: float32 [n, q], each query token's best match in each, weighted; q is 0 where that isn't known.
        late: float64 [n], late interaction with each, not below 0; 0 where that isn't known.
        speakers: those that the query names.
    """
    episodes = resident.episode[slots].astype(np.int64)
    if not episodes.any():
        return np.zeros(len(slots))
    after = resident.after[slots]
    last = (after < 0) | (resident.memory[after] != resident.memory[slots])
    form = 1.0 - numbers.question * (resident.asks[slots] & last & (episodes > 0))
    # A memory of no episode is one of its own: beside such, the only episode would else pass for the best there is.
    there = _Episodes.of(np.where(episodes > 0, episodes, -resident.memory[slots]))
    active = _over_highest(there.best(_in_the_head(scores), numbers.episode_hits))
    near = np.zeros(len(active))
    if matches.shape[1] and active.any():
        active += numbers.episode_whole * (there.as_a_whole(matches) - active)
        near = there.best(late, numbers.episode_hits) / max(numbers.episode_hits * late.max(), 1e-12)
    totals = (1.0 + numbers.episode * active[there.places]) * form * scores + numbers.episode_near * near[there.places]
    totals = _passed_on(slots, totals, resident, numbers)
    if speakers:
        totals += numbers.speaker * ((episodes > 0) & np.isin(resident.speaker[slots], speakers))
    return totals - scores


def _passed_on(slots: Slots, totals: Scores, resident: Resident, numbers: Calibration) -> Scores:
    """The totals, float64 [n], where each question has passed a share of its own on to what stands behind it."""
    before = resident.before[slots]
    replies = np.flatnonzero(resident.asks[before] & (resident.memory[before] != resident.memory[slots]))
    questions = within(slots, before[replies])  # -1 where there is none, or not among the candidates
    there = questions >= 0
    result = totals.copy()
    result[replies[there]] += numbers.reply * totals[questions[there]]
    return result


def along_links(slots: Slots, totals: Scores, edges: Sequence[tuple[int, int]], resident: Resident) -> Scores:
    """What each candidate gains, float64 [n], by a link between its note and one of the head's.

    Set by hand: none of the data that recall is measured on has links.

    Args:
        slots: int64 [n].
        totals: float64 [n].
        edges: pairs of memories (by seq), in either direction.
    """
    places: dict[int, list[int]] = {}
    for place, memory in enumerate(resident.memory[slots].tolist()):
        places.setdefault(memory, []).append(place)
    best = {memory: max(totals[each] for each in there) for memory, there in places.items()}
    gained = np.zeros(len(slots))
    highest = max(float(totals.max(initial=0.0)), 1e-12)
    for source, target in edges:
        for giver, taker in ((source, target), (target, source)):
            if giver in best and giver != taker:
                for place in places.get(taker, ()):
                    gained[place] = max(gained[place], _LINKED * best[giver] / highest * totals[place])
    return gained


def _in_the_head(scores: Scores) -> Scores:
    """The `HEAD` best scores; the others as 0."""
    result = np.zeros(len(scores))
    head = np.argsort(-scores, kind="stable")[:HEAD]
    result[head] = scores[head]
    return result


class _Episodes(NamedTuple):
    """The episodes of candidates.

    Attributes:
        places: int64 [n], which of the episodes each candidate is of.
        order: int64 [n], the candidates by episode.
        bounds: int64 [episodes + 1]: where in that order each begins, and the end.
    """

    places: Slots
    order: Slots
    bounds: Slots

    @classmethod
    def of(cls, keys: NDArray[np.int64]) -> Self:
        """By their candidates' keys, at least one. O(n log n)."""
        order = np.argsort(keys, kind="stable")
        first = begins(keys[order])
        places = np.empty(len(keys), np.int64)
        places[order] = np.cumsum(first) - 1
        return cls(places, order, np.append(np.flatnonzero(first), len(keys)))

    def best(self, scores: Scores, count: int) -> Scores:
        """The sum of the `count` best scores in each, float64 [episodes]. O(n log n)."""
        sums = np.zeros(len(scores) + 1)
        np.cumsum(scores[np.lexsort((-scores, self.places))], out=sums[1:])
        starts, ends = self.bounds[:-1], self.bounds[1:]
        result: Scores = sums[np.minimum(starts + count, ends)] - sums[starts]
        return result

    def as_a_whole(self, matches: NDArray[np.float32]) -> Scores:
        """How well each's candidates answer together, as `_over_highest` has it.

        It is late interaction once more, with the episode for a passage: each token's best match in any of them.
        """
        whole = np.maximum.reduceat(matches[self.order], self.bounds[:-1], axis=0).sum(axis=1)
        return _over_highest(whole) ** _CONTRAST


def _over_highest(values: NDArray[np.floating]) -> Scores:
    highest = values.max(initial=0.0)
    result: Scores = values / highest if highest > 0 else np.zeros(len(values))
    return result
