"""Weighted reciprocal rank fusion (after Cormack, Clarke & Büttcher, SIGIR 2009, with weights and a small k)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from memd.recall.ranking import Scores, Slots, Voice


class Fused(NamedTuple):
    """Fused scores.

    Attributes:
        slots: int64 [n], ascending.
        scores: float64 [n], Σ over voices of w / (k + rank).
        ranks: int64 [voices, n], from 1; 0 where the voice is silent.
    """

    slots: Slots
    scores: Scores
    ranks: Slots


def fuse(voices: Sequence[Voice], k: float, slots: Slots) -> Fused:
    """Fuse the voices over `slots` (ascending, distinct); what a voice ranks outside them is ignored.

    O(voices · n log n).
    """
    ranks = np.zeros((len(voices), len(slots)), dtype=np.int64)
    scores = np.zeros(len(slots))
    for row, speaker in zip(ranks, voices, strict=True):
        if not len(slots):
            continue
        places = np.minimum(np.searchsorted(slots, speaker.slots), len(slots) - 1)
        inside = slots[places] == speaker.slots
        places, heard = places[inside], np.flatnonzero(inside) + 1
        row[places] = heard
        scores[places] += share(speaker.weight, k, heard)
    return Fused(slots, scores, ranks)


def share(weight: float, k: float, ranks: Slots) -> Scores:
    """w / (k + rank), ranks from 1."""
    result: Scores = np.asarray(weight / (k + ranks), np.float64)
    return result
