"""Two runs, question by question: what got better, what got worse, and what stands there now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from memd.bench.bootstrap import intervals
from memd.bench.metrics import FIGURES
from memd.bench.rankings import Ranking, Run
from memd.errors import BadInput

FIRST = 3  # of each ranking, shown with a changed question

Pair = tuple[Ranking, Ranking]


def compare(a: Run, b: Run, figure: str, limit: int, seed: int) -> dict[str, Any]:
    """What changes from `a` to `b`, over the questions that both asked.

    Args:
        figure: the one by which a question got better or worse, a name of `metrics.FIGURES`.
        limit: how many questions to list of each kind, those that changed most first.
        seed: of the bootstrap.

    Raises:
        BadInput: they can't be compared.
    """
    if figure not in FIGURES:
        raise BadInput(f"There is no figure {figure!r}.", f"Figures: {', '.join(FIGURES)}.")
    if a.data["level"] != b.data["level"]:
        raise BadInput(
            f"One run ranks by {a.data['level']}, the other by {b.data['level']}.", "Compare like with like."
        )
    pairs = [(a.rankings[place], b.rankings[place]) for place in a.rankings if place in b.rankings]
    pairs = [(one, other) for one, other in pairs if one.text == other.text and set(one.gold) == set(other.gold)]
    if not pairs:
        raise BadInput("The two runs have no question in common.", "Compare two runs over the same data.")
    changes = [(other.figures[figure] - one.figures[figure], one, other) for one, other in pairs]
    better = [(one, other) for change, one, other in sorted(changes, key=lambda c: -c[0]) if change > 0]
    worse = [(one, other) for change, one, other in sorted(changes, key=lambda c: c[0]) if change < 0]
    texts = _Texts(a, b, [*better[:limit], *worse[:limit]])
    return {
        "a": {"path": str(a.path), "row": a.row},
        "b": {"path": str(b.path), "row": b.row},
        "level": a.data["level"],
        "figure": figure,
        "questions": len(pairs),
        "only_a": len(a.rankings) - len(pairs),
        "only_b": len(b.rankings) - len(pairs),
        "figures": _figures(pairs, seed),
        "better": {"count": len(better), "questions": [_change(pair, figure, texts) for pair in better[:limit]]},
        "worse": {"count": len(worse), "questions": [_change(pair, figure, texts) for pair in worse[:limit]]},
        "same": len(pairs) - len(better) - len(worse),
    }


def _figures(pairs: Sequence[Pair], seed: int) -> dict[str, dict[str, float]]:
    """Every figure of both runs, and the change with its paired 95 % interval. Percent."""
    values = np.array([[[run.figures[name] for name in FIGURES] for run in pair] for pair in pairs])
    found = intervals(values[:, 1] - values[:, 0], seed)
    means = values.mean(axis=0)
    columns = np.stack((means[0], means[1], found.mean, found.low, found.high)) * 100
    return {
        name: dict(zip(("a", "b", "change", "low", "high"), map(_round, columns[:, place]), strict=True))
        for place, name in enumerate(FIGURES)
    }


def _round(value: float) -> float:
    return round(float(value), 4)


class _Texts:
    """The texts of what is shown, from whichever run kept them."""

    def __init__(self, a: Run, b: Run, pairs: Sequence[Pair]) -> None:
        wanted = {(run.collection, key) for pair in pairs for run in pair for key in (*run.gold, *run.found_by)}
        self._texts = b.texts(wanted) | a.texts(wanted)

    def of(self, collection: str, key: str) -> str:
        return self._texts.get((collection, key), "")


def _change(pair: Pair, figure: str, texts: _Texts) -> dict[str, Any]:
    """One changed question: the figure, where its gold stood and stands, and the head of both rankings."""
    a, b = pair
    return {
        "collection": a.collection,
        "question": a.question,
        "text": a.text,
        "category": a.category,
        "a": _round(100 * a.figures[figure]),
        "b": _round(100 * b.figures[figure]),
        "gold": [
            {"key": key, "a": a.rank(key), "b": b.rank(key), "text": _gold_text(key, pair, texts)} for key in a.gold
        ],
        "a_first": _first(a, texts),
        "b_first": _first(b, texts),
    }


def _gold_text(key: str, pair: Pair, texts: _Texts) -> str:
    """The text of a gold memory; of a session, the memory that found it."""
    for run in pair:
        if rank := run.rank(key):
            return texts.of(run.collection, run.found_by[rank - 1])
    return texts.of(pair[0].collection, key)


def _first(run: Ranking, texts: _Texts) -> list[dict[str, Any]]:
    found = zip(run.ranking[:FIRST], run.found_by[:FIRST], strict=True)
    return [{"key": key, "text": texts.of(run.collection, by), "gold": key in run.gold} for key, by in found]
