"""MemPalace: palaces in ChromaDB and SQLite, the knowledge graph, exports as JSON lines and Markdown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memd.errors import BadInput, MalformedFile
from memd.exchange.foreign import READERS
from memd.exchange.records import Record, Trouble
from tests.exchange.foreign.makers import (
    EXACT,
    GRAPH,
    chroma,
    database,
    drawer,
    only,
    read,
    texts,
    write_json,
    write_lines,
)

KIND = "mempalace"
WORDS = "We chose SQLite.\n\n## Not a heading\n> quoted\n\nIt is one file."
DRAWERS = {"drawer_1": (WORDS, drawer(0)), "drawer_2": ("Backups are simple.", drawer(1))}
_MARKDOWN = """# shop / decisions

## drawer_1

> We chose SQLite.
> 
> ## Not a heading
> > quoted
> 
> It is one file.

| Field | Value |
|-------|-------|
| Source | /home/ann/work/shop/docs/why.md |
| Filed | 2026-03-01T12:00:00 |
| Added by | mempalace |

---

## drawer_2

> Backups are simple.

| Field | Value |
|-------|-------|
| Source | /home/ann/work/shop/docs/why.md |
| Filed | unknown |
| Added by | unknown |

---

"""  # noqa: W291


@pytest.fixture
def palace(tmp_path: Path) -> Path:
    folder = tmp_path / ".mempalace" / "palace"
    chroma(folder / "chroma.sqlite3", {"mempalace_drawers": DRAWERS, "mempalace_closets": {"c": ("An index", {})}})
    database(
        folder.parent / "knowledge_graph.sqlite3",
        GRAPH,
        {
            "entities": [{"id": "max", "name": "Max"}, {"id": "acme_corp", "name": "Acme Corp"}],
            "triples": [
                {"id": "t1", "subject": "max", "predicate": "works_at", "object": "acme_corp",
                 "valid_from": "2025-01-01", "valid_to": "2026-01-31"},
                {"id": "t2", "subject": "max", "predicate": "likes", "object": "chess"},
            ],
        },
    )  # fmt: skip
    return folder


def drawers(records: list[Record]) -> list[tuple[object, ...]]:
    return [
        (one.key, one.text, one.tags, one.scope, one.episode) for one in records if not one.key.startswith("triple")
    ]


def test_a_drawer_comes_over_word_for_word(palace: Path) -> None:
    record = only(read(KIND, palace), "SQLite")
    assert (record.key, record.text) == ("drawer_1", WORDS)
    assert (record.kind, record.tags, record.scope) == ("decision", ("shop", "decisions"), "/home/ann/work/shop")
    assert (record.source.who, record.source.path) == ("mempalace", "/home/ann/work/shop/docs/why.md")
    assert record.recorded_at and record.recorded_at.tzinfo
    assert (record.position, only(read(KIND, palace), "Backups").position) == (0, 1)


@pytest.mark.parametrize("given", ["palace", "palace/chroma.sqlite3", "."])
def test_the_palace_its_database_and_the_folder_around_it(palace: Path, given: str) -> None:
    path = palace.parent / given
    assert READERS[KIND].fits(path)
    assert READERS[KIND].origin(path).store.startswith("mempalace:")
    assert len(drawers(read(KIND, path))) == 2


def test_facts_say_when_they_were_true(palace: Path) -> None:
    records = read(KIND, palace.parent)
    fact = only(records, "works_at")
    assert fact.text == "Max works_at Acme Corp (from 2025-01-01 until 2026-01-31)"
    assert fact.event_at and fact.event_at.isoformat() == "2025-01-01T00:00:00+00:00"
    assert only(records, "chess").text == "Max likes chess"
    assert texts(KIND, palace.parent / "knowledge_graph.sqlite3") == [fact.text, "Max likes chess"]


def test_a_palace_in_sqlite(tmp_path: Path, palace: Path) -> None:
    moment = {"created_at": "x", "updated_at": "x"}
    file = database(
        tmp_path / "sqlite_exact.sqlite3",
        EXACT,
        {
            "collections": [
                {"id": 1, "name": "mempalace_drawers", "created_at": "x"},
                {"id": 2, "name": "mempalace_closets", "created_at": "x"},
            ],
            "documents": [
                {"collection_id": 1, "id": id, "document": words, "metadata_json": json.dumps(about), "embedding": b"",
                 "dim": 1, **moment}
                for id, (words, about) in DRAWERS.items()
            ] + [{"collection_id": 2, "id": "c", "document": "An index", "metadata_json": "{}", "embedding": b"",
                  "dim": 1, **moment}],
        },
    )  # fmt: skip
    assert READERS[KIND].fits(tmp_path)
    assert drawers(read(KIND, file)) == drawers(read(KIND, palace))


def test_the_export_as_json_lines(tmp_path: Path, palace: Path) -> None:
    lines = [{"id": id, "document": words, "metadata": about} for id, (words, about) in DRAWERS.items()]
    write_lines(tmp_path / "out" / "shop" / "decisions.jsonl", *lines)
    write_json(tmp_path / "out" / "export-manifest.json", {"format_version": 1, "wings": 1, "rooms": 1, "drawers": 2})
    assert READERS[KIND].fits(tmp_path / "out")
    assert drawers(read(KIND, tmp_path / "out")) == drawers(read(KIND, palace))


@pytest.mark.parametrize("index", ["# Palace Export — 2026-03-01\n", "# Snapshot Index\n"])
def test_the_export_as_markdown(tmp_path: Path, palace: Path, index: str) -> None:
    folder = tmp_path / "out"
    (folder / "shop").mkdir(parents=True)
    (folder / "index.md").write_text(index)
    (folder / "overview.md").write_text("# Palace Snapshot\n")
    (folder / "shop" / "index.md").write_text("# Wing Export — shop\n")
    (folder / "shop" / "decisions.md").write_text(_MARKDOWN)
    assert READERS[KIND].fits(folder)

    def told(records: list[Record]) -> list[tuple[object, ...]]:
        return [(one.key, one.text, one.tags, one.scope, one.episode) for one in records]

    records = read(KIND, folder)
    assert told(records) == drawers(read(KIND, palace))
    assert [(one.source.who, one.recorded_at is None) for one in records] == [("mempalace", False), ("", True)]


def test_an_export_of_a_format_that_is_not_known_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "export-manifest.json", {"format_version": 2})
    with pytest.raises(MalformedFile, match="format 2, not 1"):
        read(KIND, tmp_path)


@pytest.mark.parametrize("line", ["{", '{"id": "x"}', '{"id": "", "document": "d"}', '{"id": 1, "document": "d"}'])
def test_a_bad_line_is_named_and_the_others_follow(tmp_path: Path, line: str) -> None:
    file = write_lines(tmp_path / "w" / "r.jsonl", {"id": "a", "document": "first"})
    file.write_text(file.read_text() + line + "\n" + '{"id": "b", "document": "last"}\n')
    troubles: list[Trouble] = []
    assert [one.text for one in READERS[KIND].read(file, troubles.append)] == ["first", "last"]
    assert [trouble.line for trouble in troubles] == [2]


def test_markdown_that_ends_too_early_is_said(tmp_path: Path) -> None:
    (file := tmp_path / "r.md").write_text(_MARKDOWN[: _MARKDOWN.rindex("| Field")])
    troubles: list[Trouble] = []
    assert [one.key for one in READERS[KIND].read(file, troubles.append)] == ["drawer_1"]
    assert "drawer_2" in troubles[0].why


def test_another_folder_is_not_its_own(tmp_path: Path) -> None:
    chroma(tmp_path / "chroma.sqlite3", {"notes": {"a": ("A", {})}})
    assert not READERS[KIND].fits(tmp_path)
    with pytest.raises(BadInput, match="none of MemPalace's"):
        READERS[KIND].origin(tmp_path)
    with pytest.raises(MalformedFile, match="no collection mempalace_drawers"):
        read(KIND, tmp_path)
