"""The daemon's log: one line an event, rotated by size, with places in the code in place of messages and texts."""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from memd.errors import StoreReadOnly
from memd.text.hidden import Spelling

LOG_BYTES = 1024 * 1024
OLD_LOGS = 3
_FRAMES = 8


class LogFile(RotatingFileHandler):
    """Rotates by size, and can take standard output and error along, which otherwise would stay with the old file."""

    _has_streams = False

    def take_streams(self) -> None:
        """Send this process's standard output and error here from now on: a crash's last words, a library's."""
        self._has_streams = True
        if self.stream is not None:
            os.dup2(self.stream.fileno(), 1)
            os.dup2(self.stream.fileno(), 2)

    def doRollover(self) -> None:
        super().doRollover()
        if self._has_streams:
            self.take_streams()


def where(error: BaseException) -> str:
    """An exception's type and the places it came through, innermost last; not its message, which may quote a text."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    path = " > ".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    because = f" after {where(cause)}" if cause is not None else ""
    kind = type(error)
    name = kind.__name__ if kind.__module__ in ("builtins", "memd.errors") else f"{kind.__module__}.{kind.__name__}"
    return f"{name} at {path}{because}"


def set_up(file: Path) -> LogFile:
    """Log to `file`, from INFO for memd and WARNING for the libraries.

    Raises:
        StoreReadOnly: the file can't be written.
    """
    try:
        handler = LogFile(file, maxBytes=LOG_BYTES, backupCount=OLD_LOGS, encoding="utf-8")
    except OSError as error:
        raise StoreReadOnly(f"{file} can't be written ({error.strerror})", "set MEMD_HOME to another folder") from None
    formatter = _OneLine("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.raiseExceptions = False  # a full disk takes the log's next line, not the daemon's word
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("memd").setLevel(logging.INFO)
    return handler


def tail(file: Path, lines: int) -> list[str]:
    """The last lines of a log and, where it is shorter, of the one before it."""
    found: list[str] = []
    for path in (file.with_name(f"{file.name}.1"), file):
        if path.exists():
            found += path.read_text(encoding="utf-8", errors="replace").splitlines()
    return found[-lines:] if lines > 0 else []


def follow(file: Path, poll: float = 0.25) -> Iterator[str]:
    """Lines written from this call on, as they come and through rotations; never ends."""
    place, inode = (info.st_size, info.st_ino) if file.exists() and (info := file.stat()) else (0, 0)
    return _lines_from(file, place, inode, poll)


def _lines_from(file: Path, place: int, inode: int, poll: float) -> Iterator[str]:
    rest = b""
    while True:
        with suppress(FileNotFoundError), file.open("rb") as log:  # missing for a moment while it rotates
            info = os.fstat(log.fileno())
            if info.st_ino != inode or info.st_size < place:
                place, inode = 0, info.st_ino
            log.seek(place)
            new = log.read()
            place += len(new)
            *whole, rest = (rest + new).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
        time.sleep(poll)


class _OneLine(logging.Formatter):
    """A record on one line; of an exception, where it happened."""

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return where(ei[1]) if ei[1] is not None else ""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", " | ").translate(_SPELLING)


_SPELLING = Spelling()  # a file's name may hold anything
