"""A note gains by the notes it is linked with: a little, and only where it matches by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from memd.api import Memory
from memd.ingest.notes import read_note


def take(memory: Memory, folder: Path, texts: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    memory.notes.take([read_note(folder / name) for name in sorted(texts)], str(folder))


@pytest.mark.parametrize("linked", ["spring.md", "summer.md"])
@pytest.mark.parametrize("way", ["from the best", "to the best"])
def test_of_two_equals_the_linked_one_goes_first(tmp_path: Path, linked: str, way: str) -> None:
    season = linked.removesuffix(".md")
    to = f" More in [[{season}]]." if way == "from the best" else ""
    texts = {
        "index.md": f"# Release of the parser\n\nHow the parser is released, step by step: the release checklist.{to}\n"
    }
    for each in ("spring", "summer"):
        back = " See [[index]]." if way == "to the best" and each == season else ""
        texts[f"{each}.md"] = f"# Notes\n\nThe parser went out in time that {each}.{back}\n"
    with Memory.open(tmp_path / "home", encode="off") as memory:
        take(memory, tmp_path / "notes", texts)
        hits = memory.recall("release of the parser", scope=str(tmp_path / "notes"), min_relevance=0).hits
        assert [Path(hit.memory.source.path).name for hit in hits[:2]] == ["index.md", linked]


def test_a_link_brings_in_nothing_that_does_not_match(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "home", encode="off") as memory:
        take(memory, tmp_path / "notes", {"a.md": "# Release\n\nSee [[b]].\n", "b.md": "# Garden\n\nTomatoes.\n"})
        hits = memory.recall("release", scope=str(tmp_path / "notes"), min_relevance=0).hits
        assert [Path(hit.memory.source.path).name for hit in hits] == ["a.md"]
