"""The daemon's own maintenance: a thread that looks after the store when nobody asks for anything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from memd.errors import MemdError
from memd.lifecycle.keeper import Keeper
from memd.model import Maintenance
from memd.store.purging import Purger

log = logging.getLogger("memd.daemon")


class Upkeep:
    """Runs a maintenance pass whenever there is something to do and the daemon is idle.

    A pass that has begun goes on while requests come; between its transactions it lets recalls go first.

    Args:
        keeper: of the open store.
        idle: whether nobody has asked for anything for a while.
        every: seconds between two looks.
        purges: what a purge that was cut short has left; done at once when the daemon starts.
    """

    def __init__(self, keeper: Keeper, idle: Callable[[], bool], every: float, purges: Purger) -> None:
        self._keeper = keeper
        self._purges = purges
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
        self._finish_purges()
        while not self._stop.wait(self._every):
            self._finish_purges()
            try:
                if self._idle() and self._keeper.waits():
                    _tell(self._keeper.run(stopped=self._stop.is_set))
            except MemdError as error:
                log.warning("maintenance waits: %s", error.message)
            except Exception:
                log.exception("maintenance stopped short; the next pass goes on")

    def _finish_purges(self) -> None:
        try:
            if self._purges.waits():
                done = self._purges.finish()
                left = [f"{place.place}: {place.left}" for place in done.places if place.left]
                log.info("purge: %d places done, %s", len(done.places) - len(left), "; ".join(left) or "nothing left")
        except MemdError as error:
            log.warning("a purge waits: %s", error.message)
        except Exception:
            log.exception("a purge stopped short; it goes on later")


def _tell(report: Maintenance) -> None:
    """A line in the log on what a pass did."""
    moved = ", ".join(f"{move.memories} {move.before} to {move.after}" for move in report.moved) or "none moved"
    log.info(
        "maintenance: looked at %d memories, %s; %d uses folded, %d bytes given back, %.1f s%s",
        report.looked, moved, report.folded, report.freed, report.took_ms / 1000,
        "" if report.finished else "; stopped early",
    )  # fmt: skip
