"""Codes of fewer bits in the place of vectors and codes of more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.quantize import codes, thinning
from memd.quantize.rotation import rotation
from memd.store import vectors

# The + keeps SQLite from going through the passages of all memories by the index on encoder.
_FINER = f"""
SELECT v.bits, p.id, v.code, t.ids, t.code FROM json_each(:wanted) AS wanted
    CROSS JOIN passage AS p ON p.memory = wanted.value
    CROSS JOIN vector AS v ON v.passage = p.id AND v.encoder = p.encoder AND v.bits > :bits
    CROSS JOIN token_code AS t ON t.passage = p.id AND t.encoder = p.encoder
WHERE +p.encoder = {vectors.CURRENT} ORDER BY v.bits
"""


# Asked passage by passage, sqlite-vec answers from its index; the other way round it would scan.
_SIGNS = """
SELECT bits.bits FROM json_each(?) AS wanted CROSS JOIN passage_bits AS bits ON bits.passage = wanted.value
ORDER BY wanted.key
"""


def coarsen(db: sqlite3.Connection, wanted: str, bits: int) -> int:
    """Replace codes of more than `bits` by codes of `bits`, and return of how many passages.

    Args:
        wanted: seqs of memories, as a JSON list.
    """
    encoder = vectors.current(db)
    if encoder is None:
        return 0
    rows = db.execute(_FINER, {"wanted": wanted, "bits": bits}).fetchall()
    for kept, group in groupby(rows, key=lambda row: int(row[0])):
        part = sorted(_Kept(*row[1:]) for row in group)
        passages = [one.passage for one in part]
        made = codes.to_bytes(_coarser(db, kept, part, bits))
        _replace(db, "vector", [(passage, encoder, bits, code) for passage, code in zip(passages, made, strict=True)])
        thinned = thinning.thin([one.ids for one in part], [one.tokens for one in part], kept, bits)
        _replace(db, "token_code", [(passage, encoder, *left) for passage, left in zip(passages, thinned, strict=True)])
    return len(rows)


def _replace(db: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Delete rows, then insert them: a row that shrinks in place leaves its page as empty as it is, and there.

    Emptied pages are merged or freed.

    Args:
        rows: by passage, ascending, so that pages are filled one after the other.
    """
    passages = json.dumps([row[0] for row in rows])
    db.execute(f"DELETE FROM {table} WHERE passage IN (SELECT value FROM json_each(?))", (passages,))
    db.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)


class _Kept(NamedTuple):
    """What a passage has: its vector or code, its tokens' ids and signs."""

    passage: int
    code: bytes
    ids: bytes
    tokens: bytes


def _coarser(db: sqlite3.Connection, kept: int, part: Sequence[_Kept], bits: int) -> codes.Coded:
    """Codes of `bits` from vectors or codes of `kept`."""
    turn = rotation_of(db)
    if kept == vectors.FLOAT_BITS:
        whole = np.frombuffer(b"".join(one.code for one in part), "<f4").reshape(len(part), -1)
        return codes.encode(whole.astype(np.float32), turn, bits)
    signs = db.execute(_SIGNS, (json.dumps([one.passage for one in part]),)).fetchall()
    packed = np.frombuffer(b"".join(row[0] for row in signs), np.uint8).reshape(len(part), -1)
    fine = codes.from_bytes([one.code for one in part], kept, len(turn))
    return codes.coarser(fine, packed, turn, bits)


def rotation_of(db: sqlite3.Connection) -> NDArray[np.float32]:
    """The rotation that the store's codes are made with, in the current encoder's dimension: float32 [d, d]."""
    seed = int(db.execute("SELECT value FROM meta WHERE key = 'seed'").fetchone()[0])
    dimension = int(db.execute("SELECT dimension FROM encoder WHERE id = ?", (vectors.current(db),)).fetchone()[0])
    return rotation(seed, dimension)
