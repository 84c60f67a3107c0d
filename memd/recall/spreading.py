"""Spreading activation: from the head of the fused list, through episodes, to the episodes' own best passages.

After Anderson's account of associative activation (ACT-R): a passage gains in proportion to how active its
episode is and to how well it answers by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memd.recall.calibration import Calibration
from memd.recall.ranking import Scores, Slots
from memd.recall.resident import Resident

HEAD = 100  # fused candidates that activate their episodes


def gains(slots: Slots, scores: Scores, speakers: Sequence[int], resident: Resident, numbers: Calibration) -> Scores:
    """What each candidate gains (or loses), float64 [n], in proportion to its own score.

    Activation comes from the most active episodes, from the question that a passage replies to, and from the
    speaker that the query names; a passage that only asks passes on what it has.

    Args:
        slots: int64 [n].
        scores: float64 [n], fused.
        speakers: those that the query names.
    """
    before = resident.before[slots]
    form = 1.0 + numbers.reply * (resident.asks[before] & (before >= 0)) - numbers.question * resident.asks[slots]
    if speakers:
        form += numbers.speaker * np.isin(resident.speaker[slots], speakers)
    active = 1.0 + numbers.episode * _episodes(slots, scores, resident, numbers.episode_hits)
    result: Scores = (active * form - 1.0) * scores
    return result


def _episodes(slots: Slots, scores: Scores, resident: Resident, hits: int) -> Scores:
    """The activation of each candidate's episode over the highest, float64 [n] in [0, 1]; 0 in no episode.

    An episode's activation is the sum of its `hits` best scores in the head of the list.
    """
    episode = resident.episode[slots]
    order = np.argsort(-scores, kind="stable")[:HEAD]
    activation: dict[int, list[float]] = {}
    for key, score in zip(episode[order].tolist(), scores[order].tolist(), strict=True):
        if key:
            activation.setdefault(key, []).append(score)
    totals = {key: sum(values[:hits]) for key, values in activation.items()}
    highest = max(totals.values(), default=0.0)
    if not highest:
        return np.zeros(len(slots))
    return np.array([totals.get(key, 0.0) / highest for key in episode.tolist()])
