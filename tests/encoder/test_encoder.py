"""What callers may rely on: order, shapes, places, the same vector every time, from any thread, in bounded memory."""

import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.encoder import Encoder, Encoding, Tokenizer

TEXTS = [f"{'the queue is full and ' * (i % 7)}worker {i} waits" for i in range(40)]


def same(left: Encoding, right: Encoding) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_shapes_and_norms(encoder: Encoder, text: str) -> None:
    pooled, tokens, ids, offsets = encoder.encode_query(text)
    n = len(ids)
    assert n <= encoder.max_tokens - 2
    assert (pooled.shape, tokens.shape, ids.shape, offsets.shape) == ((384,), (n, 384), (n,), (n, 2))
    assert (pooled.dtype, tokens.dtype, ids.dtype, offsets.dtype) == (np.float32, np.float32, np.int32, np.int32)
    np.testing.assert_allclose(np.linalg.norm(np.vstack([pooled, tokens]), axis=1), 1, atol=1e-5)


def test_offsets_cut_the_words_out_of_the_text(encoder: Encoder) -> None:
    text = "The 🙂 café's pool.py"
    cut = [text[begin:end] for begin, end in encoder.encode_query(text).offsets]
    assert cut == ["The", "🙂", "café", "'", "s", "pool", ".", "p", "##y"[2:]]


@given(st.text(max_size=60) | st.text("ab1 .,!?…_-/", max_size=60))
def test_marks_are_left_out_where_there_are_words(encoder: Encoder, text: str) -> None:
    whole = encoder.encode_query(text)
    left = whole.without_marks(text)
    pieces = [text[begin:end] for begin, end in whole.offsets.tolist()]
    says = [any(unicodedata.category(character)[0] in "LNM" for character in piece) for piece in pieces]
    stays = np.array(says, bool) if any(says) else np.ones(len(says), bool)
    assert same(left, Encoding(whole.pooled, whole.tokens[stays], whole.ids[stays], whole.offsets[stays]))


def test_a_text_has_one_vector_whatever_its_companions(encoder: Encoder) -> None:
    alone = [encoder.encode_query(text) for text in TEXTS]
    assert all(map(same, alone, encoder.encode(TEXTS)))
    assert all(map(same, reversed(alone), encoder.encode(TEXTS[::-1])))
    with_long = encoder.encode([TEXTS[0], "long " * 500, TEXTS[1]])
    assert same(with_long[0], alone[0])
    assert same(with_long[2], alone[1])


def test_the_number_of_threads_changes_no_vector(encoder: Encoder) -> None:
    single = Encoder.load(threads=1)
    assert all(map(same, single.encode(TEXTS), encoder.encode(TEXTS)))


def test_many_threads_share_one_encoder(encoder: Encoder) -> None:
    expected = encoder.encode(TEXTS)
    with ThreadPoolExecutor(6) as threads:
        queries = [threads.submit(encoder.encode_query, text) for text in TEXTS]
        batches = [threads.submit(encoder.encode, TEXTS) for _ in range(4)]
        assert all(same(query.result(), right) for query, right in zip(queries, expected, strict=True))
        assert all(all(map(same, batch.result(), expected)) for batch in batches)


def test_nothing_to_encode(encoder: Encoder) -> None:
    assert encoder.encode([]) == []
    assert encoder.encode([""])[0].tokens.shape == (0, 384)


def test_a_long_text_is_cut_at_the_limit(encoder: Encoder) -> None:
    long, head = encoder.encode(["many words " * 2000, "many words " * 127])
    assert len(long.ids) == encoder.max_tokens - 2
    assert same(long, head)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.load()


PIECES = st.sampled_from(
    ["a", "word ", "🙂", "e\u0301", "\n\n", "  ", "_x(", "中", "Ω", "supercalifragilistic", "1.2", "\t"]
)
WRITING = st.lists(PIECES | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=60).map("".join)


@given(text=WRITING)
@settings(deadline=None)
def test_offsets_lie_in_order_in_the_text(tokenizer: Tokenizer, text: str) -> None:
    end = 0
    for begin, stop in tokenizer.offsets(text):
        assert 0 <= begin <= stop <= len(text)
        assert begin >= end or stop == end
        end = stop


@given(text=WRITING, repeat=st.sampled_from([1, 40, 2000]))
@settings(deadline=None, max_examples=30)
def test_the_head_is_the_beginning_of_the_whole(tokenizer: Tokenizer, text: str, repeat: int) -> None:
    head = tokenizer.head(text * repeat)
    whole = tokenizer.offsets(text * repeat)
    assert [tuple(pair) for pair in head.offsets.tolist()] == whole[: tokenizer.max_words]


def test_windows_give_the_offsets_of_the_whole(tokenizer: Tokenizer) -> None:
    sentence = "Ångström's e\u0301t\u00e9 (x_1) "
    one = tokenizer.offsets(sentence)
    many = tokenizer.offsets(sentence * 20_000)
    assert many == [(a + i * len(sentence), b + i * len(sentence)) for i in range(20_000) for a, b in one]


GROWTH = """
import gc, psutil
from memd.encoder import Encoder
encoder = Encoder.load()
texts = ["word " * n for n in range(1, 260, 12)]
def rounds(n):
    for _ in range(n):
        encoder.encode(texts)
        encoder.encode_query("one more")
    gc.collect()
    return psutil.Process().memory_info().rss
warm = rounds(3)
print(rounds(9) - warm)
"""


def test_memory_does_not_grow_with_use() -> None:
    done = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 8 << 20
