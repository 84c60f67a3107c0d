"""Spreading activation: from the head of the fused list, through episodes, to the episodes' own best passages.

After Anderson's account of associative activation (ACT-R): a passage gains in proportion to how active its
episode is and to how well it answers by itself.
"""

from __future__ import annotations

import numpy as np

from memd.recall.calibration import Calibration
from memd.recall.ranking import Scores, Slots
from memd.recall.resident import Resident

HEAD = 100  # fused candidates that activate their episodes


def gains(slots: Slots, scores: Scores, resident: Resident, numbers: Calibration) -> Scores:
    """What each candidate gains, float64 [n]: episode · (activation / the highest activation) · its own score.

    An episode's activation is the sum of its `episode_hits` best scores in the head of the list. A passage
    in no episode gains nothing.
    """
    episode = resident.episode[slots]
    order = np.argsort(-scores, kind="stable")[:HEAD]
    activation: dict[int, list[float]] = {}
    for key, score in zip(episode[order].tolist(), scores[order].tolist(), strict=True):
        if key:
            activation.setdefault(key, []).append(score)
    totals = {key: sum(values[: numbers.episode_hits]) for key, values in activation.items()}
    highest = max(totals.values(), default=0.0)
    if not highest:
        return np.zeros(len(slots))
    share = np.array([totals.get(key, 0.0) / highest for key in episode.tolist()])
    result: Scores = numbers.episode * share * scores
    return result
