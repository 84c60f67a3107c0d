"""From answers to figures: percentages by row, with intervals, differences to memd, and by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd.bench.bootstrap import Interval, intervals
from memd.bench.collection import Question
from memd.bench.protocol import Answer, Target, judge

MEMD = "memd"


class Asked(NamedTuple):
    """One question with every row's answer to it.

    Attributes:
        collection: the name of its collection.
        answers: by row.
    """

    collection: str
    question: Question
    target: Target
    answers: Mapping[str, Answer]


class Figures(NamedTuple):
    """Every figure of every row for every question: shares, float64 [questions, rows, figures]."""

    rows: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]


def figures(asked: Sequence[Asked], names: Sequence[str]) -> Figures:
    """The figures named of all answers. Every question must have a gold key."""
    rows = tuple(asked[0].answers)
    values = [[judge(one.answers[row], one.target) for row in rows] for one in asked]
    table = [[[shares[name] for name in names] for shares in question] for question in values]
    return Figures(rows, tuple(names), np.array(table, dtype=np.float64))


def summary(asked: Sequence[Asked], names: Sequence[str], sizes: Mapping[str, float], seed: int) -> dict[str, Any]:
    """Rows, intervals, differences, categories, and what came of questions that nothing answers.

    Args:
        asked: all questions.
        names: which figures.
        sizes: bytes a memory, by row.
        seed: of the bootstrap.
    """
    answerable = [one for one in asked if one.question.answerable]
    numbers = figures(answerable, names)
    result = _compared(numbers, seed)
    for row, shown in result["rows"].items():
        shown["answered"] = _answered(answerable, row)
        shown["query_ms"] = round(median(one.answers[row].ms for one in asked), 3)
        shown["bytes_per_memory"] = round(sizes[row], 1)
    result["categories"] = {
        category: {"questions": len(places), **_compared(numbers._replace(values=numbers.values[places]), seed)}
        for category, places in _by_category(answerable).items()
    }
    if others := [one for one in asked if not one.question.answerable]:
        rows = {row: {"answered": _answered(others, row)} for row in numbers.rows}
        result["unanswerable"] = {"questions": len(others), "rows": rows}
    return result


def _compared(numbers: Figures, seed: int) -> dict[str, Any]:
    """Means of each row, their intervals, and each row less memd with its interval. Percent."""
    count, rows, names = numbers.values.shape
    memd = numbers.values[:, [numbers.rows.index(MEMD)], :]
    both = np.concatenate((numbers.values, numbers.values - memd), axis=1).reshape(count, -1)
    found = Interval(*(100 * part.reshape(2, rows, names) for part in intervals(both, seed)))
    return {
        "rows": {row: _named(numbers, found.mean[0, place]) for place, row in enumerate(numbers.rows)},
        "intervals": {row: _spans(numbers, found, 0, place) for place, row in enumerate(numbers.rows)},
        "differences": {
            row: {
                name: {"mean": mean, "low": low, "high": high}
                for (name, mean), (low, high) in zip(
                    _named(numbers, found.mean[1, place]).items(),
                    _spans(numbers, found, 1, place).values(),
                    strict=True,
                )
            }
            for place, row in enumerate(numbers.rows)
            if row != MEMD
        },
    }


def _named(numbers: Figures, values: NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(numbers.names, values, strict=True)}


def _spans(numbers: Figures, found: Interval, part: int, row: int) -> dict[str, tuple[float, float]]:
    """The interval of each figure of a row; `part` 0 is the figure itself, 1 its difference to memd."""
    low, high = _named(numbers, found.low[part, row]), _named(numbers, found.high[part, row])
    return {name: (low[name], high[name]) for name in numbers.names}


def _answered(asked: Sequence[Asked], row: str) -> float:
    """Percent of the questions that got anything at all."""
    return round(100 * sum(bool(one.answers[row].ranking) for one in asked) / len(asked), 4)


def _by_category(asked: Sequence[Asked]) -> dict[str, list[int]]:
    """Category → places of its questions; none where the data has no categories."""
    places: dict[str, list[int]] = {}
    for place, one in enumerate(asked):
        if one.question.category:
            places.setdefault(one.question.category, []).append(place)
    return dict(sorted(places.items()))
