"""Codes keep what they promise: unbiased scores, errors as wide as they say, less distortion the more bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from memd.quantize import codes, signs
from memd.quantize.levels import levels
from memd.quantize.rotation import rotation

SEEDS = st.integers(0, 2**32 - 1)
BITS = st.sampled_from(codes.BITS)
DIMENSIONS = st.sampled_from([5, 8, 13, 40, 100, 129])


def units(seed: int, rows: int, dimension: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@given(SEEDS, DIMENSIONS)
@settings(max_examples=20)
def test_a_rotation_keeps_lengths_and_is_the_seed_s(seed: int, dimension: int) -> None:
    turn = rotation(seed, dimension)
    assert np.allclose(turn @ turn.T, np.eye(dimension), atol=1e-5)
    rotation.cache_clear()
    assert np.array_equal(rotation(seed, dimension), turn)


def test_a_rotation_never_changes() -> None:
    """Codes in stores outlive versions of NumPy."""
    drawn = np.random.RandomState(7).standard_normal(3)
    assert np.allclose(drawn, [1.69052570, -0.46593737, 0.03282016])


@pytest.mark.parametrize(
    ("bits", "known"), [(1, [0.7979]), (4, [0.1284, 0.3881, 0.6568, 0.9424, 1.256, 1.618, 2.069, 2.733])]
)
def test_levels_tend_to_those_of_a_normal_distribution(bits: int, known: list[float]) -> None:
    """Max's own table (1960), in many dimensions."""
    assert np.allclose(levels(bits, 100_000)[2 ** (bits - 1) :], known, atol=1e-3)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("dimension", [3, 24, 384])
def test_levels_are_the_means_of_their_cells(bits: int, dimension: int) -> None:
    """Against the density itself, integrated otherwise: the moments' antiderivative is known in closed form."""
    found = levels(bits, dimension).astype(np.float64)
    assert np.array_equal(found, -found[::-1])
    at = np.linspace(-1, 1, 2_000_001) * min(1.0, 9.0 / np.sqrt(dimension))
    height = (1 - at**2) ** ((dimension - 3) / 2)
    cells = np.searchsorted((found[1:] + found[:-1]) / 2, at * np.sqrt(dimension))
    mass = np.bincount(cells, height, len(found))
    means = np.bincount(cells, height * at, len(found)) / mass * np.sqrt(dimension)
    assert np.allclose(means, found, atol=2e-3 if bits == 8 else 2e-4)


@given(SEEDS, BITS)
@settings(max_examples=30)
def test_scores_are_unbiased_and_err_as_they_say(seed: int, bits: int) -> None:
    vectors, queries = units(seed, 60, 96), units(seed ^ 1, 40, 96)
    queries = queries + vectors[:40]  # some are near
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    turn = rotation(seed, 96)
    found, error = codes.scores(queries, codes.encode(vectors, turn, bits), signs.pack(vectors), turn)
    off = (found - queries @ vectors.T) / np.maximum(error, 1e-6)
    apart = error > 1e-5
    assert abs(off[apart].mean()) < 0.25
    assert 0.9 < (np.abs(off[apart]) < 1.96).mean() < 0.99


@given(SEEDS)
@settings(max_examples=20)
def test_distortion_falls_with_bits(seed: int) -> None:
    vectors, turn = units(seed, 50, 384), rotation(3, 384)
    cosines = {bits: codes.encode(vectors, turn, bits).rho for bits in codes.BITS}
    assert (cosines[1] < cosines[4]).all() and (cosines[4] < cosines[8]).all()
    assert cosines[4].mean() >= 0.995
    assert cosines[8].mean() >= 0.9999


@given(SEEDS, st.integers(0, 6), DIMENSIONS, BITS, st.floats(0.01, 100))
def test_what_stands_beside_a_code_is_true(seed: int, rows: int, dimension: int, bits: int, size: float) -> None:
    vectors, turn = units(seed, rows, dimension) * np.float32(size), rotation(seed % 5, dimension)
    coded, packed = codes.encode(vectors, turn, bits), signs.pack(vectors)
    decoded = codes.decode(coded, packed, turn)
    assert decoded.shape == vectors.shape
    lengths = np.linalg.norm(decoded, axis=1)
    assert np.allclose(coded.norm, size, rtol=1e-4)
    assert np.allclose((vectors * decoded).sum(axis=1), size**2, rtol=1e-3)
    assert np.allclose((vectors * decoded).sum(axis=1) / (lengths * size), coded.rho, atol=1e-3)
    stored = codes.to_bytes(coded)
    assert all(len(row) == codes.width(bits, dimension) for row in stored)
    again = codes.from_bytes(stored, bits, dimension)
    assert all(np.array_equal(one, other) for one, other in zip(again[1:], coded[1:], strict=True))
    queries = units(seed ^ 3, 2, dimension)
    assert np.allclose(codes.scores(queries, coded, packed, turn)[0], queries @ decoded.T, rtol=1e-3, atol=1e-4 * size)


@given(BITS, DIMENSIONS)
def test_a_vector_of_zeros_scores_nothing(bits: int, dimension: int) -> None:
    vectors, turn = np.zeros((2, dimension), np.float32), rotation(1, dimension)
    coded = codes.encode(vectors, turn, bits)
    found, error = codes.scores(units(1, 3, dimension), coded, signs.pack(vectors), turn)
    assert (coded.rho == 1).all()
    assert not found.any() and not error.any()


@given(SEEDS, st.sampled_from([(8, 4), (8, 1), (4, 1), (8, 4, 1)]))
@settings(max_examples=30)
def test_codes_of_codes_are_as_good_as_codes_of_vectors(seed: int, chain: tuple[int, ...]) -> None:
    vectors, turn = units(seed, 40, 384), rotation(5, 384)
    packed = signs.pack(vectors)
    coded = codes.encode(vectors, turn, chain[0])
    for bits in chain[1:]:
        coded = codes.coarser(coded, packed, turn, bits)
    decoded = codes.decode(coded, packed, turn)
    cosines = (vectors * decoded).sum(axis=1) / np.linalg.norm(decoded, axis=1)
    assert np.allclose(cosines, coded.rho, atol=0.012)
    assert np.allclose((vectors * decoded).sum(axis=1), 1, atol=0.012)
    assert cosines.mean() > codes.encode(vectors, turn, chain[-1]).rho.mean() - 0.002


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        codes.from_bytes([b"123"], 8, 384)
