"""The forecast: how probable it is that a memory is needed within the next 30 days, from its retention.

Need falls as a power of the time that was spent without it, where retention is exponential (Anderson & Schooler,
1991; a mixture of exponentials is a power law, Wixted 2004): with u = t/S = −ln R, the odds are LEVEL/√(u + SHORT).
A store whose uses are recorded corrects the level by what came of its own earlier forecasts.
"""

from __future__ import annotations

import math

WINDOW = 30.0  # days
LEVEL = 0.08  # odds of need at u = 1, R = e⁻¹
SHORT = 0.001  # u within which need doesn't rise any further
TRUST = 20.0  # a store's own record counts half when that many needs were expected of it


def needed(u: float, correction: float = 1.0) -> float:
    """The probability of being needed within `WINDOW` days, when −ln R is `u`; between 0 and 1, falling in u."""
    odds = correction * LEVEL / math.sqrt(max(0.0, u) + SHORT)
    return odds / (1.0 + odds)


def correction(expected: float, came: float) -> float:
    """What the odds are multiplied by, after `expected` needs were forecast and `came` needs came."""
    return (came + TRUST) / (expected + TRUST)
