"""What holds for every reader: the other's file is never written to, and whatever is in it, errors are typed."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.errors import FileChanged, MalformedFile, MemdError
from memd.exchange.foreign import READERS, databases, files
from memd.exchange.records import Trouble
from memd.model import NewMemory
from memd.store.validation import check_new
from tests.exchange.foreign.makers import (
    CLAUDE_MEM_35,
    EXACT,
    GRAPH,
    SERVICE_10,
    chroma,
    claude_mem_rows,
    database,
    drawer,
    entity,
    kept,
    relation,
    write_json,
    write_lines,
)


def _graph(folder: Path) -> Path:
    return write_lines(
        folder / "memory.jsonl", entity("Ada", "person", "Sings", "Plays"), relation("Ada", "knows", "Bo")
    )


def _claude_mem(folder: Path) -> Path:
    return database(folder / "claude-mem.db", CLAUDE_MEM_35, claude_mem_rows())


def _export(folder: Path) -> Path:
    rows = claude_mem_rows()
    lists = {"observations": rows["observations"], "sessions": rows["sdk_sessions"], "prompts": rows["user_prompts"]}
    return write_json(folder / "export.json", {"exportedAt": "x", "totalObservations": 2, **lists})


def _service(folder: Path) -> Path:
    return database(folder / "sqlite_vec.db", SERVICE_10, {"memories": [kept(str(n), f"Word {n}") for n in range(9)]})


def _service_export(folder: Path) -> Path:
    memories = [{"content": "A", "content_hash": "a", "tags": ["x"]}, {"content": "B", "created_at": 1.5e9}]
    return write_json(folder / "e.json", {"export_metadata": {"source_machine": "x"}, "memories": memories})


def _notes(folder: Path) -> Path:
    (folder / "n.md").write_text("---\npermalink: n\ntags: [a]\n---\n# N\n- [fact] one #x (y)\n- uses [[M]]\n\ntext\n")
    return folder / "n.md"


def _palace(folder: Path) -> Path:
    return chroma(folder / "chroma.sqlite3", {"mempalace_drawers": {"d": ("Words", drawer(0)), "e": ("More", {})}})


def _palace_lines(folder: Path) -> Path:
    return write_lines(folder / "w" / "r.jsonl", {"id": "d", "document": "Words", "metadata": drawer(0)}, {"id": "e"})


def _facts(folder: Path) -> Path:
    triple = {"id": "t", "subject": "a", "predicate": "is", "object": "b"}
    return database(folder / "knowledge_graph.sqlite3", GRAPH, {"triples": [triple]})


MAKERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "graph": ("mcp-memory", _graph),
    "claude-mem": ("claude-mem", _claude_mem),
    "its export": ("claude-mem", _export),
    "service": ("mcp-memory-service", _service),
    "service export": ("mcp-memory-service", _service_export),
    "notes": ("basic-memory", _notes),
    "palace": ("mempalace", _palace),
    "palace lines": ("mempalace", _palace_lines),
    "facts": ("mempalace", _facts),
}
ALL = pytest.mark.parametrize("which", MAKERS)


class Sample:
    """A file, and its bytes, which no report of a failure has to show."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = path.read_bytes()

    def __repr__(self) -> str:
        return f"Sample({self.path.name})"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    """Of each form a file."""
    made = {name: make(tmp_path_factory.mktemp(name.replace(" ", "-"))) for name, (_, make) in MAKERS.items()}
    return {name: Sample(path) for name, path in made.items()}


def _state(folder: Path) -> dict[str, tuple[int, bytes]]:
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


@ALL
def test_reading_leaves_everything_as_it_was(which: str, tmp_path: Path) -> None:
    kind, make = MAKERS[which]
    path = make(tmp_path)
    os.chmod(path, 0o400)
    before = _state(tmp_path)
    reader, troubles = READERS[kind], list[Trouble]()
    assert reader.fits(path) or which == "palace lines"
    first = list(reader.read(path, troubles.append))
    assert first
    assert list(reader.read(path, troubles.append)) == first
    with suppress(MemdError):
        reader.origin(path)
    assert _state(tmp_path) == before


