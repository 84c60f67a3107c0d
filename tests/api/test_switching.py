"""Another encoder while memd runs: nothing is lost, answers stay right, and what an interruption left goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from memd.api import Memory
from memd.encoder.intake import take
from memd.encoder.library import BUILTIN, Encoders
from memd.errors import Conflict, EncoderUnavailable, NotFound, StoreUnusable
from memd.model import NewMemory
from memd.store import vectors
from tests.exports import export
from tests.waiting import eventually

NOUNS = ("lighthouse", "keeper", "weather", "noon", "harbour", "ships", "storm", "night", "pier", "dusk")
TEXTS = [f"the {one} and the {other} of day {n}" for n, (one, other) in enumerate(permutations(NOUNS, 2))][:60]
POOLED, TOKENS = ("sentence_embedding",), ("last_hidden_state",)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder whose library has encoders of several shapes, and that uses `small`."""
    home = tmp_path / "home"
    encoders = Encoders(home)
    for name, dimension, outputs in (
        ("small", 64, TOKENS),
        ("odd", 72, TOKENS),
        ("pooled", 72, POOLED),
        ("large", 1024, POOLED),
    ):
        take(encoders, export(tmp_path / name, dimension, outputs=outputs, seed=dimension), name)
    encoders.choose("small")
    return home


@pytest.fixture
def memory(home: Path) -> Iterator[Memory]:
    with Memory.open(home, encode="off") as opened:
        opened.remember_many([NewMemory(text) for text in TEXTS])
        opened.encode_pending()
        yield opened


def is_right(memory: Memory) -> bool:
    """Whether a recall finds each of a few memories by its own words."""
    return all(memory.recall(text, limit=3, min_relevance=0).hits[0].memory.text == text for text in TEXTS[::20])


def semantic(memory: Memory) -> set[str]:
    """Texts found by vectors alone, and that no vector is missing."""
    found = memory.recall(TEXTS[7], limit=5, without=("lexical", "entity", "temporal", "spreading"), min_relevance=0)
    assert found.degraded == () and found.hits[0].memory.text == TEXTS[7]
    return {hit.memory.text for hit in found.hits}


@pytest.mark.parametrize("name", ["small", "odd", "pooled", "large", BUILTIN])
def test_each_shape_finds_by_its_vectors(memory: Memory, name: str) -> None:
    info = memory.use_encoder(name)
    assert info.name == name and info.passages == len(TEXTS)
    assert is_right(memory)
    memory.encode_pending()
    assert memory.encoder_info().pending == 0
    assert semantic(memory) and is_right(memory)


def test_pooled_vectors_alone_rank_without_late_interaction(memory: Memory) -> None:
    memory.use_encoder("pooled")
    memory.encode_pending()
    found = memory.recall(TEXTS[3], explain=True, min_relevance=0)
    parts = [part for part in found.hits[0].contributions if part.channel == "semantic"]
    assert parts and found.hits[0].memory.text == TEXTS[3] and not memory.encoder_info().tokens
    memory.remember("the storm closes the pier")
    memory.encode_pending()
    assert memory.recall("pier storm", min_relevance=0).hits[0].memory.text == "the storm closes the pier"


def test_recall_stays_right_in_the_middle_and_says_what_is_missing(memory: Memory) -> None:
    from memd.encoding import Drain

    memory.use_encoder("odd")
    waiting = memory.recall(TEXTS[0]).degraded
    assert any("60 passages wait" in reason for reason in waiting) and is_right(memory)
    encoder = Encoders(memory.store.path.parent).load("odd")
    Drain(memory.store, encoder).step(only=range(1, 31))
    assert any("30 passages wait" in reason for reason in memory.recall(TEXTS[0]).degraded)
    assert is_right(memory)
    memory.encode_pending()
    assert memory.recall(TEXTS[0]).degraded == () and is_right(memory)


def test_going_back_uses_what_is_still_there(memory: Memory) -> None:
    from memd.encoding import Drain

    library = Encoders(memory.store.path.parent)
    memory.use_encoder("odd")
    encoder = library.load("odd")
    Drain(memory.store, encoder).step(only=range(1, 21))
    assert memory.use_encoder("small").pending == 20
    memory.encode_pending()
    assert semantic(memory)


def test_an_interrupted_switch_goes_on(home: Path) -> None:
    with Memory.open(home, encode="background") as memory:
        memory.remember_many([NewMemory(text) for text in TEXTS])
        assert memory.wait_encoded(240)
        memory.use_encoder("odd")
    with Memory.open(home, encode="background") as memory:
        assert memory.wait_encoded(240)
        info = memory.encoder_info()
        assert (info.name, info.dimension, info.pending) == ("odd", 72, 0) and semantic(memory)
    # Chosen, and then the process died before the store knew of it.
    Encoders(home).choose("large")
    with Memory.open(home, encode="background") as memory:
        assert memory.wait_encoded(240) and memory.encoder_info().dimension == 1024 and semantic(memory)


