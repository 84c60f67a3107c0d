"""Other tools' memories taken into a store: found by recall, once however often they come, grown with the tool's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memd.api import Memory
from memd.exchange.desk import Tally, together
from memd.exchange.foreign import READERS
from memd.exchange.lines import MemoryLine
from memd.exchange.records import Report, Trouble
from memd.exchange.taking import batches, lines_of
from tests.exchange.foreign.makers import (
    CLAUDE_MEM_35,
    NOON,
    SERVICE_10,
    claude_mem_rows,
    database,
    edge,
    entity,
    fill,
    kept,
    relation,
    when,
    write_lines,
)
from tests.exchange.foreign.test_reading import MAKERS

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "home", encode="off", clock=lambda: NOW) as opened:
        yield opened


def take(memory: Memory, kind: str, path: Path, scope: str = "global") -> Report:
    reader = READERS[kind]

    def refuse(trouble: Trouble) -> None:
        assert trouble.what == "bad"

    origin = reader.origin(path)
    lines = lines_of(lambda: reader.read(path, refuse), origin, scope, memory.clock(), refuse)
    report = Tally().report(origin, dry_run=False)
    for part in batches(lines, lambda line: len(line.text) if isinstance(line, MemoryLine) else 1):
        report = together(report, memory.taker.take(part, origin, {}))
    return together(report, memory.taker.take([], origin, {}, last=True))


@pytest.mark.parametrize("which", [name for name in MAKERS if name != "palace lines"])
def test_taken_twice_adds_nothing(memory: Memory, tmp_path: Path, which: str) -> None:
    kind, make = MAKERS[which]
    (folder := tmp_path / "theirs").mkdir()
    path = make(folder)
    first = take(memory, kind, path)
    assert first.added["memory"] == first.read["memory"] == memory.stats().memories
    again = take(memory, kind, path)
    assert (again.added, again.merged, again.troubles) == ({}, 0, ())
    assert again.known == first.read["memory"]
    assert memory.audit().sound


def test_what_was_observed_is_recalled_by_the_name_of_its_entity(memory: Memory, tmp_path: Path) -> None:
    graph = [entity("Ada_Byron", "person", "Speaks French"), relation("Ada_Byron", "works_at", "Acme")]
    take(memory, "mcp-memory", write_lines(tmp_path / "memory.jsonl", *graph, entity("Zed", "tool", "Is an editor")))
    hits = memory.recall("who works at Acme").hits
    assert hits[0].memory.text == "Ada_Byron works_at Acme"
    assert (
        memory.recall("what languages does Ada Byron speak").hits[0].memory.text == "Ada_Byron (person): Speaks French"
    )


def test_growth_adds_what_is_new_alone(memory: Memory, tmp_path: Path) -> None:
    path = database(tmp_path / "claude-mem.db", CLAUDE_MEM_35, claude_mem_rows())
    assert take(memory, "claude-mem", path).added == {"memory": 5}
    with closing(sqlite3.connect(path)) as db:
        new = {
            "memory_session_id": "m-1",
            "project": "shop",
            "type": "feature",
            "title": "Coupons",
            "content_hash": "n",
        }
        fill(db, {"observations": [{**new, **when(NOON + 5000)}]})
        db.commit()
    report = take(memory, "claude-mem", path)
    assert (report.added, report.known) == ({"memory": 1}, 5)


def test_times_scopes_and_sources_come_over(memory: Memory, tmp_path: Path) -> None:
    path = database(tmp_path / "claude-mem.db", CLAUDE_MEM_35, claude_mem_rows())
    take(memory, "claude-mem", path, scope="/home/ann/work/other")
    (cart,) = memory.list(scope="/home/ann/work/shop", kinds=("fix",))
    assert cart.recorded_at == datetime.fromtimestamp(NOON / 1000, UTC)
    assert (cart.source.via, cart.source.path, cart.source.session) == ("claude-mem", str(path), "c-1")
    assert [one.text for one in memory.list(scope="/home/ann/work/other", kinds=("decision",))] == [
        "Drafts live in SQLite\n\nDrafts move out of the repository."
    ]
    assert memory.recall("rounding of the cart", scope="/home/ann/work/shop", as_of=cart.recorded_at).hits
    assert not memory.recall("rounding of the cart", scope="/home/ann/work/other").hits


def test_secrets_stay_outside(memory: Memory, tmp_path: Path) -> None:
    token = "ghp_" + "x9Yk2LmN8pQr4StUv6Wx" + "1Zb3Cd5Ef7Gh9Ij"
    graph = [
        entity("Deploy", "secret", f"the token is {token}", "<private>birthday</private>"),
        relation(token, token, "b"),
        entity("Other", token, "Is tagged"),
    ]
    report = take(memory, "mcp-memory", write_lines(tmp_path / "memory.jsonl", *graph))
    assert report.redacted == 4
    for path in (tmp_path / "home").rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes()
        assert not path.is_file() or b"birthday" not in path.read_bytes()


def test_versions_and_contradictions_are_memds_own(memory: Memory, tmp_path: Path) -> None:
    rows = [
        kept("a", "The service listens on port 8080", superseded_by="b"),
        kept("b", "The service listens on port 9090"),
        kept("c", "Backups run at night"),
        kept("d", "Backups never run"),
    ]
    path = database(
        tmp_path / "sqlite_vec.db", SERVICE_10, {"memories": rows, "memory_graph": [edge("d", "contradicts", "c")]}
    )
    take(memory, "mcp-memory-service", path)
    found = memory.recall("which port does the service listen on").hits
    assert [hit.memory.text for hit in found] == ["The service listens on port 9090"]
    assert len(found[0].memory.supersedes) == 1
    assert {m.text for pair in memory.conflicts().conflicts for m in pair.memories} == {
        rows[2]["content"],
        rows[3]["content"],
    }


def test_relations_of_one_entity_are_no_conflicts(memory: Memory, tmp_path: Path) -> None:
    graph = [relation("api-server", "depends_on", other) for other in ("postgres", "redis", "kafka")]
    take(memory, "mcp-memory", write_lines(tmp_path / "memory.jsonl", entity("api-server", "service"), *graph))
    assert memory.conflicts().conflicts == ()
