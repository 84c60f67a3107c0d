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
from memd.quantize.matching import Groups, Matcher
from memd.quantize.preference import NO_COPIES, Copies, preferred
from memd.recall.calibration import Calibration
from memd.recall.ranking import Scores, Slots, Voice, best, voice, within
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
        stops: bool [q], tokens that are stop words.
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


class Sheet(NamedTuple):
    """Passages laid out for comparison, before the query's vectors are known.

    Attributes:
        slots: int64 [n], distinct, encoded.
        pooled: float32 [n, d].
        signs: those of their tokens, one group a passage.
    """

    slots: Slots
    pooled: NDArray[np.float32]
    signs: Groups


def lay_out(db: sqlite3.Connection, slots: Slots, resident: Resident) -> Sheet:
    """Lay out the encoded ones of `slots`. O(their tokens · d)."""
    return _sheet(db, resident.gather(slots, slots[:0])[0], resident)


class Heard(NamedTuple):
    """What the channel has to say of a pool.

    Attributes:
        voices: its rankings.
        matches: float32 [n, q], each query token's best match in each of the pool, weighted; zero where there is no
            vector, and [n, 0] by an encoder without token vectors.
        late: float64 [n], what the first voice is ranked by, not below 0; zero where `matches` is.
    """

    voices: list[Voice]
    matches: NDArray[np.float32]
    late: Scores


def hear(
    db: sqlite3.Connection,
    asked: Question,
    like: Likeness,
    pool: Slots,
    early: Sheet,
    resident: Resident,
    matcher: Matcher,
    numbers: Calibration,
) -> Heard:
    """Rank the pool by full codes: O(tokens of the pool · q · d).

    What stands beside a passage counts where it can matter: its pooled vector for the candidates nearest by signs,
    its tokens where it is a candidate itself. More costs twice the time and finds nothing more.

    Args:
        like: of every slot.
        pool: int64 [n], ascending; slots without a vector are left out.
        early: those of the pool that were known before the query was encoded.
    """
    encoded = resident.length[pool] > 0
    matches = np.zeros((len(pool), len(asked.tokens)), np.float32)
    late = np.zeros(len(pool))
    pool = pool[encoded]
    if not len(pool):
        return Heard([], matches, late)
    fresh, places = resident.gather(pool, early.slots)
    sheets = [sheet for sheet in (early, _sheet(db, fresh, resident)) if len(sheet.slots)]
    dense = np.concatenate([sheet.pooled @ asked.pooled for sheet in sheets])[places]
    same = _copies(db, pool, sheets, places, resident)
    heard = [
        voice("semantic", numbers.dense, pool, preferred(dense, same).astype(np.float64), "dense"),
        _surround(db, asked, like, pool, dense, resident, numbers),
    ]
    if not len(asked.tokens):  # the encoder gives pooled vectors alone
        return Heard(heard, matches, late)
    own = np.zeros((len(pool) + 1, len(asked.tokens)), np.float32)  # the last is that of none
    own[:-1] = best_matches([sheet.signs for sheet in sheets], asked, matcher, numbers)[places]
    left, right = within(pool, resident.before[pool]), within(pool, resident.after[pool])
    better = np.maximum(own.take(left, axis=0), own.take(right, axis=0)) * np.float32(numbers.late_neighbour)
    scores = np.maximum(own[:-1], better) @ asked.weights - np.float32(numbers.late_length) * _extent(pool, resident)
    matches[encoded] = own[:-1] * asked.weights
    scores = preferred(scores, same).astype(np.float64)
    late[encoded] = np.maximum(scores, 0.0)
    return Heard([voice("semantic", numbers.late, pool, scores, "late"), *heard], matches, late)


def _copies(
    db: sqlite3.Connection, pool: Slots, sheets: Sequence[Sheet], places: NDArray[np.int32], resident: Resident
) -> Copies:
    """Which of the pool are the same content, kept in different numbers of bits: none where all are float32."""
    if not resident.mixed:
        return NO_COPIES
    return resident.copies(db, pool, np.concatenate([sheet.pooled for sheet in sheets])[places])


def _surround(
    db: sqlite3.Connection,
    asked: Question,
    like: Likeness,
    pool: Slots,
    dense: NDArray[np.float32],
    resident: Resident,
    numbers: Calibration,
) -> Voice:
    """By their pooled vectors and their neighbours': those nearest by signs by full codes, the rest behind, by signs.

    Args:
        dense: float32 [n], cosines of the pool.
    """
    rough = like.surround[pool]
    near = np.sort(best(rough, numbers.dense_depth))
    slots = pool[near]
    beside, places = resident.gather(np.concatenate((resident.before[slots], resident.after[slots])), pool)
    known = np.concatenate((dense, resident.pooled(db, beside) @ asked.pooled, np.zeros(1, np.float32)))  # -1: none
    left, right = known[places].reshape(2, -1)
    exact = dense[near] + np.float32(numbers.neighbour) * (left + right)
    scores = rough + (exact.min() - rough.max())
    scores[near] = exact
    return voice("semantic", numbers.surround, pool, scores.astype(np.float64), "surround")


def best_matches(
    groups: Sequence[Groups], asked: Question, matcher: Matcher, numbers: Calibration
) -> NDArray[np.float32]:
    """Each query token's best match in each passage (MaxSim, Khattab & Zaharia 2020), float32 [n, q].

    To the power `late_power`; a match below 0 counts as 0.

    Args:
        groups: the signs of the passages' tokens.
    """
    scale = np.float32(_SIGN_SCALE / np.sqrt(asked.tokens.shape[1]))
    found = matcher.best(groups, asked.tokens) * scale
    result: NDArray[np.float32] = np.maximum(found, np.float32(0.0)) ** numbers.late_power
    return result


def _extent(pool: Slots, resident: Resident) -> NDArray[np.float32]:
    """ln of the tokens of each passage together with its neighbours': the more there are, the better one matches."""
    lengths = resident.length
    before, after = resident.before[pool], resident.after[pool]
    total = lengths[pool] + lengths[before] * (before >= 0) + lengths[after] * (after >= 0)
    result: NDArray[np.float32] = np.log(total, dtype=np.float32)
    return result


def _sheet(db: sqlite3.Connection, slots: Slots, resident: Resident) -> Sheet:
    lengths = resident.length[slots]
    signs = Groups(resident.token_codes(db, slots), np.cumsum(lengths) - lengths)
    return Sheet(slots, resident.pooled(db, slots), signs)


def stop_tokens(encoding: Encoding, text: str, stop_words: Sequence[str] | frozenset[str]) -> NDArray[np.bool_]:
    """bool [q]: the token is a stop word."""
    places = encoding.offsets.tolist()
    return np.array([text[begin:stop].lower() in stop_words for begin, stop in places], dtype=np.bool_)
