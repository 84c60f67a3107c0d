"""Fewer bits in the store: what goes, what stays findable, what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memd.api import Memory
from memd.model import NewMemory
from memd.store import vectors

TEXTS = [
    "The nightly backup runs at two and keeps thirty days of dumps",
    "Use the blue connector for the sensor bus, the red one is the heater",
    "The parser drops trailing commas since the rewrite",
    "Deploys go to the staging cluster first, then wait an hour",
    "The cache key must contain the locale or menus get mixed up",
    "Invoices are rounded per line, not per total",
]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember_many([NewMemory(text) for text in TEXTS])
        memory.encode_pending()
        yield memory


def requantize(memory: Memory, bits: int, seqs: list[int] | None = None) -> int:
    with memory.store.writing() as db:
        seqs = seqs or [row[0] for row in db.execute("SELECT seq FROM memory ORDER BY seq")]
        return vectors.requantize(db, seqs, bits)


def kept(memory: Memory) -> list[tuple[int, int]]:
    with memory.store.reading() as db:
        return db.execute("SELECT bits, length(code) FROM vector ORDER BY passage").fetchall()


def asked(memory: Memory, query: str, **options: object) -> list[str]:
    return [hit.memory.text for hit in memory.recall(query, min_relevance=0.0, **options).hits]


@pytest.mark.parametrize("chain", [(8,), (4,), (1,), (8, 4), (8, 4, 1), (4, 1)])
def test_codes_take_the_place_of_vectors_and_still_find(memory: Memory, chain: tuple[int, ...]) -> None:
    for bits in chain:
        assert requantize(memory, bits) == len(TEXTS)
        assert requantize(memory, bits) == 0
    assert kept(memory) == [(chain[-1], 16 + 48 * chain[-1])] * len(TEXTS)
    only = ("lexical", "entity", "temporal", "spreading")
    found = asked(memory, "when are the database dumps made", without=only)
    assert found[0] == TEXTS[0]
    assert memory.recall("anything").degraded == ()


def test_dormant_passages_are_found_by_words_and_wait_for_nothing(memory: Memory) -> None:
    assert requantize(memory, 0) == len(TEXTS)
    assert requantize(memory, 0) == requantize(memory, 8) == 0
    assert kept(memory) == []
    assert memory.stats().pending == 0
    answer = memory.recall("which connector for the heater", min_relevance=0.0)
    assert answer.hits[0].memory.text == TEXTS[1]
    assert answer.degraded == ()
    memory.encode_pending()
    assert kept(memory) == []


@pytest.mark.parametrize("bits", [8, 1, 0])
def test_thirty_two_bits_come_back_from_the_text(memory: Memory, bits: int) -> None:
    with memory.store.reading() as db:
        before = db.execute("SELECT passage, code FROM vector ORDER BY 1").fetchall()
    requantize(memory, bits)
    assert requantize(memory, 32) == memory.stats().pending == len(TEXTS)
    memory.encode_pending()
    with memory.store.reading() as db:
        assert db.execute("SELECT passage, code FROM vector ORDER BY 1").fetchall() == before
    assert requantize(memory, 32) == 0


def test_what_was_forgotten_in_fewer_bits_is_restored_in_as_many(memory: Memory) -> None:
    requantize(memory, 4)
    ids = [hit.memory.id for hit in memory.recall("nightly backup").hits][:1]
    with memory.store.reading() as db:
        tables = "SELECT * FROM passage_bits", "SELECT * FROM vector ORDER BY passage"
        before = [sorted(db.execute(sql).fetchall()) for sql in tables]
    memory.forget(ids)
    assert TEXTS[0] not in asked(memory, "nightly backup")
    assert requantize(memory, 1) == len(TEXTS) - 1
    memory.restore(ids)
    assert asked(memory, "nightly backup")[0] == TEXTS[0]
    assert memory.stats().pending == 0
    with memory.store.reading() as db:
        after = [sorted(db.execute(sql).fetchall()) for sql in tables]
    assert after[0] == before[0]
    assert after[1][0] == before[1][0]


@pytest.mark.parametrize("bits", [8, 4, 1])
@pytest.mark.parametrize("first", [True, False])
def test_of_two_copies_the_better_kept_ranks_first(tmp_path: Path, bits: int, first: bool) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        scopes = [str(tmp_path / name) for name in ("one", "two")]
        for scope in scopes:
            memory.remember_many([NewMemory(text, scope=scope) for text in TEXTS])
        memory.encode_pending()
        faded = scopes[0] if first else scopes[1]
        with memory.store.reading() as db:
            sql = "SELECT m.seq FROM memory AS m JOIN scope AS s ON s.id = m.scope WHERE s.path = ?"
            seqs = [row[0] for row in db.execute(sql, (faded,))]
        assert requantize(memory, bits, seqs) == len(TEXTS)
        only = ("lexical", "entity", "temporal", "spreading")
        for query in ("which colour is the heater's plug", "menus in the wrong language", "how are bills rounded"):
            hits = memory.recall(query, without=only, scope="all", limit=20, min_relevance=0.0).hits
            places = {(hit.memory.text, hit.memory.scope): place for place, hit in enumerate(hits)}
            assert len(places) == 2 * len(TEXTS)
            better = scopes[1] if first else scopes[0]
            assert all(places[text, better] < places[text, faded] for text in TEXTS)


def test_the_file_gives_back_what_codes_no_longer_take(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember_many([NewMemory(f"{text}, item {number}") for number in range(40) for text in TEXTS])
        memory.encode_pending()
    size = (tmp_path / "memd.db").stat().st_size
    with Memory.open(tmp_path, encode="off") as memory:
        requantize(memory, 1)
        left = 1
        while left:
            with memory.store.writing() as db:
                left = vectors.give_back(db, 20)
    assert (tmp_path / "memd.db").stat().st_size < size - 240 * 1200
