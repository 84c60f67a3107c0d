"""Full codes of passages, kept in memory as far as a budget goes, read from the store beyond it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

BUDGET = 320 << 20  # bytes; 100,000 passages of 30 tokens take 290 MB at 384 dimensions

_OVERHEAD = 150  # bytes Python and its allocator add to a code, with its entry

_ALL = """
SELECT t.passage, v.code, t.code FROM token_code AS t CROSS JOIN vector AS v ON v.passage = t.passage
WHERE t.encoder = ? ORDER BY t.passage
"""

# CROSS JOIN keeps SQLite to this order: each list entry looked up by its key.
_POOLED = """
SELECT wanted.value, v.code FROM json_each(?) AS wanted CROSS JOIN vector AS v ON v.passage = wanted.value
"""
_TOKENS = """
SELECT wanted.value, t.code FROM json_each(?) AS wanted CROSS JOIN token_code AS t ON t.passage = wanted.value
"""


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
        for passage, pooled, tokens in db.execute(_ALL, (encoder,)):
            if not (self._keep(self._pooled, passage, pooled) and self._keep(self._tokens, passage, tokens)):
                break

    def drop(self, passages: Iterable[int]) -> None:
        """Forget the codes of passages that changed."""
        for passage in passages:
            for kept in (self._pooled, self._tokens):
                if (code := kept.pop(passage, None)) is not None:
                    self._size -= len(code) + _OVERHEAD

    def pooled(self, db: sqlite3.Connection, passages: Sequence[int]) -> NDArray[np.float32]:
        """The pooled vectors of encoded passages, [n, d], in the order given. O(n·d), a look-up for each not kept."""
        return np.frombuffer(self._read(db, _POOLED, self._pooled, passages), "<f4").reshape(-1, self._dimension)

    def tokens(self, db: sqlite3.Connection, passages: Sequence[int]) -> NDArray[np.uint8]:
        """The token signs of encoded passages, [t, d/8], in the order given. O(t·d/8), a look-up for each not kept."""
        return np.frombuffer(self._read(db, _TOKENS, self._tokens, passages), np.uint8).reshape(
            -1, self._dimension // 8
        )

    def _read(self, db: sqlite3.Connection, sql: str, kept: dict[int, bytes], passages: Sequence[int]) -> bytes:
        if missing := [passage for passage in passages if passage not in kept]:
            read: dict[int, bytes] = dict(db.execute(sql, (json.dumps(missing),)))
            for passage, code in read.items():
                self._keep(kept, passage, code)
            kept = read | {passage: kept[passage] for passage in passages if passage in kept}  # some may not fit
        return b"".join(map(kept.__getitem__, passages))

    def _keep(self, kept: dict[int, bytes], passage: int, code: bytes) -> bool:
        if self._size + len(code) + _OVERHEAD > self._budget:
            return False
        kept[passage] = code
        self._size += len(code) + _OVERHEAD
        return True