def test_other_processes_follow(home: Path) -> None:
    with Memory.open(home, encode="background") as daemon, Memory.open(home, encode="inline") as other:
        daemon.remember_many([NewMemory(text) for text in TEXTS])
        assert daemon.wait_encoded(240) and semantic(other)
        other.use_encoder("large")
        assert daemon.wait_encoded(240) and daemon.encoder_info().name == "large"
        assert semantic(daemon) == semantic(other)
        other.remember("the pier closes at dusk")
        assert daemon.encoder_info().pending == 0
        assert daemon.use_encoder("small").name == "small"
        other.remember("the storm of the night")
        assert daemon.wait_encoded(240) and other.encoder_info().name == "small" and semantic(other)


def test_one_who_came_late_with_the_old_one_is_overruled(home: Path) -> None:
    with Memory.open(home, encode="background") as memory:
        memory.remember_many([NewMemory(text) for text in TEXTS])
        memory.use_encoder("odd")
        assert memory.wait_encoded(240)
        with memory.store.writing() as db:
            vectors.adopt(db, "somebody else's", 128)
        memory.remember("the harbour at night")
        assert eventually(lambda: not memory.encoder_info().pending and memory.wait_encoded(1))
        assert semantic(memory) and memory.encoder_info().pending == 0


def test_recalls_go_on_while_encoders_change(home: Path) -> None:
    with Memory.open(home, encode="background") as memory:
        memory.remember_many([NewMemory(text) for text in TEXTS])
        assert memory.wait_encoded(240)
        stop, wrong = threading.Event(), list[str]()

        def ask() -> None:
            while not stop.is_set():
                found = memory.recall(TEXTS[5], min_relevance=0)
                if found.hits[0].memory.text != TEXTS[5]:
                    wrong.append(found.hits[0].memory.text)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for name in ("odd", "pooled", "large", "small"):
                memory.use_encoder(name)
                assert memory.wait_encoded(240)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert wrong == [] and semantic(memory)


def test_what_cant_be_used_changes_nothing(memory: Memory, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = memory.encoder_info()
    (home / "encoders" / "odd" / "encoder.onnx").write_bytes(b"")
    for name, error in (("odd", EncoderUnavailable), ("none", NotFound), ("../small", NotFound)):
        with pytest.raises(error):
            memory.use_encoder(name)
        assert memory.encoder_info() == before and semantic(memory)
    monkeypatch.setenv("MEMD_ENCODER", str(home / "encoders" / "small"))
    with pytest.raises(Conflict):
        memory.use_encoder("pooled")
    assert Encoders(home).chosen() == "small"


def test_a_store_that_cant_be_written_keeps_its_encoder(memory: Memory, home: Path) -> None:
    with memory.store.writing() as db:
        db.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnusable):
        memory.use_encoder("odd")
    assert Encoders(home).chosen() == "small"


def test_an_encoder_that_is_gone_is_said_and_mended(memory: Memory, home: Path) -> None:
    memory.use_encoder("odd")
    memory.encode_pending()
    (home / "encoders" / "odd").rename(home / "gone")
    with Memory.open(home, encode="off") as other:
        found = other.recall(TEXTS[0])
        assert found.hits and "odd" in found.degraded[0]
        with pytest.raises(EncoderUnavailable):
            other.encoder_info()
        assert other.use_encoder("small").name == "small" and other.degraded == ()
        other.encode_pending()
        assert semantic(other)


def test_all_can_be_made_anew(home: Path) -> None:
    with Memory.open(home, encode="background") as memory:
        memory.remember_many([NewMemory(text) for text in TEXTS])
        assert memory.wait_encoded(240)
        memory.forget([memory.list(limit=1)[0].id])
        expected = semantic(memory)
        with memory.store.writing() as db:
            db.execute("UPDATE vector SET code = zeroblob(length(code))")
        assert memory.reindex().pending == 0
        memory.reindex(every=True)
        assert is_right(memory)
        assert memory.wait_encoded(240) and memory.encoder_info().encoded == 59
        with memory.store.reading() as db:
            left = db.execute("SELECT passage FROM vector WHERE code = zeroblob(length(code))").fetchall()
        assert len(left) == 1  # the forgotten one's
    with Memory.open(home, encode="off") as memory:
        assert semantic(memory) == expected


def test_passages_are_cut_to_what_the_encoder_reads(tmp_path: Path) -> None:
    from tests.exports import settings

    home = tmp_path / "home"
    folder = settings(export(tmp_path / "short"), "sentence_bert_config.json", {"max_seq_length": 32})
    take(Encoders(home), folder)
    Encoders(home).choose("short")
    with Memory.open(home) as memory:
        assert memory.remember("the harbour ships at noon " * 30).passages >= 5
