"""Encrypted stores that are damaged where it is told which key they need."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memd.api import Memory
from memd.errors import StoreUnusable
from memd.model import NewMemory
from memd.store import backups, cipher, keys, moving, repair
from tests.crypt.conftest import files_with

PAGE, NOW = 4096, 1_767_225_600_000
TEXTS = {f"the harbourmaster of quay {n}" for n in range(80)}


@pytest.mark.parametrize("begin", [0, cipher.START], ids=["its first page is lost", "but for its first bytes"])
def test_a_store_whose_first_page_is_lost_is_repaired_with_its_key(tmp_path: Path, begin: int) -> None:
    home, store = tmp_path / "home", tmp_path / "home" / "memd.db"
    with Memory.open(home, encode="off") as memory:
        memory.remember_many([NewMemory(text) for text in sorted(TEXTS)])
    key = keys.random_key()
    moving.move(store, key)
    backups.make(store, home / "backups" / backups.name(datetime.now(UTC)))
    data = bytearray(store.read_bytes())
    data[begin:PAGE] = random.Random(begin).randbytes(PAGE - begin)
    store.write_bytes(data)
    with pytest.raises(StoreUnusable):
        Memory.open(home, encode="off")
    other = tmp_path / "other"
    repair.repair(store, other / "memd.db", NOW)
    assert store.read_bytes() == data
    assert cipher.start_of(other / "memd.db") == key.salt and files_with(other, "harbourmaster") == []
    with Memory.open(other, encode="off") as memory:
        assert {one.text for one in memory.list(scope="all", limit=1000)} == TEXTS and memory.store.check() == []
