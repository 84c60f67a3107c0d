"""Whatever door a secret comes through, no file of the data folder has it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memd.api import Memory
from memd.errors import BadInput
from memd.ingest.notes import read_note
from memd.model import NewMemory
from tests.text.labelled_secrets import drawn

TOKEN = drawn("ghp_{b62:36}", 7)
PRIVATE = "the name of my doctor"
TEXT = f"Deploys use {TOKEN} since June.\n<private>{PRIVATE}</private>\nThe runner reads it at start."


def by_remember(memory: Memory, folder: Path) -> None:
    assert memory.remember(TEXT).redacted == ("github token", "private")


def by_many(memory: Memory, folder: Path) -> None:
    memory.remember_many([NewMemory(TEXT), NewMemory(TEXT + " again", episode="talk")])


def by_superseding(memory: Memory, folder: Path) -> None:
    old = memory.remember("Deploys use a password.")
    assert memory.supersede(old.id, TEXT).redacted == ("github token", "private")


def by_task(memory: Memory, folder: Path) -> None:
    memory.tasks.start(f"rotate {TOKEN}", scope="global")


def by_note(memory: Memory, folder: Path) -> None:
    path = folder / "keys.md"
    path.write_text(f"# Keys, {TOKEN}\n\n{TEXT}\n\n## Mine\n\n<private>{PRIVATE}</private>\n", encoding="utf-8")
    note = read_note(path)
    assert memory.notes.take([note], str(folder)).added == 2
    assert memory.notes.take([note], str(folder)).known == 2  # and knows them again


@pytest.mark.parametrize("door", [by_remember, by_many, by_superseding, by_task, by_note])
def test_no_file_has_the_secret(tmp_path: Path, door: Callable[[Memory, Path], None]) -> None:
    home, folder = tmp_path / "home", tmp_path / "folder"
    folder.mkdir()
    with Memory.open(home, encode="off") as memory:
        door(memory, folder)
        memory.recall("deploys")
        kept = [path for path in home.rglob("*") if path.is_file()]
        assert kept
        for path in kept:
            held = path.read_bytes()
            assert TOKEN.encode() not in held and PRIVATE.encode() not in held, path
        assert any("[redacted: github token]" in one.text for one in memory.list(scope="all"))


def test_the_same_text_with_its_secret_is_the_same_memory(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        first = memory.remember(TEXT)
        again = memory.remember(TEXT)
        assert again.again and again.id == first.id and again.redacted == first.redacted


def test_a_text_that_is_all_private_is_refused_and_nothing_of_its_batch_is_stored(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        with pytest.raises(BadInput, match="Memory 2 of 2: All of the text is private"):
            memory.remember_many([NewMemory("This one is not."), NewMemory(" <private>This one is.</private> ")])
        assert memory.list() == []


def test_what_the_settings_allow_is_kept_word_for_word(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'[redaction]\nallow = "{TOKEN}, other"\n', encoding="utf-8")
    with Memory.open(tmp_path, encode="off") as memory:
        done = memory.remember(f"The docs show {TOKEN}.")
        assert done.redacted == () and memory.show(done.id).text == f"The docs show {TOKEN}."
