"""The vectors of memories as the store has them, at whatever precision, for what compares a few of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.quantize import codes
from memd.store import vectors
from memd.store.coarsening import rotation_of

_ROWS = f"""
SELECT v.bits, p.memory, v.code, p.id FROM json_each(?) AS wanted CROSS JOIN passage AS p ON p.memory = wanted.value
    CROSS JOIN vector AS v ON v.passage = p.id AND v.encoder = p.encoder AND v.bits > 0
WHERE +p.encoder = {vectors.CURRENT} ORDER BY v.bits, p.id
"""


def of_memories(db: sqlite3.Connection, memories: Iterable[int]) -> dict[int, NDArray[np.float32]]:
    """Unit vectors of these memories (by seq), float32 [d]: the mean of their passages'. Those without are left out."""
    rows = db.execute(_ROWS, (json.dumps(list(memories)),)).fetchall()
    sums: dict[int, NDArray[np.float32]] = {}
    for bits, group in groupby(rows, key=lambda row: int(row[0])):
        part = list(group)
        for (_, memory, *_), vector in zip(part, _decoded(db, bits, part), strict=True):
            unit = vector / max(float(np.linalg.norm(vector)), 1e-12)
            sums[memory] = sums[memory] + unit if memory in sums else unit
    return {memory: total / max(float(np.linalg.norm(total)), 1e-12) for memory, total in sums.items()}


def _decoded(db: sqlite3.Connection, bits: int, rows: list[tuple[int, int, bytes, int]]) -> NDArray[np.float32]:
    if bits == vectors.FLOAT_BITS:
        return np.frombuffer(b"".join(row[2] for row in rows), "<f4").reshape(len(rows), -1).astype(np.float32)
    # One look each: asked passage by passage, sqlite-vec answers from its index.
    kept = [db.execute("SELECT bits FROM passage_bits WHERE passage = ?", (row[3],)).fetchone()[0] for row in rows]
    packed = np.frombuffer(b"".join(kept), np.uint8).reshape(len(rows), -1)
    turn = rotation_of(db)
    return codes.decode(codes.from_bytes([row[2] for row in rows], bits, len(turn)), packed, turn)
