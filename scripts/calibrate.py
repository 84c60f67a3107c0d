"""Fit recall's numbers to the encoder that is built: fusion by coordinate search, relevance by logistic regression.

    python scripts/calibrate.py --locomo FILE --commits FILE [--rounds N] [--dry-run]

Every setting is judged by the real recall, over both kinds of data with equal weight, on the questions of even
number; those of odd number are only reported, so that a gain which doesn't carry over is seen. Writes
memd/recall/calibration.json. The same data and encoder give the same file.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from memd.bench import formats
from memd.bench.metrics import figures
from memd.bench.stores import Stocked, stocked
from memd.encoder import Encoder, Encoding
from memd.model import Query
from memd.recall import relevance
from memd.recall.calibration import FILE, Calibration, fitted
from memd.recall.recaller import Ranked, Recaller, _Search
from memd.recall.results import Found

# What the search may try for each number, in the order in which it tries them. Factors of the value at hand.
STEPS: dict[str, tuple[float, ...]] = {
    "late": (0.67, 1.5),
    "dense": (0.5, 2.0),
    "surround": (0.5, 2.0),
    "entity": (0.67, 1.5),
    "k": (0.67, 1.5),
    "late_length": (0.67, 1.5),
    "late_power": (0.8, 1.25),
    "late_idf": (0.8, 1.25),
    "late_neighbour": (0.9, 1.1),
    "neighbour": (0.67, 1.5),
    "episode": (0.67, 1.5),
    "episode_near": (0.67, 1.5),
    "temporal": (0.67, 1.5),
    "reply": (0.67, 1.5),
    "question": (0.67, 1.5),
    "speaker": (0.67, 1.5),
}
FIGURES = ("R@5", "R@10", "MRR")
NOISE = 0.25  # points that a change must gain: less carried over neither to the other questions nor to sessions
FOREIGN = 200  # questions of the other data, which a store can't answer
RELEVANT_DEPTH = 10  # hits a question that relevance is fitted on
MOST_LOST, MOST_FALSE = 0.03, 0.10  # what is promised: answerable questions lost, others answered
SEED = 7


class Remembering:
    """An encoder that encodes each query once: the search asks the same questions again and again."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Encoding] = {}
        self.fingerprint, self.dimension = encoder.fingerprint, encoder.dimension

    def encode_query(self, text: str) -> Encoding:
        if text not in self._known:
            self._known[text] = self._encoder.encode_query(text)
        return self._known[text]


class Witness(Recaller):
    """A recaller that keeps what it judged the last answer by.

    Attributes:
        seen: float64 [n, 3], the hits' evidence.
        near: the nearness, and 1 where the query names one who talks here.
    """

    seen: NDArray[np.float64]
    near: tuple[float, float, float]

    def _found(self, ranked: Ranked, limit: int) -> Found:
        found = super()._found(ranked, limit)
        self.seen = relevance.evidence(ranked.voices, ranked.fused, ranked.totals, found.places)
        self.near = *(relevance.nearness(ranked.voices) or (0.0, 0.0)), float(self._of_a_speaker)
        return found

    def _answerable(self, search: _Search, ranked: Ranked) -> float | None:
        self._of_a_speaker = self._resident.talks(search.speakers, ranked.fused.slots)
        return super()._answerable(search, ranked)


class Judged(NamedTuple):
    """Mean of `FIGURES` in percent over both kinds of data, on the questions searched on and on the others."""

    searched: float
    others: float


