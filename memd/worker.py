"""A thread behind an open store that keeps a queue empty: started, told of what is new, and stopped with the store."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class Worker(ABC):
    """Runs `_work` in a thread of its own, from `start` to `stop`. `_work` looks at `_stopping` between two steps.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._state = threading.Condition()
        self._written = False
        self._stopping = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin with whatever waits."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the step in hand and end; what is left stays in the queue. Waits for the thread."""
        with self._state:
            self._stopping = True
            self._state.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def nudge(self) -> None:
        """Say that something was written."""
        with self._state:
            self._written = True
            self._state.notify_all()

    @property
    def alive(self) -> bool:
        """Whether the thread goes on."""
        return not self._ended

    @abstractmethod
    def _work(self) -> None:
        """What the thread does, until `_stopping`."""

    def _run(self) -> None:
        try:
            self._work()
        finally:
            with self._state:
                self._ended = True
                self._state.notify_all()

    def _await_nudge(self, seconds: float) -> None:
        """Wait until something is written, so long at most: another process may have written it."""
        with self._state:
            self._state.wait_for(lambda: self._written or self._stopping, seconds)
            self._written = False

    def _rest(self, seconds: float) -> None:
        """Wait so long, or until told to stop."""
        with self._state:
            self._state.wait_for(lambda: self._stopping, seconds)
