"""Hard companions are hard, of the same store, and no second right answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.mining import Bm25, neighbours
from training.pairs import read_pairs
from training.texts import telling_five_grams

WORDS = st.lists(
    st.sampled_from(
        [
            "amber",
            "birch",
            "cedar",
            "dogwood",
            "elm",
            "fir",
            "gum",
        ]
    ),
    min_size=1,
    max_size=9,
).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=12), WORDS)
def test_bm25_scores_exactly_the_texts_that_share_a_word(texts: list[str], query: str) -> None:
    scores = Bm25(texts).scores(query)
    assert [score > 0 for score in scores] == [bool(set(text.split()) & set(query.split())) for text in texts]


def test_bm25_puts_the_rarer_word_first() -> None:
    scores = Bm25(["elm fir", "elm gum", "elm oak", "birch oak"]).scores("elm birch")
    assert scores.argmax() == 3


def test_companions_are_true_negatives_of_the_same_pool(pairs_file: Path) -> None:
    pairs = read_pairs(pairs_file)
    vectors = np.random.default_rng(0).normal(size=(2, len(pairs), 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    found = neighbours(pairs, vectors[0], vectors[1])
    grams = telling_five_grams(pair.passage for pair in pairs)
    assert (found[:, 0] >= 0).mean() > 0.9
    for i, some in enumerate(found):
        for j in some[some >= 0]:
            assert pairs[j].pool == pairs[i].pool
            assert pairs[j].query != pairs[i].query and pairs[j].passage != pairs[i].passage
            assert not grams[i] & grams[j]
        kept = some[some >= 0]
        assert len(set(kept)) == len(kept)


def test_boilerplate_is_no_sign_of_the_same_content() -> None:
    texts = [f"signed off by the same five people {i}" for i in range(20)] + ["one two three four five six"]
    grams = telling_five_grams(texts)
    assert all(not (grams[i] & grams[j]) for i in range(20) for j in range(i))
    assert len(grams[20]) == 2
