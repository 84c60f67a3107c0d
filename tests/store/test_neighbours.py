"""The words of a passage's neighbours are in its row, in whatever order the neighbours came."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.api import Memory
from memd.model import NewMemory

_fresh = itertools.count()


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    with Memory.open(tmp_path_factory.mktemp("home"), encode="off") as opened:
        yield opened


def passages_with(memory: Memory, column: str, word: str) -> set[tuple[str, int]]:
    """(memory id, ordinal) of the passages that have `word` in the FTS column."""
    with memory.store.reading() as db:
        rows = db.execute(
            "SELECT m.id, p.ordinal FROM passage_fts JOIN passage AS p ON p.id = passage_fts.rowid"
            " JOIN memory AS m ON m.seq = p.memory WHERE passage_fts MATCH ?",
            (f"{column} : {word}",),
        )
        return set(rows.fetchall())


def check_row_of_episode(memory: Memory, ids: dict[str, str], order: list[str]) -> None:
    """Each word of `order` (one a living memory) is in its own text and in the context of its neighbours only."""
    for place, word in enumerate(order):
        beside = order[max(place - 1, 0) : place] + order[place + 1 : place + 2]
        assert passages_with(memory, "text", word) == {(ids[word], 0)}
        assert passages_with(memory, "context", word) == {(ids[other], 0) for other in beside}


@given(st.data())
def test_context_is_right_whatever_came_first(memory: Memory, data: st.DataObject) -> None:
    episode = f"episode{next(_fresh)}"
    positions = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=6))
    words = [f"w{next(_fresh)}x" for _ in positions]
    cuts = data.draw(st.integers(0, len(words)))
    ids: dict[str, str] = {}
    items = [NewMemory(word, episode=episode, position=at) for word, at in zip(words, positions, strict=True)]
    for batch in (items[:cuts], items[cuts:]):
        for item, done in zip(batch, memory.remember_many(batch), strict=True):
            ids[item.text] = done.id
    order = [word for _, _, word in sorted(zip(positions, range(len(words)), words, strict=True))]
    check_row_of_episode(memory, ids, order)

    gone = data.draw(st.lists(st.sampled_from(order), unique=True))
    memory.forget([ids[word] for word in gone])
    check_row_of_episode(memory, ids, [word for word in order if word not in gone])
    assert all(not passages_with(memory, column, word) for word in gone for column in ("text", "context"))
    memory.restore([ids[word] for word in gone])
    check_row_of_episode(memory, ids, order)


def test_appending_without_positions(memory: Memory) -> None:
    words = [f"w{next(_fresh)}x" for _ in range(5)]
    ids = {word: memory.remember(word, episode="appended").id for word in words}
    check_row_of_episode(memory, ids, words)
    assert [memory.show(ids[word]).position for word in words] == list(range(5))


def test_episodes_of_one_key_in_two_scopes_are_two(memory: Memory) -> None:
    here = memory.remember("hereabouts", episode="same", scope="/here")
    memory.remember("thereabouts", episode="same", scope="/there")
    assert passages_with(memory, "context", "thereabouts") == set()
    assert memory.show(here.id).position == 0


def test_a_long_memory_is_its_own_neighbourhood(memory: Memory) -> None:
    before = memory.remember("overture", episode="long")
    long = memory.remember(" ".join(f"note{n}q" for n in range(2000)), episode="long")
    after = memory.remember("finale", episode="long")
    last = long.passages - 1
    assert passages_with(memory, "context", "overture") == {(long.id, 0)}
    assert passages_with(memory, "context", "finale") == {(long.id, last)}
    assert passages_with(memory, "context", "note0q") == {(before.id, 0), (long.id, 1)}
    assert passages_with(memory, "context", "note1999q") == {(after.id, 0), (long.id, last - 1)}


def test_the_mark_keeps_scopes_apart(memory: Memory) -> None:
    one = memory.remember("partitioned knowledge", scope="/one")
    memory.remember("partitioned knowledge", scope="/two")
    with memory.store.reading() as db:
        scope = db.execute("SELECT id FROM scope WHERE path = '/one'").fetchone()[0]
    assert passages_with(memory, "text", f"partitioned AND mark : s{scope}") == {(one.id, 0)}
