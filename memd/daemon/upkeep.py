"""The daemon's own maintenance: a thread that looks after the store when nobody asks for anything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from memd.errors import MemdError
from memd.lifecycle.keeper import Keeper
from memd.model import Maintenance

log = logging.getLogger("memd.daemon")


class Upkeep:
    """Runs a maintenance pass whenever there is something to do and the daemon is idle.

    A pass that has begun goes on while requests come; between its transactions it lets recalls go first.

    Args:
        keeper: of the open store.
        idle: whether nobody has asked for anything for a while.
        every: seconds between two looks.
    """

    def __init__(self, keeper: Keeper, idle: Callable[[], bool], every: float) -> None:
        self._keeper = keeper
        self._idle = idle
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the transaction in hand and end; the next daemon goes on. Waits for the thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                if self._idle() and self._keeper.waits():
                    _tell(self._keeper.run(stopped=self._stop.is_set))
            except MemdError as error:
                log.warning("maintenance waits: %s", error.message)
            except Exception:
                log.exception("maintenance stopped short; the next pass goes on")


def _tell(report: Maintenance) -> None:
    """A line in the log on what a pass did."""
    moved = ", ".join(f"{move.memories} {move.before} to {move.after}" for move in report.moved) or "none moved"
    log.info(
        "maintenance: looked at %d memories, %s; %d uses folded, %d bytes given back, %.1f s%s",
        report.looked, moved, report.folded, report.freed, report.took_ms / 1000,
        "" if report.finished else "; stopped early",
    )  # fmt: skip
