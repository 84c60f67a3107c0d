"""What a daemon has on the disk: the files by which it is found, and the store. Where they go, it goes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

TICK = 1.0  # seconds between two looks
UNKNOWN = (0, 0)  # no file has these

log = logging.getLogger("memd.daemon")


class Presence:
    """Ends the daemon when a file of its own was deleted or replaced: nobody finds it, or what it writes, any more.

    The next client starts another, in what is there by then. So at the end nothing is removed that isn't the daemon's.

    Args:
        paths: of files that are there.
        stop: set once one of them isn't the same any more.
    """

    def __init__(self, paths: Iterable[Path], stop: threading.Event) -> None:
        self._stop = stop
        self._files = {path: _file(path) for path in paths}
        self._thread = threading.Thread(target=self._watch, name="presence", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def remove(self, path: Path) -> None:
        """Delete one of the files, if it is still the same."""
        if _file(path) == self._files[path] is not None:
            with suppress(OSError):  # on a disk that can't be written any more it stays, and leads nowhere
                path.unlink(missing_ok=True)

    def _watch(self) -> None:
        while not self._stop.wait(TICK):
            for path, file in self._files.items():
                if _file(path) not in (file, UNKNOWN):
                    log.error("%s was deleted or replaced: nothing can be kept there any more", path)
                    self._stop.set()


def _file(path: Path) -> tuple[int, int] | None:
    """Device and inode; None where there is nothing. What can't be looked at for another reason counts as there."""
    try:
        info = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return UNKNOWN
    return info.st_dev, info.st_ino
