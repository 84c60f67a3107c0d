"""Full codes of passages, kept in memory as far as a budget goes, read from the store beyond it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

BUDGET = 320 << 20  # bytes; 100,000 passages of 30 tokens take 290 MB at 384 dimensions

_OVERHEAD = 300  # bytes Python and its allocator add to the two codes of a passage, with their entries

_ALL = """
SELECT t.passage, v.code, t.code FROM token_code AS t CROSS JOIN vector AS v ON v.passage = t.passage
WHERE t.encoder = ? ORDER BY t.passage
"""

# CROSS JOIN keeps SQLite to this order: each list entry looked up by its key, in the order of the list.
_SOME = """
SELECT wanted.value, v.code, t.code FROM json_each(?) AS wanted
    CROSS JOIN vector AS v ON v.passage = wanted.value CROSS JOIN token_code AS t ON t.passage = wanted.value
"""


class Codes(NamedTuple):
    """Full codes of passages: pooled float32 [n, d]; token signs uint8 [t, d/8], one passage's after the other's."""

    pooled: NDArray[np.float32]
    tokens: NDArray[np.uint8]


class CodeCache:
    """Codes by passage. What is kept is what the store has, so keeping it changes no answer.

    Args:
        budget: bytes kept at most.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._pooled: dict[int, bytes] = {}
        self._tokens: dict[int, bytes] = {}
        self._size, self._dimension = 0, 8  # before the first encoder there is nothing to be of any dimension

    def fill(self, db: sqlite3.Connection, encoder: int | None, dimension: int) -> None:
        """Start afresh with an encoder's codes, until the budget is spent. O(bytes)."""
        self._pooled, self._tokens, self._size, self._dimension = {}, {}, 0, dimension
        for row in db.execute(_ALL, (encoder,)):
            if not self._keep(*row):
                break

    def drop(self, passages: Iterable[int]) -> None:
        """Forget the codes of passages that changed."""
        for passage in passages:
            if passage in self._pooled:
                self._size -= len(self._pooled.pop(passage)) + len(self._tokens.pop(passage)) + _OVERHEAD

    def read(self, db: sqlite3.Connection, passages: Sequence[int]) -> Codes:
        """The codes of encoded passages, in the order given. O(their bytes), and a look-up for each that isn't kept."""
        pooled, tokens = self._pooled, self._tokens
        if missing := [passage for passage in passages if passage not in pooled]:
            rows = db.execute(_SOME, (json.dumps(missing),)).fetchall()
            for row in rows:
                self._keep(*row)
            if any(passage not in pooled for passage in missing):  # the budget is spent
                pooled = {row[0]: row[1] for row in rows} | {each: pooled[each] for each in passages if each in pooled}
                tokens = {row[0]: row[2] for row in rows} | {each: tokens[each] for each in passages if each in tokens}
        vectors = np.frombuffer(b"".join(map(pooled.__getitem__, passages)), "<f4")
        packed = np.frombuffer(b"".join(map(tokens.__getitem__, passages)), np.uint8)
        return Codes(vectors.reshape(-1, self._dimension), packed.reshape(-1, self._dimension // 8))

    def _keep(self, passage: int, pooled: bytes, tokens: bytes) -> bool:
        size = len(pooled) + len(tokens) + _OVERHEAD
        if self._size + size > self._budget:
            return False
        self._pooled[passage], self._tokens[passage] = pooled, tokens
        self._size += size
        return True
