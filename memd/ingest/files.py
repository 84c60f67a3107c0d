"""Which files of a folder are notes, and their text."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from memd.ingest.conventions import RULES
from memd.ingest.ignore import Ignores

MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".mdc"})
ASCIIDOC = frozenset({".adoc", ".asciidoc"})
TEXT = frozenset({".txt", ".text", ".rst", ".org"}) | ASCIIDOC
NAMES = frozenset({"readme", "changelog", "changes", "news", "history", "notes", "todo"})
"""Notes by their name, where they have no suffix."""

NOT_NOTES = ("requirements*.txt", "requirements/*.txt", "constraints*.txt", "CMakeLists.txt", "robots.txt")
"""Text by its suffix, but written for programs."""

MAX_BYTES = 16 * 2**20
"""Larger files are exports and logs, not notes; `memd remember --file` still takes them."""

HIDDEN_KEPT = frozenset({".github", ".claude", ".cursor"})
"""Hidden folders with notes in them. Others hold caches and settings."""

NEVER = frozenset({"node_modules", "__pycache__"})
_VENV = "pyvenv.cfg"  # in a folder that is a virtual environment


class Unreadable(Exception):
    """A file that can't be taken; the message is the reason, as a clause.

    Attributes:
        passing: it may hold a note all the same (the system refused, or it was being written): what was read from it
            before still stands.
        writing: it was being written.
    """

    def __init__(self, why: str, *, passing: bool = False, writing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing or writing
        self.writing = writing


class Loaded(NamedTuple):
    """A file's text, its state when it was read, and the digest of its bytes (BLAKE2b, 16 bytes)."""

    text: str
    state: os.stat_result
    digest: bytes


def is_markdown(path: Path) -> bool:
    return path.suffix.lower() in MARKDOWN


def is_note(path: Path) -> bool:
    """Whether a file is one that a folder's ingest reads, by its name.

    Hidden files aren't: editors keep locks and copies in them (`.#notes.md`, `._notes.md`).
    """
    if path.name.startswith((".", "~$")):
        return path.name in RULES
    suffix = path.suffix.lower()
    if suffix in MARKDOWN:
        return True
    if suffix in TEXT:
        return not any(path.match(pattern) for pattern in NOT_NOTES)
    return not suffix and path.name.lower() in NAMES


class Found(NamedTuple):
    """What a walk came upon.

    Attributes:
        paths: the notes, in order.
        unlisted: folders that can't be listed: what they hold isn't known.
    """

    paths: list[Path]
    unlisted: list[Path]


def find(folder: Path, on_skip: Callable[[Path, str], None]) -> list[Path]:
    """The notes under `folder`, sorted by path; O(entries of the folders walked).

    Left out without a word: what isn't a note by its name, hidden folders (but `HIDDEN_KEPT`), `NEVER`,
    virtual environments, and what the `.gitignore` and `.memdignore` files of the folder and of the repository
    around it exclude. Told to `on_skip`: folders that can't be listed and links, which could lead anywhere.
    """
    return walk(folder, on_skip).paths


def walk(
    folder: Path,
    on_skip: Callable[[Path, str], None],
    *,
    top: Path | None = None,
    wanted: Callable[[Path], bool] | None = None,
    without: frozenset[Path] = frozenset(),
) -> Found:
    """As `find`, for a part of what is watched.

    Args:
        folder: where to look.
        on_skip: told of what was passed over, and why.
        top: the watched folder that `folder` lies in, if it isn't that itself: the folders between them are looked
            at for rules, and when those exclude `folder` nothing is found.
        wanted: which files are notes, instead of `is_note`.
        without: folders to stay out of.
    """
    wanted = wanted or is_note
    ignores = Ignores(folder if top is None else top)
    found: list[Path] = []
    unlisted: list[Path] = []
    if top is not None and not comes_to(top, folder, ignores):
        return Found([], [])

    def unlistable(error: OSError) -> None:
        unlisted.append(Path(os.fsdecode(error.filename)))
        on_skip(printable(unlisted[-1]), _clause(error))

    for parent, folders, names in os.walk(folder, onerror=unlistable):
        here = Path(parent)
        if here in without or (here != (top or folder) and _VENV in names):
            folders.clear()
            continue
        ignores.enter(here)
        folders[:] = sorted(name for name in folders if may_enter(name) and not ignores.excludes(here / name, True))
        for name in names:
            path = here / name
            if not wanted(path) or ignores.excludes(path, False):
                continue
            if path.is_symlink():
                on_skip(printable(path), "a symbolic link")
            else:
                found.append(path)
    return Found(sorted(found, key=order), unlisted)


def order(path: Path | str) -> tuple[str, ...]:
    """What notes are sorted by: folder by folder, so that a folder's notes stand together."""
    return tuple(str(path).split(os.sep))


def comes_to(top: Path, folder: Path, ignores: Ignores) -> bool:
    """Enter the folders from `top` down to the one above `folder`; whether none of the steps is barred."""
    here = top
    for name in folder.relative_to(top).parts:
        ignores.enter(here)
        here /= name
        if not may_enter(name) or here.is_symlink() or (here / _VENV).exists() or ignores.excludes(here, True):
            return False
    return True


def load(path: Path) -> str:
    """The text of a file, line ends as they are; a byte order mark is dropped.

    Raises:
        Unreadable: not a regular file, too large, binary, not UTF-8, or the system refused.
    """
    return load_whole(path).text


def load_whole(path: Path) -> Loaded:
    """As `load`, with the state of the file that the text belongs to.

    Raises:
        Unreadable: as `load`; also, as passing, when the file was written to meanwhile.
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
        after = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Unreadable(_clause(error)) from None
    except OSError as error:
        raise Unreadable(_clause(error), passing=True) from None
    if same_state(state) != same_state(after) or len(data) != after.st_size:
        raise Unreadable("it is being written", writing=True)
    if b"\0" in data:
        raise Unreadable("binary")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 (at byte {error.start})") from None
    return Loaded(text, after, hashlib.blake2b(data, digest_size=16).digest())


def same_state(state: os.stat_result) -> tuple[int, int, int, int]:
    """Device, inode, time of change and size, in what SQLite takes: equal while the file is the same."""
    most = (1 << 63) - 1
    return state.st_dev & most, state.st_ino & most, state.st_mtime_ns, state.st_size


def printable(path: Path) -> Path:
    """The path as it can be shown: bytes that aren't UTF-8 (names may hold any) as replacement characters."""
    return Path(os.fsencode(path).decode("utf-8", "replace"))


def may_enter(name: str) -> bool:
    """Whether a folder of this name may hold notes."""
    return name not in NEVER and (not name.startswith(".") or name in HIDDEN_KEPT)


def _clause(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
