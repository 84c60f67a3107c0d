"""Ids rise, keep the time's order, and are read as people type them."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from memd.store.ids import ALPHABET, LENGTH, RANDOM_BITS, IdMaker, encode, normalize

moments = st.integers(0, 2**45 - 1)


@given(st.lists(moments, min_size=1, max_size=50))
def test_ids_rise_even_when_the_clock_steps_back(times: list[int]) -> None:
    maker = IdMaker()
    made = [maker.make(now) for now in times]
    assert made == sorted(set(made))
    assert all(len(id_) == LENGTH and set(id_) <= set(ALPHABET) for id_ in made)


@given(moments, moments)
def test_the_order_of_ids_is_the_order_of_time(one: int, other: int) -> None:
    assert (encode(one << RANDOM_BITS) < encode(other << RANDOM_BITS)) == (one < other)


@given(moments)
def test_what_is_typed_is_read_as_crockford_does(now: int) -> None:
    made = IdMaker().make(now)
    assert normalize(f"  {made.upper()} ") == made
    assert normalize(made.replace("0", "O").replace("1", "l")) == made


def test_threads_never_share_an_id() -> None:
    maker, made = IdMaker(), []
    threads = [threading.Thread(target=lambda: made.extend(maker.make(7) for _ in range(500))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000
