"""What a command line means where it stands: its scope, its times, its texts. Standard library only."""

import os
import sys

from memd import home
from memd.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

GLOBAL_SCOPE = "global"
ALL_SCOPES = "all"
MAX_TEXT = 64 * 1024 * 1024  # bytes; the engine's limit on one memory, kept here so that no pipe fills the memory
_CHUNK = 1 << 20


def scope(given: "str | None") -> str:
    """The scope that ``--scope`` names: a path made absolute, ``global`` or ``all``; by default the project."""
    if given is None:
        return project_root()
    if given in (GLOBAL_SCOPE, ALL_SCOPES):
        return given
    if not given.strip() or "\0" in given:
        raise BadInput("--scope is empty" if not given.strip() else "--scope has a NUL", _SCOPE_HINT)
    return os.path.realpath(os.path.expanduser(given))


_SCOPE_HINT = "Give a folder, or `global`, or `all`."


def own_scope(given: "str | None") -> str:
    """As `scope`, for a memory to be stored: it has one scope. Raises BadInput for ``all``."""
    found = scope(given)
    if found == ALL_SCOPES:
        raise BadInput("A memory can't be stored in all scopes", "Use --scope global for what applies everywhere.")
    return found


def project_root() -> str:
    """The root of the repository around the working folder; ``global`` outside of one."""
    try:
        return home.project_root(os.getcwd()) or GLOBAL_SCOPE
    except OSError:  # the working folder was removed
        return GLOBAL_SCOPE


def moment(text: "str | None", option: str, now: "str | None" = None) -> "str | None":
    """A time option as RFC 3339: an ISO date or time, or words such as ``last week``.

    Args:
        text: what was given; None stays None.
        option: its name, for the error.
        now: RFC 3339 time that words are relative to; None means the clock.

    Raises:
        BadInput: it can't be read as a time.
    """
    if text is None:
        return None
    from datetime import datetime

    try:
        return _aware(datetime.fromisoformat(text)).isoformat()
    except ValueError:
        pass
    except (OverflowError, OSError):
        raise _bad_moment(text, option) from None
    from memd.text.times import parse_moment

    try:
        at = _aware(datetime.fromisoformat(now) if now else datetime.now())
        return _aware(parse_moment(text, at)).isoformat()
    except (BadInput, ValueError, OverflowError, OSError):
        raise _bad_moment(text, option) from None


def _aware(time: "datetime") -> "datetime":
    """With the local offset, where it has none."""
    return time if time.tzinfo else time.astimezone()


def _bad_moment(text: str, option: str) -> BadInput:
    return BadInput(
        f"{option} {text!r} is no date or time that memd knows",
        'Try 2024-05-07, 2024-05-07T14:30, yesterday, "last week" or "3 days ago".',
    )


def joined(words: "list[str]") -> str:
    """The words of a command line as one text. Raises BadInput where they aren't UTF-8."""
    text = " ".join(words)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput("The text isn't valid UTF-8", "Set a UTF-8 locale, or give the text through --file.") from None
    return text


def query(words: "list[str]") -> str:
    """The text of a query: the words, or standard input where there are none, without the line end."""
    if words and words != ["-"]:
        return joined(words)
    if words != ["-"] and at_terminal():
        raise BadInput("There is no question", 'Try: memd recall "how do we deploy"')
    return standard_input().rstrip("\r\n")


def standard_input() -> str:
    """All of standard input, exactly. Raises BadInput where it is no UTF-8 or too long."""
    return _decoded(_read_all(0, "Standard input"), "Standard input")


def file_text(path: str) -> "tuple[str, str | None]":
    """The text of a file, exactly, and its absolute path; ``-`` is standard input, which has no path."""
    if path == "-":
        return standard_input(), None
    name = os.path.realpath(os.path.expanduser(path))
    file = _open(path)
    try:
        return _decoded(_read_all(file, path), path), name
    finally:
        os.close(file)


def _open(path: str) -> int:
    try:
        if os.path.isdir(path):
            raise BadInput(f"{path} is a folder", "To take in a folder, use: memd ingest PATH")
        return os.open(os.path.expanduser(path), os.O_RDONLY)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} can't be read: {_reason(error)}", "Check the path and its permissions.") from None


def _read_all(file: int, name: str) -> bytes:
    """At most `MAX_TEXT` bytes: more is an error before it is in memory."""
    parts, size = [], 0
    try:
        while part := os.read(file, _CHUNK):
            parts.append(part)
            size += len(part)
            if size > MAX_TEXT:
                raise BadInput(f"{name} is over 64 MiB", "Split it into several memories.")
    except OSError as error:
        raise BadInput(f"{name} can't be read: {_reason(error)}", "Give the text as an argument.") from None
    return b"".join(parts)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{name} isn't valid UTF-8 (byte {error.start})", "Convert it first: iconv -f LATIN1 -t UTF-8"
        ) from None


def json_lines(path: "str | None", on_read: "object" = None) -> "Iterator[list[tuple[int, dict[str, object]]]]":
    """The objects of a file of JSON lines (None or ``-``: standard input), as they arrive.

    Each list holds what one read brought, with line numbers from 1, so that a live pipe is stored as it
    speaks. Blank lines are passed over.

    Args:
        path: the file.
        on_read: called with the number of bytes after each read.

    Raises:
        BadInput: a line isn't a JSON object in UTF-8, or is over 64 MiB, named by its number.
    """
    name = "Standard input" if path in (None, "-") else str(path)
    file = 0 if path in (None, "-") else _open(str(path))
    parts: list[bytes] = []  # of a line that hasn't ended: joined once, so that a long one stays linear
    number = size = 0
    try:
        while True:
            part = os.read(file, _CHUNK)
            if callable(on_read):
                on_read(len(part))
            parts.append(part)
            size += len(part)
            if size > 6 * MAX_TEXT:  # escapes can make a text six times as long
                raise BadInput(f"Line {number + 1} is too long", "A memory holds at most 64 MiB.")
            if part and b"\n" not in part:
                continue
            lines = b"".join(parts).split(b"\n")
            parts = [lines.pop()] if part else []
            size = len(parts[0]) if parts else 0
            items = [(at, _object(line, at)) for at, line in enumerate(lines, number + 1) if line.strip()]
            number += len(lines)
            if items:
                yield items
            if not part:
                return
    except OSError as error:
        raise BadInput(f"{name} can't be read: {_reason(error)}", "Check the path and its permissions.") from None
    finally:
        if file:
            os.close(file)


def _object(line: bytes, number: int) -> "dict[str, object]":
    import json

    try:
        value = json.loads(line.decode())
    except RecursionError:
        raise BadInput(f"Line {number} is nested too deeply", _LINE_HINT) from None
    except ValueError:
        raise BadInput(f"Line {number} is no JSON in UTF-8", _LINE_HINT) from None
    if not isinstance(value, dict):
        raise BadInput(f"Line {number} is no JSON object", _LINE_HINT)
    return value


_LINE_HINT = 'Each line is one memory: {"text": "…", "kind": "note", "tags": ["…"]}'


def _reason(error: "OSError | ValueError") -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def at_terminal() -> bool:
    """Whether standard input is a person."""
    return sys.stdin is not None and sys.stdin.isatty()


def size(path: "str | None") -> "int | None":
    """Bytes of a plain file, which can be read twice; None for standard input, pipes and what isn't there."""
    if path is None or path == "-":
        return None
    try:
        found = os.stat(os.path.expanduser(path))
    except (OSError, ValueError):
        return None
    return found.st_size if found.st_mode & 0o170000 == 0o100000 else None
