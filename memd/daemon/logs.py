"""The daemon's log: one line an event, rotated by size, with places in the code in place of messages and texts."""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

LOG_BYTES = 1024 * 1024
OLD_LOGS = 3
_FRAMES = 8


def where(error: BaseException) -> str:
    """An exception's type and the places it came through, innermost last; not its message, which may quote a text."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    path = " > ".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    because = f" after {where(cause)}" if cause is not None else ""
    return f"{type(error).__name__} at {path}{because}"


def set_up(file: Path, *, own_streams: bool) -> RotatingFileHandler:
    """Log to `file`, from INFO for memd and WARNING for the libraries.

    Args:
        file: the newest log; older ones get .1, .2, …
        own_streams: send standard output and error there too (a detached daemon's last words are written to them).
    """
    handler = _Rotating(file, own_streams)
    formatter = _OneLine("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
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
    """Lines as they are written, from now on and through rotations; never ends."""
    place = file.stat().st_size if file.exists() else 0
    inode = file.stat().st_ino if file.exists() else 0
    rest = ""
    while True:
        if file.exists() and (info := file.stat()):
            if info.st_ino != inode or info.st_size < place:
                place, inode = 0, info.st_ino
            with file.open("rb") as log:
                log.seek(place)
                new = log.read()
            place += len(new)
            *whole, rest = (rest + new.decode("utf-8", errors="replace")).split("\n")
            yield from whole
        time.sleep(poll)


class _OneLine(logging.Formatter):
    """A record on one line; of an exception, where it happened."""

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return where(ei[1]) if ei[1] is not None else ""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", " | ")


class _Rotating(RotatingFileHandler):
    """Rotates by size; takes standard output and error along, which otherwise would stay with the old file."""

    def __init__(self, file: Path, own_streams: bool) -> None:
        super().__init__(file, maxBytes=LOG_BYTES, backupCount=OLD_LOGS, encoding="utf-8")
        self._own_streams = own_streams
        self._take_streams()

    def doRollover(self) -> None:
        super().doRollover()
        self._take_streams()

    def _take_streams(self) -> None:
        if self._own_streams and self.stream is not None:
            os.dup2(self.stream.fileno(), 1)
            os.dup2(self.stream.fileno(), 2)
