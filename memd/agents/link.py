"""Many calls at once to the one daemon, which may be restarted meanwhile. Standard library only."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from memd.daemon.client import Door
from memd.errors import DaemonUnavailable

ANSWER_TIMEOUT = 120.0  # seconds: an agent that waits longer has given up
IDLE_DOORS = 4  # kept open between calls
PAUSES = (0.2, 1.0)  # seconds before another try where no daemon could be reached

# What may be asked again though it may have been carried out: it reads, or comes to the same. A use counted twice does
# less harm than one that is lost.
REPEATABLE = frozenset({"recall", "show", "list", "context", "remember", "forget", "supersede", "use"})


class Link:
    """A set of doors to one data folder's daemon, for any number of threads. Each opens when it is first needed.

    Args:
        home: the data folder; None means the user's own.
        timeout: seconds to wait for one answer.
    """

    def __init__(self, home: str | None = None, timeout: float = ANSWER_TIMEOUT) -> None:
        self._home = home
        self._timeout = timeout
        self._lock = threading.Lock()
        self._idle: list[Door] = []

    def call(self, method: str, params: Mapping[str, object]) -> Any:
        """The result of one request. The daemon is started when none answers, and asked again when it went away.

        Raises:
            MemdError: as the daemon answers; DaemonUnavailable when none can be reached.
        """
        pauses = iter(PAUSES if method in REPEATABLE else ())
        while True:
            door = self._take()
            try:
                return door.call(method, params)
            except DaemonUnavailable:
                door.close()
                if (pause := next(pauses, None)) is None:
                    raise
                time.sleep(pause)
            finally:
                self._give_back(door)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            doors, self._idle = self._idle, []
        for door in doors:
            door.close()

    def _take(self) -> Door:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Door(self._home, timeout=self._timeout)

    def _give_back(self, door: Door) -> None:
        with self._lock:
            if len(self._idle) < IDLE_DOORS:
                self._idle.append(door)
                return
        door.close()
