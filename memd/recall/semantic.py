"""The semantic channel: pooled vectors find candidates, late interaction over 1-bit token codes ranks them.

It speaks with three voices: `late`, `dense` (the pooled vector) and `surround` (the pooled vector with its
neighbours'). With an encoder that gives no token vectors the first is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.quantize import signs
from memd.quantize.matching import Matcher
from memd.recall.calibration import Calibration
from memd.recall.codes import Codes
from memd.recall.ranking import Slots, Voice, best, voice
from memd.recall.resident import Resident, Visible

if TYPE_CHECKING:
    from memd.encoder import Encoding

# The inner product of a unit vector with the signs of another, over √d, is √(2/π)·cos on average in high
# dimension; this undoes the factor, so that 1 is about the best a token can reach.
_SIGN_SCALE = float(np.sqrt(np.pi / 2.0))


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
    n = resident.living
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
    padded = np.zeros(len(resident) + 1, np.float32)  # index -1, no neighbour, reads the last
    own = padded[:-1]
    signs.similarity(resident.bits, signs.words(signs.pack(asked.pooled)), len(asked.pooled), own)
    own *= resident.encoded
    return Likeness(own, own + np.float32(numbers.neighbour) * (padded[resident.before] + padded[resident.after]))


def candidates(like: Likeness, visible: Visible, depth: int) -> list[Slots]:
    """The best `depth` visible encoded slots of each pooled voice, in any order. O(n)."""
    return [best(like.own, depth, visible.encoded), best(like.surround, depth, visible.encoded)]


def voices(
    db: sqlite3.Connection, asked: Question, pool: Slots, resident: Resident, matcher: Matcher, numbers: Calibration
) -> list[Voice]:
    """Rank the pool by full codes: O(tokens of the pool and its neighbours · q · d).

    Args:
        pool: int64 [n], ascending; slots without a vector are left out.
    """
    pool = pool[resident.length[pool] > 0]
    if not len(pool):
        return []
    read, places = resident.gather(np.concatenate((pool, resident.before[pool], resident.after[pool])))
    own, left, right = places.reshape(3, -1)
    codes = resident.codes(db, read)
    # What is known of `read` gets one more row, of zeros: place -1, no neighbour, reads it.
    pooled = np.zeros(len(read) + 1, np.float32)
    np.matmul(codes.pooled, asked.pooled, out=pooled[:-1])
    dense = pooled[own]
    surround = dense + np.float32(numbers.neighbour) * (pooled[left] + pooled[right])
    heard = [
        voice("semantic", numbers.dense, pool, dense, "dense"),
        voice("semantic", numbers.surround, pool, surround, "surround"),
    ]
    if not len(codes.tokens):  # the encoder gives pooled vectors alone
        return heard
    matches = np.zeros((len(read) + 1, len(asked.tokens)), np.float32)
    matches[:-1] = best_matches(codes, asked.tokens, matcher, numbers.late_power)
    beside = np.maximum(matches.take(left, axis=0), matches.take(right, axis=0)) * np.float32(numbers.late_neighbour)
    lengths = np.zeros(len(read) + 1, np.float32)
    lengths[:-1] = resident.length[read]
    around = np.log(lengths[own] + lengths[left] + lengths[right])
    late = np.maximum(matches.take(own, axis=0), beside) @ asked.weights - np.float32(numbers.late_length) * around
    return [voice("semantic", numbers.late, pool, late, "late"), *heard]


def best_matches(codes: Codes, tokens: NDArray[np.float32], matcher: Matcher, power: float) -> NDArray[np.float32]:
    """Each query token's best match in each passage (MaxSim, Khattab & Zaharia 2020), float32 [n, q].

    Args:
        tokens: float32 [q, d], unit rows; the passages' tokens are signs.
        power: exponent of a match; matches below 0 count as 0.
    """
    scale = np.float32(_SIGN_SCALE / np.sqrt(tokens.shape[1]))
    found = matcher.best(codes.tokens, codes.starts, tokens) * scale
    result: NDArray[np.float32] = np.maximum(found, np.float32(0.0)) ** power
    return result


def stop_tokens(encoding: Encoding, text: str, stop_words: Sequence[str] | frozenset[str]) -> NDArray[np.bool_]:
    """bool [q]: the token is (part of) a stop word, or has no letter or digit."""
    return np.array(
        [
            (piece := text[begin:stop].lower()) in stop_words or not any(map(str.isalnum, piece))
            for begin, stop in encoding.offsets.tolist()
        ],
        dtype=np.bool_,
    )
