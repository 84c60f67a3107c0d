"""Dense retrieval: the cosine of pooled vectors, each compared in full precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memd.bench.baselines.codes import Codes
from memd.bench.collection import Question

if TYPE_CHECKING:
    from memd.encoder import Encoder


class Dense:
    """Ranks by the cosine to the best passage. O(passages · d).

    Attributes:
        size: bytes of the float32 vectors.
    """

    def __init__(self, codes: Codes, encoder: Encoder) -> None:
        self._codes = codes
        self._encoder = encoder
        self.size = codes.pooled.nbytes

    def rank(self, question: Question, limit: int) -> list[str]:
        """All memories."""
        return self._codes.ranked(self._codes.pooled @ self._encoder.encode_query(question.text).pooled, limit)