class Data:
    """The stocked collections, by kind of data."""

    def __init__(self, stores: dict[str, list[Stocked]], encoder: Encoder) -> None:
        self.stores = stores
        self._encoder = Remembering(encoder)

    def recaller(self, store: Stocked, numbers: Calibration) -> Witness:
        return Witness(store.memory.store, self._encoder, numbers=numbers)  # type: ignore[arg-type]

    def judge(self, numbers: Calibration) -> Judged:
        """Ask everything under a setting."""
        halves: tuple[list[float], list[float]] = ([], [])
        for stores in self.stores.values():
            rows: tuple[list[float], list[float]] = ([], [])
            for store in stores:
                for number, score in enumerate(self._scores(store, numbers)):
                    rows[number % 2].append(score)
            for half, row in zip(halves, rows, strict=True):
                half.append(100 * float(np.mean(row)))
        return Judged(float(np.mean(halves[0])), float(np.mean(halves[1])))

    def _scores(self, store: Stocked, numbers: Calibration) -> Iterator[float]:
        recaller = self.recaller(store, numbers)
        for question in store.collection.questions:
            got = figures(ranking(recaller, store, question.text), question.gold)
            yield float(np.mean([got[name] for name in FIGURES]))
        recaller.close()


def ranking(recaller: Recaller, store: Stocked, text: str) -> list[str]:
    """Keys of the first 50, as the protocol asks."""
    answer = recaller.recall(Query(text, limit=50, min_relevance=0.0))
    return [store.keys[hit.memory.id][0] for hit in answer.hits]


def search(data: Data, start: Calibration, rounds: int, console: Console) -> Calibration:
    """Coordinate search: move one number at a time as long as that helps."""
    best, judged = start, data.judge(start)
    console.print(f"start: {judged.searched:.2f} (others {judged.others:.2f})")
    with Progress(console=console) as progress:
        task = progress.add_task("fusion", total=rounds * sum(map(len, STEPS.values())))
        for _ in range(rounds):
            before = best
            for name, factors in STEPS.items():
                for factor in factors:
                    tried = msgspec.structs.replace(best, **{name: round(getattr(best, name) * factor, 4)})
                    result = data.judge(tried)
                    if result.searched > judged.searched + NOISE:
                        best, judged = tried, result
                        console.print(
                            f"{name} = {getattr(best, name):g}: {judged.searched:.2f} (others {judged.others:.2f})"
                        )
                    progress.advance(task)
            if best == before:
                break
    return best


class Examples(NamedTuple):
    """What to learn relevance and answerability from.

    Attributes:
        seen: float64 [hits, 3], the evidence of the first hits of every question.
        answers: float64 [hits], 1 where the hit is a right answer.
        near: for each kind of data, of its own questions and of foreign ones, float64 [questions, 3]: `Witness.near`.
    """

    seen: NDArray[np.float64]
    answers: NDArray[np.float64]
    near: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


def examples(data: Data, numbers: Calibration) -> Examples:
    """Ask every store its own questions and some of the other kind's."""
    chance = random.Random(SEED)
    seen: list[NDArray[np.float64]] = []
    answers: list[bool] = []
    near = {}
    for kind, stores in data.stores.items():
        others = [
            q for other, them in data.stores.items() if other != kind for s in them for q in s.collection.questions
        ]
        own: list[tuple[float, float, float]] = []
        foreign: list[tuple[float, float, float]] = []
        for store in stores:
            recaller = data.recaller(store, numbers)
            strange = chance.sample(others, min(FOREIGN, len(others)))
            for asked, into in ((store.collection.questions, own), (strange, foreign)):
                for question in asked:
                    hits = recaller.recall(Query(question.text, limit=RELEVANT_DEPTH, min_relevance=0.0)).hits
                    seen.append(recaller.seen[: len(hits)])
                    right = question.gold if into is own else ()
                    answers += [store.keys[hit.memory.id][0] in right for hit in hits]
                    into.append(recaller.near)
            recaller.close()
        near[kind] = (np.array(own), np.array(foreign))
    return Examples(np.vstack(seen), np.array(answers, float), near)


