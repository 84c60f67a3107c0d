"""Whose turn it is to write, among processes.

SQLite lets in who asks at the right moment, and lets who waits ask ever less often. So beside a process that writes all
the time, whose next writer asks within microseconds, another one waits for seconds, or until it is told that the store
is locked. Here who is next holds a lock while it waits for SQLite's, and everybody else waits for that one.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_POLL = 0.001  # seconds; whoever holds the lock is waiting itself, so it takes a few


class Turns:
    """The line of a data folder's writers: a lock on the folder itself, so that no file is left of it.

    Where the system has no such locks (some network file systems) everybody is let through, to SQLite's own.

    Args:
        folder: the data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)

    @contextmanager
    def next(self, patience: float) -> Iterator[None]:
        """Be the one who is next, while the block waits for the write lock. For one thread at a time.

        Args:
            patience: seconds after which the block begins all the same: who is next hangs, say.
        """
        deadline = time.monotonic() + patience
        while not self._lock() and time.monotonic() < deadline:
            time.sleep(_POLL)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)

    def _lock(self) -> bool:
        """Whether the lock could be had, or can't be had at all."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True