@ALL
@settings(max_examples=25)
@given(data=st.data())
def test_damage_gives_typed_errors_alone(which: str, samples: dict[str, Sample], data: st.DataObject) -> None:
    path, raw = samples[which].path, samples[which].raw
    damaged = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged)
    kind, troubles = MAKERS[which][0], list[Trouble]()
    with suppress(MemdError):
        READERS[kind].origin(path)
    with suppress(MemdError):
        for record in READERS[kind].read(path, troubles.append):
            check_new(
                NewMemory(
                    record.text, record.kind, record.scope, record.tags, record.source, record.event_at, record.episode,
                    record.position, record.importance,
                )
            )  # fmt: skip
            assert 0 < len(record.key) <= 300
    for reader in READERS.values():
        reader.fits(path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(document=st.dictionaries(st.text(), _JSON) | st.lists(_JSON), indent=st.sampled_from([None, 0, 2]))
def test_a_json_document_is_read_as_a_whole_parser_would(
    tmp_path_factory: pytest.TempPathFactory, document: object, indent: int | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "d.json"
    path.write_text(json.dumps(document, indent=indent), encoding="utf-8")
    found: dict[str, object] = {}
    for member in files.members(path):
        if member.number < 0:
            found[member.key] = member.value
        else:
            whole = found.setdefault(member.key, [])
            assert isinstance(whole, list)
            assert len(whole) == member.number
            whole.append(member.value)
    expected = document if isinstance(document, dict) else {"": document}
    assert found == {key: value for key, value in expected.items() if value != []}


def test_a_long_document_is_read_in_pieces_with_its_lines(tmp_path: Path) -> None:
    items = [{"content": f"{number} " + "word " * 3000, "n": number} for number in range(120)]
    path = write_json(tmp_path / "d.json", {"memories": items, "count": 120})
    members = list(files.members(path))
    assert [one.value for one in members] == [*items, 120]
    written = path.read_text().splitlines()
    assert all(str(one.value["n"]) in written[one.line] for one in members[:-1])


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "memory.jsonl")
    for reader in READERS.values():
        assert not reader.fits(pipe)
    with pytest.raises(MemdError):
        list(files.lines(pipe))


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    for reader in READERS.values():
        assert not reader.fits(tmp_path / "none")
        with pytest.raises(MemdError):
            reader.origin(tmp_path / "none")


def test_a_database_written_to_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = _service(tmp_path)

    def read() -> None:
        with databases.snapshot(path) as database:
            rows = database.rows("memories", ["content"], order="id")
            assert next(rows)
            with closing(sqlite3.connect(path)) as other:
                other.execute("UPDATE memories SET content = 'new'")
                other.commit()

    with pytest.raises(FileChanged, match="written to while it was read"):
        read()


def test_a_journal_of_a_program_that_died_is_rolled_back_in_a_copy(tmp_path: Path) -> None:
    path = _service(tmp_path)
    with closing(sqlite3.connect(path)) as dying:
        dying.execute("PRAGMA cache_size = 1")
        dying.execute("PRAGMA cache_spill = 1")
        dying.execute("BEGIN")
        dying.execute("UPDATE memories SET content = content || ?", ("x" * 60_000,))
        left = tmp_path / "left"
        left.mkdir()
        for one in tmp_path.glob("sqlite_vec.db*"):
            (left / one.name).write_bytes(one.read_bytes())
        dying.rollback()
    assert (left / "sqlite_vec.db-journal").stat().st_size
    before = _state(left)
    found = [one.text for one in READERS["mcp-memory-service"].read(left, lambda trouble: None)]
    assert found == [f"Word {number}" for number in range(9)]
    assert _state(left) == before


def test_virtual_tables_and_views_are_not_run(tmp_path: Path) -> None:
    schema = EXACT + "CREATE VIEW memories AS SELECT 1 AS content_hash, load_extension('x') AS content;"
    path = database(tmp_path / "sqlite_vec.db", schema, {})
    assert not READERS["mcp-memory-service"].fits(path)


@ALL
def test_a_file_is_known_by_its_own_reader_alone(which: str, tmp_path: Path) -> None:
    kind, make = MAKERS[which]
    path = make(tmp_path)
    known = [name for name, reader in READERS.items() if reader.fits(path)]
    assert known == ([] if which == "palace lines" else [kind])  # a room alone says nothing; its folder has a manifest


def test_a_damaged_name_that_sqlite_quotes_is_a_typed_error(tmp_path: Path) -> None:
    path = _palace(tmp_path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "UPDATE sqlite_master SET name = CAST(x'ff' AS TEXT), sql = 'CREATE TABLE (' WHERE name = 'segments'"
        )
        db.commit()
    assert not READERS["mempalace"].fits(path)
    with pytest.raises(MalformedFile, match="SQLite can't read it"):
        list(READERS["mempalace"].read(path, lambda trouble: None))
