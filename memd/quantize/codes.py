"""Codes of vectors at 8, 4 or 1 bit a coordinate, and unbiased scores over them. Pure functions on arrays.

Every vector's signs are kept anyway, for finding candidates (`memd.quantize.signs`); a code holds what they miss. With
v the unit vector of the signs of x, the rest x - ⟨x, v⟩v is rotated (`memd.quantize.rotation`), and each coordinate of
its direction becomes the number of the nearest of 2^bits levels (`memd.quantize.levels`). So the signs count as the
first bit of a code twice as good as one made beside them: a Gaussian source can be refined without loss (Equitz &
Cover, IEEE Trans. Inf. Theory 37, 1991).

x̂ = along·v + beyond·w, where w is the direction of the levels turned back, and the two weights make the estimate
unbiased: what w misses of the rest is equally likely to point in any direction at right angles to it, so ⟨q, w⟩ over
the cosine of w and the rest estimates ⟨q, rest⟩ without bias over rotations (Gao & Long, "RaBitQ", SIGMOD 2024,
arXiv:2405.12497, theorem 3.2; at several bits, Vargaftik et al., "EDEN", ICML 2022). Both weights are scaled alike so
that ⟨x, x̂⟩ = ⟨x, x⟩: ⟨q, x̂⟩ is the estimate as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd.quantize import signs
from memd.quantize.levels import levels

BITS = (8, 4, 1)
HEAD = 16  # bytes before a code: norm, ρ and the two weights, little-endian float32

_LEAST = np.float32(1e-12)
_BINS = 1 << 13  # of coordinates, where the nearest level is looked up
_REACH = 6.0  # standard deviations that the bins cover; no level lies beyond


class Coded(NamedTuple):
    """n vectors as codes; their signs stand elsewhere.

    Attributes:
        bits: of each coordinate.
        numbers: uint8 [n, ⌈d·bits/8⌉], the numbers of the levels, the first in the lowest bits.
        norm: float32 [n], of the vectors.
        rho: float32 [n], the cosine of each vector x to x̂; 1 for a vector of zeros, which its norm says all of.
        along, beyond: float32 [n], the weights of the signs and of the levels.
    """

    bits: int
    numbers: NDArray[np.uint8]
    norm: NDArray[np.float32]
    rho: NDArray[np.float32]
    along: NDArray[np.float32]
    beyond: NDArray[np.float32]


def width(bits: int, dimension: int) -> int:
    """Bytes of one code with what stands before it."""
    return HEAD + -(-dimension * bits // 8)


def encode(
    vectors: NDArray[np.float32],
    rotation: NDArray[np.float32],
    bits: int,
    packed: NDArray[np.uint8] | None = None,
) -> Coded:
    """The codes of vectors. O(n·d²), most of it the rotation.

    Args:
        vectors: float32 [n, d].
        rotation: float32 [d, d], orthogonal.
        bits: one of `BITS`.
        packed: the signs that decoding will have; None for the vectors' own.
    """
    dimension = vectors.shape[1]
    norm = np.linalg.norm(vectors, axis=1).astype(np.float32)
    units = vectors / np.maximum(norm, _LEAST)[:, None]
    towards = _signs(signs.pack(vectors) if packed is None else packed, dimension)
    along = _dots(units, towards)
    rest = (units - along[:, None] * towards) @ rotation
    length = np.linalg.norm(rest, axis=1)
    numbers = _nearest(rest * (np.sqrt(dimension) / np.maximum(length, _LEAST))[:, None].astype(np.float32), bits)
    found = _directions(numbers, bits)
    overlap = _dots(rest, found)
    beyond = np.where(overlap > _LEAST, length**2 / np.maximum(overlap, _LEAST), 0.0)
    # ⟨x, x̂⟩ and |x̂|² of the weights so far, for a unit x; `across` is how far from orthogonal w is to v.
    across = _dots(towards @ rotation, found)
    agreement = along**2 + beyond * (overlap + along * across)
    scale = np.where(norm > 0, 1.0 / np.where(agreement > _LEAST, agreement, 1.0), 0.0)
    span = np.sqrt(np.maximum(along**2 + beyond**2 + 2.0 * along * beyond * across, 0.0))
    rho = np.where((norm > 0) & (span > _LEAST), agreement / np.maximum(span, _LEAST), 1.0)
    weights = [(part * scale * norm).astype(np.float32) for part in (along, beyond)]
    return Coded(bits, _pack(numbers, bits), norm, np.minimum(rho, 1.0).astype(np.float32), *weights)


def decode(coded: Coded, packed: NDArray[np.uint8], rotation: NDArray[np.float32]) -> NDArray[np.float32]:
    """x̂, float32 [n, d]: its inner product with any vector estimates x's, without bias. O(n·d²).

    Args:
        packed: uint8 [n, ⌈d/8⌉], the signs of the vectors.
    """
    dimension = len(rotation)
    levelled = _directions(_unpack(coded.numbers, coded.bits, dimension), coded.bits) @ rotation.T
    return coded.along[:, None] * _signs(packed, dimension) + coded.beyond[:, None] * levelled


def coarser(coded: Coded, packed: NDArray[np.uint8], rotation: NDArray[np.float32], bits: int) -> Coded:
    """Codes of fewer bits, made from codes. O(n·d²).

    ρ is that to the vector itself, not to the finer code. A level is the mean of its cell, so what the finer code
    misses is uncorrelated with everything made from it, and the two cosines multiply.
    """
    fine = decode(coded, packed, rotation)
    made = encode(fine, rotation, bits, packed)
    # x̂ is longer than x by 1/ρ; its own direction is what the coarser code is measured against.
    longer = np.where(made.norm > 0, coded.norm / np.maximum(made.norm, _LEAST), 0.0) / np.maximum(coded.rho, _LEAST)
    weights = [(part * longer).astype(np.float32) for part in (made.along, made.beyond)]
    return Coded(bits, made.numbers, coded.norm, made.rho * coded.rho, *weights)


def scores(
    queries: NDArray[np.float32], coded: Coded, packed: NDArray[np.uint8], rotation: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unbiased estimates of inner products with unit queries, and their standard errors: float32 [m, n] each.

    For unit vectors s = ⟨q, x̂⟩/⟨x, x̂⟩ and se = √((1 - ρ²)/(ρ²(d - 1)))·√(1 - s²). The queries are rotated, not the
    codes: O(m·d² + m·n·d).

    Args:
        queries: float32 [m, d], unit rows.
        packed: uint8 [n, ⌈d/8⌉], the signs of the vectors.
    """
    dimension = len(rotation)
    levelled = _directions(_unpack(coded.numbers, coded.bits, dimension), coded.bits)
    found = coded.along * (queries @ _signs(packed, dimension).T) + coded.beyond * ((queries @ rotation) @ levelled.T)
    cosines = found / np.maximum(coded.norm, _LEAST)
    spread = np.sqrt(np.maximum(1.0 / coded.rho**2 - 1.0, 0.0) / max(dimension - 1, 1)) * coded.norm
    errors = spread * np.sqrt(np.maximum(1.0 - cosines**2, 0.0))
    return found.astype(np.float32, copy=False), errors.astype(np.float32, copy=False)


