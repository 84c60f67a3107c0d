"""Gists within a budget of tokens: how much of the right memories is shown with them, and how much without.

Every memory is stored as a note, as only what is stated is put into gists. Each question is asked once, for `DEPTH`
memories; then the budgets are filled with what was found, best first, and with gists for what they stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from memd.bench import formats
from memd.bench.bootstrap import intervals
from memd.bench.collection import Collection, Question
from memd.bench.stores import Progress, Stocked, Track, stocked, unseen
from memd.errors import BadInput
from memd.gists import standing
from memd.model import Gist, Hit, Query

BUDGETS = (64, 128, 256, 512, 1024)  # tokens
DEPTH = 100  # memories found, to fill the largest
ROWS = ("without", "gists")


class Plan(NamedTuple):
    """What to run.

    Attributes:
        format, file: the data.
        limit: how many questions of each store, spread evenly; None for all.
        seed: of the intervals.
        home: a folder to keep the stores in for the next run; None throws them away.
    """

    format: str
    file: Path
    limit: int | None = None
    seed: int = 1
    home: Path | None = None


class _Shown(NamedTuple):
    """Of the right memories: the share that anything is shown of, and the share of their text that is shown."""

    named: float
    text: float


def measure(plan: Plan, progress: Progress = unseen) -> dict[str, Any]:
    """Ask, and return the figures in percent, in the shape that `memd bench gists --json` prints as `data`.

    Raises:
        BadInput: the file isn't of its format, or has no question with a known answer.
    """
    figures: list[list[_Shown]] = []  # of each question: the budgets, without gists and then with them
    made = memories = 0
    for collection in [_stated(read, plan.limit) for read in formats.read(plan.format, plan.file)]:
        with ExitStack() as stack:
            with progress(f"Encoding {collection.name}") as track:
                store = stack.enter_context(stocked(collection, plan.home, track))
            gists = _make(store)
            made += len(gists)
            memories += len(collection.memories)
            with progress(f"Asking {collection.name}") as track:
                figures += _ask(store, gists, track)
    if not figures:
        raise BadInput(f"{plan.file} has no question with a known answer.", "Check --format.")
    return {"questions": len(figures), "memories": memories, "gists": made, "budgets": _summary(figures, plan.seed)}


def _stated(collection: Collection, limit: int | None) -> Collection:
    questions = [one for one in collection.questions if one.answerable and one.gold]
    if limit is not None and limit < len(questions):
        questions = [questions[place * len(questions) // limit] for place in range(limit)]
    memories = [msgspec.structs.replace(memory, kind="note") for memory in collection.memories]
    return collection._replace(memories=memories, questions=questions)


def _make(store: Stocked) -> dict[str, Gist]:
    """The store's gists by id, made by maintenance passes."""
    while store.memory.lifecycle.waits():
        store.memory.lifecycle.run()
    return {gist.id: gist for gist in store.memory.gists(scope="all", limit=1000).gists}


def _ask(store: Stocked, gists: dict[str, Gist], track: Track) -> list[list[_Shown]]:
    lengths = {key: len(one.text) for key, one in zip(store.collection.keys, store.collection.memories, strict=True)}
    found = []
    for done, question in enumerate(store.collection.questions, start=1):
        query = Query(question.text, limit=DEPTH, scope="global", now=question.now, min_relevance=0)
        hits = store.memory.ask(query).hits
        with store.memory.store.reading() as db:
            rows = (hits, standing.stand_in(db, hits))
        count = store.memory.count_tokens
        found.append(
            [
                _shown(store, question, lengths, gists, standing.within(row, budget, count))
                for row in rows
                for budget in BUDGETS
            ]
        )
        track(done, len(store.collection.questions))
    return found


def _shown(
    store: Stocked, question: Question, lengths: dict[str, int], gists: dict[str, Gist], hits: Sequence[Hit]
) -> _Shown:
    characters: dict[str, int] = {}
    for hit in hits:
        gist = gists.get(hit.memory.id)
        parts = [(hit.memory.id, len(hit.excerpt.text))]
        if gist is not None:
            parts = [(quote.id, len(quote.text)) for quote in gist.quotes]
        for id_, size in parts:
            for key in store.keys.get(id_, ()):
                characters[key] = characters.get(key, 0) + size
    gold = question.gold
    return _Shown(
        sum(key in characters for key in gold) / len(gold),
        sum(min(1.0, characters.get(key, 0) / lengths[key]) for key in gold) / len(gold),
    )


def _summary(figures: Sequence[Sequence[_Shown]], seed: int) -> dict[str, Any]:
    """For each budget: both rows' means, and the difference in text with its interval."""
    values = 100 * np.array(figures, np.float64)  # [questions, rows · budgets, 2]
    means = values.mean(axis=0).reshape(len(ROWS), len(BUDGETS), 2).round(2).tolist()
    text = values[:, :, 1].reshape(len(values), len(ROWS), len(BUDGETS))
    change = intervals(text[:, 1] - text[:, 0], seed)
    return {
        str(budget): {
            **{row: dict(zip(_Shown._fields, means[place][at], strict=True)) for place, row in enumerate(ROWS)},
            "difference": {
                "mean": round(float(change.mean[at]), 2),
                "low": round(float(change.low[at]), 2),
                "high": round(float(change.high[at]), 2),
            },
        }
        for at, budget in enumerate(BUDGETS)
    }
