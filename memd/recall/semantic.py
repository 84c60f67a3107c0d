"""The semantic channel: pooled vectors find candidates, late interaction over 1-bit token codes ranks them.

It speaks with three voices: `late`, `dense` (the pooled vector) and `surround` (the pooled vector with its
neighbours'). With an encoder that gives no token vectors the first is silent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.quantize import signs
from memd.recall.calibration import Calibration
from memd.recall.ranking import Slots, Voice, best, voice
from memd.recall.resident import Resident

if TYPE_CHECKING:
    from memd.encoder import Encoding

# The inner product of a unit vector with the signs of another, over √d, is √(2/π)·cos on average in high
# dimension; this undoes the factor, so that 1 is about the best a token can reach.
_SIGN_SCALE = float(np.sqrt(np.pi / 2.0))


# CROSS JOIN keeps SQLite to this order: each list entry looked up by its key, in the order of the list.
_CODES = """
SELECT v.code, t.code FROM json_each(?) AS wanted
    CROSS JOIN vector AS v ON v.passage = wanted.value CROSS JOIN token_code AS t ON t.passage = wanted.value
"""


class Question(NamedTuple):
    """An encoded query.

    Attributes:
        pooled: float32 [d], unit norm.
        tokens: float32 [q, d], unit rows.
        weights: float32 [q], summing to 1: how much each token counts.
    """

    pooled: NDArray[np.float32]
    tokens: NDArray[np.float32]
    weights: NDArray[np.float32]


def question(encoding: Encoding, stops: NDArray[np.bool_], resident: Resident, numbers: Calibration) -> Question:
    """Weigh the query's tokens by idf over the living passages, ln(1 + (n - df + ½)/(df + ½)).

    The formula is Robertson & Spärck Jones's (1976), as BM25 uses it, raised to `late_idf`.

    Args:
        stops: bool [q], tokens that are stop words or punctuation.
    """
    n = int(np.count_nonzero(resident.alive & resident.encoded))
    df = resident.token_df[encoding.ids].astype(np.float64)
    weights = np.log(1.0 + (np.maximum(n - df, 0) + 0.5) / (df + 0.5)) ** numbers.late_idf
    weights = np.where(stops, weights * numbers.late_stop, weights)
    total = weights.sum()
    return Question(encoding.pooled, encoding.tokens, (weights / total if total > 0 else weights).astype(np.float32))


class Likeness(NamedTuple):
    """Similarity of every slot's pooled signs to the query's, float32 [n]: alone, and with its neighbours'."""

    own: NDArray[np.float32]
    surround: NDArray[np.float32]


def likeness(asked: Question, resident: Resident, numbers: Calibration) -> Likeness:
    """Compare the query with every passage by signs. O(n·d/64)."""
    own = signs.similarity(resident.bits, signs.words(signs.pack(asked.pooled)), len(asked.pooled))
    own[~resident.encoded] = 0.0
    padded = np.append(own, np.float32(0.0))  # index -1, no neighbour, reads this
    return Likeness(own, own + np.float32(numbers.neighbour) * (padded[resident.before] + padded[resident.after]))


def candidates(like: Likeness, visible: NDArray[np.bool_], resident: Resident, depth: int) -> Slots:
    """The best `depth` visible encoded slots of each pooled voice, ascending."""
    allowed = visible & resident.encoded
    return np.union1d(best(like.own, depth, allowed), best(like.surround, depth, allowed))


def voices(
    db: sqlite3.Connection, asked: Question, pool: Slots, resident: Resident, numbers: Calibration
) -> list[Voice]:
    """Rank the pool by full codes: O(tokens of the pool and its neighbours · q · d).

    Args:
        pool: int64 [n], ascending; slots without a vector are left out.
    """
    pool = pool[resident.encoded[pool]]
    if not len(pool):
        return []
    before, after = resident.before[pool], resident.after[pool]
    read = np.unique(np.concatenate((pool, before[before >= 0], after[after >= 0])))
    read = read[resident.encoded[read]]
    codes = _read(db, resident.passage[read])
    place = np.full(len(resident) + 1, len(read))  # the last row of `padded` stands for no neighbour
    place[read] = np.arange(len(read))
    own, left, right = place[pool], place[before], place[after]

    pooled = np.append(codes.pooled @ asked.pooled, np.float32(0.0))
    surround = pooled[own] + numbers.neighbour * (pooled[left] + pooled[right])
    heard = [
        voice("semantic", numbers.dense, pool, pooled[own], "dense"),
        voice("semantic", numbers.surround, pool, surround, "surround"),
    ]
    if not len(codes.tokens):  # the encoder gives pooled vectors alone
        return heard
    matches = best_matches(codes, asked.tokens, numbers.late_power)
    matches = np.vstack((matches, np.zeros((1, matches.shape[1]), np.float32)))
    beside = numbers.late_neighbour * np.maximum(matches[left], matches[right])
    lengths = np.append(resident.length[read], 0)
    around = lengths[own] + lengths[left] + lengths[right]
    late = np.maximum(matches[own], beside) @ asked.weights - numbers.late_length * np.log(around)
    return [voice("semantic", numbers.late, pool, late, "late"), *heard]


class Codes(NamedTuple):
    """Full codes of passages: pooled float32 [n, d]; token signs uint8 [t, d/8], passage i's from starts[i]."""

    pooled: NDArray[np.float32]
    tokens: NDArray[np.uint8]
    starts: NDArray[np.int64]


def best_matches(codes: Codes, tokens: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    """Each query token's best match in each passage (MaxSim, Khattab & Zaharia 2020), float32 [n, q].

    Args:
        tokens: float32 [q, d], unit rows; the passages' tokens are signs.
        power: exponent of a match; matches below 0 count as 0.
    """
    scale = np.float32(_SIGN_SCALE / np.sqrt(tokens.shape[1]))
    products = signs.products(codes.tokens, tokens) * scale
    found = np.maximum.reduceat(products, codes.starts, axis=0)
    result: NDArray[np.float32] = np.maximum(found, 0.0) ** np.float32(power)
    return result


def _read(db: sqlite3.Connection, passages: NDArray[np.int64]) -> Codes:
    rows = db.execute(_CODES, (json.dumps(passages.tolist()),)).fetchall()
    pooled, tokens = [row[0] for row in rows], [row[1] for row in rows]
    vectors = np.frombuffer(b"".join(pooled), "<f4").reshape(len(pooled), -1)
    width = vectors.shape[1] // 8
    counts = np.array([len(code) // width for code in tokens])
    return Codes(
        vectors,
        np.frombuffer(b"".join(tokens), np.uint8).reshape(-1, width),
        np.concatenate(([0], np.cumsum(counts)[:-1])),
    )


def stop_tokens(encoding: Encoding, text: str, stop_words: Sequence[str] | frozenset[str]) -> NDArray[np.bool_]:
    """bool [q]: the token is (part of) a stop word, or has no letter or digit."""
    return np.array(
        [
            (piece := text[begin:stop].lower()) in stop_words or not any(map(str.isalnum, piece))
            for begin, stop in encoding.offsets.tolist()
        ],
        dtype=np.bool_,
    )
