"""JSON and JSONC edited as text: only the bytes of what changes are touched.

A file that people keep is read into nodes that know where they stand; an edit splices text at such a place, in the
indentation and line ends that the file has. Nothing is ever serialised again: comments, order, blanks, numbers and
escapes of all the rest stay as they are.

The grammar is RFC 8259; `Dialect` says whether comments and a comma after the last element may be there (JSONC, as
VS Code and opencode read it). Of members with the same name the last counts, as in every common parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from memd.errors import MalformedFile

Key = str | int
Path = Sequence[Key]

DEPTH = 200  # nested deeper than this, no person wrote it
_LOOKED_AT = 300  # elements by which a file's habits are told
_BOM = "\ufeff"
_BLANK = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[^\s,:\[\]{}\"/]+")
_WORDS = {"true": True, "false": False, "null": None}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} isn't JSON")


_SCANNER = json.JSONDecoder(parse_constant=_no_constant)


@dataclass(frozen=True)
class Dialect:
    """What a file may hold beside plain JSON."""

    comments: bool = False
    trailing_commas: bool = False


JSON = Dialect()
JSON_WITH_COMMENTS = Dialect(comments=True)
JSONC = Dialect(comments=True, trailing_commas=True)


class Node:
    """A value and where it stands: ``text[start:end]``. What is inside an object or array is read when it is asked for.

    Attributes:
        kind: ``object``, ``array`` or ``scalar``.
        value: as plain Python values.
        elements: of an object or array, in their order; none of a scalar.
    """

    def __init__(self, kind: str, start: int, end: int, value: Any, inside: Callable[[], list[Element]]) -> None:
        self.kind, self.start, self.end, self.value = kind, start, end, value
        self._inside = inside
        self._elements: list[Element] | None = None

    @property
    def elements(self) -> list[Element]:
        """Read once."""
        if self._elements is None:
            self._elements = self._inside()
        return self._elements


@dataclass
class Element:
    """A member or an item: from `start` (of its name, or of the value) to `node.end`, and its comma's place."""

    start: int
    node: Node
    name: str = ""
    comma: int | None = None


