"""Which files of a folder are notes, and their text."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from memd.ingest.ignore import Ignores

MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".mdc"})
TEXT = frozenset({".txt", ".text", ".rst", ".adoc", ".asciidoc", ".org"})
NAMES = frozenset({"readme", "changelog", "changes", "news", "history", "notes", "todo"})
"""Notes by their name, where they have no suffix."""

NOT_NOTES = ("requirements*.txt", "requirements/*.txt", "constraints*.txt", "CMakeLists.txt", "robots.txt")
"""Text by its suffix, but written for programs."""

MAX_BYTES = 16 * 2**20
"""Larger files are exports and logs, not notes; `memd remember --file` still takes them."""

HIDDEN_KEPT = frozenset({".github", ".claude", ".cursor"})
"""Hidden folders with notes in them. Others hold caches and settings."""

NEVER = frozenset({"node_modules", "__pycache__"})


class Unreadable(Exception):
    """A file that can't be taken; the message is the reason, as a clause."""


def is_markdown(path: Path) -> bool:
    return path.suffix.lower() in MARKDOWN


def is_note(path: Path) -> bool:
    """Whether a file is one that a folder's ingest reads, by its name."""
    suffix = path.suffix.lower()
    if suffix in MARKDOWN:
        return True
    if suffix in TEXT:
        return not any(path.match(pattern) for pattern in NOT_NOTES)
    return not suffix and path.name.lower() in NAMES


def find(folder: Path, on_skip: Callable[[Path, str], None]) -> list[Path]:
    """The notes under `folder`, sorted by path; O(entries of the folders walked).

    Left out without a word: what isn't a note by its name, hidden folders (but `HIDDEN_KEPT`), `NEVER`,
    virtual environments, and what the `.gitignore` files of the folder and of the repository around it
    exclude. Told to `on_skip`: folders that can't be listed and links, which could lead anywhere.
    """
    ignores = Ignores(folder)
    found: list[Path] = []

    def unlistable(error: OSError) -> None:
        on_skip(printable(Path(os.fsdecode(error.filename))), _clause(error))

    for parent, folders, names in os.walk(folder, onerror=unlistable):
        here = Path(parent)
        if here != folder and "pyvenv.cfg" in names:
            folders.clear()
            continue
        ignores.enter(here)
        folders[:] = sorted(name for name in folders if _may_enter(name) and not ignores.excludes(here / name, True))
        for name in sorted(names):
            path = here / name
            if not is_note(path) or ignores.excludes(path, False):
                continue
            if path.is_symlink():
                on_skip(printable(path), "a symbolic link")
            else:
                found.append(path)
    return sorted(found)


def load(path: Path) -> str:
    """The text of a file, line ends as they are; a byte order mark is dropped.

    Raises:
        Unreadable: not a regular file, too large, binary, not UTF-8, or the system refused.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise Unreadable("its name isn't UTF-8") from None
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):  # before it is opened: a pipe would block for ever
            raise Unreadable("not a regular file")
        if state.st_size > MAX_BYTES:
            raise Unreadable(f"larger than {MAX_BYTES // 2**20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(_clause(error)) from None
    if b"\0" in data:
        raise Unreadable("binary")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 (at byte {error.start})") from None


def printable(path: Path) -> Path:
    """The path as it can be shown: bytes that aren't UTF-8 (names may hold any) as replacement characters."""
    return Path(os.fsencode(path).decode("utf-8", "replace"))


def _may_enter(name: str) -> bool:
    return name not in NEVER and (not name.startswith(".") or name in HIDDEN_KEPT)


def _clause(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
