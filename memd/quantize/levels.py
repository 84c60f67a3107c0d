"""The best levels for a coordinate of a random unit vector: a Lloyd–Max quantizer, computed, not measured.

A uniformly random unit vector's coordinate t in d dimensions has the density proportional to (1 - t²)^((d-3)/2) on
[-1, 1] (Fang, Kotz & Ng, Symmetric Multivariate and Related Distributions, 1990, §2.2), and √d·t tends to a standard
normal. The exact density is used here, not its limit. Lloyd–Max: each level is the mean of its cell, each cell's edge
lies half-way between two levels (Max, IRE Trans. Inf. Theory 6, 1960; Lloyd, IEEE Trans. Inf. Theory 28, 1982). Random
rotation with such levels is what TurboQuant does (Zandieh et al., arXiv:2504.19874).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

_GRID = 1 << 16  # points that the density is integrated on
_REACH = 9.0  # standard deviations beyond which nothing lies, to double precision
_ROUNDS = 4_000  # of Lloyd's iteration; from a start this good 8 bits settle within them
_SETTLED = 1e-9  # of a standard deviation


@cache
def levels(bits: int, dimension: int) -> NDArray[np.float32]:
    """The 2^bits levels, ascending and symmetric about 0, in standard deviations (1/√d): float32, read-only.

    Computed once a process for each kind: 0.1 s at 8 bits, less below.

    Args:
        bits: of a coordinate, 1 to 8.
        dimension: of the vectors. Below 3 the levels for 3 are used: the density has no peak there to fit.
    """
    table = _Density(max(dimension, 3))
    found = table.start(1 << bits)
    for _ in range(_ROUNDS):
        edges = (found[1:] + found[:-1]) / 2
        better = table.means(edges)
        better = (better - better[::-1]) / 2  # the density is even; rounding isn't
        moved = np.abs(better - found).max()
        found = better
        if moved < _SETTLED:
            break
    result = found.astype(np.float32)
    result.flags.writeable = False
    return result


class _Density:
    """The coordinate's density, scaled to variance 1, on a grid.

    Args:
        dimension: at least 3.
    """

    def __init__(self, dimension: int) -> None:
        reach = min(float(np.sqrt(dimension)), _REACH)
        self._at = np.linspace(-reach, reach, _GRID + 1)
        inside = np.maximum(1.0 - self._at**2 / dimension, 0.0)
        self._height = inside ** ((dimension - 3) / 2)
        self._mass = _integral(self._at, self._height)
        self._moment = _integral(self._at, self._at * self._height)

    def start(self, count: int) -> NDArray[np.float64]:
        """Levels as dense as the cube root of the density: the best for many (Panter & Dite, Proc. IRE 39, 1951)."""
        crowding = _integral(self._at, np.cbrt(self._height))
        shares = (np.arange(count) + 0.5) / count
        return np.asarray(np.interp(shares * crowding[-1], crowding, self._at), np.float64)

    def means(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of each cell between the edges, the first and last cells open."""
        places = np.concatenate(([self._at[0]], edges, [self._at[-1]]))
        mass = np.diff(np.interp(places, self._at, self._mass))
        moment = np.diff(np.interp(places, self._at, self._moment))
        return np.asarray(moment / np.maximum(mass, np.finfo(np.float64).tiny), np.float64)


def _integral(at: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the first point to each, by trapezoids."""
    steps = (height[1:] + height[:-1]) / 2 * np.diff(at)
    return np.concatenate(([0.0], np.cumsum(steps)))
