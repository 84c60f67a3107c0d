"""Reciprocal rank fusion (Cormack, Clarke & Büttcher, SIGIR 2009): Σ 1/(60 + rank), all rankings alike."""

from __future__ import annotations

from memd.bench.collection import Question
from memd.bench.rankers import Ranker

K = 60
DEPTH = 100  # ranks of each ranking that count; deeper where more is asked for


class ReciprocalRank:
    """Fuses rankers with equal weights.

    Attributes:
        size: what they need together, bytes.
    """

    def __init__(self, *rankers: Ranker) -> None:
        self._rankers = rankers
        self.size = sum(ranker.size for ranker in rankers)

    def rank(self, question: Question, limit: int) -> list[str]:
        """What any of them ranks; ties go to the one that the first of them ranks higher."""
        scores: dict[str, float] = {}
        for ranker in self._rankers:
            for rank, key in enumerate(ranker.rank(question, max(limit, DEPTH)), start=1):
                scores[key] = scores.get(key, 0.0) + 1 / (K + rank)
        return sorted(scores, key=lambda key: -scores[key])[:limit]
