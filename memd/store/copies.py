"""Where copies of a store may lie: in its folder for backups, and wherever else one was asked for.

A copy that is being written is claimed by a lock on its file, so that what a killed process left half-written can be
told from it, and swept away.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from memd.errors import StoreBusy

FOLDER = "backups"
ELSEWHERE = "elsewhere"  # a file in that folder: the paths of copies that lie outside of it, a line each
PART = ".part"  # the end of the name of a copy that isn't whole yet
REPAIRED = "repaired"  # what `memd repair` made stands beside the store under this name until it takes its place
SIDE_FILES = ("-wal", "-shm")
SIDES = ("-journal", *SIDE_FILES, "")  # the file itself last: by it the others are found


def all_of(home: Path) -> list[Path]:
    """Every file that may be a copy of the store of this data folder, as far as memd knows; some may be gone."""
    folder = home / FOLDER
    found = [path for path in sorted(folder.glob("memd-*.db")) if path.is_file()]
    found += sorted(path for path in home.glob(f"*{REPAIRED}*.db") if path.is_file())
    found += (Path(line) for line in _lines(folder / ELSEWHERE))
    return list(dict.fromkeys(found))


def note(home: Path, copy: Path) -> None:
    """Keep in mind that a copy was made here, if it isn't where copies are looked for anyway."""
    folder = home / FOLDER
    copy = copy.absolute()
    if copy.parent == folder.absolute() or str(copy) in _lines(folder / ELSEWHERE):
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = os.open(folder / ELSEWHERE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(known, os.fsencode(f"{copy}\n"))
        os.fsync(known)
    finally:
        os.close(known)


def is_gone(home: Path, copy: Path) -> bool:
    """Whether a copy was deleted: its folder is there and has other files, or nobody knows of it any more.

    An empty folder may be a disk's that isn't mounted.
    """
    if copy.exists():
        return False
    if copy.parent in (home, home / FOLDER) or str(copy) not in _lines(home / FOLDER / ELSEWHERE):
        return True
    return copy.parent.is_dir() and any(copy.parent.iterdir())


def leave_out(home: Path, copy: Path) -> None:
    """Keep a copy in mind no longer: it is known to be gone for good."""
    list_ = home / FOLDER / ELSEWHERE
    lines = _lines(list_)
    if str(copy) in lines:
        draft = list_.with_name(ELSEWHERE + PART)
        draft.write_bytes(b"".join(os.fsencode(f"{line}\n") for line in lines if line != str(copy)))
        os.replace(draft, list_)


@contextmanager
def claimed(part: Path) -> Iterator[None]:
    """Make an empty file, for this user alone, and hold it while the block runs.

    Raises:
        StoreBusy: another process holds it.
    """
    descriptor = os.open(part, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _hold(descriptor, part)
        os.ftruncate(descriptor, 0)
        yield
    finally:
        os.close(descriptor)


def sweep(home: Path) -> list[Path]:
    """Delete what killed processes left half-written of copies; what was deleted."""
    gone = []
    for part in sorted((home / FOLDER).glob(f"*{PART}")):
        with suppress(OSError, StoreBusy):
            descriptor = os.open(part, os.O_RDWR | os.O_CLOEXEC)
            try:
                _hold(descriptor, part)
                for side in SIDES:
                    Path(f"{part}{side}").unlink(missing_ok=True)
                gone.append(part)
            finally:
                os.close(descriptor)
    return gone


def _hold(descriptor: int, part: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreBusy(f"Another process is writing {part}.", "Try again once it is done.") from None


def _lines(path: Path) -> list[str]:
    try:
        return [os.fsdecode(line) for line in path.read_bytes().split(b"\n") if line]
    except FileNotFoundError:
        return []
