"""Best matches among signs are those of the signs themselves, whatever stands beside a group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from memd.quantize import signs
from memd.quantize.matching import Groups, Matcher

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher()


def vectors(seed: int, rows: int, dimension: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@given(st.integers(0, 9**9), st.integers(1, 40).map(lambda eights: eights * 8), LENGTHS)
def test_best_matches_are_those_of_the_signs(matcher: Matcher, seed: int, dimension: int, lengths: list[int]) -> None:
    stored, asked = vectors(seed, sum(lengths), dimension), vectors(seed + 1, 3, dimension)
    starts = np.cumsum([0, *lengths[:-1]])
    found = matcher.best([Groups(signs.pack(stored), starts)], asked)
    expected = np.maximum.reduceat(np.where(stored > 0, 1.0, -1.0) @ asked.T, starts, axis=0)
    bound = dimension / 254 * np.abs(asked).max(axis=1)
    assert (np.abs(found - expected) <= bound + 1e-4).all()


@given(st.integers(0, 9**9), LENGTHS)
def test_a_group_s_matches_don_t_depend_on_the_others(matcher: Matcher, seed: int, lengths: list[int]) -> None:
    stored, asked = signs.pack(vectors(seed, sum(lengths), 64)), vectors(seed + 1, 2, 64)
    starts = np.cumsum([0, *lengths[:-1]])
    together = matcher.best([Groups(stored, starts)], asked)
    for row, start, length in zip(together, starts, lengths, strict=True):
        alone = matcher.best([Groups(stored[start : start + length], np.zeros(1, np.int64))], asked)[0]
        assert np.array_equal(row, alone)
