"""Waiting until a file is quiet: editors write in several steps, and a checkout changes thousands of files."""

from __future__ import annotations

from typing import NamedTuple

CLOSED_S = 0.1
"""Quiet after a file was closed, moved or made a folder: whatever wrote it has said that it is done."""

OPEN_S = 0.5
"""Quiet after a change that nobody said was the last, and after a deletion: many programs save by deleting first."""

LONGEST_S = 5.0
"""A file that is written to all the time is read all the same, this long after its first change."""

CROWD = 20
"""So many paths at once are one event (a checkout, a copy): they wait for one another."""

CROWD_QUIET_S = 0.4
CROWD_LONGEST_S = 3.0


class _Change(NamedTuple):
    first: float
    due: float
    moved_to: str | None = None


class Settling:
    """Paths that changed and when each may be read. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._changes: dict[str, _Change] = {}
        self._last = 0.0

    def __len__(self) -> int:
        return len(self._changes)

    def paths(self) -> list[str]:
        """Those that wait."""
        return list(self._changes)

    def note(self, path: str, now: float, *, closed: bool, moved_to: str | None = None) -> None:
        """A path changed; `closed` says that its writer is done with it.

        What was moved waits for the place that it was moved to, so that both are looked at together.
        """
        first = self._changes[path].first if path in self._changes else now
        due = min(now + (CLOSED_S if closed else OPEN_S), first + LONGEST_S)
        self._changes[path] = _Change(first, due, moved_to)
        self._last = now

    def due(self, now: float) -> list[str]:
        """The paths that may be read, taken out of those that wait."""
        if not self._changes or now < self._crowd_until():
            return []
        paths = [path for path in self._changes if self._due(path) <= now]
        for path in paths:
            del self._changes[path]
        return paths

    def wait(self, now: float) -> float | None:
        """Seconds until some path may be read; None when none waits."""
        if not self._changes:
            return None
        soonest = min(map(self._due, self._changes))
        return max(0.0, soonest - now, self._crowd_until() - now)

    def _due(self, path: str) -> float:
        change = self._changes[path]
        other = self._changes.get(change.moved_to) if change.moved_to else None
        return max(change.due, other.due) if other else change.due

    def _crowd_until(self) -> float:
        if len(self._changes) < CROWD:
            return 0.0
        first = min(change.first for change in self._changes.values())
        return min(self._last + CROWD_QUIET_S, first + CROWD_LONGEST_S)
