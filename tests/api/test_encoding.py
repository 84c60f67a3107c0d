"""Vectors follow what was written: inline, behind, or later; by whichever encoder is at hand."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import memd.encoder
import memd.encoding
from memd.api import Memory
from memd.encoder import Encoder, Encoding
from memd.errors import EncoderUnavailable
from memd.model import NewMemory
from memd.store import vectors
from tests.waiting import eventually

LONG = " ".join(f"Paragraph {n} tells of the harbour and its ships." for n in range(200))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off") as opened:
        yield opened


def other_encoder(folder: Path) -> Path:
    """A copy of the encoder that goes by another fingerprint."""
    shutil.copytree(Path(memd.encoder.__file__).parent / "model", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["fingerprint"] = manifest["fingerprint"][::-1]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def consistent(memory: Memory) -> bool:
    """Every living passage has the current encoder's vector, token code and bits, and nothing else has bits."""
    with memory.store.reading() as db:
        current = vectors.current(db)
        living = "SELECT p.id FROM passage AS p JOIN memory AS m ON m.seq = p.memory WHERE m.forgotten_at IS NULL"
        wanted = set(db.execute(living).fetchall())
        if set(db.execute("SELECT passage FROM passage_bits").fetchall()) != wanted:
            return False
        by_current = f"WHERE encoder = ? AND passage IN ({living})"
        tables = [
            db.execute(f"SELECT passage FROM {table} {by_current}", (current,)) for table in ("vector", "token_code")
        ]
        return all(set(table.fetchall()) == wanted for table in tables)


def test_inline_is_done_on_return(tmp_path: Path) -> None:
    with Memory.open(tmp_path) as memory:
        done = memory.remember_many([NewMemory("short"), NewMemory(LONG)])
        assert memory.pending() == 0 and consistent(memory)
        assert [memory.show(one.id).encoded for one in done] == [1, done[1].passages]
        assert memory.degraded == ()


def test_background_follows(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="background") as memory:
        memory.remember_many([NewMemory(f"memory {n} about the tide") for n in range(150)])
        memory.remember(LONG)
        assert memory.wait_encoded(240) and memory.pending() == 0 and consistent(memory)
        memory.remember("and one more")
        assert memory.wait_encoded(240) and consistent(memory)


def test_background_picks_up_what_another_left(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as other, Memory.open(tmp_path, encode="background") as memory:
        assert memory.wait_encoded(240)
        other.remember("written elsewhere")
        assert memory.wait_encoded(240) and consistent(memory)


def test_closing_in_the_middle_keeps_the_queue(tmp_path: Path) -> None:
    items = [NewMemory(f"memory {n}: {LONG[:400]}") for n in range(200)]
    with Memory.open(tmp_path, encode="background") as memory:
        memory.remember_many(items)
    with Memory.open(tmp_path, encode="off") as memory:
        assert memory.pending() > 0
        encoded = sum(one.encoded for one in memory.list(limit=1000))
        assert encoded + memory.pending() == 200
        seen: list[tuple[int, int]] = []
        assert memory.encode_pending(lambda done, total: seen.append((done, total))) == 200 - encoded
        assert seen[-1] == (200 - encoded, 200 - encoded) and seen == sorted(seen)
        assert memory.encode_pending() == 0 and consistent(memory)


@pytest.mark.parametrize(("before", "told"), [(1, "disk is full"), (0, "memd.db failed")])
def test_a_worker_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, told: str
) -> None:
    """With nothing stored before it is sqlite-vec that meets the limit first; it doesn't tell which error it met."""
    monkeypatch.setattr(memd.encoding, "RETRY_S", 0.1)
    monkeypatch.setattr(memd.encoding, "POLL_S", 0.1)
    with Memory.open(tmp_path, encode="background") as memory, Memory.open(tmp_path, encode="off") as other:
        memory.remember_many([NewMemory("there was room")] * before)
        assert memory.wait_encoded(240)
        limit_pages(memory, 1)  # SQLite's own full disk, for the connection that the worker writes through
        other.remember_many([NewMemory(f"memory {n}: {LONG[:300]}") for n in range(50)])
        assert eventually(lambda: told in " ".join(memory.degraded))
        found = memory.recall("harbour and ships")
        assert found.hits and told in " ".join(found.degraded)
        assert memory.pending() > 0 and memory.store.check() == []
        limit_pages(memory, 1 << 30)
        assert eventually(lambda: memory.pending() == 0 and memory.degraded == ())
        assert consistent(memory) and memory.recall("harbour and ships").degraded == ()


def limit_pages(memory: Memory, pages: int) -> None:
    with memory.store.writing() as db:
        db.execute(f"PRAGMA max_page_count = {pages}")


def test_what_is_stored_is_what_the_encoder_says(memory: Memory, encoder: Encoder) -> None:
    text = "The lighthouse keeper logs the weather at noon."
    memory.remember(text)
    memory.encode_pending()
    expected = encoder.encode_query(text).without_marks(text)
    assert len(expected.ids) == len(text.split())
    with memory.store.reading() as db:
        bits, code = db.execute("SELECT bits, code FROM vector").fetchone()
        ids, signs = db.execute("SELECT ids, code FROM token_code").fetchone()
        candidate = db.execute("SELECT bits FROM passage_bits").fetchone()[0]
        assert vectors.is_current(db, encoder.fingerprint)
    assert bits == 32 and np.array_equal(np.frombuffer(code, "<f4"), expected.pooled)
    assert np.array_equal(np.frombuffer(ids, "<u2"), expected.ids)
    unpacked = np.unpackbits(np.frombuffer(signs, np.uint8), bitorder="little").reshape(expected.tokens.shape)
    assert np.array_equal(unpacked == 1, expected.tokens > 0)
    assert np.array_equal(
        np.unpackbits(np.frombuffer(candidate, np.uint8), bitorder="little") == 1, expected.pooled > 0
    )


