"""Ids of memories: 13 characters, in the order of time, of which any unique beginning will do.

Crockford's base32 (no i, l, o, u): 9 characters hold 45 bits of milliseconds since 1970, 4 hold 20 random bits.
"""

from __future__ import annotations

import secrets
import threading

from memd.model import ID_LENGTH

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = ID_LENGTH
RANDOM_BITS = 20
_LOOKALIKE = str.maketrans("ilo", "110")


class IdMaker:
    """Makes ids that rise within this process, even within a millisecond or when the clock steps back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def make(self, now_ms: int) -> str:
        """An id for the moment `now_ms`. Another process may hit upon the same: the caller tries again."""
        with self._lock:
            fresh = (max(now_ms, 0) << RANDOM_BITS) | secrets.randbits(RANDOM_BITS)
            self._last = fresh if fresh > self._last else self._last + 1 + secrets.randbelow(1 << 8)
            return encode(self._last)


def encode(number: int) -> str:
    """`number` as 13 base32 digits, most significant first."""
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def normalize(prefix: str) -> str:
    """A typed prefix in the form ids have: lower-case, look-alikes read as Crockford does (o is 0; i and l are 1)."""
    return prefix.strip().lower().translate(_LOOKALIKE)


def time_of(id_: str) -> int | None:
    """When an id was made, milliseconds since 1970; None where it isn't one."""
    if len(id_) != LENGTH or not set(id_) <= set(ALPHABET):
        return None
    number = 0
    for digit in id_:
        number = number << 5 | ALPHABET.index(digit)
    return number >> RANDOM_BITS


def is_of(id_: str, at_ms: int) -> bool:
    """Whether an id may have been made at that moment, or for one of thousands of memories stored in it."""
    made = time_of(id_)
    return made is not None and abs(made - at_ms) < 1000
