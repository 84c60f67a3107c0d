"""Editing TOML in place: a table comes and goes, and nothing else is touched."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from memd.agents.install.tomltext import find, read, same, with_table, with_values, without_table
from memd.errors import FileUnusable, MalformedFile

PATH = ("mcp_servers", "memd")
ENTRY = {"command": "/opt/my tools/memd", "args": ["-m", 'say "x"', "mcp"]}

keys = st.sampled_from(["a", "model", "mcp-x", "'a.b'", '"q\\"k"', '"[x]"'])
plain = st.sampled_from(
    [
        *("1", "-0.5e3", "true", "nan", "inf", "0xff", "1979-05-27T07:32:00Z", "{ x = 1, y = [2] }"),
        *('"s"', '"\\u00e9"', '"# not a comment"', "'[not.a.header]'", "[1, 2]", "[\n  1, # one\n  [2],\n]"),
        *("'''\n[mcp_servers.memd]\n'''", '"""\na = 1\n[b]\\\n"""'),
    ]
)
notes = st.sampled_from(["", "", " # note", "   # [mcp_servers.memd]"])


@st.composite
def toml_text(draw: st.DrawFn) -> str:
    """A settings file: keys, tables, arrays of tables, comments, blank lines, one of the line ends."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    names = draw(
        st.lists(st.sampled_from(["tui", "mcp_servers.x", 'projects."/a b"', "a-b . c", "profiles.q"]), unique=True)
    )
    headers = [f"[{name}]" for name in names] + ["[[hooks.Stop]]"] * draw(st.integers(0, 2))
    lines: list[str] = []
    for header in ["", *headers]:
        lines += [draw(st.sampled_from(["", "  "])) + header + draw(notes)] if header else []
        for key in draw(st.lists(keys, unique=True, max_size=3)):
            lines.append(draw(st.sampled_from([key, f"  {key}"])) + " = " + draw(plain) + draw(notes))
        lines += draw(st.lists(st.sampled_from(["", "# a comment", "   "]), max_size=2))
    closing = draw(st.sampled_from(["", end, end + end]))
    text = draw(st.sampled_from(["", "\ufeff"])) + end.join(lines).replace("\r\n", "\n").replace("\n", end) + closing
    try:
        read(text)
    except MalformedFile:  # a name given twice, say
        return f"model = 1{end}"
    return text


@given(toml_text())
def test_what_is_added_and_removed_again_leaves_the_text_as_it_was(text: str) -> None:
    put = with_table(text, PATH, ENTRY)
    assert put.startswith(text) and same(find(put, PATH), ENTRY)
    left = without_table(put, PATH)
    assert left == text or left == text + ("\r\n" if "\r\n" in text else "\n")  # a last line gets its end
    assert same(read(left), read(text))


@given(toml_text())
def test_it_goes_from_the_middle_too(text: str) -> None:
    end = "\r\n" if "\r\n" in text else "\n"
    tail = f"{end}# mine{end}[later]{end}x = 1{end}"
    assert without_table(with_table(text, PATH, ENTRY) + tail, PATH) in (text + tail, text + end + tail)


def test_tables_below_go_with_it() -> None:
    text = (
        'a = 1\n\n[mcp_servers.memd]\ncommand = "memd"\n[mcp_servers.memd.env]\nX = "1"\n\n[mcp_servers.memd2]\nb = 2\n'
    )
    assert without_table(text, PATH) == "a = 1\n\n[mcp_servers.memd2]\nb = 2\n"


@pytest.mark.parametrize(
    "text",
    [
        "mcp_servers = { x = { command = 'a' } } # all\n",
        "mcp_servers.x.command = 'a'\n",
        "[mcp_servers]\nx = { command = 'a' }\n",
        "[mcp_servers]\n",
        "[mcp_servers.x]\ncommand = 'a'\n[mcp_servers.x.env]\nA = '1'\n",
    ],
)
def test_other_ways_to_write_servers(text: str) -> None:
    put = with_table(text, PATH, ENTRY)
    assert read(put)["mcp_servers"] == {**read(text)["mcp_servers"], "memd": ENTRY}
    assert without_table(put, PATH) == text


def test_values_are_corrected_and_others_stay() -> None:
    text = '[mcp_servers.memd] # ours\ncommand = "old" # where\nargs = ["mcp"]\nenabled = false\n# end\n'
    new = with_values(text, PATH, {"command": "memd", "args": ["mcp"]})
    assert new == text.replace('"old"', '"memd"')


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a = \n", 1, 5), ("a = 1\nb = [1,\n", 3, 1), ("[a]\n[a]\n", 2, 3), ('a = "x', 1, 7), ("a = 1\na = 2\n", 2, 6)],
)
def test_it_says_where_a_file_is_wrong(text: str, line: int, column: int) -> None:
    with pytest.raises(MalformedFile) as caught:
        read(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_parent_that_is_no_table_is_refused() -> None:
    with pytest.raises(FileUnusable):
        with_table("mcp_servers = 3\n", PATH, ENTRY)


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=8) | st.lists(st.text(max_size=4)), max_size=3))
def test_any_text_can_be_written(entry: dict[str, Any]) -> None:
    entry = {"command": "x", **entry}
    put = with_table("", PATH, entry)
    assert tomllib.loads(put)["mcp_servers"]["memd"] == entry == tomlkit.parse(put).unwrap()["mcp_servers"]["memd"]
