"""Made memories: the same every time, all different, with the statistics of notes."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from memd.bench.latency import corpus
from memd.bench.stores import ASKED_AT
from memd.store.validation import check_new
from memd.text.words import terms


@settings(max_examples=10)
@given(st.integers(0, 100), st.integers(1, 400))
def test_texts_are_distinct_and_come_again_with_their_seed(seed: int, count: int) -> None:
    texts = list(corpus.made(count, seed))
    assert len(set(texts)) == count
    assert list(corpus.made(count, seed)) == texts
    assert list(corpus.made(count, seed + 1)) != texts


def test_words_repeat_as_in_real_notes() -> None:
    texts = list(corpus.made(8000, 1))
    words = Counter(word for text in texts for word in terms(text))
    grown = [len({word for text in texts[:count] for word in terms(text)}) for count in (1000, 2000, 4000, 8000)]
    growth = [later / earlier for earlier, later in pairwise(grown)]
    assert all(1.2 < step < 1.9 for step in growth)  # Heaps: a power below 1, and no end
    assert 12 < sum(len(text.split()) for text in texts) / len(texts) < 40
    assert words["file"] < len(texts) / 4  # no noun is everywhere
    once = sum(count == 1 for count in words.values())
    assert once > len(words) / 3  # and many words are rare


def test_memories_lie_in_episodes_up_to_now() -> None:
    made = [corpus.memory(f"text {place}", place, 50, ASKED_AT) for place in range(50)]
    for memory in made:
        check_new(memory)
    times = [memory.event_at for memory in made if memory.event_at]
    assert times == sorted(times)
    assert times[-1] < ASKED_AT
    assert len({memory.episode for memory in made}) == 3
    assert len({(memory.episode, memory.position) for memory in made}) == 50


@given(st.text(min_size=1), st.integers())
def test_there_is_a_question_for_any_text(text: str, seed: int) -> None:
    assert corpus.question(text, random.Random(seed)).strip()
