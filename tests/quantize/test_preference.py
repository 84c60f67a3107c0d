"""The better kept copy of a content goes first, and nobody else loses a place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.quantize import codes, signs
from memd.quantize.preference import copies, preferred
from memd.quantize.rotation import rotation
from tests.quantize.test_codes import SEEDS, units

DIMENSION = 384
TURN = rotation(11, DIMENSION)


@given(SEEDS, st.permutations([32, 8, 4, 1]), st.booleans())
@settings(max_examples=40)
def test_copies_are_found_and_put_in_order(seed: int, tiers: list[int], chained: bool) -> None:
    vectors = units(seed, 12, DIMENSION)
    packed = signs.pack(vectors)
    rows, bits, rho = [vectors], [32] * 12, [np.ones(12, np.float32)]
    coded = None
    for each in (8, 4, 1):
        coded = codes.coarser(coded, packed, TURN, each) if chained and coded else codes.encode(vectors, TURN, each)
        rows, bits, rho = [*rows, codes.decode(coded, packed, TURN)], bits + [each] * 12, [*rho, coded.rho]
    stacked, kept = np.concatenate(rows), np.array(bits)
    order = np.argsort([tiers.index(each) for each in bits], kind="stable")  # the order of writing is any
    stacked, kept, certain = stacked[order], kept[order], np.concatenate(rho)[order]
    found = copies(stacked, kept, certain)
    assert sorted(found.places.tolist()) == list(range(48))
    scores = stacked @ units(seed ^ 5, 1, DIMENSION)[0]
    dealt = preferred(scores, found)
    text = np.tile(np.arange(12), 4)[order]
    for each in range(12):
        mine = np.flatnonzero(text == each)
        assert kept[mine[np.argsort(-dealt[mine])]].tolist() == [32, 8, 4, 1]
        assert np.allclose(np.sort(dealt[mine]), np.sort(scores[mine]), atol=1e-5)


@given(SEEDS, st.sampled_from(codes.BITS), st.floats(0.3, 0.97))
@settings(max_examples=40)
def test_what_is_merely_alike_is_no_copy(seed: int, bits: int, cosine: float) -> None:
    base, other = units(seed, 2, DIMENSION)
    other -= (other @ base) * base
    other /= np.linalg.norm(other)
    near = (cosine * base + np.sqrt(1 - cosine**2) * other).astype(np.float32)[None]
    coded = codes.encode(near, TURN, bits)
    rows = np.concatenate((base[None], codes.decode(coded, signs.pack(near), TURN)))
    found = copies(rows, np.array([32, bits]), np.array([1.0, coded.rho[0]], np.float32))
    assert not len(found.places) or cosine > 0.94


def test_a_tie_is_broken_for_the_better_kept() -> None:
    vectors = np.repeat(units(3, 1, 64), 2, axis=0)
    found = copies(vectors, np.array([8, 32]), np.ones(2, np.float32))
    dealt = preferred(np.array([0.5, 0.5], np.float32), found)
    assert dealt[1] > dealt[0] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("bits", [[], [32], [32, 32], [4, 4]])
def test_one_tier_has_no_copies(bits: list[int]) -> None:
    vectors = np.repeat(units(1, 1, 32), len(bits), axis=0)
    found = copies(vectors, np.array(bits, np.int64), np.ones(len(bits), np.float32))
    assert not len(found.places)
    scores = np.arange(len(bits), dtype=np.float32)
    assert preferred(scores, found) is scores
