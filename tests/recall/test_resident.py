"""The resident copy of one process keeps up with whatever another process does to the store."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from memd import Memory
from memd.errors import Conflict
from memd.model import ALL_SCOPES, Recollection

WORDS = ("cache", "build", "deploy", "sink", "bread", "train", "table")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("remember"), TEXTS, st.sampled_from([None, "one", "two"]), st.sampled_from(["global", "/a"])),
        st.tuples(st.just("forget"), st.integers(0, 20)),
        st.tuples(st.just("restore"), st.integers(0, 20)),
        st.tuples(st.just("encode")),
        st.tuples(st.just("recall")),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_a_copy_that_kept_up_answers_as_a_fresh_one(steps: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        with Memory.open(home, encode="off") as reader, Memory.open(home, encode="off") as writer:
            ids: list[str] = []
            for step in steps:
                act(reader, writer, ids, step)
            kept = answers(reader)
        with Memory.open(home, encode="off") as fresh:
            assert kept == answers(fresh)


def act(reader: Memory, writer: Memory, ids: list[str], step: tuple[object, ...]) -> None:
    match step:
        case ("remember", str(text), episode, str(scope)):
            ids.append(writer.remember(text, episode=episode, scope=scope).id)
        case ("forget", int(number)) if ids:
            writer.forget([ids[number % len(ids)]])
        case ("restore", int(number)) if ids:
            try:
                writer.restore([ids[number % len(ids)]])
            except Conflict:
                pass
        case ("encode",):
            writer.encode_pending()
        case ("recall",):
            reader.recall(WORDS[0], scope=ALL_SCOPES)  # one is enough to catch up


def answers(memory: Memory) -> list[tuple[list[tuple[str, float]], tuple[str, ...]]]:
    return [summary(memory.recall(word, scope=scope)) for word in WORDS for scope in (ALL_SCOPES, "/a")]


def summary(answer: Recollection) -> tuple[list[tuple[str, float]], tuple[str, ...]]:
    return [(hit.memory.id, hit.score) for hit in answer.hits], answer.degraded
