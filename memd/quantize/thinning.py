"""Which tokens of a passage stay when its tier falls: the rarer ones, by which late interaction tells texts apart."""

from __future__ import annotations

import numpy as np

# The share of a passage's tokens that stays at so many bits. Tokens take most of the bytes: 50 each. Half of them rank
# as well as all, in whole stores and beside others that have all of theirs; below a third, passages rank too low beside
# those (a quarter: a point of R@10 and almost three of MRR lost, where half of the store is at 1 bit).
SHARES = {32: 1.0, 8: 0.5, 4: 0.5, 1: 0.35}


def thin(ids: bytes, tokens: bytes, kept: int, bits: int) -> tuple[bytes, bytes]:
    """The tokens that stay, in order.

    Rarity goes by the token's id: vocabularies of word pieces are written in the order of frequency (Schuster &
    Nakajima, ICASSP 2012), so nothing has to be counted. At least one stays, where there is one.

    Args:
        ids: little-endian uint16, of each token.
        tokens: as many bytes for each token, its signs.
        kept: the bits that the passage was kept in so far, 32 for all of its tokens.
        bits: those that it will be kept in.
    """
    numbers = np.frombuffer(ids, "<u2")
    count = max(1, int(np.ceil(len(numbers) * SHARES[bits] / SHARES[kept])))
    if len(numbers) <= count:
        return ids, tokens
    stays = np.sort(np.argsort(-numbers.astype(np.int32), kind="stable")[:count])
    rows = np.frombuffer(tokens, np.uint8).reshape(len(numbers), -1)
    return numbers[stays].tobytes(), rows[stays].tobytes()
