"""Forgetting takes out of sight and is undone by restore."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from memd.api import Memory
from memd.errors import Conflict, NotFound


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off") as opened:
        yield opened


def found_by_words(memory: Memory, word: str) -> bool:
    with memory.store.reading() as db:
        return db.execute("SELECT 1 FROM passage_fts WHERE passage_fts MATCH ?", (word,)).fetchone() is not None


def candidates(memory: Memory) -> int:
    with memory.store.reading() as db:
        return int(db.execute("SELECT count(*) FROM passage_bits").fetchone()[0])


def test_forget_and_restore(memory: Memory) -> None:
    id_ = memory.remember("a passing fancy", tags=["t"], episode="e").id
    memory.encode_pending()
    before = memory.show(id_)
    assert memory.forget([id_], dry_run=True) == [before] == [memory.show(id_)]
    assert memory.forget([id_])[0].forgotten_at is not None
    assert not found_by_words(memory, "fancy") and candidates(memory) == 0
    assert memory.list() == [] and (memory.stats().memories, memory.stats().forgotten) == (0, 1)
    again = memory.forget([id_])[0]
    assert again == memory.show(id_)
    assert memory.restore([id_]) == [before]
    assert found_by_words(memory, "fancy") and candidates(memory) == 1 and memory.pending() == 0
    assert memory.restore([id_]) == [before]


def test_all_or_none(memory: Memory) -> None:
    id_ = memory.remember("kept").id
    with pytest.raises(NotFound):
        memory.forget([id_, "zzz"])
    assert memory.show(id_).forgotten_at is None


def test_a_text_said_after_it_was_forgotten_is_new(memory: Memory) -> None:
    old, other = memory.remember("comes back").id, memory.remember("other").id
    memory.forget([old, other])
    new = memory.remember("comes back")
    assert new.id != old and not new.again
    with pytest.raises(Conflict) as caught:
        memory.restore([other, old])
    assert new.id in caught.value.message
    assert memory.show(other).forgotten_at is not None
    memory.forget([new.id])
    assert memory.restore([old])[0].forgotten_at is None
    with pytest.raises(Conflict):
        memory.restore([new.id])


def test_two_copies_can_not_be_restored_at_once(memory: Memory) -> None:
    ids = []
    for _ in range(2):
        ids.append(memory.remember("copy").id)
        memory.forget(ids)
    with pytest.raises(Conflict):
        memory.restore(ids)
    assert memory.stats().memories == 0


def test_what_is_forgotten_is_not_encoded_until_it_is_back(memory: Memory) -> None:
    id_ = memory.remember("idle").id
    memory.forget([id_])
    assert memory.pending() == 0 and memory.encode_pending() == 0
    memory.restore([id_])
    assert memory.encode_pending() == 1 and memory.show(id_).encoded == 1
