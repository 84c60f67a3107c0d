"""Full codes of passages, kept in memory as far as a budget goes, read from the store beyond it.

A pooled vector is kept as the store has it: float32, or a code of fewer bits, which its length tells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.quantize import codes
from memd.quantize.rotation import rotation

BUDGET = 320 << 20  # bytes; 100,000 passages of 30 tokens take 290 MB at 384 dimensions

_OVERHEAD = 150  # bytes Python and its allocator add to a code, with its entry

_ALL = """
SELECT t.passage, v.code, t.code FROM token_code AS t CROSS JOIN vector AS v ON v.passage = t.passage
WHERE t.encoder = ? AND v.bits > 0 ORDER BY t.passage
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
        self._seed = 0
        self.mixed = False  # whether a code of fewer bits was ever read

    def fill(self, db: sqlite3.Connection, encoder: int | None, dimension: int) -> None:
        """Start afresh with an encoder's codes, until the budget is spent. O(bytes)."""
        self._pooled, self._tokens, self._size, self._dimension = {}, {}, 0, dimension
        self._seed = int(db.execute("SELECT value FROM meta WHERE key = 'seed'").fetchone()[0])
        for passage, pooled, tokens in db.execute(_ALL, (encoder,)):
            if not (self._keep(self._pooled, passage, pooled) and self._keep(self._tokens, passage, tokens)):
                break

    def drop(self, passages: Iterable[int]) -> None:
        """Forget the codes of passages that changed."""
        for passage in passages:
            for kept in (self._pooled, self._tokens):
                if (code := kept.pop(passage, None)) is not None:
                    self._size -= len(code) + _OVERHEAD

    def pooled(
        self, db: sqlite3.Connection, passages: Sequence[int], packed: Callable[[], NDArray[np.uint8]]
    ) -> NDArray[np.float32]:
        """The pooled vectors of encoded passages, float32 [n, d], in the order given.

        In the place of one that is kept in fewer bits stands the row whose inner product with a query is the
        unbiased estimate (`memd.quantize.codes.decode`). O(n·d), O(d²) for each of those, a look-up for each not kept.

        Args:
            packed: gives the signs of all of them, uint8 [n, d/8]; asked where one is kept in fewer bits.
        """
        kept = self._read(db, _POOLED, self._pooled, passages)
        whole = b"".join(kept)
        if len(whole) == 4 * self._dimension * len(kept):  # no code is as long as a vector
            return np.frombuffer(whole, "<f4").reshape(-1, self._dimension)
        return self._decoded(kept, packed())

    def fidelity(
        self, db: sqlite3.Connection, passages: Sequence[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Of encoded passages: at how many bits each pooled vector is kept, and its ρ, 1 for float32: [n] each."""
        kept = self._read(db, _POOLED, self._pooled, passages)
        bits = np.full(len(kept), 32)
        rho = np.ones(len(kept), np.float32)
        for place, each in self._coded(kept):
            bits[place] = each
            rho[place] = np.frombuffer(kept[place], "<f4", 2)[1]
        return bits, rho

    def _coded(self, kept: Sequence[bytes]) -> list[tuple[int, int]]:
        """The places of codes, with their bits."""
        whole = 4 * self._dimension
        lengths = {codes.width(bits, self._dimension): bits for bits in codes.BITS}
        return [(place, lengths[len(code)]) for place, code in enumerate(kept) if len(code) != whole]

    def _decoded(self, kept: Sequence[bytes], packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.empty((len(kept), self._dimension), np.float32)
        bits = np.full(len(kept), 32)
        for place, each in self._coded(kept):
            bits[place] = each
        turn = rotation(self._seed, self._dimension)
        self.mixed = True
        for each in np.unique(bits).tolist():
            places = np.flatnonzero(bits == each)
            part = [kept[place] for place in places.tolist()]
            if each == 32:
                rows[places] = np.frombuffer(b"".join(part), "<f4").reshape(-1, self._dimension)
            else:
                rows[places] = codes.decode(codes.from_bytes(part, each, self._dimension), packed[places], turn)
        return rows

    def tokens(self, db: sqlite3.Connection, passages: Sequence[int]) -> NDArray[np.uint8]:
        """The token signs of encoded passages, [t, d/8], in the order given. O(t·d/8), a look-up for each not kept."""
        whole = b"".join(self._read(db, _TOKENS, self._tokens, passages))
        return np.frombuffer(whole, np.uint8).reshape(-1, self._dimension // 8)

    def _read(self, db: sqlite3.Connection, sql: str, kept: dict[int, bytes], passages: Sequence[int]) -> list[bytes]:
        if missing := [passage for passage in passages if passage not in kept]:
            read: dict[int, bytes] = dict(db.execute(sql, (json.dumps(missing),)))
            for passage, code in read.items():
                self._keep(kept, passage, code)
            kept = read | {passage: kept[passage] for passage in passages if passage in kept}  # some may not fit
        return list(map(kept.__getitem__, passages))

    def _keep(self, kept: dict[int, bytes], passage: int, code: bytes) -> bool:
        if self._size + len(code) + _OVERHEAD > self._budget:
            return False
        kept[passage] = code
        self._size += len(code) + _OVERHEAD
        return True