def to_bytes(coded: Coded) -> list[bytes]:
    """Each code with its norm, ρ and weights before it: `width` bytes."""
    rows = np.empty((len(coded.numbers), HEAD + coded.numbers.shape[1]), np.uint8)
    head = np.column_stack((coded.norm, coded.rho, coded.along, coded.beyond)).astype("<f4")
    rows[:, :HEAD] = np.ascontiguousarray(head).view(np.uint8).reshape(len(rows), HEAD)
    rows[:, HEAD:] = coded.numbers
    return [row.tobytes() for row in rows]


def from_bytes(rows: Sequence[bytes], bits: int, dimension: int) -> Coded:
    """What `to_bytes` wrote.

    Raises:
        ValueError: the rows aren't of this many bits and dimensions.
    """
    whole = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), width(bits, dimension))
    head = np.ascontiguousarray(whole[:, :HEAD]).view("<f4").astype(np.float32)
    return Coded(bits, whole[:, HEAD:], *np.ascontiguousarray(head.T))


def _dots(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inner products row by row."""
    result: NDArray[np.float32] = np.einsum("nd,nd->n", left, right)
    return result


def _signs(packed: NDArray[np.uint8], dimension: int) -> NDArray[np.float32]:
    """Signs as unit rows, float32 [n, d]."""
    rows: NDArray[np.float32] = signs.unpack(packed)[:, :dimension] * np.float32(1.0 / np.sqrt(dimension))
    return rows


def _directions(numbers: NDArray[np.uint8], bits: int) -> NDArray[np.float32]:
    """Unit rows from the numbers of levels."""
    dimension = numbers.shape[1]
    rows: NDArray[np.float32] = levels(bits, dimension).take(numbers)
    rows /= np.sqrt(_dots(rows, rows))[:, None]
    return rows


def _nearest(scaled: NDArray[np.float32], bits: int) -> NDArray[np.uint8]:
    """The number of the level nearest to each coordinate, by table: to within a bin, 1/680 of a standard deviation.

    Args:
        scaled: float32 [n, d], rows of length √d.
    """
    bins = (scaled + np.float32(_REACH)) * np.float32(_BINS / (2 * _REACH))
    np.clip(bins, 0, _BINS - 1, out=bins)
    return _bins(bits, scaled.shape[1]).take(bins.astype(np.uint16))


@cache
def _bins(bits: int, dimension: int) -> NDArray[np.uint8]:
    """The number of the level nearest to the middle of each bin."""
    table = levels(bits, dimension)
    middles = (np.arange(_BINS) + 0.5) * (2 * _REACH / _BINS) - _REACH
    return np.searchsorted((table[1:] + table[:-1]) / 2, middles).astype(np.uint8)


def _pack(numbers: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    if bits == 8:
        return numbers
    if bits == 1:
        return np.packbits(numbers, axis=1, bitorder="little")
    even = np.pad(numbers, ((0, 0), (0, numbers.shape[1] % 2)))
    packed: NDArray[np.uint8] = even[:, ::2] | (even[:, 1::2] << np.uint8(4))
    return packed


def _unpack(numbers: NDArray[np.uint8], bits: int, dimension: int) -> NDArray[np.uint8]:
    if bits == 8:
        return numbers
    if bits == 1:
        return np.unpackbits(numbers, axis=1, count=dimension, bitorder="little")
    halves = np.empty((len(numbers), 2 * numbers.shape[1]), np.uint8)
    halves[:, ::2], halves[:, 1::2] = numbers & 15, numbers >> 4
    return halves[:, :dimension]
