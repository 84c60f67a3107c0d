"""TOML edited as text: a table is added at the end of a file and taken out again, byte for byte.

TOML lets a table be opened anywhere, so a new one goes to the end as lines of its own. Where a file is written so that
this can't be (its parent is an inline table), tomlkit makes the edit. Either way the result is read back and must hold
just what was there and the new table, or nothing is changed.
"""

from __future__ import annotations

import copy
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memd.errors import FileUnusable, MalformedFile

_BOM = "\ufeff"
_PLACE = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")

Table = Mapping[str, Any]


def read(text: str) -> dict[str, Any]:
    """The values of a TOML text.

    Raises:
        MalformedFile: with line and column; its path is empty, for the caller to fill in.
    """
    try:
        return tomllib.loads(text.removeprefix(_BOM))
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        what = _PLACE.sub("", str(error))
        if place and place[1]:
            raise MalformedFile.at("", what, int(place[1]), int(place[2])) from None
        lines = text.split("\n")
        raise MalformedFile.at("", what, len(lines), len(lines[-1]) + 1) from None


def find(text: str, path: Sequence[str]) -> Any:
    """The value at a path of names; None where there is none."""
    value: Any = read(text)
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def with_table(text: str, path: Sequence[str], table: Table) -> str:
    """The text with one more table of plain values.

    Raises:
        FileUnusable: the file can't take it.
    """
    expected = _with(read(text), path, dict(table))
    for told in (_appended(text, path, table), lambda: _kept(text, path, dict(table))):
        new = told if isinstance(told, str) else told()
        if new is not None and _holds(new, expected):
            return new
    raise FileUnusable(
        f"there is no place for [{'.'.join(path)}] in it",
        "Write its tables as [headers], each on a line of its own, and try again.",
    )


def with_values(text: str, path: Sequence[str], values: Table) -> str:
    """The text with other values in a table that is there; what doesn't differ isn't touched.

    Raises:
        FileUnusable: the file can't be edited so.
    """
    before = find(text, path)
    changed = {name: value for name, value in values.items() if before.get(name) != value}
    if not changed:
        return text
    new = _kept(text, path, changed, into=True)
    if new is None or not _holds(new, _with(read(text), path, {**before, **changed})):
        raise FileUnusable(f"[{'.'.join(path)}] in it can't be changed", "Remove that table and try again.")
    return new


def without_table(text: str, path: Sequence[str]) -> str:
    """The text without a table and all below it; the text itself where there is none.

    Raises:
        FileUnusable: the file can't be edited so.
    """
    if find(text, path) is None:
        return text
    before = read(text)
    left = [_without(before, path, bare) for bare in (True, False)]
    new = _cut(text, tuple(path))
    if any(_holds(new, expected) for expected in left):
        return new
    import tomlkit

    document = tomlkit.parse(text)
    parent: Any = document
    for name in path[:-1]:
        parent = parent[name]
    parent.remove(path[-1])
    new = tomlkit.dumps(document)
    if not any(_holds(new, expected) for expected in left):
        raise FileUnusable(f"[{'.'.join(path)}] in it can't be taken out", "Remove that table yourself.")
    return new


def _appended(text: str, path: Sequence[str], table: Table) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    body = text.removeprefix(_BOM)
    gap = "" if not body else end if body.endswith("\n") else end + end
    lines = [f"[{'.'.join(_name(name) for name in path)}]"]
    lines += [f"{_name(name)} = {_value(value)}" for name, value in table.items()]
    return text + gap + "".join([line + end for line in lines])


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    """A string, number, truth or list of them as TOML."""
    if isinstance(value, list):
        return "[" + ", ".join([_value(item) for item in value]) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _kept(text: str, path: Sequence[str], values: dict[str, Any], into: bool = False) -> str | None:
    """The edit as tomlkit makes it; None where it can't, or doesn't keep the rest."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        if tomlkit.dumps(document) != text:
            return None
        parent: Any = document
        for name in path if into else path[:-1]:
            parent = parent[name]
        if into:
            for name, value in values.items():
                parent[name] = value
        else:
            inline = tomlkit.inline_table()
            inline.update(values)
            parent[path[-1]] = inline
        return tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError):
        return None


def _holds(text: str, expected: dict[str, Any]) -> bool:
    try:
        return same(read(text), expected)
    except MalformedFile:
        return False


def same(one: Any, other: Any) -> bool:
    """Equal, where a NaN equals a NaN and 1 isn't 1.0 or true."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def _with(values: dict[str, Any], path: Sequence[str], table: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(values)
    inner: Any = made
    for name in path[:-1]:
        inner = inner.setdefault(name, {}) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        raise FileUnusable(f"{'.'.join(path[:-1])} in it isn't a table", "Correct it and try again.")
    inner[path[-1]] = table
    return made


def _without(values: dict[str, Any], path: Sequence[str], bare: bool) -> dict[str, Any]:
    """The values less one table; with `bare`, also less the tables above that were there for it alone."""
    made = copy.deepcopy(values)
    tables: list[dict[str, Any]] = [made]
    for name in path[:-1]:
        tables.append(tables[-1][name])
    del tables[-1][path[-1]]
    if bare:
        for parent, name in reversed([*zip(tables, path[:-1], strict=False)]):
            if parent[name] == {}:
                del parent[name]
    return made


# --- where tables stand -----------------------------------------------------------------------------


@dataclass
class _Section:
    """A header and the lines below it, to the last that isn't blank or a comment."""

    path: tuple[str, ...]
    start: int
    end: int


def _cut(text: str, path: tuple[str, ...]) -> str:
    parts, at = [], 0
    for section in _sections(text):
        if section.path[: len(path)] != path:
            continue
        start = section.start
        blank = re.search(r"(?:\A|(?<=\n))[ \t]*\r?\n\Z", text[at:start])
        if blank:
            start = at + blank.start()
        parts.append(text[at:start])
        at = section.end
    return "".join([*parts, text[at:]])


def _sections(text: str) -> list[_Section]:
    """Every table's header in the order of the text."""
    found: list[_Section] = []
    at = 1 if text.startswith(_BOM) else 0
    while at < len(text):
        end = _line_end(text, at)
        line = text[at:end].strip()
        if line.startswith("["):
            found.append(_Section(_header(line), at, end))
        elif line and not line.startswith("#"):
            end = _statement_end(text, at)
            if found:
                found[-1].end = end
        at = end
    return found


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _header(line: str) -> tuple[str, ...]:
    """``[a."b.c"]`` or ``[[a]]`` as names; read by the parser itself."""
    value: Any = tomllib.loads(line)
    names: list[str] = []
    while value:
        value = value[0] if isinstance(value, list) else value
        if not value:
            break
        ((name, value),) = value.items()
        names.append(name)
    return tuple(names)


_TOKEN = re.compile(
    r"""
    \"\"\"(?:[^\\]|\\.)*?\"{3,5}   # a basic string over several lines
    | \'\'\'.*?\'{3,5}             # a literal one
    | "(?:[^"\\\n]|\\.)*"
    | '[^'\n]*'
    | \#[^\n]*
    | [\[{\]}\n]
    """,
    re.DOTALL | re.VERBOSE,
)


def _statement_end(text: str, at: int) -> int:
    """After the line on which a ``name = value`` ends, which may be many lines later."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        mark = token.group()
        if mark in ("[", "{"):
            depth += 1
        elif mark in ("]", "}"):
            depth -= 1
        elif mark == "\n" and depth <= 0:
            return token.end()
    return len(text)
