"""Activation: how strongly a memory's past speaks for it, by ACT-R's base level.

B = ln Σ tᵢ^−d over its uses, tᵢ days ago (Anderson & Schooler, "Reflections of the environment in memory",
Psychological Science 2, 1991). Here 1 + tᵢ, so that a use of this moment counts 1 and 0 is "used just now, once".
"""

from __future__ import annotations

import math
from collections.abc import Iterable

DECAY = 0.7  # d; on use traces of a code base 0.5 to 0.8 are within 0.002 AUC of each other
# The most that uses can add to a fused score, as a share of it, and what each tier below active takes. With reciprocal
# rank 1/(5 + rank), what is second in every channel has 6/7 of what is first in all of them: 6/7 · 1.1 < 0.96.
PRIOR = 0.1
STEP = 0.01


def activation(uses: Iterable[float], useless: Iterable[float] = (), head_start: float = 1.0) -> float:
    """ACT-R's base-level activation.

    Args:
        uses: days since each use, being recorded among them.
        useless: days since each verdict that it didn't help; they weigh against, and fade alike.
        head_start: how many times slower than an ordinary memory it fades, by kind and importance.

    Returns:
        ln Σ (1 + t)^−d, less ln(1 + Σ (1 + t)^−d) over `useless`, and d·ln(head_start).
    """
    return math.log(trace(uses)) - math.log1p(trace(useless)) + DECAY * math.log(head_start)


def trace(ages: Iterable[float]) -> float:
    """Σ (1 + t)^−d over ages in days; what is to come counts as of now. Exact whatever the order."""
    return math.fsum((1.0 + max(0.0, age)) ** -DECAY for age in ages)


def prior(uses: Iterable[float], useless: Iterable[float], steps: int) -> float:
    """What a fused score is multiplied by: 1 for a memory that was never used and hasn't faded.

    Args:
        uses: days since each use, without being recorded.
        useless: days since each verdict that it didn't help.
        steps: how many tiers below active it is.

    Returns:
        Between 1 − `PRIOR` − 4·`STEP` and 1 + `PRIOR`: enough to settle near ties, never a clearly better match.
    """
    balance = trace(uses) - trace(useless)
    return 1.0 + PRIOR * balance / (1.0 + abs(balance)) - STEP * steps
