"""The figures, against values worked out by hand."""

from __future__ import annotations

from math import isclose, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.bench.metrics import DEPTH, figures, ndcg_at, reciprocal_rank

CASES = [
    (["a", "b", "c"], ["a"], {"R@1": 1, "R@5": 1, "MRR": 1, "nDCG@10": 1, "any@1": 1, "all@1": 1}),
    (["x", "a", "y", "b"], ["a", "b"], {"R@1": 0, "R@5": 1, "MRR": 1 / 2, "any@1": 0, "any@5": 1, "all@5": 1}),
    (
        ["x", "a", "y", "b"],
        ["a", "b"],
        {"nDCG@10": (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3))},
    ),
    (["a", "x", "y", "z", "v", "b"], ["a", "b"], {"R@1": 0.5, "R@5": 0.5, "R@10": 1, "any@5": 1, "all@5": 0}),
    ([], ["a"], {"R@10": 0, "MRR": 0, "nDCG@10": 0, "any@10": 0, "all@10": 0}),
    (["x"], ["a", "b", "c"], {"R@1": 0, "R@10": 0, "MRR": 0}),
]


@pytest.mark.parametrize(("ranking", "gold", "expected"), CASES)
def test_figures_worked_out_by_hand(ranking: list[str], gold: list[str], expected: dict[str, float]) -> None:
    found = figures(ranking, gold)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_a_graded_answer_counts_by_its_grade() -> None:
    gained = 1 / log2(2) + 2 / log2(3)
    best = 2 / log2(2) + 1 / log2(3)
    assert isclose(ndcg_at(["low", "high"], {"high": 2.0, "low": 1.0}, 10), gained / best)
    assert ndcg_at(["high", "low"], {"high": 2.0, "low": 1.0}, 10) == 1


def test_what_stands_past_the_depth_is_not_found() -> None:
    ranking = [f"x{place}" for place in range(DEPTH)]
    assert reciprocal_rank([*ranking[:-1], "a"], ["a"]) == 1 / DEPTH
    assert reciprocal_rank([*ranking, "a"], ["a"]) == 0


KEYS = st.sampled_from("abcdefghijklmnop")


@given(st.lists(KEYS, unique=True), st.lists(KEYS, unique=True, min_size=1))
def test_figures_are_shares_and_agree_with_each_other(ranking: list[str], gold: list[str]) -> None:
    found = figures(ranking, gold)
    assert all(0 <= value <= 1 + 1e-12 for value in found.values())
    assert found["R@1"] <= found["R@5"] <= found["R@10"]
    for k in (1, 5, 10):
        assert found[f"all@{k}"] <= found[f"R@{k}"] <= found[f"any@{k}"]
    assert (found["MRR"] > 0) == bool(set(ranking) & set(gold))


@given(st.lists(KEYS, unique=True, min_size=2), st.lists(KEYS, unique=True, min_size=1), st.data())
def test_moving_a_right_answer_up_lowers_nothing(ranking: list[str], gold: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(ranking) - 1))
    if ranking[place] not in gold or ranking[place - 1] in gold:
        return
    better = ranking.copy()
    better[place - 1], better[place] = ranking[place], ranking[place - 1]
    before, after = figures(ranking, gold), figures(better, gold)
    assert all(after[name] >= before[name] - 1e-12 for name in before)