def where(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1; a BOM takes no column."""
    before = text[: min(offset, len(text))].replace("\r\n", "\n").replace("\r", "\n")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return line, column - (1 if line == 1 and text.startswith(_BOM) else 0)


@lru_cache(maxsize=4)  # an edit looks at the same text a few times
def parse(text: str, dialect: Dialect = JSON) -> Node | None:
    """The root value, or None where the text holds none (blanks and comments only).

    Raises:
        MalformedFile: with line and column; its path is empty, for the caller to fill in.
    """
    return _Parser(text, dialect).document()


def find(root: Node | None, path: Path) -> Node | None:
    """The node at a path of names and indexes; None where there is none."""
    node = root
    for key in path:
        element = _element(node, key)
        if element is None:
            return None
        node = element.node
    return node


def _element(node: Node | None, key: Key) -> Element | None:
    if node is None:
        return None
    if node.kind == "object" and isinstance(key, str):
        return next((element for element in reversed(node.elements) if element.name == key), None)
    if node.kind == "array" and isinstance(key, int) and -len(node.elements) <= key < len(node.elements):
        return node.elements[key]
    return None


class _Parser:
    def __init__(self, text: str, dialect: Dialect) -> None:
        self.text = text
        self.dialect = dialect
        self.at = 1 if text.startswith(_BOM) else 0

    def document(self) -> Node | None:
        self.skip()
        if self.at == len(self.text):
            return None
        root = self.value(0)
        self.skip()
        if self.at < len(self.text):
            self.fail("there is more after the end of the value")
        return root

    def fail(self, what: str, at: int | None = None) -> None:
        raise MalformedFile.at("", what, *where(self.text, self.at if at is None else at))

    def skip(self) -> None:
        """Pass blanks, and comments where they may be."""
        while True:
            self.at = _BLANK.match(self.text, self.at).end()  # type: ignore[union-attr]
            opening = self.text[self.at : self.at + 2]
            if opening not in ("//", "/*"):
                return
            if not self.dialect.comments:
                self.fail("a comment, which this file can't have")
            if opening == "//":
                ends = [place for mark in "\r\n" if (place := self.text.find(mark, self.at)) >= 0]
                self.at = min(ends, default=len(self.text))
            else:
                end = self.text.find("*/", self.at + 2)
                if end < 0:
                    self.fail("a comment that doesn't end")
                self.at = end + 2

    def value(self, depth: int) -> Node:
        if depth > DEPTH:
            self.fail(f"nested more than {DEPTH} deep")
        character = self.text[self.at : self.at + 1]
        if character in ("{", "["):
            return self.container(character, depth)
        start = self.at
        scalar = self.string() if character == '"' else self.plain()
        return Node("scalar", start, self.at, scalar, list)

    def container(self, opening: str, depth: int) -> Node:
        """An object or array; plain JSON is passed over at the speed of the standard library's scanner."""
        kind, start = ("object" if opening == "{" else "array"), self.at
        if self.dialect == JSON and depth:
            try:
                value, self.at = _SCANNER.raw_decode(self.text, start)
                return Node(kind, start, self.at, value, partial(self.again, kind, start, depth))
            except (ValueError, RecursionError):
                self.at = start  # what is wrong, and where, is found below
        found = self.elements(kind, depth)
        value = (
            {element.name: element.node.value for element in found}
            if kind == "object"
            else [element.node.value for element in found]
        )
        return Node(kind, start, self.at, value, lambda: found)

    def again(self, kind: str, start: int, depth: int) -> list[Element]:
        """What is inside a container that was passed over."""
        self.at = start
        return self.elements(kind, depth)

    def elements(self, kind: str, depth: int) -> list[Element]:
        """From the opening bracket to after the closing one."""
        close = "}" if kind == "object" else "]"
        found: list[Element] = []
        self.at += 1
        while True:
            self.skip()
            if self.text[self.at : self.at + 1] == close:
                if found and (comma := found[-1].comma) is not None and not self.dialect.trailing_commas:
                    self.fail("a comma after the last element", comma)
                self.at += 1
                return found
            if found and found[-1].comma is None:
                self.fail(f"a comma or {close} is missing")
            found.append(self.element(kind, depth))
            self.skip()
            if self.text[self.at : self.at + 1] == ",":
                found[-1].comma = self.at
                self.at += 1

    def element(self, kind: str, depth: int) -> Element:
        start, name = self.at, ""
        if kind == "object":
            if self.text[self.at : self.at + 1] != '"':
                self.fail("a name in quotation marks is missing" if self.at < len(self.text) else "the file ends here")
            name = self.string()
            self.skip()
            if self.text[self.at : self.at + 1] != ":":
                self.fail("a colon is missing")
            self.at += 1
            self.skip()
        return Element(start, self.value(depth + 1), name)

    def string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            self.fail("a string that doesn't end on its line, or holds what it can't")
            raise AssertionError
        self.at = found.end()
        return str(json.loads(found.group()))

    def plain(self) -> Any:
        found = _WORD.match(self.text, self.at)
        word = found.group() if found else ""
        if word not in _WORDS and not _NUMBER.fullmatch(word):
            self.fail("the file ends here" if self.at >= len(self.text) else "a value is missing, or isn't JSON")
        self.at += len(word)
        if word in _WORDS:
            return _WORDS[word]
        try:
            return json.loads(word)
        except ValueError:  # more digits than Python turns into a number; its text is all that counts here
            return float(word)


# --- how a file is written --------------------------------------------------------------------------


@dataclass(frozen=True)
class Style:
    """The habits of a file: one level of indentation, its line end, what follows a colon and a comma."""

    indent: str = "  "
    end: str = "\n"
    colon: str = ": "
    comma: str = ", "

    @classmethod
    def of(cls, text: str, root: Node | None) -> Style:
        """Read off the first nested line, the first line end, the first colon."""
        crlf, lf = text.find("\r\n"), text.find("\n")
        end = "\r\n" if crlf >= 0 and crlf == lf - 1 else "\n"
        indent, colon, comma = "  ", ": ", ", "
        for parent, element in islice(_elements(root), _LOOKED_AT):
            lead = _lead(text, element.start)
            outer = _lead_of_line(text, parent.start)
            if lead is not None and lead.startswith(outer) and len(lead) > len(outer):
                indent = lead[len(outer) :]
                break
        for parent, element in _elements(root):
            if parent.kind == "object":
                colon = ": " if re.search(r":\s", text[element.start : element.node.start]) else ":"
                comma = ", " if colon == ": " else ","
                break
        return cls(indent, end, colon, comma)

    def render(self, value: Any, outer: str) -> str:
        """A value over several lines, its closing bracket indented by `outer`."""
        if isinstance(value, (dict, list)) and value and not _is_short(value):
            inner = outer + self.indent
            parts = [f"{inner}{self._named(name)}{self.render(item, inner)}" for name, item in _pairs(value)]
            opening, closing = "{}" if isinstance(value, dict) else "[]"
            return f"{opening}{self.end}{f',{self.end}'.join(parts)}{self.end}{outer}{closing}"
        return self.flat(value)

    def flat(self, value: Any) -> str:
        """A value on one line."""
        if isinstance(value, (dict, list)):
            opening, closing = "{}" if isinstance(value, dict) else "[]"
            parts = [self._named(name) + self.flat(item) for name, item in _pairs(value)]
            return opening + self.comma.join(parts) + closing
        return json.dumps(value, ensure_ascii=False)

    def named(self, name: str | None, value: Any, outer: str | None) -> str:
        """A member (an item, where `name` is None); flat where `outer` is None."""
        return self._named(name) + (self.flat(value) if outer is None else self.render(value, outer))

    def _named(self, name: str | None) -> str:
        return "" if name is None else json.dumps(name, ensure_ascii=False) + self.colon


def _is_short(value: Any) -> bool:
    """A list of plain values stands on one line, as people write arguments."""
    return isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value)


