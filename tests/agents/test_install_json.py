"""Editing JSON and JSONC in place: what the edit means, and that nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.agents.install.jsontext import JSON, JSONC, Dialect, added, find, parse, removed, replaced
from memd.errors import MalformedFile
from tests.agents.written import json_text, objects, scalars, values

ENTRY = {"command": "memd", "args": ["mcp"], "env": {}, "hooks": [{"type": "command", "timeout": 5}]}


def read(text: str, dialect: Dialect = JSONC) -> Any:
    root = parse(text, dialect)
    return None if root is None else root.value


@given(st.data(), values)
def test_it_reads_what_json_reads(data: st.DataObject, value: Any) -> None:
    text = data.draw(json_text(value))
    assert read(text, JSON) == json.loads(text.removeprefix("\ufeff")) == value


@given(st.data(), values)
def test_comments_and_trailing_commas_change_no_value(data: st.DataObject, value: Any) -> None:
    assert read(data.draw(json_text(value, comments=True, trailing=True))) == value


@given(st.text(alphabet='{}[],:"\\/*01-.eE+truefalsn \n\t\ufeffu', max_size=30))
def test_it_refuses_what_json_refuses(text: str) -> None:
    try:
        expected = [json.loads(text.removeprefix("\ufeff"))]
    except ValueError:
        expected = []
    try:
        root = parse(text)
        found = [] if root is None else [root.value]
    except MalformedFile as error:
        found = []
        assert 1 <= error.line <= text.count("\n") + 1 and error.column >= 1
    assert found == expected


@given(st.data(), objects)
def test_what_is_added_and_removed_again_leaves_the_text_as_it_was(data: st.DataObject, value: dict[str, Any]) -> None:
    value = {**value, "mcpServers": {**data.draw(objects), "kept": 1}}
    value["mcpServers"].pop("memd", None)
    text = data.draw(json_text(value, comments=True, trailing=True))
    put = added(text, ["mcpServers"], "memd", ENTRY, JSONC)
    assert read(put) == {**value, "mcpServers": {**value["mcpServers"], "memd": ENTRY}}
    assert removed(put, ["mcpServers", "memd"], JSONC) == text


@given(st.data(), objects, st.lists(values, max_size=3))
def test_any_container_takes_one_more(data: st.DataObject, value: dict[str, Any], items: list[Any]) -> None:
    value = {**value, "list": items}
    text = data.draw(json_text(value, comments=True, trailing=True))
    assert read(added(text, ["list"], None, ENTRY, JSONC)) == {**value, "list": [*items, ENTRY]}
    assert read(added(text, [], "a new one", ENTRY, JSONC)) == {**value, "a new one": ENTRY}


@given(st.data(), objects.filter(bool))
def test_any_member_can_go(data: st.DataObject, value: dict[str, Any]) -> None:
    text = data.draw(json_text(value, comments=True, trailing=True))
    name = data.draw(st.sampled_from(sorted(value)))
    left = removed(text, [name], JSONC)
    assert read(left) == {other: item for other, item in value.items() if other != name}
    rest = iter(text)
    assert all(character in rest for character in left)  # nothing new, nothing moved


@given(st.data(), objects.filter(bool), scalars | values)
def test_a_value_is_replaced_where_it_stands(data: st.DataObject, value: dict[str, Any], new: Any) -> None:
    text = data.draw(json_text(value, comments=True, trailing=True))
    name = data.draw(st.sampled_from(sorted(value)))
    node = find(parse(text, JSONC), [name])
    assert node is not None
    changed = replaced(text, [name], new, JSONC)
    assert read(changed) == {**value, name: new}
    assert changed.startswith(text[: node.start]) and changed.endswith(text[node.end :])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{\n  "memd": {\n    "a": [1, 2]\n  }\n}'),
        ('{"x":1}', '{"x":1,"memd":{"a":[1,2]}}'),
        ('{ "x": 1 }\n', '{ "x": 1, "memd": {"a": [1, 2]} }\n'),
        ('{\n\t"x": 1\n}\n', '{\n\t"x": 1,\n\t"memd": {\n\t\t"a": [1, 2]\n\t}\n}\n'),
        ('{\r\n    "x": 1\r\n}', '{\r\n    "x": 1,\r\n    "memd": {\r\n        "a": [1, 2]\r\n    }\r\n}'),
        ('{\n  "x": 1, // one\n}', '{\n  "x": 1, // one\n  "memd": {\n    "a": [1, 2]\n  },\n}'),
        (
            '{\n  "x": 1 // one\n  // "y": 2\n}',
            '{\n  "x": 1, // one\n  // "y": 2\n  "memd": {\n    "a": [1, 2]\n  }\n}',
        ),
        ("{\n  // nothing yet\n}\n", '{\n  // nothing yet\n  "memd": {\n    "a": [1, 2]\n  }\n}\n'),
    ],
)
def test_it_writes_as_the_file_is_written(before: str, after: str) -> None:
    assert added(before, [], "memd", {"a": [1, 2]}, JSONC) == after


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": 1,}', 1, 8),
        ('{"a": 1\n "b": 2}', 2, 2),
        ('{\n  "a": tru\n}', 2, 8),
        ("{\r\n  // c\r\n}", 2, 3),
        ('{"a": "x\ny"}', 1, 7),
        ('\ufeff{"a" 1}', 1, 6),
        ('{"a": 1} x', 1, 10),
        ('{"a": [1, 2', 1, 12),
        ("{'a': 1}", 1, 2),
        ("[" * 300, 1, 202),
        ('{"a": 01}', 1, 7),
    ],
)
def test_it_says_where_a_file_is_wrong(text: str, line: int, column: int) -> None:
    with pytest.raises(MalformedFile) as caught:
        parse(text, JSON)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_of_two_members_with_one_name_the_last_counts() -> None:
    text = '{"m": {"a": 1}, "m": {"b": 2}}'
    assert (
        read(added(text, ["m"], "memd", 1)) == {"m": {"b": 2, "memd": 1}} == json.loads(added(text, ["m"], "memd", 1))
    )
