"""Intervals: what holds for any values, and that they cover what they should."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from memd.bench.bootstrap import intervals

SHARES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=30), elements=st.floats(0, 1, width=32))


@settings(max_examples=50)
@given(SHARES, st.integers(0, 9))
def test_an_interval_lies_within_the_values_and_comes_again_with_its_seed(values: np.ndarray, seed: int) -> None:
    found, again = intervals(values, seed, 400), intervals(values, seed, 400)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))
    assert np.allclose(found.mean, values.mean(axis=0))
    assert (found.low <= found.high).all()
    assert (found.low >= values.min(axis=0) - 1e-9).all()
    assert (found.high <= values.max(axis=0) + 1e-9).all()


@given(st.floats(0, 1), st.integers(1, 50))
def test_what_never_varies_has_no_interval(value: float, count: int) -> None:
    found = intervals(np.full((count, 1), value), 1, 100)
    assert np.allclose([found.low, found.high], value)


@settings(max_examples=50)
@given(SHARES, st.integers(0, 9))
def test_the_mirror_image_has_the_mirrored_interval(values: np.ndarray, seed: int) -> None:
    both = intervals(np.concatenate((values, -values), axis=1), seed, 400)
    width = values.shape[1]
    assert np.allclose(both.low[:width], -both.high[width:])


def test_intervals_are_as_wide_as_the_standard_error_says() -> None:
    values = np.random.default_rng(7).normal(size=(400, 3))
    found = intervals(values, 1, 20_000)
    expected = 1.96 * values.std(axis=0) / np.sqrt(len(values))
    assert np.allclose(found.high - found.mean, expected, rtol=0.06)
    assert np.allclose(found.mean - found.low, expected, rtol=0.06)


def test_a_paired_difference_is_surer_than_its_parts() -> None:
    random = np.random.default_rng(3)
    one = random.random((300, 1))
    other = one + random.normal(0, 0.02, (300, 1))
    found = intervals(np.concatenate((one, other, other - one), axis=1), 1, 2000)
    width = found.high - found.low
    assert width[2] < width[0] / 5
    assert width[2] < width[1] / 5