def logistic(
    seen: NDArray[np.float64], answers: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Bias and coefficients of a logistic regression, by Newton's method, standardised, with a slight ridge."""
    weights = np.ones(len(seen)) if weights is None else weights
    mean, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(seen)), (seen - mean) / spread])
    found = np.zeros(design.shape[1])
    ridge = 1e-3 * weights.sum() * np.diag([0.0, *[1.0] * seen.shape[1]])
    for _ in range(50):
        given = 1 / (1 + np.exp(-design @ found))
        curvature = (design * (weights * given * (1 - given))[:, None]).T @ design + ridge
        found -= np.linalg.solve(curvature, design.T @ (weights * (given - answers)) + ridge @ found)
    slopes = found[1:] / spread
    return np.concatenate(([found[0] - slopes @ mean], slopes))


def fit_relevance(data: Data, numbers: Calibration, console: Console) -> Calibration:
    """Fit both models, then the threshold of silence."""
    known = examples(data, numbers)
    bias, late, dense, share = np.round(logistic(known.seen, known.answers), 4).tolist()
    numbers = msgspec.structs.replace(
        numbers, relevance_bias=bias, relevance_late=late, relevance_dense=dense, relevance_share=share
    )
    groups = [(rows, answer) for pair in known.near.values() for rows, answer in zip(pair, (1.0, 0.0), strict=True)]
    # Each kind of data and each answer counts the same, however many questions it has.
    fitted_to = np.vstack([rows[:, :2] for rows, _ in groups])
    labels = np.concatenate([np.full(len(rows), answer) for rows, answer in groups])
    even = np.concatenate([np.full(len(rows), 1 / len(rows)) for rows, _ in groups])
    bias, late, dense = np.round(logistic(fitted_to, labels, even), 4).tolist()
    numbers = msgspec.structs.replace(numbers, answerable_bias=bias, answerable_late=late, answerable_dense=dense)
    return msgspec.structs.replace(numbers, abstain_below=silence(known, numbers, console))


def silence(known: Examples, numbers: Calibration, console: Console) -> float:
    """The threshold at which the worse of both promises, on the worse kind of data, is kept best."""
    judged = {
        kind: [np.array([_answerable(row, numbers) for row in rows.tolist()]) for rows in pair]
        for kind, pair in known.near.items()
    }
    best, least = 0.0, float("inf")
    for threshold in np.round(np.arange(0.005, 0.995, 0.005), 3).tolist():
        rates = {
            kind: (float(np.mean(own < threshold)), float(np.mean(foreign >= threshold)))
            for kind, (own, foreign) in judged.items()
        }
        worst = max(max(lost / MOST_LOST, false / MOST_FALSE) for lost, false in rates.values())
        if worst < least:
            best, least = threshold, worst
            told = ", ".join(f"{kind} {lost:.1%} lost {false:.1%} false" for kind, (lost, false) in rates.items())
            console.print(f"silent below {threshold:g}: {told}")
    return best


def _answerable(near: tuple[float, float, float], numbers: Calibration) -> float:
    late, dense, of_a_speaker = near
    return relevance.answerable((late, dense), numbers, of_a_speaker=bool(of_a_speaker))


def main() -> int:
    """Fit and write; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--locomo", type=Path, required=True)
    parser.add_argument("--commits", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=2, help="passes over all numbers; 0 fits relevance alone")
    parser.add_argument("--dry-run", action="store_true", help="print the result, write nothing")
    asked = parser.parse_args()
    console = Console(stderr=True)
    encoder = Encoder.load()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_stores:
        stores = {
            kind: [
                open_stores.enter_context(stocked(collection, Path(folder), lambda done, total: None))
                for collection in formats.read(kind, file)
            ]
            for kind, file in (("locomo", asked.locomo), ("commits", asked.commits))
        }
        data = Data(stores, encoder)
        start = msgspec.structs.replace(fitted(), encoder=encoder.fingerprint)
        numbers = fit_relevance(data, search(data, start, asked.rounds, console), console)
    text = msgspec.json.format(msgspec.json.encode(numbers), indent=2).decode() + "\n"
    if asked.dry_run:
        print(text, end="")
    else:
        FILE.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
