"""Late interaction (MaxSim, Khattab & Zaharia, SIGIR 2020) over one-bit token codes, over all passages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memd.bench.baselines.codes import Codes
from memd.bench.collection import Question
from memd.quantize import signs
from memd.text.words import STOP_WORDS

if TYPE_CHECKING:
    from memd.encoder import Encoder, Encoding

STOP_WEIGHT = 0.2  # of stop words, on their idf
_BLOCK = 1 << 15  # tokens unpacked at once


class Late:
    """Ranks by the mean, over the question's tokens by idf, of the best inner product with a passage's token.

    O(tokens of the store · tokens of the question · d).

    Attributes:
        size: bytes of the signs and of the token ids.
    """

    def __init__(self, codes: Codes, encoder: Encoder) -> None:
        self._codes = codes
        self._encoder = encoder
        self.size = codes.signs.nbytes + 2 * len(codes.ids)
        counts = np.diff(np.append(codes.starts, len(codes.ids)))
        owner = np.repeat(np.arange(len(counts)), counts)
        self._df = np.bincount(np.unique((owner << 16) | codes.ids) & 0xFFFF, minlength=1 << 16)
        self._blocks = list(_blocks(codes.starts, len(codes.ids)))

    def rank(self, question: Question, limit: int) -> list[str]:
        """All memories."""
        encoding = self._encoder.encode_query(question.text).without_marks(question.text)
        weights = self._weights(encoding, question.text)
        scores = [self._best(first, last, tokens, encoding.tokens) @ weights for first, last, tokens in self._blocks]
        return self._codes.ranked(np.concatenate([*scores, np.zeros(0, np.float32)]), limit)

    def _best(self, first: int, last: int, tokens: slice, asked: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [passages, q]: the best product of each of the question's tokens in passages [first, last)."""
        products = signs.unpack(self._codes.signs[tokens]) @ asked.T
        best: NDArray[np.float32] = np.maximum.reduceat(products, self._codes.starts[first:last] - tokens.start)
        return best

    def _weights(self, encoding: Encoding, text: str) -> NDArray[np.float32]:
        """float32 [q]: ln(1 + (n - df + ½)/(df + ½)), less for stop words."""
        df = self._df[encoding.ids]
        weights = np.log(1 + (len(self._codes.starts) - df + 0.5) / (df + 0.5))
        light = [text[begin:stop].lower() in STOP_WORDS for begin, stop in encoding.offsets.tolist()]
        result: NDArray[np.float32] = np.where(light, STOP_WEIGHT * weights, weights).astype(np.float32)
        return result


def _blocks(starts: NDArray[np.int64], tokens: int) -> Iterator[tuple[int, int, slice]]:
    """Runs of whole passages of about `_BLOCK` tokens: the first, the one after the last, their tokens."""
    first = 0
    while first < len(starts):
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + _BLOCK)))
        end = int(starts[last]) if last < len(starts) else tokens
        yield first, last, slice(int(starts[first]), end)
        first = last
