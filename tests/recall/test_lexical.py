"""Words that only add change no score: what the rarer words find is scored as if every word had been searched."""

from pathlib import Path

from pysqlite3 import dbapi2 as sqlite3
from pytest import approx

from memd import Memory
from memd.model import NewMemory
from memd.recall.lexical import Words, choose
from memd.recall.resident import Resident

TEXTS = (
    [f"The build number {number} is done." for number in range(40)]
    + [f"The build of the parser broke on day {number}." for number in range(6)]
    + ["The parser reads the manifest before the build.", "A manifest lists the files."]
)


def scores(db: sqlite3.Connection, words: Words) -> dict[int, float]:
    rows = db.execute(
        "SELECT rowid, bm25(passage_fts, 1.0, 0.3, 0.0) FROM passage_fts WHERE passage_fts MATCH ?",
        (words.expression(None),),
    )
    return {row[0]: -row[1] * words.scale for row in rows}


def test_rarer_words_find_and_common_ones_add(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember_many([NewMemory(text, episode="log") for text in TEXTS])
        with memory.store.reading() as db:
            every = scores(db, Words(("build", "parser", "manifest"), ()))
            found = scores(db, Words(("manifest",), ("parser", "build")))
    assert found
    assert len(found) < len(every)
    assert found == approx({passage: every[passage] for passage in found})


def test_a_small_project_in_a_large_store_is_searched_by_all_words(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember_many([NewMemory(f"The build {number} is done.", scope="/work/other") for number in range(5100)])
        memory.remember_many([NewMemory(f"A manifest {number}.", scope="/work/other") for number in range(20)])
        memory.remember("The build takes an hour.", scope="/work/mine")
        found = memory.recall("build manifest", scope="/work/mine").hits
    assert [hit.memory.text for hit in found] == ["The build takes an hour."]


def test_the_rarest_word_always_finds(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember_many([NewMemory(text) for text in TEXTS])
        resident = Resident()
        with memory.store.reading() as db:
            resident.refresh(db)
            assert choose(db, ("build", "manifest", "nowhere"), resident).finding == ("manifest", "build")
            assert choose(db, ("nowhere",), resident) == Words(("nowhere",), ())
