"""Figures of one question's ranking. Shares in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

DEPTH = 50  # ranks that the protocols look at

FIGURES = ("R@1", "R@5", "R@10", "MRR", "nDCG@10")
HIT_FIGURES = ("any@1", "any@5", "any@10", "all@1", "all@5", "all@10")


def recall_at(ranking: Sequence[str], gold: Sequence[str], k: int) -> float:
    """Share of the gold keys in the first k."""
    return len(set(ranking[:k]) & set(gold)) / len(gold)


def reciprocal_rank(ranking: Sequence[str], gold: Sequence[str]) -> float:
    """1/rank of the first gold key; 0 when it is past `DEPTH`."""
    return next((1 / rank for rank, key in enumerate(ranking[:DEPTH], start=1) if key in gold), 0.0)


def ndcg_at(ranking: Sequence[str], gains: Mapping[str, float], k: int) -> float:
    """Normalised discounted cumulative gain, Σ gain/log2(rank + 1) over the best possible (Järvelin & Kekäläinen 2002).

    Args:
        gains: of each gold key; 1 where the data doesn't grade. The gain itself counts, as in trec_eval and BEIR.
    """
    gained = sum(gains.get(key, 0.0) / log2(rank + 1) for rank, key in enumerate(ranking[:k], start=1))
    best = sorted(gains.values(), reverse=True)[:k]
    return gained / sum(gain / log2(rank + 1) for rank, gain in enumerate(best, start=1))


def any_at(ranking: Sequence[str], gold: Sequence[str], k: int) -> float:
    """1 when one of the gold keys is in the first k."""
    return float(not set(ranking[:k]).isdisjoint(gold))


def all_at(ranking: Sequence[str], gold: Sequence[str], k: int) -> float:
    """1 when all of the gold keys are in the first k."""
    return float(set(ranking[:k]).issuperset(gold))


def figures(ranking: Sequence[str], gold: Sequence[str], grades: Sequence[float] = ()) -> dict[str, float]:
    """All figures of a ranking, by the names the reports use.

    Args:
        ranking: keys, the best first, each once.
        gold: at least one key, each once.
        grades: the gain of each gold key; empty for 1 each.
    """
    gains = dict(zip(gold, grades or [1.0] * len(gold), strict=True))
    return {
        **{f"R@{k}": recall_at(ranking, gold, k) for k in (1, 5, 10)},
        "MRR": reciprocal_rank(ranking, gold),
        "nDCG@10": ndcg_at(ranking, gains, 10),
        **{f"any@{k}": any_at(ranking, gold, k) for k in (1, 5, 10)},
        **{f"all@{k}": all_at(ranking, gold, k) for k in (1, 5, 10)},
    }
