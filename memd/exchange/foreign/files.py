"""Opening other tools' files of text, line by line or as one JSON document, in bounded memory."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from memd.errors import FileUnusable, MalformedFile
from memd.exchange.foreign.faults import Refuse, at_line, bad, malformed, shown, unreadable

LONGEST = 128 << 20  # characters of a line, or of one value of a JSON document
_CHUNK = 1 << 16
_UNSURE = 16  # characters before the end of what was read, in which an error may be that of a value cut in two
_SPACE = re.compile(r"[ \t\r\n]*")


def given(path: Path, *names: str) -> Path | None:
    """The file that is meant: the path's own, or the first of these names that its folder has; None where none is."""
    found = (path / one for one in names) if path.is_dir() else (path,)
    return next((file for file in found if file.is_file()), None)


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """A file of UTF-8, with or without a byte order mark. A pipe or device is refused, not waited for.

    Raises:
        FileUnusable: it can't be read.
        MalformedFile: it isn't UTF-8 (raised by whoever reads on).
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(path, error) from None
    with open(handle, encoding="utf-8-sig", newline="\n") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileUnusable(f"{shown(path)} is not a file.")
        try:
            yield file
        except UnicodeDecodeError:
            raise malformed(path, "", "it is not UTF-8 throughout") from None
        except OSError as error:
            raise unreadable(path, error) from None


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that have something on them, each with its number, counted from 1.

    Raises:
        MalformedFile, FileUnusable.
    """
    with opened(path) as file:
        number = 0
        while line := file.readline(LONGEST):
            number += 1
            if len(line) == LONGEST:
                raise at_line(path, number, f"it is over {LONGEST >> 20} million characters long")
            if line.strip():
                yield number, line


def parse(number: int, line: str, refuse: Refuse) -> dict[str, Any] | None:
    """The JSON object on a line; None for what is none, which `refuse` is told."""
    try:
        value = json.loads(line, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        refuse(bad(f"It is not JSON ({error.msg}, column {error.colno}).", number))
    except RecursionError:
        refuse(bad("It is nested too deeply.", number))
    except ValueError as error:
        refuse(bad(f"It is not JSON ({error}).", number))
    else:
        if isinstance(value, dict):
            return value
        refuse(bad("It is not a JSON object.", number))
    return None


class Member(NamedTuple):
    """A part of a JSON document: an element of a list (`number` counts from 0), or a whole value (`number` -1).

    `key` is the document's own; empty where the document is a list. `line` is where it begins, from 1.
    """

    key: str
    number: int
    line: int
    value: Any

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        where = f"{self.key}[{self.number}]" if self.number >= 0 else self.key
        return f"line {self.line}" + (f" ({where})" if where else "")


def members(path: Path) -> Iterator[Member]:
    """The members of a JSON document, in order; those that are lists element by element. One is in memory at a time.

    Raises:
        MalformedFile: it isn't JSON, naming the line; what stood before was given already.
        FileUnusable.
    """
    with opened(path) as file:
        document = _Document(path, file)
        if document.next_is("{"):
            yield from _object(document)
        elif document.next_is("["):
            yield from _elements(document, "")
        else:
            raise document.error("it is neither a JSON object nor a list")
        document.end()


def _object(document: _Document) -> Iterator[Member]:
    if document.next_is("}"):
        return
    while True:
        line, key = document.value()
        if not isinstance(key, str):
            raise document.error("a member of the object has no name")
        document.expect(":")
        if document.next_is("["):
            yield from _elements(document, key)
        else:
            line, value = document.value()
            yield Member(key, -1, line, value)
        if document.next_is("}"):
            return
        document.expect(",")


def _elements(document: _Document, key: str) -> Iterator[Member]:
    if document.next_is("]"):
        return
    number = 0
    while True:
        line, value = document.value()
        yield Member(key, number, line, value)
        number += 1
        if document.next_is("]"):
            return
        document.expect(",")


class _Document:
    """A JSON document read from the front, value by value."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self._path = path
        self._file = file
        self._decode = json.JSONDecoder(parse_constant=_no_constant).raw_decode
        self._text = ""
        self._at = 0
        self._line, self._counted = 1, 0  # the line of the place `_counted` in the text
        self._ended = False

    def next_is(self, mark: str) -> bool:
        """Whether the next character is this one; it is passed if so."""
        if self._peek() != mark:
            return False
        self._at += 1
        return True

    def expect(self, mark: str) -> None:
        """Pass this character. Raises MalformedFile where another stands."""
        if not self.next_is(mark):
            raise self.error(f"a {mark!r} is missing" if self._peek() else "it ends in the middle")

    def end(self) -> None:
        """Raise MalformedFile unless nothing follows."""
        if self._peek():
            raise self.error("something follows the end of the document")

    def value(self) -> tuple[int, Any]:
        """The next value and the line that it begins in."""
        if not self._peek():
            raise self.error("it ends in the middle")
        line = self._line_of(self._at)
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _UNSURE
                if self._ended or not cut:
                    raise self.error(f"it is not JSON ({error.msg})", error.pos) from None
            except RecursionError:
                raise self.error("it is nested too deeply") from None
            except ValueError as error:
                raise self.error(f"it is not JSON ({error})") from None
            else:
                if end < len(self._text) or self._ended:  # else a number may go on
                    self._at = end
                    return line, value
            if len(self._text) - self._at > LONGEST:
                raise self.error(f"a value is over {LONGEST >> 20} million characters long")
            self._grow()

    def error(self, what: str, at: int | None = None) -> MalformedFile:
        """Of the place that was reached, or of `at` in the text."""
        return at_line(self._path, self._line_of(self._at if at is None else at), what)

    def _line_of(self, at: int) -> int:
        self._line += self._text.count("\n", self._counted, at)
        self._counted = max(self._counted, at)
        return self._line

    def _peek(self) -> str:
        """The next character that isn't white space; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match
            self._at = match.end()
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._grow()

    def _grow(self) -> None:
        """Read on; what lies behind is let go."""
        self._line_of(self._at)
        self._text = self._text[self._at :]
        self._counted -= self._at
        self._at = 0
        more = self._file.read(max(_CHUNK, len(self._text)))
        self._ended = not more
        self._text += more


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def load(path: Path) -> str:
    """A small file's text. Raises MalformedFile, FileUnusable."""
    with opened(path) as file:
        text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise malformed(path, "", f"it is over {LONGEST >> 20} million characters long")
    return text


def begins(path: Path, characters: int = 4096) -> str:
    """The beginning of a file; empty where it can't be read as text."""
    try:
        with path.open("rb") as file:
            return file.read(characters).decode(errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def digest(paths: Iterable[Path]) -> str:
    """BLAKE2b of these files' names and bytes, in hexadecimal. O(their size). Those that are gone count as empty."""
    total = hashlib.blake2b(digest_size=32)
    for path in paths:
        total.update(os.fsencode(path) + b"\0")
        try:
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    total.update(chunk)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise unreadable(path, error) from None
        total.update(b"\0")
    return total.hexdigest()
