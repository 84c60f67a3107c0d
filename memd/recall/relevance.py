"""How likely a hit is to answer, and when recall had better say nothing.

Two logistic models (Cox 1958) of things that don't grow with the store, fitted by `make calibrate`. A hit's relevance
goes by how well its tokens and its pooled vector match the query and how far it stands behind the best hit; whether
the store answers at all, by how near its nearest candidates come.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np
from pysqlite3 import dbapi2 as sqlite3

from memd.recall import lexical
from memd.recall.calibration import Calibration
from memd.recall.fusion import Fused
from memd.recall.ranking import Scores, Slots, Voice

# Added to the logit: who asks after one of those who talk here hardly asks of something else. Set by hand, odds of 5:
# nearly all questions about the chats name one and no others do, so that a fit would take it for certain.
_OF_A_SPEAKER = 1.6


def evidence(voices: Sequence[Voice], fused: Fused, totals: Scores, places: Slots) -> Scores:
    """What relevance is judged by, float64 [n, 3]: late score, pooled cosine, ln(total / highest total).

    NaN where the semantic channel has nothing to say of a place: it has no vector yet, or there is no encoder.
    """
    found = np.full((len(places), 3), np.nan)
    for column, name in enumerate(("late", "dense")):
        for speaker, ranks in zip(voices, fused.ranks, strict=True):
            if speaker.name == name:
                heard = ranks[places]
                found[heard > 0, column] = speaker.scores[heard[heard > 0] - 1]
    if len(places):
        found[:, 2] = np.log(np.maximum(totals[places], 1e-12) / max(float(totals.max()), 1e-12))
    return found


def probability(seen: Scores, numbers: Calibration) -> Scores:
    """float64 [n] in [0, 1]: the probability that a hit answers; NaN where the evidence is incomplete."""
    weights = np.array([numbers.relevance_late, numbers.relevance_dense, numbers.relevance_share])
    result: Scores = 1.0 / (1.0 + np.exp(-(numbers.relevance_bias + seen @ weights)))
    return result


def nearness(voices: Sequence[Voice]) -> tuple[float, float] | None:
    """The highest late score and pooled cosine of any candidate; None where the semantic channel is silent."""
    best = {speaker.name: float(speaker.scores[0]) for speaker in voices if len(speaker.scores)}
    return (best["late"], best["dense"]) if {"late", "dense"} <= best.keys() else None


def answerable(near: tuple[float, float], numbers: Calibration, *, of_a_speaker: bool = False) -> float:
    """The probability that a store whose nearest candidates are as near as this answers the query.

    Args:
        of_a_speaker: the query names one who talks with somebody in what was found.
    """
    late, dense = near
    logit = numbers.answerable_bias + numbers.answerable_late * late + numbers.answerable_dense * dense
    return 1.0 / (1.0 + exp(-(logit + of_a_speaker * _OF_A_SPEAKER)))


def holds_all_words(db: sqlite3.Connection, terms: Sequence[str], scopes: Sequence[int] | None) -> bool:
    """Whether some visible passage has every word of the query: who looks for words must find them."""
    if not terms:
        return False
    expression = lexical.match(terms, scopes, every=True)
    found = db.execute("SELECT 1 FROM passage_fts WHERE passage_fts MATCH ? LIMIT 1", (expression,)).fetchone()
    return found is not None
