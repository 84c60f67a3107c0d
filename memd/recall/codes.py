"""Full codes of passages, kept in memory as far as a budget goes, read from the store beyond it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

BUDGET = 320 << 20  # bytes; 100,000 passages of 30 tokens take 290 MB at 384 dimensions

_OVERHEAD = 2 * 49  # bytes Python and its allocator add to the two codes of a passage

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
    """Full codes of passages: pooled float32 [n, d]; token signs uint8 [t, d/8], passage i's from starts[i]."""

    pooled: NDArray[np.float32]
    tokens: NDArray[np.uint8]
    starts: NDArray[np.int64]


class CodeCache:
    """Codes by passage. What is kept is what the store has, so keeping it changes no answer.

    Args:
        budget: bytes kept at most.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._kept: dict[int, tuple[bytes, bytes]] = {}
        self._size = 0

    def fill(self, db: sqlite3.Connection, encoder: int | None) -> None:
        """Start afresh with an encoder's codes, until the budget is spent. O(bytes)."""
        self._kept, self._size = {}, 0
        for passage, pooled, tokens in db.execute(_ALL, (encoder,)):
            if not self._keep(passage, (pooled, tokens)):
                break

    def drop(self, passages: Iterable[int]) -> None:
        """Forget the codes of passages that changed."""
        for passage in passages:
            if codes := self._kept.pop(passage, None):
                self._size -= _bytes(codes)

    def read(self, db: sqlite3.Connection, passages: Sequence[int]) -> Codes:
        """The codes of encoded passages, in the order given. O(their bytes), and a look-up for each that isn't kept."""
        if missing := [passage for passage in passages if passage not in self._kept]:
            found = {row[0]: row[1:] for row in db.execute(_SOME, (json.dumps(missing),))}
            for passage, codes in found.items():
                self._keep(passage, codes)
            return _join([self._kept.get(passage) or found[passage] for passage in passages])
        return _join([self._kept[passage] for passage in passages])

    def _keep(self, passage: int, codes: tuple[bytes, bytes]) -> bool:
        if self._size + _bytes(codes) > self._budget:
            return False
        self._kept[passage] = codes
        self._size += _bytes(codes)
        return True


def _bytes(codes: tuple[bytes, bytes]) -> int:
    return len(codes[0]) + len(codes[1]) + _OVERHEAD


def _join(codes: Sequence[tuple[bytes, bytes]]) -> Codes:
    pooled = np.frombuffer(b"".join([each[0] for each in codes]), "<f4").reshape(len(codes), -1)
    width = pooled.shape[1] // 8
    ends = np.cumsum([len(each[1]) for each in codes]) // width
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1]
    return Codes(pooled, np.frombuffer(b"".join([each[1] for each in codes]), np.uint8).reshape(-1, width), starts)
