"""What fewer bits cost: on the vectors of real texts, by each way to score codes, and on whole recalls.

Every way scores the same codes; they differ in what they make of them. Rankings are of passages.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd import __version__
from memd.api import Memory
from memd.bench import fisher_rao, formats, metrics
from memd.bench.baselines.codes import read_codes
from memd.bench.collection import Collection, Question
from memd.bench.rankers import Recall
from memd.bench.stores import ASKED_AT, Progress, Stocked, stocked, unseen
from memd.encoder import Encoder
from memd.errors import BadInput
from memd.home import STORE
from memd.lifecycle import retention, tiers
from memd.quantize import codes, signs
from memd.quantize.preference import copies, preferred
from memd.quantize.rotation import rotation
from memd.store import vectors

DEPTH = 10  # ranks that are compared with float32's
WHOLE_FIGURES = ("R@5", "R@10", "MRR", "nDCG@10")

_FLOAT = vectors.FLOAT_BITS
_DAY_S = 86_400
_TIMED = 20  # queries that a score is timed with

Matrix = NDArray[np.float32]
Kept = NDArray[np.int64]


class Plan(NamedTuple):
    """What to measure.

    Attributes:
        format: the file's layout, a name of `formats.FORMATS`.
        file: the data.
        limit: how many questions of each collection, spread evenly over it; None for all.
        draws: how often half of a store is drawn at random.
        seed: of the draws, and of the rotation.
        home: a folder to keep the stores in for the next run; None throws them away.
    """

    format: str
    file: Path
    limit: int | None = None
    draws: int = 5
    seed: int = 1
    home: Path | None = None


class Vectors(NamedTuple):
    """n vectors of a collection and m queries.

    Attributes:
        whole: float32 [n, d].
        coded: at each number of bits, their codes.
        decoded: at each number of bits, float32 [n, d]; at 32 the vectors themselves.
        rho: at each number of bits, float32 [n].
        packed: uint8 [n, d/8], their signs.
        turn: float32 [d, d], the rotation.
        queries: float32 [m, d].
        gold: for each query, bool [n].
        tiers: int64 [n], the bits that the lifecycle chose.
    """

    whole: Matrix
    coded: dict[int, codes.Coded]
    decoded: dict[int, Matrix]
    rho: dict[int, NDArray[np.float32]]
    packed: NDArray[np.uint8]
    turn: Matrix
    queries: Matrix
    gold: NDArray[np.bool_]
    tiers: Kept


# --- ways to score ---------------------------------------------------------------------------------


def _cosine(data: Vectors, bits: int, queries: Matrix) -> Matrix:
    """The cosine to the code."""
    rows = data.decoded[bits]
    result: Matrix = queries @ (rows / np.maximum(np.linalg.norm(rows, axis=1), 1e-12)[:, None]).T
    return result


def _fisher_rao(data: Vectors, bits: int, queries: Matrix) -> Matrix:
    """The nearer, the higher."""
    rows = data.decoded[bits]
    means = rows / np.maximum(np.linalg.norm(rows, axis=1), 1e-12)[:, None]
    spread = fisher_rao.variances(means, bits)
    return np.stack([-fisher_rao.distances(query, means, spread) for query in queries])


def _memd(data: Vectors, bits: int, queries: Matrix) -> Matrix:
    """The unbiased estimate."""
    if bits == _FLOAT:
        return queries @ data.whole.T
    return codes.scores(queries, data.coded[bits], data.packed, data.turn)[0]


class Way(NamedTuple):
    """A way to score, and whether copies of a content are put in order."""

    scores: Callable[[Vectors, int, Matrix], Matrix]
    prefers: bool = False


WAYS = {"cosine": Way(_cosine), "fisher-rao": Way(_fisher_rao), "memd": Way(_memd, prefers=True)}


# --- the measurement -------------------------------------------------------------------------------


class _Sums:
    """Means over whatever is added, each by its weight."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Any, ...], tuple[float, float]] = {}

    def add(self, key: tuple[Any, ...], value: float, weight: float = 1.0) -> None:
        total, weights = self._sums.get(key, (0.0, 0.0))
        self._sums[key] = total + value * weight, weights + weight

    def mean(self, *key: Any) -> float:
        total, weights = self._sums[key]
        return total / weights

    def percent(self, *key: Any) -> float:
        return round(100.0 * self.mean(*key), 3)


