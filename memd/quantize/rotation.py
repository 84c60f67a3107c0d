"""A random rotation: what makes every vector's coordinates alike, so that one table of levels fits them all."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=4)
def rotation(seed: int, dimension: int) -> NDArray[np.float32]:
    """An orthogonal matrix, uniform over all of them (Haar), float32 [d, d]; `x @ rotation` rotates rows. Read-only.

    O(d³) the first time.

    QR of a Gaussian matrix, its columns' signs set by R's diagonal, without which the law is not uniform (Mezzadri,
    "How to generate random matrices from the classical compact groups", Notices of the AMS 54(5), 2007).

    Args:
        seed: from 0 to 2³² - 1. The same one gives the same matrix for ever: NumPy keeps RandomState's stream as it
            is (NEP 19), and codes in a store outlive a version of NumPy.
        dimension: at least 1.
    """
    drawn = np.random.RandomState(seed).standard_normal((dimension, dimension))
    q, r = np.linalg.qr(drawn)
    result: NDArray[np.float32] = np.ascontiguousarray(q * np.where(np.diag(r) < 0, -1.0, 1.0), np.float32)
    result.flags.writeable = False
    return result
