"""mcp-memory-service's databases of several versions, its JSON export, and its ChromaDB folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from memd.errors import MalformedFile
from memd.exchange.foreign import READERS
from memd.exchange.records import Trouble
from tests.exchange.foreign.makers import (
    NOON,
    SERVICE_7,
    SERVICE_10,
    chroma,
    database,
    edge,
    kept,
    only,
    read,
    texts,
    write_json,
)

KIND = "mcp-memory-service"
A, B, C, D = (letter * 64 for letter in "abcd")


def test_a_memory_comes_over_word_for_word(tmp_path: Path) -> None:
    rows = [kept(A, "  We deploy on Fridays.\n", tags="ops,release train", memory_type="decision", metadata='{"x": 1}')]
    (record,) = read(KIND, database(tmp_path / "sqlite_vec.db", SERVICE_7, {"memories": rows}))
    assert record.text == "  We deploy on Fridays.\n"
    assert (record.key, record.kind, record.tags) == (A, "decision", ("ops", "release-train", "decision"))
    assert record.recorded_at and record.recorded_at.isoformat() == "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("learning", "fact"), ("error", "fix"), ("best_practice", "convention"), ("observation", "note"), (None, "note")],
)
def test_types_become_kinds(tmp_path: Path, type_: str | None, kind: str) -> None:
    rows = [kept(A, "x", memory_type=type_)]
    assert read(KIND, database(tmp_path / "sqlite_vec.db", SERVICE_7, {"memories": rows}))[0].kind == kind


def test_tombstones_stay_behind_and_versions_are_linked(tmp_path: Path) -> None:
    rows = [
        kept(A, "Port 8080", superseded_by=B),
        kept(B, "Port 9090"),
        kept(C, "gone", deleted_at=1.0),
        kept(D, "kept", superseded_by=C),
    ]
    records = read(KIND, database(tmp_path / "sqlite_vec.db", SERVICE_10, {"memories": rows}))
    assert {record.text: record.supersedes for record in records} == {"Port 8080": (), "Port 9090": (A,), "kept": ()}


def test_the_store_of_a_memory_is_a_tag_since_12(tmp_path: Path) -> None:
    schema = SERVICE_10 + "ALTER TABLE memories ADD COLUMN store TEXT DEFAULT 'default';"
    rows = [kept(A, "one"), kept(B, "two", store="shop floor", tags="x")]
    records = read(KIND, database(tmp_path / "sqlite_vec.db", schema, {"memories": rows}))
    assert [record.tags for record in records] == [(), ("x", "shop-floor")]


def test_contradictions_named_relations_and_likeness(tmp_path: Path) -> None:
    rows = [kept(A, "The cache is off\nand stays so"), kept(B, "The cache is on"), kept(C, "Pages were stale")]
    edges = [edge(A, "contradicts", B), edge(B, "contradicts", A), edge(A, "fixes", C), edge(B, "related", C)]
    file = database(tmp_path / "sqlite_vec.db", SERVICE_10, {"memories": rows, "memory_graph": edges})
    records = read(KIND, file)
    assert only(records, "stays so").contradicts == (B,)
    relation = only(records, "fixes")
    assert relation.text == "“The cache is off…” fixes “Pages were stale”"
    assert relation.tags == ("relation", "fixes")
    assert len(records) == 4


def test_the_export_gives_what_the_database_does(tmp_path: Path) -> None:
    rows = [kept(A, "Alpha", tags="x,y", memory_type="fact"), kept(B, "Beta", tags="")]
    file = write_json(
        tmp_path / "export.json",
        {
            "export_metadata": {"source_machine": "box", "total_memories": 2, "exporter_version": "4.6.1"},
            "memories": [
                {"content": "Alpha", "content_hash": A, "tags": ["x", "y"], "created_at": NOON / 1000,
                 "updated_at": NOON / 1000, "memory_type": "fact", "metadata": {}, "export_source": "box"},
                {"content": "Beta", "content_hash": B, "tags": [], "created_at": NOON / 1000, "memory_type": None},
            ],
        },
    )  # fmt: skip
    stored = read(KIND, database(tmp_path / "sqlite_vec.db", SERVICE_10, {"memories": rows}))
    assert READERS[KIND].fits(file)
    assert [(one.key, one.text, one.kind, one.tags, one.recorded_at) for one in read(KIND, file)] == [
        (one.key, one.text, one.kind, one.tags, one.recorded_at) for one in stored
    ]


def test_the_chromadb_folder_of_early_versions(tmp_path: Path) -> None:
    documents = {
        A: ("Alpha", {"content_hash": A, "tags": '["x", "y"]', "type": "decision", "timestamp": NOON // 1000}),
        B: ("Beta", {"tags": "x,z", "created_at": NOON / 1000, "created_at_iso": "2026-03-01T12:00:00Z"}),
    }
    chroma(tmp_path / "chroma_db" / "chroma.sqlite3", {"memory_collection": documents, "other": {"q": ("Other", {})}})
    records = read(KIND, tmp_path)
    assert [(one.key, one.text, one.kind, one.tags) for one in records] == [
        (A, "Alpha", "decision", ("x", "y", "decision")),
        (B, "Beta", "note", ("x", "z")),
    ]
    assert {one.recorded_at.isoformat() for one in records if one.recorded_at} == {"2026-03-01T12:00:00+00:00"}


def test_a_bad_member_of_the_export_is_named_and_the_others_follow(tmp_path: Path) -> None:
    memories = [{"content": 5, "content_hash": A}, [], {"content": "fine"}]
    file = write_json(tmp_path / "e.json", {"export_metadata": {"source_machine": "b"}, "memories": memories})
    troubles: list[Trouble] = []
    assert [one.text for one in READERS[KIND].read(file, troubles.append)] == ["fine"]
    lines = file.read_text().splitlines()
    assert [trouble.line for trouble in troubles] == [
        lines.index("    {") + 1,
        lines.index("    [],") + 1,
    ]


def test_a_database_without_the_table_is_refused(tmp_path: Path) -> None:
    file = database(tmp_path / "sqlite_vec.db", "CREATE TABLE memories (body TEXT)", {})
    assert not READERS[KIND].fits(file)
    with pytest.raises(MalformedFile, match="content_hash"):
        texts(KIND, file)


def test_what_is_damaged_is_named_by_its_table(tmp_path: Path) -> None:
    rows = [kept(f"{number:064}", "word " * 400) for number in range(60)]
    file = database(tmp_path / "sqlite_vec.db", SERVICE_7, {"memories": rows})
    raw = bytearray(file.read_bytes())
    raw[4096 * 8 : 4096 * 14] = b"\xee" * (4096 * 6)
    file.write_bytes(raw)
    with pytest.raises(MalformedFile, match="table memories"):
        read(KIND, file)
