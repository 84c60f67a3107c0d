"""Forgetting: whether what the lifecycle holds on to is what is needed next, on traces of use over time.

The protocol: checkpoints every 30 days from day 180 on; each item seen so far gets the score that its uses so far give
it; it counts as needed when it is used within the following 30 days.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd.bench import forgetting_year
from memd.bench.stores import Progress, unseen
from memd.errors import BadInput
from memd.lifecycle import forecast, vitality
from memd.lifecycle.vitality import DAY_MS, State
from memd.store.uses import Event, Life

FIRST, EVERY, WINDOW = 180.0, 30.0, 30.0  # days: the first checkpoint, from one to the next, what counts as needed
BINS = 10
ACT_R_DECAY = 0.5  # its own default
FIXED_STABILITY = 30.0  # days, of exponential decay with a fixed S
MOST = 1.0 - 1e-12

Uses = NDArray[np.float64]  # [n], days, ascending
Floats = NDArray[np.float64]


class Plan(NamedTuple):
    """What to run.

    Attributes:
        file: `{"items": [[unix seconds, …], …]}`, the uses of each item.
        year: whether to simulate a year on a store.
        seed: of the texts of that store.
    """

    file: Path
    year: bool = True
    seed: int = 1


class Checkpoint(NamedTuple):
    """A moment: the uses so far of each item seen so far, and whether it was needed in the days that followed."""

    at: float
    uses: list[Uses]
    needed: NDArray[np.bool_]


class Told(NamedTuple):
    """What a rule says at a checkpoint: a score for each item, and the probability of need where it claims one."""

    scores: Floats
    probabilities: Floats | None


Rule = Callable[[Checkpoint], Told]


def measure(plan: Plan, progress: Progress = unseen) -> dict[str, Any]:
    """Score the trace by every rule and simulate a year on it; in the shape of `memd bench forgetting --json`.

    Raises:
        BadInput: the file isn't a trace of use, or too short for a checkpoint.
    """
    items = read(plan.file)
    points = list(checkpoints(items))
    if not any(point.needed.any() and not point.needed.all() for point in points):
        raise BadInput(f"{plan.file} is too short.", "A trace needs uses over more than 180 days.")
    with progress("Scoring") as track:
        rows = {}
        for done, (name, rule) in enumerate(rules(), start=1):
            rows[name] = _row(points, [rule(point) for point in points])
            track(done, 9)
    return {
        "file": str(plan.file),
        "items": len(items),
        "uses": sum(len(item) for item in items),
        "checkpoints": len(points),
        "rows": rows,
        "year": forgetting_year.simulate(items, plan.seed, progress) if plan.year else None,
    }


def read(file: Path) -> list[Uses]:
    """The uses of each item, in days since the first of all. Raises BadInput."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        items = [np.sort(np.array(item, np.float64)) / 86_400 for item in data["items"] if item]
    except OSError as error:
        raise BadInput(f"{file} can't be read: {error.strerror}.", "Give the path of the data.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{file} is not a trace of use: {error!r}.", 'It is {"items": [[unix seconds, …], …]}.'
        ) from error
    if not items:
        raise BadInput(f"{file} has no uses.", 'It is {"items": [[unix seconds, …], …]}.')
    start = min(item[0] for item in items)
    return [item - start for item in items]


def checkpoints(items: Sequence[Uses]) -> Iterator[Checkpoint]:
    """All checkpoints of a trace, until its last use."""
    end = max(item[-1] for item in items)
    at = FIRST
    while at <= end:
        seen = [item for item in items if item[0] < at]
        needed = np.array([_within(item, at, at + WINDOW) for item in seen], bool)
        yield Checkpoint(at, [item[: np.searchsorted(item, at)] for item in seen], needed)
        at += EVERY


def _within(item: Uses, start: float, end: float) -> bool:
    return bool(np.searchsorted(item, end) > np.searchsorted(item, start))


