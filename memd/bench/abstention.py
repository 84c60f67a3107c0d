"""Abstention: how often recall answers what its store can't, and how often it keeps silent where it could.

Each store is asked its own questions and questions of other data, which nothing in it answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from memd.bench import formats
from memd.bench.collection import Question
from memd.bench.stores import Progress, Stocked, Track, stocked, unseen
from memd.model import Query

LIMIT = 10
CURVE = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.9, 0.97, 0.99)  # thresholds on that probability


class Plan(NamedTuple):
    """What to run.

    Attributes:
        format, file: the data whose stores are asked.
        foreign_format, foreign_file: the data that the unanswerable questions come from.
        foreign: how many of those each store is asked.
        seed: which ones.
        home: a folder to keep the stores in for the next run; None throws them away.
    """

    format: str
    file: Path
    foreign_format: str
    foreign_file: Path
    foreign: int = 200
    seed: int = 1
    home: Path | None = None


class Answer(NamedTuple):
    """Whether a question got hits, and how probable recall thinks it that the store answers it."""

    answered: bool
    answerable: float


def measure(plan: Plan, progress: Progress = unseen) -> dict[str, Any]:
    """Ask, and return the figures in percent, in the shape that `memd bench abstention --json` prints as `data`.

    Raises:
        BadInput: a file isn't of its format.
    """
    collections = formats.read(plan.format, plan.file)
    others = [question for one in formats.read(plan.foreign_format, plan.foreign_file) for question in one.questions]
    chance = random.Random(plan.seed)
    own: list[Answer] = []
    foreign: list[Answer] = []
    for collection in collections:
        strange = chance.sample(others, min(plan.foreign, len(others)))
        with ExitStack() as stack:
            with progress(f"Encoding {collection.name}") as track:
                store = stack.enter_context(stocked(collection, plan.home, track))
            with progress(f"Asking {collection.name}") as track:
                answers = list(_answers(store, [*collection.questions, *strange], track))
        own += answers[: len(collection.questions)]
        foreign += answers[len(collection.questions) :]
    return {
        "own": len(own),
        "foreign": len(foreign),
        "default": _rates([not answer.answered for answer in own], [answer.answered for answer in foreign]),
        "curve": [
            {
                "threshold": threshold,
                **_rates(
                    [answer.answerable < threshold for answer in own],
                    [answer.answerable >= threshold for answer in foreign],
                ),
            }
            for threshold in CURVE
        ],
    }


def _answers(store: Stocked, questions: Sequence[Question], track: Track) -> Iterator[Answer]:
    for done, question in enumerate(questions, start=1):
        answer = store.memory.ask(Query(question.text, limit=LIMIT, scope="global", now=question.now))
        yield Answer(bool(answer.hits), 1.0 if answer.answerable is None else answer.answerable)
        track(done, len(questions))


def _rates(lost: Sequence[bool], false: Sequence[bool]) -> dict[str, float]:
    """Percent of the store's own questions left without a hit, and of the others given one."""
    return {"lost": round(100 * sum(lost) / len(lost), 2), "false": round(100 * sum(false) / len(false), 2)}
