"""Which of several copies of one content goes first: the better kept one, and it loses nobody a place.

Scores over codes are unbiased, so a copy in few bits outranks one in many as often as not, by chance. To push down what
is kept in few bits would cost relevant memories their places. So ranking goes by score alone, but where two candidates
are the same content within what their codes can tell, the better kept takes the better of their places.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NOISE = 1e-3  # by which two encodings of one text may differ
_SIGMAS = 5.0
_CHAIN = {1: 0.06}  # √(1 - ρ²) of the next finer tier, through which a code may have come; at 4 bits below _NOISE
_ROWS = 1024  # compared with all others at a time


class Copies(NamedTuple):
    """Groups of candidates with the same content.

    Attributes:
        places: int64 [k], the candidates, group after group, in each the best kept first.
        groups: int64 [k], ascending.
    """

    places: NDArray[np.int64]
    groups: NDArray[np.int64]


NO_COPIES = Copies(np.zeros(0, np.int64), np.zeros(0, np.int64))


def copies(vectors: NDArray[np.float32], bits: NDArray[np.int64], rho: NDArray[np.float32]) -> Copies:
    """The groups of two or more among n candidates that are kept in different numbers of bits. O(n²·d).

    Let u be a candidate's direction, as `memd.quantize.codes.decode` gives it, and j be kept in fewer bits than i. Then
    ⟨uᵢ, uⱼ⟩·ρᵢ/ρⱼ estimates the cosine of the contents, and where they are the same it is 1: what a code misses is
    uncorrelated with what is made from it. How far from 1 it may lie for copies, is what i's own code misses.

    Args:
        vectors: float32 [n, d], vectors and decoded codes.
        bits: int64 [n], 32 for vectors.
        rho: float32 [n], 1 for vectors.
    """
    if not len(bits) or bits.min() == bits.max():
        return NO_COPIES
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1), np.float32(1e-12))[:, None]
    better, worse = np.flatnonzero(bits > bits.min()), np.flatnonzero(bits < bits.max())
    missing = np.sqrt(np.maximum(1.0 - rho.astype(np.float64) ** 2, 0.0))
    came = np.array([_CHAIN.get(each, 0.0) for each in bits[worse].tolist()])
    across = missing[worse] * _SIGMAS / np.sqrt(max(vectors.shape[1] - 1, 1))
    pairs = []
    for start in range(0, len(better), _ROWS):
        part = better[start : start + _ROWS]
        cosines = (units[part] @ units[worse].T) * rho[part, None] / rho[worse]
        bound = _NOISE + np.maximum(missing[part, None], came) * across
        same = (np.abs(cosines - 1.0) <= bound) & (bits[part, None] > bits[worse])
        first, second = np.nonzero(same)
        pairs.append(np.column_stack((part[first], worse[second])))
    found = np.concatenate(pairs)
    return _grouped(found, bits) if len(found) else NO_COPIES


def _grouped(pairs: NDArray[np.int64], bits: NDArray[np.int64]) -> Copies:
    """Groups from pairs: each candidate joins the best kept, then first written, of those it is a copy of."""
    leader: dict[int, int] = {}
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -bits[pairs[:, 0]]))
    for first, second in pairs[order].tolist():
        if second not in leader:
            leader[second] = leader.setdefault(first, first)
    places = np.array(sorted(leader), np.int64)
    groups = np.array([leader[place] for place in places.tolist()], np.int64)
    order = np.lexsort((places, -bits[places], groups))
    return Copies(places[order], groups[order])


def preferred(scores: NDArray[np.float32], found: Copies) -> NDArray[np.float32]:
    """Scores float32 [n] with those of each group dealt out anew among it: the highest to the best kept. O(n log n)."""
    if not len(found.places):
        return scores
    within = scores[found.places]
    dealt = within[np.lexsort((-within, found.groups))]
    tied = (dealt[1:] == dealt[:-1]) & (found.groups[1:] == found.groups[:-1])
    if tied.any():  # a hair's breadth apart, so that the order of writing doesn't settle it
        starts = np.flatnonzero(np.append(True, found.groups[1:] != found.groups[:-1]))
        turn = np.arange(len(dealt)) - np.repeat(starts, np.diff(np.append(starts, len(dealt))))
        dealt = dealt - turn.astype(np.float32) * np.spacing(np.abs(dealt))
    result = scores.copy()
    result[found.places] = dealt
    return result