# --- the rules --------------------------------------------------------------------------------------


def rules() -> list[tuple[str, Rule]]:
    """All that are compared, by name."""
    return [
        ("memd retention", _corrected(lambda state: (-state.u, state.needed))),
        ("memd activation", _corrected(lambda state: (state.activation, _odds(state.activation)))),
        ("recency", lambda point: Told(np.array([uses[-1] for uses in point.uses]), None)),
        ("frequency", lambda point: Told(np.array([float(len(uses)) for uses in point.uses]), None)),
        ("ACT-R", _act_r),
        ("exponential, S fixed", lambda point: _decay(point, lambda _: FIXED_STABILITY)),
        ("S = 2 ln(1+n), hours", lambda point: _decay(point, lambda uses: 2 * math.log(1 + len(uses)) / 24)),
    ]


def _corrected(told: Callable[[State], tuple[float, float]]) -> Rule:
    """memd's own, with its forecasts corrected by what came of those of earlier checkpoints, as the daemon does."""
    expected = came = 0.0

    def rule(point: Checkpoint) -> Told:
        nonlocal expected, came
        values = np.array([told(_state(uses, point.at)) for uses in point.uses])
        scores, plain = values[:, 0], values[:, 1]
        odds = plain / (1 - plain) * forecast.correction(expected, came)
        expected, came = expected + float(plain.sum()), came + float(point.needed.sum())
        return Told(scores, odds / (1 + odds))

    return rule


def _state(uses: Uses, now: float) -> State:
    """How alive an ordinary memory is that was recorded at the first use and used at the others."""
    events = [Event(round(day * DAY_MS), "useful") for day in uses[1:].tolist()]
    born = round(uses[0] * DAY_MS)
    life = Life(0, "note", born, 0.5, False, None, None, 32, None, 0)
    return vitality.state(vitality.reckoned(life, events), events, round(now * DAY_MS))


def _odds(activation: float) -> float:
    """The probability whose odds are e^B: ACT-R's need odds."""
    return min(MOST, 1 / (1 + math.exp(-activation)))


def _act_r(point: Checkpoint) -> Told:
    levels = np.array([math.log(np.sum((point.at - uses) ** -ACT_R_DECAY)) for uses in point.uses])
    return Told(levels, 1 / (1 + np.exp(-levels)))


def _decay(point: Checkpoint, stability: Callable[[Uses], float]) -> Told:
    """e^(−t/S), taken for the probability of need."""
    exponents = np.array([-(point.at - uses[-1]) / stability(uses) for uses in point.uses])
    return Told(exponents, np.exp(exponents))


# --- the figures ------------------------------------------------------------------------------------


def _row(points: Sequence[Checkpoint], told: Sequence[Told]) -> dict[str, float | None]:
    """Mean AUC over the checkpoints where both happen, and the calibration error over all of them together."""
    areas = [
        auc(one.scores, point.needed)
        for point, one in zip(points, told, strict=True)
        if point.needed.any() and not point.needed.all()
    ]
    error = None
    if all(one.probabilities is not None for one in told):
        probabilities = np.concatenate([one.probabilities for one in told if one.probabilities is not None])
        error = round(calibration_error(probabilities, np.concatenate([point.needed for point in points])), 4)
    return {"auc": round(float(np.mean(areas)), 4), "calibration_error": error}


def auc(scores: Floats, labels: NDArray[np.bool_]) -> float:
    """How often one that was needed scores above one that wasn't; ties count half. Both must occur."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    positive = int(labels.sum())
    negative = len(labels) - positive
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * negative))


def calibration_error(probabilities: Floats, labels: NDArray[np.bool_]) -> float:
    """Expected calibration error over `BINS` bins of equal count."""
    order = np.argsort(probabilities, kind="stable")
    return sum(
        len(part) / len(order) * abs(float(probabilities[part].mean()) - float(labels[part].mean()))
        for part in np.array_split(order, BINS)
        if len(part)
    )
