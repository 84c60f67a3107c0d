"""Other programs' files: read with care, written in one step, never over somebody else's change."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from memd.disk import sync
from memd.errors import FileChanged, FileUnusable, MalformedFile

LARGEST = 64 * 1024 * 1024  # bytes; Claude Code's own file grows to a few megabytes


@dataclass(frozen=True)
class Snapshot:
    """A file as it was read.

    Attributes:
        path: as the agent calls it.
        place: what that leads to, links followed: the file that is written.
        data: its bytes; None where there is none.
        mode: its permissions; None where there is none.
    """

    path: Path
    place: Path
    data: bytes | None = None
    mode: int | None = None

    @property
    def text(self) -> str:
        """As UTF-8; the empty text where there is no file. Raises MalformedFile where it isn't UTF-8."""
        data = self.data or b""
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = data[: error.start]
            line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
            raise MalformedFile.at(str(self.path), "it isn't UTF-8", line, column) from None


def read(path: Path) -> Snapshot:
    """A file as it is now.

    Raises:
        FileUnusable: it can't be read, or is no plain file.
    """
    place = Path(os.path.realpath(path))
    try:
        with place.open("rb") as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode) or info.st_size > LARGEST:
                raise FileUnusable(f"{path} is no plain file, or a very large one", "Move it away and try again.")
            return Snapshot(path, place, file.read(), stat.S_IMODE(info.st_mode))
    except FileNotFoundError:
        if path.is_symlink():
            raise FileUnusable(f"{path} is a link to {place}, which isn't there", "Mend or remove the link.") from None
        return Snapshot(path, place)
    except OSError as error:
        raise FileUnusable(f"{path} can't be read: {error.strerror}", "Check its permissions.") from None


def check_writable(snapshot: Snapshot) -> None:
    """Raise FileUnusable where the file, or the nearest folder that is there, isn't to be written."""
    if snapshot.mode is not None and not snapshot.mode & 0o222:
        raise FileUnusable(f"{snapshot.path} is read-only", f"chmod u+w {snapshot.path}, and try again.")
    folder = snapshot.place.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise FileUnusable(f"{folder} can't be written", "Check the folder's permissions.")


def write(snapshot: Snapshot, data: bytes) -> list[Path]:
    """Put new content in the file's place: durable, and all or nothing. Links and permissions stay.

    Returns:
        The folders that had to be made, outermost first.

    Raises:
        FileChanged: it isn't any more what the snapshot says; it stays as it is.
        FileUnusable: the system refuses.
    """
    made: list[Path] = []
    temporary = ""
    try:
        made = _make_folders(snapshot.place.parent)
        handle, temporary = tempfile.mkstemp(
            prefix=f".{snapshot.place.name}.", suffix=".memd", dir=snapshot.place.parent
        )
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), _new_mode() if snapshot.mode is None else snapshot.mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        check_unchanged(snapshot)
        os.replace(temporary, snapshot.place)
        temporary = ""
        sync(snapshot.place.parent)
        return made
    except OSError as error:
        remove_folders(made)
        raise _refused(snapshot, error) from None
    finally:
        if temporary:
            os.unlink(temporary)


def remove(snapshot: Snapshot) -> None:
    """Remove the file. Raises FileChanged or FileUnusable, as `write` does."""
    check_unchanged(snapshot)
    try:
        os.unlink(snapshot.place)
        sync(snapshot.place.parent)
    except OSError as error:
        raise _refused(snapshot, error) from None


def check_unchanged(snapshot: Snapshot) -> None:
    """Raise FileChanged where the file isn't what it was when it was read."""
    if read(snapshot.path).data != snapshot.data:
        raise FileChanged(f"{snapshot.path} changed while it was being edited", "It was left alone. Try again.")


def remove_folders(folders: list[Path]) -> None:
    """Remove those of the folders that are empty, innermost first."""
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):  # not empty, gone, or not ours to remove
            folder.rmdir()


def _make_folders(folder: Path) -> list[Path]:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir()
    return missing[::-1]


def _new_mode() -> int:
    """What a new file gets: readable and writable as far as the user's mask allows."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _refused(snapshot: Snapshot, error: OSError) -> FileUnusable:
    return FileUnusable(f"{snapshot.path} can't be written: {error.strerror}", "Check the disk and the permissions.")