def measure(plan: Plan, progress: Progress = unseen) -> dict[str, Any]:
    """Measure, and return what `memd bench quantization --json` prints as `data`. Percent, bytes, microseconds.

    Raises:
        BadInput: the file isn't of its format, or has no questions.
        EncoderUnavailable: there is no encoder to make vectors with.
    """
    collections = [_sampled(one, plan.limit) for one in formats.read(plan.format, plan.file)]
    collections = [one for one in collections if one.questions]
    if not collections:
        raise BadInput(f"{plan.file} has no question with a known answer.", "Check --format.")
    encoder = Encoder.load()
    sums, counts = _Sums(), {"memories": 0, "passages": 0, "questions": 0}
    for number, collection in enumerate(collections, start=1):
        of = f" ({number} of {len(collections)})" if len(collections) > 1 else ""
        with progress(f"Encoding {collection.name}{of}") as track, stocked(collection, plan.home, track) as store:
            data = _vectors(store, encoder, plan.seed)
            with progress(f"Scoring {collection.name}{of}") as scored:
                _score_all(data, plan, sums, scored)
            with progress(f"Asking {collection.name}{of}") as asked:
                _ask_all(store, plan, sums, asked)
        counts["memories"] += len(collection.memories)
        counts["passages"] += len(data.whole)
        counts["questions"] += len(collection.questions)
    return {
        "format": plan.format,
        "file": str(plan.file),
        "version": __version__,
        "seed": plan.seed,
        "draws": plan.draws,
        **counts,
        "dimension": encoder.dimension,
        "codes": {str(bits): _code(sums, bits, encoder.dimension) for bits in (_FLOAT, *codes.BITS)},
        "rows": {name: {str(bits): _row(sums, name, bits) for bits in codes.BITS} for name in WAYS},
        "lifecycle": {
            "tiers": {str(tier): sums.percent("tier", tier) for tier in tiers.ORDER},
            "recall@10": {name: sums.percent(name, "life", "recall@10") for name in WAYS},
        },
        "whole": {
            name: {
                **{figure: sums.percent("whole", name, figure) for figure in WHOLE_FIGURES},
                "bytes": round(sums.mean("whole", name, "bytes"), 1),
            }
            for name in _WHOLE
        },
    }


