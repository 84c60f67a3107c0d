"""Bootstrap intervals over questions: how far a mean would move with other questions of the same kind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 5000
CONFIDENCE = 0.95
_BLOCK = 4_000_000  # numbers held at once

Matrix = NDArray[np.float64]


class Interval(NamedTuple):
    """Means of columns and their percentile intervals, each float64 [columns]."""

    mean: Matrix
    low: Matrix
    high: Matrix


def intervals(values: Matrix, seed: int, resamples: int = RESAMPLES) -> Interval:
    """Percentile bootstrap (Efron 1979) of the mean of every column, at `CONFIDENCE`.

    All columns are resampled together, so the interval of a difference of two columns is that of a paired
    comparison when the difference is made into a column of its own. O(resamples · questions · columns).

    Args:
        values: float64 [questions, columns], at least one question.
        seed: the same seed gives the same intervals.
    """
    count = len(values)
    random = np.random.default_rng(seed)
    equally = np.full(count, 1 / count)
    means = np.empty((resamples, values.shape[1]))
    step = max(1, _BLOCK // count)
    for start in range(0, resamples, step):
        # How often each question is drawn, instead of the draws themselves: a product then gives the means.
        drawn = random.multinomial(count, equally, size=min(step, resamples - start))
        means[start : start + len(drawn)] = drawn @ values / count
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, (tail, 1 - tail), axis=0)
    return Interval(values.mean(axis=0), low, high)
