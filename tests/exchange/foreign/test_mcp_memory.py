"""The graph of MCP's reference memory server, as lines and as `read_graph` answers it."""

from __future__ import annotations

from pathlib import Path

import pytest

from memd.errors import BadInput, MalformedFile
from memd.exchange.foreign import READERS
from memd.exchange.records import Trouble
from tests.exchange.foreign.makers import entity, only, read, relation, texts, write_json, write_lines

MCP = "mcp-memory"
GRAPH = [
    entity("Ada_Byron", "person", "Speaks French", "Prefers morning meetings"),
    entity("Acme", "organization"),
    relation("Ada_Byron", "works_at", "Acme"),
]


def test_each_observation_names_its_entity_and_each_relation_is_a_sentence(tmp_path: Path) -> None:
    assert texts(MCP, write_lines(tmp_path / "memory.jsonl", *GRAPH)) == [
        "Ada_Byron (person): Speaks French",
        "Ada_Byron (person): Prefers morning meetings",
        "Acme (organization)",
        "Ada_Byron works_at Acme",
    ]


def test_kinds_tags_and_neighbours(tmp_path: Path) -> None:
    records = read(MCP, write_lines(tmp_path / "memory.jsonl", *GRAPH, entity("Style", "preference", "Tabs")))
    assert only(records, "Tabs").kind == "preference"
    assert only(records, "French").tags == ("person",)
    assert "relation" in only(records, "works_at").tags
    assert only(records, "French").episode == only(records, "works_at").episode != only(records, "Tabs").episode


def test_the_answer_of_read_graph_gives_the_same(tmp_path: Path) -> None:
    plain = [{name: value for name, value in item.items() if name != "type"} for item in GRAPH]
    whole = write_json(tmp_path / "graph.json", {"entities": plain[:2], "relations": plain[2:]})
    lines = write_lines(tmp_path / "memory.json", *GRAPH)
    assert READERS[MCP].fits(whole)
    assert [(one.key, one.text, one.tags) for one in read(MCP, whole)] == [
        (one.key, one.text, one.tags) for one in read(MCP, lines)
    ]


def test_a_folder_stands_for_the_file_in_it(tmp_path: Path) -> None:
    write_lines(tmp_path / "memory.jsonl", *GRAPH)
    assert len(read(MCP, tmp_path)) == 4


def test_keys_stay_when_the_graph_grows(tmp_path: Path) -> None:
    before = read(MCP, write_lines(tmp_path / "memory.jsonl", *GRAPH))
    grown = [
        entity("Zed", "tool", "Is an editor"),
        entity("Ada_Byron", "person", "Plays chess", "Speaks French"),
        *GRAPH[1:],
    ]
    after = {record.key for record in read(MCP, write_lines(tmp_path / "memory.jsonl", *grown))}
    assert {record.key for record in before} - after == {only(before, "morning").key}


def test_what_is_said_twice_is_given_once(tmp_path: Path) -> None:
    assert len(texts(MCP, write_lines(tmp_path / "memory.jsonl", *GRAPH, *GRAPH))) == 4


def test_fields_of_forks_are_passed_over(tmp_path: Path) -> None:
    line = {**entity("Ada", "person", "Sings"), "createdAt": "2026-03-01", "version": 3}
    assert texts(MCP, write_lines(tmp_path / "memory.jsonl", line)) == ["Ada (person): Sings"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"type": "entity", "name": "x"}', "observations"),
        ('{"type": "entity", "name": "", "entityType": "y", "observations": []}', "name"),
        ('{"type": "entity", "name": "x", "entityType": "y", "observations": [1]}', "texts"),
        ('{"type": "relation", "from": "x"}', "relationType"),
        ('{"type": "event"}', "'event'"),
        ('{"type": "entity", "name": NaN}', "NaN"),
        ("[" * 200_000, "JSON"),
        ('{"n": ' + "9" * 5000 + "}", "JSON"),
    ],
)
def test_a_bad_line_is_named_and_the_others_follow(tmp_path: Path, line: str, why: str) -> None:
    file = write_lines(tmp_path / "memory.jsonl", GRAPH[0])
    file.write_text(
        file.read_text() + line + "\n" + '{"type": "entity", "name": "b", "entityType": "", "observations": []}'
    )
    troubles: list[Trouble] = []
    records = list(READERS[MCP].read(file, troubles.append))
    assert [record.text for record in records][-1] == "b"
    assert [(trouble.what, trouble.line) for trouble in troubles] == [("bad", 2)]
    assert why in troubles[0].why or "nested" in troubles[0].why


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (file := tmp_path / "memory.jsonl").write_bytes(b'{"type":"entity","name":"\xff"}\n')
    with pytest.raises(MalformedFile, match="UTF-8"):
        read(MCP, file)


def test_another_file_is_not_its_own(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "other.jsonl", {"text": "hello"})
    assert not READERS[MCP].fits(file)
    with pytest.raises(BadInput, match="none of MCP's memory server's"):
        READERS[MCP].origin(file)
