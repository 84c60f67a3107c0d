"""One-bit codes: the signs of a vector's coordinates, eight to a byte, the first in the lowest bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Row b holds byte b's eight bits as -1 and +1: unpacking by table gives floats in one pass.
_BYTE_SIGNS = (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little") * 2.0 - 1.0).astype(
    np.float32
)

_PIECE = 8192  # columns compared at a time: 384 KiB at 384 dimensions, which the second-level cache holds


def pack(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Signs of float32 [..., d] as uint8 [..., d/8]; 0 counts as negative."""
    return np.packbits(vectors > 0, axis=-1, bitorder="little")


def unpack(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [n, d/8] as -1 and +1, float32 [n, d]."""
    return _BYTE_SIGNS.take(codes, axis=0).reshape(len(codes), codes.shape[1] * 8)


def bits(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [n, d/8] as 0 and 1, uint8 [n, d]."""
    return np.unpackbits(codes.reshape(-1), bitorder="little").reshape(-1, codes.shape[-1] * 8)


def words(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Codes uint8 [..., b] as whole words, uint64 [..., ⌈b/8⌉]; the bits that fill up the last one are 0."""
    spare = -codes.shape[-1] % 8
    if spare:
        codes = np.concatenate((codes, np.zeros((*codes.shape[:-1], spare), np.uint8)), axis=-1)
    return np.ascontiguousarray(codes).view("<u8")


def similarity(words: NDArray[np.uint64], query: NDArray[np.uint64], dimension: int, out: NDArray[np.float32]) -> None:
    """Agreement of signs, 1 - 2·hamming/d in [-1, 1], of each column of uint64 [⌈d/64⌉, n] with uint64 [⌈d/64⌉].

    The angle θ between two vectors makes a random coordinate's signs differ with probability θ/π, so this
    estimates 1 - 2θ/π (Charikar 2002), which falls as the cosine does. O(n·d/64).

    Args:
        out: float32 [n], where the agreements go.
    """
    for start in range(0, words.shape[1], _PIECE):
        piece = words[:, start : start + _PIECE] ^ query[:, None]
        differing = np.bitwise_count(piece).sum(axis=0, dtype=np.uint16)
        np.multiply(differing, np.float32(-2.0 / dimension), out=out[start : start + _PIECE])
    out += np.float32(1.0)
