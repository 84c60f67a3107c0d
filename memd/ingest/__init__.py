"""Reads files, folders and git histories into memories. Nothing here touches the store.

Every reader is a plain iterator of `NewMemory`, in a fixed order, with the text exactly as it stands
in the source: reading the same source again gives the same texts, so storing them with
``restate=False`` adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from memd.errors import BadInput

if TYPE_CHECKING:
    from memd.ingest.notes import ReadNote
    from memd.model import NewMemory

OnSkip = Callable[[Path, str], None]
OnProgress = Callable[[int, int], None]

VIA = "ingest"
"""The door that notes come through, whether `memd ingest` or the watcher opens it."""

__all__ = ["OnProgress", "OnSkip", "memories_of", "memory_of", "read", "read_notes"]


def read(
    path: Path,
    *,
    scope: str | None,
    on_skip: OnSkip | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[NewMemory]:
    """Reads a file, or every note in a folder, as memories of kind `document`.

    Instructions for agents are of kind `convention`, records of decisions of kind `decision`. Markdown,
    reStructuredText, AsciiDoc and Org give one memory a section, other text one a group of paragraphs; a file is an
    episode. In a folder the files named by `memd.ingest.files` are read, less what `.gitignore` and `.memdignore`
    files leave out; a file that is named itself is read whatever it is called.

    Args:
        path: a file or a folder.
        scope: the scope that the memories get; None leaves it to the caller of `remember`.
        on_skip: told of each file that was passed over, and why.
        on_progress: told (files read, files in all) before the first file and after each.

    Raises:
        BadInput: there is nothing at `path`, or it is a file that can't be read as text.
    """
    notes = read_notes(path, on_skip=on_skip, on_progress=on_progress)
    return (memory for note in notes for memory in memories_of(note, scope))


def read_notes(
    path: Path,
    *,
    on_skip: OnSkip | None = None,
    on_progress: OnProgress | None = None,
    on_kept: Callable[[Path], None] | None = None,
) -> Iterator[ReadNote]:
    """As `read`, file by file, with all that the store keeps up by: `Memory.take_notes` takes them.

    Args:
        path: a file or a folder.
        on_skip, on_progress: as for `read`.
        on_kept: told of each file and folder that can't be read now but may hold notes all the same.

    Raises:
        BadInput: there is nothing at `path`, or it is a file that can't be read as text.
    """
    path = Path(path).expanduser().absolute()
    if path.is_dir():
        return _read_folder(path, on_skip or _ignore, on_progress, on_kept or _keep)
    if not path.exists():
        raise BadInput(f"There is no file or folder {path}.", "Check the path.")
    return _read_named_file(path, on_progress)


def _read_folder(
    folder: Path, on_skip: OnSkip, on_progress: OnProgress | None, on_kept: Callable[[Path], None]
) -> Iterator[ReadNote]:
    from memd.ingest import files
    from memd.ingest.notes import read_note

    found = files.walk(folder, on_skip)
    for path in found.unlisted:
        on_kept(path)
    if on_progress:
        on_progress(0, len(found.paths))
    for done, path in enumerate(found.paths, 1):
        try:
            yield read_note(path)
        except files.Unreadable as reason:
            on_skip(files.printable(path), str(reason))
            if reason.passing:
                on_kept(path)
        if on_progress:
            on_progress(done, len(found.paths))


def _read_named_file(path: Path, on_progress: OnProgress | None) -> Iterator[ReadNote]:
    from memd.ingest import files
    from memd.ingest.notes import read_note

    try:
        note = read_note(path)
    except files.Unreadable as reason:
        raise BadInput(f"{files.printable(path)} can't be read: {reason}.", "Name a text file in UTF-8.") from None

    def notes() -> Iterator[ReadNote]:
        if on_progress:
            on_progress(0, 1)
        yield note
        if on_progress:
            on_progress(1, 1)

    return notes()


def memories_of(note: ReadNote, scope: str | None) -> Iterator[NewMemory]:
    """The memories of one file: an episode under the file's path, its sections in order."""
    return (memory_of(note, position, scope) for position in range(len(note.sections)))


def memory_of(note: ReadNote, position: int, scope: str | None) -> NewMemory:
    """The memory of the section at this position."""
    from memd.model import NewMemory, Source

    section = note.sections[position]
    return NewMemory(
        text=section.text,
        kind=note.kind,
        scope=scope,
        tags=note.tags,
        source=Source(via=VIA, path=note.path, span=(section.first, section.last)),
        event_at=note.dated or note.modified,
        episode=note.path,
        position=position,
    )


def _ignore(path: Path, why: str) -> None:
    """For callers that don't ask what was skipped."""


def _keep(path: Path) -> None:
    """For callers that don't ask what can't be known."""
