"""Files that are damaged, foreign or newer: a clear word with the line's number, and the store as it was."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memd.api import Memory
from memd.errors import BadInput
from memd.exchange import checking, lines, signing
from memd.exchange.lines import Selection
from memd.exchange.reading import ExportFile, Survey
from tests.exchange.played import Stores, exported, imported
from tests.exchange.test_merging import resealed


@pytest.fixture(scope="module")
def content() -> bytes:
    with Stores() as stores:
        memory = stores.new()
        old = memory.remember("port 80", tags=["web"], scope="/srv/app").id
        memory.supersede(old, "port 443", why="TLS")
        memory.remember("MAX_SIZE: 10", kind="fact")
        memory.tasks.start("ship it", scope="/srv/app")
        return exported(memory)


def survey(content: bytes, folder: Path, *, skip_bad: bool = False) -> Survey:
    path = folder / "given.jsonl"
    path.write_bytes(content)
    with path.open("rb") as file:
        return ExportFile(file, "given.jsonl", skip_bad=skip_bad).survey()


def changed(content: bytes, number: int, **fields: object) -> bytes:
    """The export with a line (from 1) otherwise, and the digest that goes with it."""
    parts = content.splitlines(keepends=True)
    parts[number - 1] = json.dumps(json.loads(parts[number - 1]) | fields).encode() + b"\n"
    return resealed(b"".join(parts))


def test_each_cut_is_noticed(content: bytes, tmp_path: Path) -> None:
    ends = {place + more for place, byte in enumerate(content) if byte == 10 for more in (-1, 0, 1, 2)}
    for end in sorted(ends | set(range(0, len(content), 97))):
        if end >= len(content) - 1:
            continue
        with pytest.raises(BadInput):
            survey(content[:end], tmp_path)
    assert survey(content[:-1], tmp_path).counts["memory"] == 4  # but for the last line end


def test_a_missing_line_is_noticed(content: bytes, tmp_path: Path) -> None:
    parts = content.splitlines(keepends=True)
    for number in range(1, len(parts)):
        with pytest.raises(BadInput):
            survey(b"".join(parts[:number] + parts[number + 1 :]), tmp_path)


def test_a_changed_file_is_noticed(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="was changed since it was written"):
        survey(content.replace(b"port 80", b"port 81"), tmp_path)


@pytest.mark.parametrize(
    ("number", "fields", "why"),
    [
        (2, {"text": ""}, "line 2: .*The text is empty"),
        (2, {"text": 5}, "line 2: Expected `str`, got `int`"),
        (2, {"kind": "rumour"}, "line 2: There is no kind 'rumour'"),
        (2, {"scope": "not/absolute"}, "line 2: 'not/absolute' is not a scope"),
        (2, {"recorded_at": "2024-01-01T00:00:00"}, "line 2: .*timezone"),
        (2, {"recorded_at": "0001-01-01T00:00:00+10:00"}, "line 2: a time is out of range"),
        (2, {"tags": ["two words"]}, "line 2: 'two words' is not a tag"),
        (2, {"id": "short"}, "line 2: 'short' is no id"),
        (2, {"text": "a\0b"}, "line 2: .*NUL"),
        (2, {"text": "<private>all</private>"}, "line 2: All of the text is private"),
        (2, {"said": 0}, "line 2: "),
        (2, {"life": {"tier": 7}}, "line 2: "),
        (2, {"position": 1 << 80}, "line 2: "),
        (
            2,
            {"history": [{"at": "2024-01-01T00:00:00Z", "op": "remember", "said": {"source": 3}}]},
            "line 2: the source",
        ),
        (2, {"colour": "red"}, "line 2: Object contains unknown field `colour`"),
        (2, {"superseded_at": None}, ""),
        (4, {"superseded_at": "2024-01-01T00:00:00Z"}, "line 4: .* is said to be replaced, and by nothing"),
        (6, {"new": "0000000000000"}, "line 6: it leads to 0000000000000, which is not in the file"),
        (7, {"tasks": [{"number": 2}]}, "line 7: "),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_changed(
    content: bytes, tmp_path: Path, number: int, fields: dict[str, object], why: str
) -> None:
    given = changed(content, number, **fields)
    if not why:
        assert survey(given, tmp_path)
        return
    with pytest.raises(BadInput, match=why):
        survey(given, tmp_path)
    found = survey(given, tmp_path, skip_bad=True)
    assert next(trouble.line for trouble in found.bad) == number
    with Stores() as stores, pytest.raises(BadInput):
        memory = stores.new()
        try:
            imported(memory, given, tmp_path)
        finally:
            assert memory.stats().memories == 0


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"null", b"\xff\xfe", b'{"type":"cat"}', b"[" * 100_000, b'{"type":"end"}']
)
def test_a_line_that_is_none(content: bytes, tmp_path: Path, line: bytes) -> None:
    parts = content.splitlines(keepends=True)
    with pytest.raises(BadInput, match="line 3: "):
        survey(b"".join([*parts[:2], line + b"\n", *parts[2:]]), tmp_path)


def test_the_same_memory_twice(content: bytes, tmp_path: Path) -> None:
    parts = content.splitlines(keepends=True)
    with pytest.raises(BadInput, match=r"line 4: the memory \w+ is there twice"):
        survey(resealed(b"".join([*parts[:3], parts[2], *parts[3:]])), tmp_path)


def test_a_newer_format_is_refused(content: bytes, tmp_path: Path) -> None:
    header = b'{"type":"memd-export","version":2,"made_by":"memd 9.9","colour":"red"}\n'
    with pytest.raises(BadInput, match=r"has format 2, by memd 9\.9; this memd reads formats up to 1"):
        survey(header + content, tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n", b"hello\n", b"{}\n", b'{"entities":[]}', b"\0" * 100, os.urandom(200)])
def test_what_is_no_export(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is no export|is empty"):
        survey(content, tmp_path)


def test_going_on_after_what_is_bad(content: bytes, tmp_path: Path) -> None:
    parts = content.splitlines(keepends=True)
    given = b"".join([*parts[:4], b"{oops\n", *parts[4:]])[:-1]
    path = tmp_path / "given.jsonl"
    path.write_bytes(given)
    with Stores() as stores, path.open("rb") as file:
        memory, found = stores.new(), ExportFile(file, "given.jsonl", skip_bad=True)
        seen = found.survey()
        assert sorted(trouble.line for trouble in seen.bad) == [0, 5]
        memory.taker.take([checking.record(raw) for _, raw in found.records()], seen.origin, {}, last=True)
        assert exported(memory).splitlines()[1:-1] == content.splitlines()[1:-1]


def test_a_file_that_changes_while_it_is_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "given.jsonl"
    path.write_bytes(content)
    with path.open("rb") as file:
        given = ExportFile(file, "given.jsonl")
        given.survey()
        path.write_bytes(content[:-300])
        with pytest.raises(BadInput, match="was changed while it was read"):
            list(given.records())


def test_secrets_don_t_come_in(content: bytes, tmp_path: Path) -> None:
    key = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    given = changed(content, 4, text=f"the token is {key}, <private>and this</private> stays out")
    given = given.replace(b'"why": "TLS"', f'"why": "token {key}"'.encode()).replace(
        b'"why":"TLS"', f'"why":"{key}"'.encode()
    )
    with Stores() as stores:
        memory = stores.new()
        report = imported(memory, resealed(given), tmp_path)
        assert report.redacted == 1
        assert memory.audit().sound
        home = memory.store.path.parent
        memory.close()
        for file in home.iterdir():
            assert not file.is_file() or (
                key.encode() not in file.read_bytes() and b"and this" not in file.read_bytes()
            )


# --- selections


@pytest.fixture(scope="module")
def filled() -> Memory:
    stores = Stores()
    memory = stores.new()
    for number, (scope, kind, tags) in enumerate(
        [
            ("global", "note", ["a"]),
            ("/srv/app", "fact", ["a", "b"]),
            ("/srv/app", "note", []),
            ("/srv/lib", "fact", []),
        ]
    ):
        stores.clock.now = stores.clock.now.replace(day=number + 1)
        memory.remember(f"text {number}", scope=scope, kind=kind, tags=tags)
    gone = memory.remember("forgotten", scope="/srv/app", tags=["a"]).id
    memory.forget([gone])
    old = memory.remember("old words", scope="/srv/app", tags=["v"]).id
    memory.tag([memory.supersede(old, "new words", tags=[]).id], add=["w"])
    memory.tasks.start("ship it", scope="/srv/app")
    return memory


def texts(content: bytes) -> list[str]:
    found = [lines.decode(line) for line in content.splitlines()]
    return [line.text for line in found if isinstance(line, lines.MemoryLine)]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(scopes=("/srv/lib",)), ["text 3"]),
        (Selection(scopes=("/srv/lib", "global")), ["text 0", "text 3"]),
        (Selection(scopes=("/nowhere",)), []),
        (Selection(kinds=("fact",)), ["text 1", "text 3"]),
        (Selection(tags=("A",)), ["text 0", "text 1"]),
        (Selection(tags=("a", "b")), ["text 1"]),
        (Selection(tags=("a",), everything=True), ["text 0", "text 1", "forgotten"]),
        (Selection(tags=("v",)), []),
        (Selection(tags=("v",), everything=True), ["old words", "new words"]),
        (Selection(tags=("w",)), ["new words"]),
    ],
)
def test_a_selection(filled: Memory, tmp_path: Path, selection: Selection, expected: list[str]) -> None:
    content = exported(filled, selection)
    assert texts(content) == expected
    with Stores() as stores:
        memory = stores.new()
        imported(memory, content, tmp_path)
        assert texts(exported(memory)) == expected
        assert memory.audit().sound and memory.check().sound


def test_a_selection_by_time(filled: Memory) -> None:
    times = {one.text: one.recorded_at for one in filled.list(scope="all")}
    found = exported(filled, Selection(since=times["text 1"], until=times["text 3"]))
    assert texts(found) == ["text 1", "text 2"]


def test_what_a_selection_leaves_out_is_nowhere_in_the_file(filled: Memory) -> None:
    content = exported(filled, Selection(scopes=("/srv/app",))).decode()
    for word in ("text 0", "text 3", "/srv/lib", "forgotten", "old words"):
        assert word not in content


def test_a_name_that_would_write_another_one_into_the_configuration(tmp_path: Path) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    for name in ("eve=AAAA, ada", "", " ada", "a\x1b[2J", "x" * 101):
        with pytest.raises(BadInput, match="can't be"):
            signing.sign(tmp_path, "00", name, at)
        with pytest.raises(BadInput, match="can't be"):
            signing.judge(tmp_path, "00", lines.Signature(name, at, "", ""), {})
    signed = signing.sign(tmp_path, "00", "ada", at)
    assert signing.judge(tmp_path, "00", signed, {}).standing == "own"
    with pytest.raises(BadInput, match="doesn't hold"):
        signing.judge(tmp_path, "01", signed, {})
