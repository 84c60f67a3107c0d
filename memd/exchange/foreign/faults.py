"""What can be wrong with other tools' files: each error names the file and the line, table or record in it."""

from __future__ import annotations

import os
from collections.abc import Callable

from memd.errors import BadInput, FileUnusable, MalformedFile
from memd.exchange.records import Trouble

Refuse = Callable[[Trouble], None]
AS_IT_WAS = "Nothing was taken from it, and it is as it was."
WHERE = "docs/import.md says where each tool keeps its data, and what is read."


def shown(path: str | os.PathLike[str]) -> str:
    """A path in words that can be stored and printed, whatever its bytes."""
    return os.fsencode(path).decode(errors="replace").replace("\0", "")


def bad(why: str, line: int = 0) -> Trouble:
    """A record that can't be taken."""
    return Trouble("bad", why, line)


def malformed(path: str | os.PathLike[str], place: str, what: str) -> MalformedFile:
    """The file as a whole can't be read on from `place` ("line 3", "table observations")."""
    error = MalformedFile(", ".join(filter(None, (shown(path), place))) + f": {what}.", AS_IT_WAS)
    error.path, error.what = shown(path), what
    return error


def at_line(path: str | os.PathLike[str], line: int, what: str) -> MalformedFile:
    """The file as a whole can't be read on from this line, counted from 1."""
    error = malformed(path, f"line {line}", what)
    error.line = line
    return error


def unknown_form(path: str | os.PathLike[str], tool: str, what: str) -> MalformedFile:
    """The file is of a version that the reader doesn't know."""
    error = malformed(path, "", f"this isn't a form of {tool}'s data that memd knows: {what}")
    error.hint = f"{AS_IT_WAS} {WHERE}"
    return error


def not_of(path: str | os.PathLike[str], tool: str, expected: str) -> BadInput:
    """The file is none of this tool's."""
    return BadInput(f"{shown(path)} is none of {tool}'s: {expected}.", WHERE)


def unreadable(path: str | os.PathLike[str], error: OSError) -> FileUnusable:
    """The system doesn't let it be read."""
    return FileUnusable(f"{shown(path)} can't be read: {error.strerror or error}.", AS_IT_WAS)
