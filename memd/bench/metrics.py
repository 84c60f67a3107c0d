"""Figures of one question's ranking. Shares in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

DEPTH = 50  # ranks that the protocols look at


def recall_at(ranking: Sequence[str], gold: Sequence[str], k: int) -> float:
    """Share of the gold keys in the first k."""
    return len(set(ranking[:k]) & set(gold)) / len(gold)


def reciprocal_rank(ranking: Sequence[str], gold: Sequence[str]) -> float:
    """1/rank of the first gold key; 0 when it is past `DEPTH`."""
    return next((1 / rank for rank, key in enumerate(ranking[:DEPTH], start=1) if key in gold), 0.0)


def ndcg_at(ranking: Sequence[str], gold: Sequence[str], k: int) -> float:
    """Normalised discounted cumulative gain with gains of 0 and 1 (Järvelin & Kekäläinen 2002)."""
    gained = sum(1 / log2(rank + 1) for rank, key in enumerate(ranking[:k], start=1) if key in gold)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(gold), k) + 1))
    return gained / ideal


def figures(ranking: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
    """All figures of a ranking, by the names the reports use."""
    return {
        **{f"R@{k}": recall_at(ranking, gold, k) for k in (1, 5, 10)},
        "MRR": reciprocal_rank(ranking, gold),
        "nDCG@10": ndcg_at(ranking, gold, 10),
    }