def _pairs(value: Any) -> list[tuple[str | None, Any]]:
    return list(value.items()) if isinstance(value, dict) else [(None, item) for item in value]


def _elements(node: Node | None) -> Iterator[tuple[Node, Element]]:
    """Every element with its container, outer ones first along each branch."""
    pending = [node] if node is not None else []
    while pending:
        parent = pending.pop(0)
        for element in parent.elements:
            yield parent, element
            if element.node.elements:
                pending.append(element.node)


def _lead(text: str, offset: int) -> str | None:
    """The blanks between the start of the line and `offset`; None where something else stands there."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    lead = text[start:offset]
    return lead if start and not lead.strip(" \t") else None


def _lead_of_line(text: str, offset: int) -> str:
    """The blanks that the line of `offset` begins with."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    return re.match(r"[ \t]*", text[start:]).group()  # type: ignore[union-attr]


# --- edits ------------------------------------------------------------------------------------------


def added(text: str, path: Path, key: str | None, value: Any, dialect: Dialect = JSON) -> str:
    """The text with a member (an item, where `key` is None) at the end of the container at `path`.

    Raises:
        KeyError: no container is there.
    """
    root = parse(text, dialect)
    container = find(root, path)
    if container is None or container.kind != ("array" if key is None else "object"):
        raise KeyError(tuple(path))
    style = Style.of(text, root)
    if not container.elements:
        return _added_first(text, root, container, key, value, style)
    last, first = container.elements[-1], container.elements[0]
    lead = _lead(text, first.start)
    if lead is None:  # all on the opening bracket's line
        told = style.named(key, value, None)
        if last.comma is None:
            return _splice(text, [(last.node.end, last.node.end, style.comma + told)])
        return _splice(text, [(last.comma + 1, last.comma + 1, style.comma[1:] + told + ",")])
    place = _end_of_content(text, container)
    told = style.end + lead + style.named(key, value, lead)
    if last.comma is None:
        return _splice(text, [(last.node.end, last.node.end, ","), (place, place, told)])
    return _splice(text, [(place, place, told + ",")])


