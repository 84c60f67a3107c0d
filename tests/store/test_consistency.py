"""The comparison of a store's parts: silent about what memd made, whatever it went through, loud about each thing that
somebody else changed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlite_vec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory
from memd.clock import system_clock
from memd.errors import Conflict
from memd.model import NewMemory, Soundness

WORDS = ("harbour", "tides", "running", "v1.2.3", "foo_bar", "src/x.py", "ünïcode", "☃", "漢字", "\n\n", " ")


def fill(memory: Memory, seed: int, changes: int) -> None:
    """A store with a past: episodes, long texts, all that can be done to a memory, and years of fading."""
    chance = random.Random(seed)
    text = lambda number: " ".join(chance.choices(WORDS, k=chance.choice((1, 8, 8, 8, 8, 8, 8, 500)))) + f" {number}"  # noqa: E731
    items = [NewMemory(text(n), episode=chance.choice((None, "one", "two"))) for n in range(12)]
    ids = [done.id for done in memory.remember_many(items)]
    for number in range(changes):
        about = chance.choice(ids)
        act = chance.choice(("forget", "restore", "supersede", "use", "pin", "again", "fade", "tag"))
        try:
            if act in ("forget", "restore", "use", "pin"):
                getattr(memory, act)([about])
            elif act == "supersede":
                ids.append(memory.supersede(about, text(f"now {number}")).id)
            elif act == "again":
                memory.remember(memory.show(about).text)
            elif act == "tag":
                memory.tag([about], add=["seen"])
            else:
                memory.lifecycle.run(now=system_clock() + timedelta(days=chance.choice((20, 90, 400, 4000))))
        except Conflict:
            pass


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_whatever_was_done_to_memories_the_parts_agree(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    with Memory.open(tmp_path_factory.mktemp("store"), encode="off") as memory:
        fill(memory, seed, 40)
        found = memory.check()
    assert found.troubles == () and found.sound and found.passages >= 12


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose memories have vectors in every tier, some of them forgotten, some superseded."""
    home = tmp_path_factory.mktemp("encoded")
    day = [datetime.fromisoformat("2024-01-01T00:00:00+00:00")]
    with Memory.open(home, encode="inline", clock=lambda: day[0]) as memory:
        for days in (0, 3600, 500, 130, 30, 1):
            day[0] += timedelta(days=days)
            fill(memory, days, 0)
            memory.remember(f"the tide of day {days} came at eight", pinned=days == 3600)
        memory.lifecycle.run()
        listed = memory.list(limit=1000)
        memory.forget([one.id for one in listed[::7]])
        memory.supersede(listed[1].id, "the tide comes at nine")
        memory.encode_pending()
        assert memory.check().troubles == ()
    return home


TAMPERED: dict[str, tuple[str, str]] = {
    "a row of words is gone": ("words", "DELETE FROM passage_fts WHERE rowid = (SELECT max(id) FROM passage)"),
    "a row of words is another's": (
        "words",
        "INSERT OR REPLACE INTO passage_fts (rowid, text, context, mark) SELECT max(id), 'tide', '', 's1' FROM passage",
    ),
    "a forgotten memory has words": (
        "words",
        "INSERT INTO passage_fts (rowid, text, context, mark) SELECT p.id, 'tide', '', 's1' FROM passage AS p"
        " JOIN memory AS m ON m.seq = p.memory WHERE m.forgotten_at IS NOT NULL LIMIT 1",
    ),
    "a vector is gone": ("vectors", "DELETE FROM vector WHERE passage = (SELECT max(id) FROM passage)"),
    "a vector's tokens are gone": ("vectors", "DELETE FROM token_code WHERE passage = (SELECT max(id) FROM passage)"),
    "a vector is cut": ("vectors", "UPDATE vector SET code = substr(code, 1, 40) WHERE bits = 32"),
    "a vector is another's": (
        "vectors",
        "UPDATE vector SET code = (SELECT code FROM vector WHERE bits = 32 ORDER BY passage LIMIT 1)"
        " WHERE passage = (SELECT max(passage) FROM vector WHERE bits = 32)",
    ),
    "bits are gone": ("vectors", "DELETE FROM passage_bits WHERE passage = (SELECT max(passage) FROM vector)"),
    "a forgotten memory has bits": (
        "vectors",
        "INSERT INTO passage_bits (passage, bits) SELECT (SELECT p.id FROM passage AS p JOIN memory AS m"
        " ON m.seq = p.memory WHERE m.forgotten_at IS NOT NULL LIMIT 1), vec_bit(zeroblob(48))",
    ),
    "a tier is another": ("vectors", "UPDATE life SET tier = 4 WHERE tier = 32"),
    "a life is gone": ("vectors", "DELETE FROM life WHERE memory = 1"),
    "a passage is short": ("passages", "UPDATE passage SET stop = stop - 1 WHERE id = 1"),
    "a passage is missing": (
        "passages",
        "DELETE FROM mention WHERE passage = 1; DELETE FROM vector WHERE passage = 1;"
        " DELETE FROM token_code WHERE passage = 1; DELETE FROM passage WHERE id = 1",
    ),
    "a text is another": ("journal", "UPDATE memory SET text = 'x' || substr(text, 2) WHERE seq = 1"),
    "an entry is another": ("journal", "DROP TRIGGER journal_is_true; UPDATE journal SET at = at + 1 WHERE seq = 3"),
    "a successor is gone": ("versions", "DELETE FROM version"),
    "a superseded memory holds": ("versions", "UPDATE memory SET superseded_at = NULL"),
    "a row names what is missing": ("file", "PRAGMA foreign_keys = OFF; DELETE FROM scope WHERE id = 1"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_somebody_else_changed_is_found(encoded: Path, tmp_path: Path, how: str) -> None:
    part, statements = TAMPERED[how]
    found = tampered(encoded, tmp_path, lambda db: [db.execute(one) for one in statements.split(";")])
    assert not found.sound
    assert part in {trouble.part for trouble in found.troubles}, found.troubles


def tampered(home: Path, copy: Path, change: Callable[[sqlite3.Connection], object]) -> Soundness:
    """What the check says of a copy of a store in which something was changed past memd."""
    (copy / "memd.db").write_bytes((home / "memd.db").read_bytes())
    db = sqlite3.connect(str(copy / "memd.db"), isolation_level=None)
    db.enable_load_extension(True)
    sqlite_vec.load(db)
    change(db)
    db.close()
    with Memory.open(copy, encode="off") as memory:
        return memory.check()
