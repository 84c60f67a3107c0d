"""Codes of signs say what the vectors' signs say, at every dimension that fills whole bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from memd.quantize import signs

DIMENSIONS = st.integers(1, 40).map(lambda eights: eights * 8)


def vectors(seed: int, rows: int, dimension: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)


@given(st.integers(0, 9**9), DIMENSIONS)
def test_similarity_counts_the_signs_that_agree(seed: int, dimension: int) -> None:
    stored, query = vectors(seed, 5, dimension), vectors(seed + 1, 1, dimension)[0]
    words = np.ascontiguousarray(signs.words(signs.pack(stored)).T)
    found = np.empty(len(stored), np.float32)
    signs.similarity(words, signs.words(signs.pack(query)), dimension, found)
    agreeing = ((stored > 0) == (query > 0)).sum(axis=1)
    assert np.allclose(found, 2.0 * agreeing / dimension - 1.0, atol=1e-5)
