"""A resident copy catches up by the list of changes, and learns when the list no longer reaches back."""

from pathlib import Path

from memd.api import Memory
from memd.store import Store, changes


def seen(store: Store) -> int:
    with store.reading() as db:
        return changes.last(db)


def test_every_verb_that_writes_leaves_a_note(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        before = seen(memory.store)
        with memory.store.reading() as db:
            assert changes.since(db, before) == []
        id_ = memory.remember("one").id
        for act in (
            lambda: memory.remember("one"),
            lambda: memory.tag([id_], add=["x"]),
            lambda: memory.forget([id_]),
            lambda: memory.restore([id_]),
            memory.encode_pending,
        ):
            before = seen(memory.store)
            act()
            with memory.store.reading() as db:
                assert changes.since(db, before) == [1]


def test_a_gap_is_told(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "memd.db")
    with store.writing() as db:
        changes.append(db, range(1, changes.KEPT + 11))
    with store.reading() as db:
        last = changes.last(db)
        assert changes.since(db, last) == []
        assert changes.since(db, last - 1) == [changes.KEPT + 10]
        assert changes.since(db, 10) is not None
        assert changes.since(db, 9) is None
        assert changes.since(db, 0) is None
    store.close()