def test_a_text_of_marks_alone_has_vectors_and_is_found_by_them(memory: Memory) -> None:
    done = [memory.remember(text) for text in ("?!", "???", "A word.")]
    memory.encode_pending()
    found = memory.recall("?!", min_relevance=0.0)
    assert found.hits[0].memory.id == done[0].id and len(found.hits) == len(done)
    assert memory.pending() == 0 and memory.store.check() == []


@pytest.mark.parametrize("encode", ["background", "inline", "off"])
def test_without_an_encoder_all_else_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encode: str) -> None:
    monkeypatch.setenv("MEMD_ENCODER", str(tmp_path / "nothing"))
    with Memory.open(tmp_path / "home", encode=encode) as memory:
        done = memory.remember("words are enough")
        assert memory.remember(LONG).passages > 1
        found = memory.recall("enough words")
        assert [hit.memory.id for hit in found.hits][:1] == [done.id]
        assert found.degraded and memory.degraded
        assert memory.pending() > 0 and not memory.wait_encoded(240)
        with pytest.raises(EncoderUnavailable) as caught:
            memory.encode_pending()
        assert caught.value.hint
    monkeypatch.delenv("MEMD_ENCODER")
    with Memory.open(tmp_path / "home", encode="background") as memory:
        assert memory.wait_encoded(240) and consistent(memory)


def test_another_encoder_makes_all_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory.open(tmp_path / "home") as memory:
        memory.remember_many([NewMemory(f"memory {n} of the sea") for n in range(100)])
        first = memory.stats().encoder
    monkeypatch.setenv("MEMD_ENCODER", str(other_encoder(tmp_path / "encoder")))
    with Memory.open(tmp_path / "home", encode="off") as memory:
        found = memory.recall("memory 7 of the sea")
        assert found.degraded and found.hits
    with Memory.open(tmp_path / "home", encode="background") as memory:
        assert memory.wait_encoded(240) and consistent(memory)
        assert memory.stats().encoder == first[::-1]
        assert memory.recall("memory 7 of the sea").degraded == ()
        memory.forget([memory.list(limit=1)[0].id])
    monkeypatch.delenv("MEMD_ENCODER")
    with Memory.open(tmp_path / "home", encode="off") as memory:
        assert memory.encode_pending() == 99 and consistent(memory)
        memory.restore([one.id for one in memory.list(forgotten=True)])
        assert memory.encode_pending() in (0, 1) and consistent(memory)


def encoding(dimension: int, seed: int) -> Encoding:
    random = np.random.default_rng(seed)
    vector = random.normal(size=(4, dimension)).astype(np.float32)
    vector /= np.linalg.norm(vector, axis=1, keepdims=True)
    return Encoding(vector[0], vector[1:], np.arange(3, dtype=np.int32), np.zeros((3, 2), np.int32))


def test_bits_follow_the_encoders_dimension(memory: Memory) -> None:
    memory.remember_many([NewMemory(f"memory {n}") for n in range(5)])
    memory.forget([memory.list()[0].id])
    for fingerprint, dimension in (("one", 64), ("two", 128), ("one", 64), ("two", 128)):
        with memory.store.writing() as db:
            row = vectors.adopt(db, fingerprint, dimension)
            waiting = vectors.waiting(db, 10)
            vectors.put(db, row, [(one, encoding(dimension, one.passage)) for one in waiting])
        assert consistent(memory) and memory.pending() == 0
        with memory.store.reading() as db:
            bits = db.execute("SELECT passage, bits FROM passage_bits").fetchall()
        assert len(bits) == 4
        for passage, code in bits:
            expected = np.packbits(encoding(dimension, passage).pooled > 0, bitorder="little").tobytes()
            assert code == expected


def test_a_superseded_encoder_stores_nothing(memory: Memory) -> None:
    memory.remember("x")
    with memory.store.writing() as db:
        old = vectors.adopt(db, "old", 64)
        waiting = vectors.waiting(db, 10)
        vectors.adopt(db, "new", 128)
        assert vectors.put(db, old, [(waiting[0], encoding(64, 0))]) == 0
    assert memory.pending() == 1


def test_forgotten_while_it_was_encoded(memory: Memory) -> None:
    id_ = memory.remember("gone before it was done").id
    with memory.store.writing() as db:
        row = vectors.adopt(db, "any", 64)
        waiting = vectors.waiting(db, 10)
    memory.forget([id_])
    with memory.store.writing() as db:
        assert vectors.put(db, row, [(waiting[0], encoding(64, 0))]) == 1
    assert consistent(memory)
    memory.restore([id_])
    assert consistent(memory) and memory.pending() == 0


def test_the_queue_gives_both_ends(memory: Memory) -> None:
    memory.remember_many([NewMemory(f"memory {n}") for n in range(20)])
    with memory.store.reading() as db:
        assert [one.passage for one in vectors.waiting(db, 3, 2)] == [20, 19, 18, 1, 2]
        assert [one.passage for one in vectors.waiting(db, 3, 2, skip=(20, 1))] == [19, 18, 17, 2, 3]
        assert len(vectors.waiting(db, 15, 15)) == 20


def test_recall_goes_beside_encoding(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="background") as memory:
        memory.remember("the pier closes at dusk")
        memory.remember_many([NewMemory(f"{n} {LONG[:300]}") for n in range(200)])
        answers: list[str] = []

        def ask() -> None:
            answers.append(memory.recall("when does the pier close").hits[0].memory.text)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == ["the pier closes at dusk"] * 8
        assert memory.wait_encoded(240) and consistent(memory)
