"""Reads files, folders and git histories into memories. Nothing here touches the store.

Every reader is a plain iterator of `NewMemory`, in a fixed order, with the text exactly as it stands
in the source: reading the same source again gives the same texts, so storing them with
``restate=False`` adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from memd.errors import BadInput

if TYPE_CHECKING:
    from memd.ingest.lines import Section
    from memd.model import NewMemory

OnSkip = Callable[[Path, str], None]
OnProgress = Callable[[int, int], None]

__all__ = ["OnProgress", "OnSkip", "read"]


def read(
    path: Path,
    *,
    scope: str | None,
    on_skip: OnSkip | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[NewMemory]:
    """Reads a file, or every note in a folder, as memories of kind `document`.

    Markdown gives one memory a section, other text one a group of paragraphs; a file is an episode. In
    a folder the files named by `memd.ingest.files` are read, less what `.gitignore` files leave out; a
    file that is named itself is read whatever it is called.

    Args:
        path: a file or a folder.
        scope: the scope that the memories get; None leaves it to the caller of `remember`.
        on_skip: told of each file that was passed over, and why.
        on_progress: told (files read, files in all) before the first file and after each.

    Raises:
        BadInput: there is nothing at `path`, or it is a file that can't be read as text.
    """
    path = Path(path).expanduser().absolute()
    if path.is_dir():
        return _read_folder(path, scope, on_skip or _ignore, on_progress)
    if not path.exists():
        raise BadInput(f"There is no file or folder {path}.", "Check the path.")
    return _read_named_file(path, scope, on_progress)


def _read_folder(
    folder: Path, scope: str | None, on_skip: OnSkip, on_progress: OnProgress | None
) -> Iterator[NewMemory]:
    from memd.ingest import files

    found = files.find(folder, on_skip)
    if on_progress:
        on_progress(0, len(found))
    for done, path in enumerate(found, 1):
        try:
            yield from _memories(path, files.load(path), scope)
        except files.Unreadable as reason:
            on_skip(files.printable(path), str(reason))
        if on_progress:
            on_progress(done, len(found))


def _read_named_file(path: Path, scope: str | None, on_progress: OnProgress | None) -> Iterator[NewMemory]:
    from memd.ingest import files

    try:
        text = files.load(path)
    except files.Unreadable as reason:
        raise BadInput(f"{files.printable(path)} can't be read: {reason}.", "Name a text file in UTF-8.") from None

    def memories() -> Iterator[NewMemory]:
        if on_progress:
            on_progress(0, 1)
        yield from _memories(path, text, scope)
        if on_progress:
            on_progress(1, 1)

    return memories()


def _memories(path: Path, text: str, scope: str | None) -> Iterator[NewMemory]:
    """The memories of one file: an episode under the file's path, its sections in order."""
    from memd.ingest import frontmatter
    from memd.model import NewMemory, Source

    facts = frontmatter.facts(text)
    event_at = facts.date or _modified(path)
    for position, section in enumerate(_sections(path, text)):
        yield NewMemory(
            text=section.text,
            kind="document",
            scope=scope,
            tags=facts.tags,
            source=Source(via="ingest", path=str(path), span=(section.first, section.last)),
            event_at=event_at,
            episode=str(path),
            position=position,
        )


def _sections(path: Path, text: str) -> Iterator[Section]:
    from memd.ingest import files, markdown, plain

    return markdown.sections(text) if files.is_markdown(path) else plain.sections(text)


def _modified(path: Path) -> datetime | None:
    """When the file was last written: the nearest thing to a date that a file without one has."""
    from datetime import UTC

    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(microsecond=0)
    except (OSError, OverflowError, ValueError):
        return None


def _ignore(path: Path, why: str) -> None:
    """For callers that don't ask what was skipped."""