def _code(sums: _Sums, bits: int, dimension: int) -> dict[str, float]:
    own = 4 * dimension if bits == _FLOAT else codes.width(bits, dimension)
    return {
        "bytes": own,
        "sign_bytes": -(-dimension // 8),
        "cosine": round(sums.mean("rho", bits), 6),
        "least_cosine": round(1.0 - sums.mean("least", bits), 6),
        "distortion": round(sums.mean("distortion", bits), 6),
    }


def _row(sums: _Sums, name: str, bits: int) -> dict[str, float]:
    figures = ("preference", "recall@10", "nDCG@10", "float_nDCG@10", "relevant_above", "float_relevant_above")
    shown = {figure: sums.percent(name, bits, figure) for figure in figures}
    return {**shown, "us_a_score": round(sums.mean(name, bits, "us"), 3)}


def _sampled(collection: Collection, limit: int | None) -> Collection:
    """With the questions that have an answer, `limit` of them at most."""
    known = [question for question in collection.questions if question.answerable and question.gold]
    if limit is not None and limit < len(known):
        known = [known[place * len(known) // limit] for place in range(limit)]
    return collection._replace(questions=known)


def _vectors(store: Stocked, encoder: Encoder, seed: int) -> Vectors:
    read = read_codes(store)
    owners = np.repeat(np.arange(len(read.keys)), np.diff(np.append(read.first, len(read.pooled))))
    questions = store.collection.questions
    gold = np.array([[not set(keys).isdisjoint(asked.gold) for keys in read.keys] for asked in questions])
    packed, turn = signs.pack(read.pooled), rotation(seed, read.pooled.shape[1])
    coded = {bits: codes.encode(read.pooled, turn, bits, packed) for bits in codes.BITS}
    return Vectors(
        whole=read.pooled,
        coded=coded,
        decoded={bits: codes.decode(each, packed, turn) for bits, each in coded.items()} | {_FLOAT: read.pooled},
        rho={bits: each.rho for bits, each in coded.items()} | {_FLOAT: np.ones(len(owners), np.float32)},
        packed=packed,
        turn=turn,
        queries=np.stack([encoder.encode_query(question.text).pooled for question in questions]),
        gold=gold[:, owners],
        tiers=_tiers(store.collection, read.keys)[owners],
    )


def _tiers(collection: Collection, keys: Sequence[tuple[str, ...]]) -> Kept:
    """The tier of each memory on the day of the last one, when none was ever used."""
    places = {key: place for place, key in enumerate(collection.keys)}
    memories = [collection.memories[places[each[0]]] for each in keys]
    times = [(memory.event_at or ASKED_AT).timestamp() for memory in memories]
    ages = [(max(times) - at) / _DAY_S for at in times]
    starts = [retention.initial(memory.kind, 0.5) for memory in memories]
    return np.array([tiers.tier_at(age, start, tiers.ACTIVE) for age, start in zip(ages, starts, strict=True)])


def _score_all(data: Vectors, plan: Plan, sums: _Sums, track: Callable[[int, int], None]) -> None:
    """All that is measured on vectors alone."""
    draw = np.random.default_rng(plan.seed)
    halves = [draw.random(len(data.whole)) < 0.5 for _ in range(plan.draws)]
    n, done, steps = len(data.whole), 0, len(WAYS) * (1 + len(codes.BITS))
    for bits, rho in data.rho.items():
        sums.add(("rho", bits), float(rho.mean()), n)
        sums.add(("distortion", bits), float((1.0 - rho.astype(np.float64) ** 2).mean()), n)
        sums.add(("least", bits), float(1.0 - rho.min()))
    for tier in tiers.ORDER:
        sums.add(("tier", tier), float((data.tiers == tier).mean()), n)
    for name, way in WAYS.items():
        by_bits = {}
        for bits in (_FLOAT, *codes.BITS):
            by_bits[bits] = way.scores(data, bits, data.queries)
            done += 1
            track(done, steps)
        exact = by_bits[_FLOAT] if name == "fisher-rao" else data.queries @ data.whole.T
        truth = _tops(data.queries @ data.whole.T)  # float32 is ranked by its cosine, whatever the row
        for bits in codes.BITS:
            _prefer(data, name, bits, (exact, by_bits[bits]), sums)
            for half in halves:
                kept = np.where(half, bits, _FLOAT)
                _mix(data, (name, bits), _mixed(data, way, by_bits, kept), truth, half, sums)
            sums.add((name, bits, "us"), _timed(data, way, bits))
        vivid = np.flatnonzero(data.tiers > 0)
        mixed = _mixed(data, way, by_bits, np.maximum(data.tiers, 1))[:, vivid]
        ideal = _tops((data.queries @ data.whole.T)[:, vivid])
        sums.add((name, "life", "recall@10"), _overlap(ideal, _tops(mixed)), len(mixed))


def _mixed(data: Vectors, way: Way, by_bits: dict[int, Matrix], kept: Kept) -> Matrix:
    """Scores of a store that keeps each vector at its own number of bits."""
    found = np.empty_like(by_bits[_FLOAT])
    rows = np.empty_like(data.whole)
    rho = np.empty(len(rows), np.float32)
    for bits in np.unique(kept).tolist():
        here = kept == bits
        found[:, here], rows[here], rho[here] = by_bits[bits][:, here], data.decoded[bits][here], data.rho[bits][here]
    if not way.prefers:
        return found
    same = copies(rows, kept, rho)
    return np.stack([preferred(row, same) for row in found])


def _prefer(data: Vectors, name: str, bits: int, scored: tuple[Matrix, Matrix], sums: _Sums) -> None:
    """How often the float32 copy of a text goes before its copy in fewer bits, in a store that has both of all."""
    n = len(data.whole)
    both = np.concatenate(scored, axis=1)
    if WAYS[name].prefers:
        rows = np.concatenate((data.whole, data.decoded[bits]))
        rho = np.concatenate((data.rho[_FLOAT], data.rho[bits]))
        same = copies(rows, np.repeat([_FLOAT, bits], n), rho)
        both = np.stack([preferred(row, same) for row in both])
    sums.add((name, bits, "preference"), float((both[:, :n] > both[:, n:]).mean()), both.shape[0])


def _mix(
    data: Vectors, key: tuple[str, int], mixed: Matrix, truth: Kept, coarse: NDArray[np.bool_], sums: _Sums
) -> None:
    """Compare a mixed store's ranking with float32's."""
    m = len(mixed)
    sums.add((*key, "recall@10"), _overlap(truth, _tops(mixed)), m)
    sums.add((*key, "nDCG@10"), _ndcg(mixed, data.gold), m)
    exact = data.queries @ data.whole.T
    sums.add((*key, "float_nDCG@10"), _ndcg(exact, data.gold), m)
    for scores, gold in zip(mixed, data.gold, strict=True):
        _above(scores, gold, coarse, (*key, "relevant_above"), sums)
    for scores, gold in zip(exact, data.gold, strict=True):
        _above(scores, gold, coarse, (*key, "float_relevant_above"), sums)


def _above(
    scores: NDArray[np.float32], gold: NDArray[np.bool_], coarse: NDArray[np.bool_], key: tuple[Any, ...], sums: _Sums
) -> None:
    """How often a relevant one of the coarse goes before an irrelevant one of the others."""
    relevant, others = scores[gold & coarse], np.sort(scores[~gold & ~coarse])
    if len(relevant) and len(others):
        sums.add(key, float(np.searchsorted(others, relevant).mean() / len(others)))


def _tops(scores: Matrix) -> Kept:
    """The first ten of each row, ties in the order of storing: int64 [m, 10]."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]


def _overlap(truth: Kept, found: Kept) -> float:
    """The share of the one's that is among the other's, over rows."""
    return float((truth[:, :, None] == found[:, None, :]).any(axis=2).mean()) if truth.size else 1.0


def _ndcg(scores: Matrix, gold: NDArray[np.bool_]) -> float:
    """nDCG@10 of the passages of what answers, over rows."""
    gains = np.take_along_axis(gold, _tops(scores), axis=1)
    discounts = 1.0 / np.log2(np.arange(2, DEPTH + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))[np.minimum(gold.sum(axis=1), DEPTH)]
    gained = gains @ discounts[: gains.shape[1]]
    return float((gained[ideal > 0] / ideal[ideal > 0]).mean())


def _timed(data: Vectors, way: Way, bits: int) -> float:
    """Microseconds a score, one query at a time, all vectors: the median of some queries. Codes are decoded before."""
    times = []
    for query in data.queries[:_TIMED]:
        begin = time.perf_counter()
        way.scores(data, bits, query[None])
        times.append(time.perf_counter() - begin)
    return median(times) * 1e6 / len(data.whole)


# --- whole recalls ---------------------------------------------------------------------------------

_WHOLE = (str(_FLOAT), *(str(bits) for bits in codes.BITS), "lifecycle")


def _ask_all(store: Stocked, plan: Plan, sums: _Sums, track: Callable[[int, int], None]) -> None:
    """Every question to recall, all channels: as it is, half of the store at each number of bits, by the lifecycle."""
    source = store.memory.store.path
    for number, name in enumerate(_WHOLE, start=1):
        with tempfile.TemporaryDirectory(prefix="memd-bench-") as place:
            with store.memory.store.reading() as db:
                db.execute("SELECT 1 FROM memory LIMIT 1").fetchone()
                shutil.copy(source, Path(place) / STORE)
            with Memory.open(Path(place), encode="off", clock=lambda: ASKED_AT) as memory:
                _fade(memory, store, name, plan.seed)
                other = store._replace(memory=memory, size=0)
                _ask(other, name, sums)
                sums.add(("whole", name, "bytes"), _held(memory), len(store.keys))
        track(number, len(_WHOLE))


def _fade(memory: Memory, store: Stocked, name: str, seed: int) -> None:
    """Keep what this row says in fewer bits."""
    with memory.store.writing() as db:
        seqs = dict(db.execute("SELECT seq, id FROM memory WHERE forgotten_at IS NULL ORDER BY seq"))
        if name == "lifecycle":
            kept = _tiers(store.collection, [store.keys[each] for each in seqs.values()])
        else:
            kept = np.where(np.random.default_rng(seed).random(len(seqs)) < 0.5, int(name), _FLOAT)
        for bits in np.unique(kept[kept < _FLOAT]).tolist():
            vectors.requantize(db, [seq for seq, each in zip(seqs, kept.tolist(), strict=True) if each == bits], bits)


def _ask(store: Stocked, name: str, sums: _Sums) -> None:
    ranker = Recall(store)
    ranker.rank(Question("", "warm up", ()), 1)
    for question in store.collection.questions:
        shown = metrics.figures(ranker.rank(question, metrics.DEPTH), question.gold, question.grades)
        for figure in WHOLE_FIGURES:
            sums.add(("whole", name, figure), shown[figure])


def _held(memory: Memory) -> float:
    """Bytes a memory of all that was encoded: vectors, signs, tokens."""
    with memory.store.reading() as db:
        vector, n = db.execute("SELECT coalesce(sum(length(code)), 0), count(*) FROM vector").fetchone()
        tokens = db.execute("SELECT coalesce(sum(length(code) + length(ids)), 0) FROM token_code").fetchone()[0]
        width = db.execute("SELECT max(dimension) / 8 FROM encoder").fetchone()[0]
        return float((vector + tokens + n * width) / db.execute("SELECT count(*) FROM memory").fetchone()[0])
