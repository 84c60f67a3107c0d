"""The published quantization-aware Fisher–Rao distance (arXiv:2604.04514), for comparison alone.

Each coordinate is a normal distribution about the vector's value, whose width tells how sure it is: the smaller a
coordinate beside the vector's largest, and the fewer bits it is kept in, the wider. The distance between two vectors is
that of the products of these distributions in the Fisher metric.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def variances(means: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """σ², float32 [n, d]: 2 - 1.95·|μ|/max|μ|, clipped to [.05, 2]; times (32/b)^½, clipped to [.05, 10].

    Args:
        means: float32 [n, d].
        bits: that the vectors are kept in.
    """
    sizes = np.abs(means)
    base = np.clip(2.0 - 1.95 * sizes / np.maximum(sizes.max(axis=1, keepdims=True), 1e-12), 0.05, 2.0)
    result: NDArray[np.float32] = np.clip(base * np.sqrt(32.0 / bits), 0.05, 10.0).astype(np.float32)
    return result


def distances(
    query: NDArray[np.float32], means: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float32]:
    """√(Σ 2·arccosh²(1 + δ)) with δ = (Δμ² + 2Δσ²)/(4σ₁σ₂), float32 [n]. O(n·d).

    Args:
        query: float32 [d], kept in 32 bits.
        means: float32 [n, d].
        spread: float32 [n, d], their `variances`.
    """
    own = np.sqrt(variances(query[None], 32)[0])
    other = np.sqrt(spread)
    delta = ((means - query) ** 2 + 2.0 * (other - own) ** 2) / (4.0 * own * other)
    angles = np.log1p(delta + np.sqrt(delta * (delta + 2.0)))  # arccosh(1 + δ), also for a small δ
    result: NDArray[np.float32] = np.sqrt(2.0 * np.einsum("nd,nd->n", angles, angles))
    return result
