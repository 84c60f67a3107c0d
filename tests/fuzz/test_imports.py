"""Files to import, damaged or never right: taken in, or refused in words with the store as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memd.errors import BadInput, MemdError
from memd.exchange import lines as x
from memd.exchange.foreign import READERS
from memd.exchange.records import Trouble
from tests.exchange.foreign import makers
from tests.exchange.played import Hands, Stores, check_sound, exported, imported, play, steps
from tests.exchange.test_merging import resealed

from . import params
from .adversarial import mixed
from .params import BIG, WRONG

MANY = int(os.environ.get("FUZZ", "15"))
TYPES: list[type[msgspec.Struct]] = [kind for kind in get_args(x.AnyLine) if kind not in (x.Header, x.End, x.Signature)]


@st.composite
def spoilt(draw: st.DrawFn, content: bytes) -> bytes:
    """An export with lines that are otherwise, of no sense, doubled or gone, under a digest that fits."""
    *parts, end = content.splitlines(keepends=True)
    parts.append(b'{"type":"twin"}\n')
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(1, len(parts) - 1))
        act = draw(st.integers(0, 4))
        if act == 0 and len(parts) > 2:
            del parts[at]
        elif act == 1:
            parts.insert(at, parts[at])
        elif act == 2:
            kind = draw(st.sampled_from(TYPES))
            line = {"type": kind.__struct_config__.tag, **draw(params.of(kind))}
            parts.insert(at, json.dumps(line).encode() + b"\n")
        elif act == 3:
            parts[at] = draw(st.binary(max_size=60)).replace(b"\n", b"").lstrip(b"{") + b"\n"
        elif parts[at].startswith(b'{"'):
            line = json.loads(parts[at])
            _spoil(draw, line)
            parts[at] = json.dumps(line).encode() + b"\n"
    return resealed(b"".join((*parts[: -1 if parts[-1] == b'{"type":"twin"}\n' else None], end)))


def _spoil(draw: st.DrawFn, line: Any) -> None:
    """Change something in it, somewhere."""
    while isinstance(line, dict | list) and line:
        name = draw(st.sampled_from(sorted(line) if isinstance(line, dict) else range(len(line))))
        if not isinstance(line[name], dict | list) or not line[name] or draw(st.booleans()):
            line[name] = draw(WRONG | mixed() | BIG | params.TIMES)
            return
        line = line[name]


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(data=st.data(), history=steps)
def test_an_export_with_anything_in_it(data: st.DataObject, history: list[Any]) -> None:
    with Stores() as stores:
        theirs, ours = stores.new(), stores.new()
        play(theirs, Hands(), history, stores.folder())
        ours.remember("what was here before", scope="/srv/app")
        content = data.draw(spoilt(exported(theirs)))
        try:
            imported(ours, content, stores.folder())
        except MemdError as error:
            assert error.exit_code == 2, error.message
            assert isinstance(error, BadInput) or error.code == "conflict"
        check_sound(ours)
        assert ours.recall("what was here before", scope="/srv/app").hits
        ours.list(scope="all", limit=10_000)
        exported(ours)


# --- other tools' files -----------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | mixed() | st.binary(max_size=20)
STORED = SCALARS.filter(lambda value: not isinstance(value, str) or _encodes(value))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _graph(draw: st.DrawFn) -> bytes:
    lines: list[Any] = [
        makers.entity("harbour", "place", "It listens on port 1."),
        makers.relation("harbour", "has", "x"),
    ]
    for _ in range(draw(st.integers(1, 4))):
        line = dict(draw(st.sampled_from(lines[:2])))
        _spoil(draw, line)
        lines.append(line)
    whole = draw(st.booleans())
    text = json.dumps({"entities": lines, "relations": draw(WRONG)}) if whole else "\n".join(map(json.dumps, lines))
    return text.encode()


def _document(draw: st.DrawFn) -> bytes:
    memory = {
        "content": "x",
        "content_hash": "h",
        "tags": ["a"],
        "created_at": 1.0,
        "metadata": {},
        "id": 1,
        "project": "p",
    }
    document = {
        "memories": [memory], "export_metadata": {}, "version": "1", "observations": [memory], "sessions": [memory],
        "summaries": [], "prompts": [], "drawers": [memory], "palace": "x",
    }  # fmt: skip
    for _ in range(draw(st.integers(0, 4))):
        _spoil(draw, document)
    return json.dumps(document).encode()


@pytest.mark.parametrize("tool", READERS)
@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_file_of_another_tool(tool: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as top:
        folder = Path(top)
        for name in data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            make = data.draw(st.sampled_from((_graph, _document, None)))
            path.write_bytes(data.draw(_made(make)) if make else data.draw(RAW))
        _read(tool, folder)
        for path in folder.rglob("*"):
            _read(tool, path)


NAMES = ("memory.jsonl", "memory.json", "export.json", "claude-mem.db", "sqlite_vec.db", "notes/a.md", "chroma.sqlite3")
RAW = (
    st.binary(max_size=400)
    | mixed().map(lambda text: text.encode("utf-8", "surrogatepass"))
    | mixed().map(
        lambda text: f"---\ntitle: {text}\ntype: note\npermalink: a\n---\n# x\n- [fact] {text} #t\n".encode(
            "utf-8", "replace"
        )
    )
    | st.binary(max_size=400).map(lambda raw: b"SQLite format 3\0" + raw)
)


@st.composite
def _made(draw: st.DrawFn, make: Any) -> bytes:
    return bytes(make(draw))


ROWS: list[tuple[str, str, Any, str]] = [
    ("claude-mem", "claude-mem.db", makers.claude_mem_rows, makers.CLAUDE_MEM_35),
]


@pytest.mark.parametrize(("tool", "name", "rows", "schema"), ROWS, ids=["claude-mem"])
@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_database_of_another_tool_with_anything_in_it(
    tool: str, name: str, rows: Any, schema: str, data: st.DataObject
) -> None:
    tables = {table: [dict(row) for row in found] for table, found in rows().items()}
    filled = [row for found in tables.values() for row in found]
    for _ in range(data.draw(st.integers(1, 5))):
        row = data.draw(st.sampled_from(filled))
        row[data.draw(st.sampled_from(sorted(row)))] = data.draw(STORED)
    with TemporaryDirectory() as folder:
        try:
            path = makers.database(Path(folder) / name, schema, tables)
        except Exception:  # the other tool's own rules refuse it
            return
        if data.draw(st.booleans()):  # and the file is damaged
            raw = bytearray(path.read_bytes())
            for _ in range(data.draw(st.integers(1, 20))):
                raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
            path.write_bytes(raw)
        _read(tool, path)


def _read(tool: str, path: Path) -> None:
    """All that a reader gives can be stored, or it says in words what it refuses."""
    reader, troubles = READERS[tool], list[Trouble]()
    try:
        reader.fits(path)
        reader.origin(path)
        for record in reader.read(path, troubles.append):
            assert record.text.strip()
            assert record.key
            record.text.encode()
    except MemdError as error:
        assert error.message
    assert all(trouble.why for trouble in troubles)