def _added_first(text: str, root: Node | None, container: Node, key: str | None, value: Any, style: Style) -> str:
    """Into an empty container; a comment in it stays."""
    place = _end_of_content(text, container)
    on_one_line = container is not root and root is not None and bool(root.elements)
    if on_one_line and root is not None and _lead(text, root.elements[0].start) is None:
        return _splice(text, [(container.end - 1, container.end - 1, style.named(key, value, None))])
    outer = _lead_of_line(text, container.start)
    inner = outer + style.indent
    told = f"{style.end}{inner}{style.named(key, value, inner)}{style.end}{outer}"
    return _splice(text, [(place, container.end - 1, told)])


def _end_of_content(text: str, container: Node) -> int:
    """Where the blanks before the closing bracket begin."""
    return container.start + len(text[container.start : container.end - 1].rstrip(" \t\r\n"))


def replaced(text: str, path: Path, value: Any, dialect: Dialect = JSON) -> str:
    """The text with another value at `path`. Raises KeyError where nothing is there."""
    root = parse(text, dialect)
    node = find(root, path)
    if node is None:
        raise KeyError(tuple(path))
    style = Style.of(text, root)
    flat = "\n" not in text[node.start : node.end] and node.kind != "scalar"
    told = style.flat(value) if flat else style.render(value, _lead_of_line(text, node.start))
    return _splice(text, [(node.start, node.end, told)])


def removed(text: str, path: Path, dialect: Dialect = JSON) -> str:
    """The text without the member or item at `path`, its comma and the blanks before it.

    What `added` put in leaves as it came. Raises KeyError where nothing is there.
    """
    root = parse(text, dialect)
    container, element = find(root, path[:-1]), None
    element = _element(container, path[-1])
    if root is None or container is None or element is None:
        raise KeyError(tuple(path))
    index = next(number for number, other in enumerate(container.elements) if other is element)
    told = _splice(text, _without(text, container, index))
    return told if _lost_one(told, path[:-1], container, dialect) else _splice(text, _without_alone(container, index))


def _lost_one(text: str, path: Path, before: Node, dialect: Dialect) -> bool:
    """Whether the text can be read and the container has just one element less."""
    try:
        after = find(parse(text, dialect), path)
    except MalformedFile:
        return False
    return after is not None and len(after.elements) == len(before.elements) - 1


def _without(text: str, container: Node, index: int) -> list[tuple[int, int, str]]:
    """The spans to take out for one element, its line with it.

    Where something that isn't an element's own stands on its line (the end of a comment before it, say), what is
    left may not be JSON any more; `removed` looks.
    """
    element = container.elements[index]
    before = len(text[: element.start].rstrip(" \t\r\n"))
    if len(container.elements) == 1:
        return [_only(text, container, element, before)]
    if element.comma is None:
        comma = container.elements[index - 1].comma
        assert comma is not None
        if comma + 1 == before:
            return [(comma, element.node.end, "")]
        return [(comma, comma + 1, ""), (before, element.node.end, "")]
    if index == 0 and not text[element.comma + 1 : container.elements[1].start].strip(" \t\r\n"):
        return [(element.start, container.elements[1].start, "")]
    return [(before, element.comma + 1, "")]


def _without_alone(container: Node, index: int) -> list[tuple[int, int, str]]:
    """The spans of an element and a comma, with every blank left where it is."""
    element = container.elements[index]
    if element.comma is not None:
        return [(element.start, element.node.end, ""), (element.comma, element.comma + 1, "")]
    comma = container.elements[index - 1].comma if index else None
    alone = [(element.start, element.node.end, "")]
    return alone if comma is None else [(comma, comma + 1, ""), *alone]


def _only(text: str, container: Node, element: Element, before: int) -> tuple[int, int, str]:
    """What goes with a container's only element: all up to the brackets, unless there are comments."""
    end = element.node.end if element.comma is None else element.comma + 1
    after = end + len(text[end : container.end - 1]) - len(text[end : container.end - 1].lstrip(" \t\r\n"))
    if before == container.start + 1 and after == container.end - 1:
        return before, after, ""
    return before, end, ""


def _splice(text: str, changes: list[tuple[int, int, str]]) -> str:
    """The text with spans replaced, given in rising order."""
    parts, at = [], 0
    for start, end, new in changes:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])
