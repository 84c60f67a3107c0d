"""Weighted reciprocal rank fusion (after Cormack, Clarke & Büttcher, SIGIR 2009, with weights and a small k)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from memd.recall.ranking import Scores, Slots, Voice, within


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
    ranks, scores = np.zeros((len(voices), len(slots)), dtype=np.int64), np.zeros(len(slots))
    if not voices:
        return Fused(slots, scores, ranks)
    # All voices at once: a recall has few candidates, and what it pays for is calls.
    said = np.concatenate([speaker.slots for speaker in voices])
    lengths = [len(speaker.slots) for speaker in voices]
    rows = np.repeat(np.arange(len(voices)), lengths)
    heard = np.concatenate([np.arange(1, length + 1) for length in lengths])
    places = within(slots, said)
    inside = places >= 0
    rows, heard, places = rows[inside], heard[inside], places[inside]
    ranks[rows, places] = heard
    weights = np.array([speaker.weight for speaker in voices])[rows]
    np.add.at(scores, places, share(weights, k, heard))
    return Fused(slots, scores, ranks)


def share(weight: float | Scores, k: float, ranks: Slots) -> Scores:
    """w / (k + rank), ranks from 1."""
    result: Scores = np.asarray(weight / (k + ranks), np.float64)
    return result
