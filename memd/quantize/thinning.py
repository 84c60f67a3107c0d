"""Which tokens of a passage stay when its tier falls: the rarer ones, by which late interaction tells texts apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# The share of a passage's tokens that stays at so many bits. Tokens take most of the bytes: 50 each. Two thirds of them
# rank about as well as all, beside others that have all of theirs; half of them cost half a point of every figure.
SHARES = {32: 1.0, 8: 0.65, 4: 0.65, 1: 0.45}


def thin(ids: Sequence[bytes], tokens: Sequence[bytes], kept: int, bits: int) -> list[tuple[bytes, bytes]]:
    """The tokens that stay of each passage, in order: their ids and signs. O(t log t) for t tokens of all passages.

    Rarity goes by the token's id: vocabularies of word pieces are written in the order of frequency (Schuster &
    Nakajima, ICASSP 2012), so nothing has to be counted. At least one stays, where there is one.

    Args:
        ids: of each passage: little-endian uint16, of each token.
        tokens: of each passage: as many bytes for each token, its signs; the same number everywhere.
        kept: the bits that the passages were kept in so far, 32 for all of their tokens.
        bits: those that they will be kept in.
    """
    numbers = np.frombuffer(b"".join(ids), "<u2")
    sizes = np.array([len(one) // 2 for one in ids], np.int64)
    counts = np.minimum(sizes, np.maximum(1, np.ceil(sizes * SHARES[bits] / SHARES[kept]).astype(np.int64)))
    owners = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((-numbers.astype(np.int32), owners))  # stable: of equals the first stay
    turn = np.arange(len(numbers)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    stays = np.zeros(len(numbers), np.bool_)
    stays[order[turn < counts[owners]]] = True
    signs = b"".join(tokens)
    width = len(signs) // max(1, len(numbers))
    rows = np.frombuffer(signs, np.uint8).reshape(len(numbers), width)
    left, codes = numbers[stays].tobytes(), rows[stays].tobytes()
    ends = np.cumsum(counts).tolist()
    places = zip([0, *ends][:-1], ends, strict=True)
    return [(left[2 * first : 2 * last], codes[width * first : width * last]) for first, last in places]
