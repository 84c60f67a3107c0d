"""Tiers: at which precision a memory's vectors are kept, by its retention.

A memory falls from tier to tier as its retention does, and comes back to active at once when it is used. Nothing in
between rises, and it falls a little later than the bound says, so that a memory near a bound doesn't flap.
"""

from __future__ import annotations

import math
from typing import NamedTuple

NAMES = {32: "active", 8: "warm", 4: "cool", 1: "cold", 0: "dormant"}
ACTIVE, WARM, COOL, COLD, DORMANT = NAMES  # bits a coordinate
ORDER = tuple(NAMES)
# The least retention of each tier. 8 bits rank as float32 does but for one in a thousand, so what nobody uses has more
# for a working day only. 1 bit is a thirtieth of the bytes and ranks as well among its like, so the last vector is
# given up only when nobody can be expected to ask: an ordinary memory's after ten years without a use. Questions about
# a history of seven years go to all of it: without vectors for its older half, recall lost 2.8 points of R@10.
LEAST = {ACTIVE: 0.995, WARM: 0.5, COOL: 0.05, COLD: 1e-25}
SLACK = 0.1  # a memory falls when t/S has gone that share beyond the bound
_SPANS = {tier: -math.log(least) * (1 + SLACK) for tier, least in LEAST.items()} | {DORMANT: math.inf}  # of t/S


class Fall(NamedTuple):
    """The next fall of a memory: to which tier, and how many days after its last use."""

    tier: int
    after: float


def steps(tier: int) -> int:
    """How many tiers below active."""
    return ORDER.index(tier)


def limit(tier: int, stability: float) -> float:
    """Days after the last use at which a memory leaves `tier`; infinite for dormant ones."""
    return _SPANS[tier] * stability


def tier_at(age: float, stability: float, current: int) -> int:
    """The tier, `age` days after the last use, of a memory that is in tier `current`: that, or one further down."""
    place = steps(current)
    while age >= limit(ORDER[place], stability):
        place += 1
    return ORDER[place]


def next_fall(tier: int, stability: float) -> Fall | None:
    """What comes next if nobody uses it; None for a dormant memory."""
    if tier == DORMANT:
        return None
    return Fall(ORDER[steps(tier) + 1], limit(tier, stability))
