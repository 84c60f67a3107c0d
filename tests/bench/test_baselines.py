"""The methods that recall is held against, over a real store."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from memd.bench import formats
from memd.bench.baselines import baselines
from memd.bench.baselines.bm25 import BM25
from memd.bench.baselines.chance import Chance
from memd.bench.baselines.overlap import Overlap
from memd.bench.baselines.rrf import ReciprocalRank
from memd.bench.collection import Collection, Question
from memd.bench.rankers import Ranker, Recall, ablations
from memd.bench.stores import Stocked, stocked
from memd.encoder import Encoder
from memd.model import CHANNELS, NewMemory
from tests.bench import made


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stocked]:
    (collection,) = formats.read("locomo", made.locomo(tmp_path_factory.mktemp("data")))
    with stocked(collection, None, lambda done, total: None) as store:
        yield store


@pytest.fixture(scope="module")
def rows(talk: Stocked) -> dict[str, Ranker]:
    return {"memd": Recall(talk), **baselines(talk, Encoder.load(), 1), **ablations(talk)}


def ask(text: str) -> Question:
    return Question("q", text, ())


def of(*texts: str, episode: str | None = None) -> Collection:
    memories = [NewMemory(text, episode=episode) for text in texts]
    return Collection("made", [str(place) for place in range(len(texts))], memories, [], [])


def test_every_row_of_the_report_is_there(rows: dict[str, Ranker]) -> None:
    assert list(rows)[:7] == ["memd", "random", "overlap", "bm25", "dense", "late", "rrf60"]
    assert set(rows) >= {f"only-{channel}" for channel in CHANNELS} | {f"without-{channel}" for channel in CHANNELS}


@pytest.mark.parametrize("row", ["memd", "overlap", "bm25", "dense", "late", "rrf60", "only-lexical", "only-semantic"])
def test_a_row_finds_what_it_should_and_ranks_each_key_once(rows: dict[str, Ranker], talk: Stocked, row: str) -> None:
    for number, (topic, _) in enumerate(made.TOPICS, start=1):
        ranking = rows[row].rank(ask(f"What about the {topic}?"), 50)
        assert len(ranking) == len(set(ranking)) <= 50
        assert set(ranking) <= set(talk.collection.keys)
        assert {key.split(":")[0] for key in ranking[:2]} >= {f"D{number}"}
        assert rows[row].rank(ask(f"What about the {topic}?"), 50) == ranking


@pytest.mark.parametrize("row", ["memd", "random", "overlap", "bm25", "dense", "late", "rrf60"])
def test_a_row_ranks_no_more_than_it_is_asked_for(rows: dict[str, Ranker], row: str) -> None:
    assert len(rows[row].rank(ask("the boiler and the piano"), 2)) <= 2
    assert isinstance(rows[row].size, int)


def test_chance_depends_on_seed_and_question_and_a_longer_draw_goes_on() -> None:
    collection = of(*(f"text {place}" for place in range(200)))
    chance = Chance(collection, 1)
    assert chance.rank(ask("?"), 50) == chance.rank(ask("?"), 200)[:50]
    assert sorted(chance.rank(ask("?"), 500)) == sorted(collection.keys)
    assert chance.rank(ask("?"), 50) != Chance(collection, 2).rank(ask("?"), 50)
    assert chance.rank(ask("?"), 50) != chance.rank(Question("other", "?", ()), 50)


def test_overlap_counts_distinct_shared_words_and_prefers_the_shorter() -> None:
    overlap = Overlap(of("red red red", "a red bicycle in the cellar", "the red bicycle", "nothing of it"))
    assert overlap.rank(ask("Where is the red bicycle?"), 10) == ["2", "1", "0"]


def test_bm25_is_robertson_and_zaragozas_formula() -> None:
    texts = ["boiler leaks", "boiler boiler pressure bar", "piano tuner", "piano", "cello", "violin concert"]
    ranking = BM25(of(*texts)).rank(ask("boiler leaks"), 10)
    lengths = [len(text.split()) for text in texts]
    mean = sum(lengths) / len(lengths)

    def score(place: int) -> float:
        total = 0.0
        for word in ("boiler", "leaks"):
            count, df = texts[place].split().count(word), sum(word in text.split() for text in texts)
            idf = math.log((len(texts) - df + 0.5) / (df + 0.5))
            total += idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[place] / mean))
        return total

    assert ranking == sorted(["0", "1"], key=lambda key: -score(int(key)))


def test_bm25_finds_by_a_neighbours_words_below_its_own() -> None:
    texts = ("the boiler leaks", "call somebody", "a tuner for the piano", "bread", "a bell")
    assert BM25(of(*texts, episode="one")).rank(ask("boiler"), 10) == ["0", "1"]
    assert BM25(of(*texts)).rank(ask("boiler"), 10) == ["0"]


def test_bm25_takes_words_that_are_operators_elsewhere() -> None:
    assert BM25(of("NOT near", "AND", "or")).rank(ask('NOT "near" AND OR * ^ : ()'), 10)
    assert BM25(of("a")).rank(ask("?!"), 10) == []


def test_dense_ranks_by_the_cosine(talk: Stocked, rows: dict[str, Ranker]) -> None:
    encoder = Encoder.load()
    asked = encoder.encode_query("who repairs pianos").pooled
    cosines = [float(encoder.encode_query(memory.text).pooled @ asked) for memory in talk.collection.memories]
    best = talk.collection.keys[int(np.argmax(cosines))]
    assert rows["dense"].rank(ask("who repairs pianos"), 1) == [best]


def test_late_interaction_is_the_weighted_mean_of_best_matches(talk: Stocked, rows: dict[str, Ranker]) -> None:
    encoder = Encoder.load()
    asked = encoder.encode_query("jackdaws")  # no stop word, and what is rare everywhere weighs alike
    codes = [np.where(encoder.encode_query(memory.text).tokens > 0, 1, -1) for memory in talk.collection.memories]
    scores = [float((code @ asked.tokens.T).max(axis=0).mean()) for code in codes]
    best = talk.collection.keys[int(np.argmax(scores))]
    assert rows["late"].rank(ask("jackdaws"), 1) == [best]


class Fixed:
    size = 5

    def __init__(self, keys: str) -> None:
        self.keys = list(keys)

    def rank(self, question: Question, limit: int) -> list[str]:
        return self.keys[:limit]


def test_reciprocal_rank_sums_over_both_rankings() -> None:
    fused = ReciprocalRank(Fixed("abc"), Fixed("cxa"))
    scores = {"a": 1 / 61 + 1 / 63, "b": 1 / 62, "c": 1 / 63 + 1 / 61, "x": 1 / 62}
    assert fused.rank(ask("?"), 10) == sorted("acbx", key=lambda key: -scores[key])
    assert fused.size == 10
