"""Which tokens of a passage stay when its tier falls: the rarer ones, by which late interaction tells texts apart."""

from __future__ import annotations

import numpy as np

# The share of a passage's tokens that stays at each tier.
SHARES = {8: 1.0, 4: 1.0, 1: 1.0}


def thin(ids: bytes, tokens: bytes, bits: int) -> tuple[bytes, bytes]:
    """The tokens that stay, in order.

    Rarity goes by the token's id: vocabularies of word pieces are written in the order of frequency (Schuster &
    Nakajima, ICASSP 2012), so nothing has to be counted. At least one stays, where there is one.

    Args:
        ids: little-endian uint16, of each token.
        tokens: as many bytes for each token, its signs.
        bits: the tier.
    """
    numbers = np.frombuffer(ids, "<u2")
    count = max(1, int(np.ceil(len(numbers) * SHARES[bits])))
    if len(numbers) <= count:
        return ids, tokens
    kept = np.sort(np.argsort(-numbers.astype(np.int32), kind="stable")[:count])
    rows = np.frombuffer(tokens, np.uint8).reshape(len(numbers), -1)
    return numbers[kept].tobytes(), rows[kept].tobytes()
