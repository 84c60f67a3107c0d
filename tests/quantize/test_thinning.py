"""The rarer tokens stay, in order, and as many whichever way a passage came."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memd.quantize.thinning import SHARES, thin

IDS = st.lists(st.integers(0, 2**16 - 1), max_size=254)


def stored(ids: list[int]) -> tuple[bytes, bytes]:
    numbers = np.array(ids, "<u2")
    return numbers.tobytes(), np.repeat(numbers, 24).tobytes()  # 48 bytes of signs that say whose they are


def one(passage: tuple[bytes, bytes], kept: int, bits: int) -> tuple[bytes, bytes]:
    return thin([passage[0]], [passage[1]], kept, bits)[0]


@given(IDS, st.sampled_from([8, 4, 1]))
def test_the_rarer_tokens_stay_with_their_signs(ids: list[int], bits: int) -> None:
    left, signs = one(stored(ids), 32, bits)
    numbers = np.frombuffer(left, "<u2")
    assert np.array_equal(np.frombuffer(signs, "<u2"), np.repeat(numbers, 24))
    assert sorted(numbers.tolist()) == sorted(ids)[len(ids) - len(numbers) :]
    assert len(numbers) == (max(1, int(np.ceil(len(ids) * SHARES[bits]))) if ids else 0)


@given(IDS)
def test_steps_and_one_step_leave_as_many(ids: list[int]) -> None:
    at_once = one(stored(ids), 32, 1)
    by_steps = one(one(one(stored(ids), 32, 8), 8, 4), 4, 1)
    assert abs(len(by_steps[0]) - len(at_once[0])) <= 2


@given(st.lists(IDS, max_size=8), st.sampled_from([8, 4, 1]))
def test_many_at_once_are_thinned_as_each_alone(passages: list[list[int]], bits: int) -> None:
    kept = [stored(ids) for ids in passages]
    assert thin([ids for ids, _ in kept], [signs for _, signs in kept], 32, bits) == [one(it, 32, bits) for it in kept]
