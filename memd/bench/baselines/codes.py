"""What the store's encoder made of every memory, read whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd.bench.stores import Stocked
from memd.store import vectors

_READ = """
SELECT m.id, v.code, t.code, t.ids
FROM passage AS p JOIN memory AS m ON m.seq = p.memory
    JOIN vector AS v ON v.passage = p.id AND v.encoder = :encoder AND v.bits = :bits
    JOIN token_code AS t ON t.passage = p.id AND t.encoder = :encoder
WHERE m.forgotten_at IS NULL ORDER BY m.seq, p.ordinal
"""


class Codes(NamedTuple):
    """Codes of n passages of m memories, in the order of storing.

    Attributes:
        keys: for each memory the collection's keys for it.
        first: int64 [m], the first passage of each memory.
        pooled: float32 [n, d], unit rows.
        signs: uint8 [t, d/8], the signs of all token vectors.
        ids: int64 [t], the tokens.
        starts: int64 [n], the first token of each passage.
    """

    keys: list[tuple[str, ...]]
    first: NDArray[np.int64]
    pooled: NDArray[np.float32]
    signs: NDArray[np.uint8]
    ids: NDArray[np.int64]
    starts: NDArray[np.int64]

    def ranked(self, scores: NDArray[np.float32], limit: int) -> list[str]:
        """Keys by the best passage of each memory; ties in the order of storing.

        Args:
            scores: float32 [n].
        """
        if not len(self.first):
            return []
        best = np.maximum.reduceat(scores, self.first)
        order = np.lexsort((np.arange(len(best)), -best))
        return [key for memory in order[:limit].tolist() for key in self.keys[memory]]


def read_codes(store: Stocked) -> Codes:
    """Read the codes of everything in the store."""
    with store.memory.store.reading() as db:
        encoder = vectors.current(db)
        rows = db.execute(_READ, {"encoder": encoder, "bits": vectors.FLOAT_BITS}).fetchall()
    rows = [row for row in rows if row[3]]  # a text without a token has no codes to compare
    owners = [row[0] for row in rows]
    first = [place for place, owner in enumerate(owners) if not place or owners[place - 1] != owner]
    width = len(rows[0][1]) // 4 if rows else 8
    counts = np.array([len(row[3]) // 2 for row in rows], np.int64)
    return Codes(
        keys=[store.keys.get(owners[place], ()) for place in first],
        first=np.array(first, np.int64),
        pooled=np.frombuffer(b"".join(row[1] for row in rows), "<f4").reshape(len(rows), width),
        signs=np.frombuffer(b"".join(row[2] for row in rows), np.uint8).reshape(-1, width // 8),
        ids=np.frombuffer(b"".join(row[3] for row in rows), "<u2").astype(np.int64),
        starts=np.cumsum(counts) - counts,
    )
