"""A year of a trace lived through by a real store: real uses and maintenance passes under a travelling clock."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memd.api import Memory
from memd.bench.latency.vocabulary import NOUNS
from memd.bench.stores import Progress, Track
from memd.errors import EncoderUnavailable

DAYS = 365.0
MONTH = 30.0
STARTED = datetime(2020, 1, 1, tzinfo=UTC)  # when the first use of the trace is said to have been
WORDS = 14  # of a made text
LIMIT = 10

Uses = NDArray[np.float64]


def simulate(items: Sequence[Uses], seed: int, progress: Progress) -> dict[str, Any]:
    """Live through the trace until the end of the year in its middle; what is told is of that year.

    Each item is a memory with a made text, recorded at its first use. Every 30 days there is a pass.

    Returns:
        `from_day`, `to_day`, `months` (bytes and what was needed, after each month's pass), `bytes_share` at the end
        of the year, `needed_at_hand` (share of what was needed that was active or warm), `texts_whole` and
        `texts_found` (of `memories`, at the end).
    """
    end = max(item[-1] for item in items)
    begin = max(0.0, (end - DAYS) / 2)
    with (
        tempfile.TemporaryDirectory(prefix="memd-bench-") as folder,
        progress("Living through the trace") as track,
        _Life(items, Path(folder), seed) as life,
    ):
        months = _live(life, begin, min(begin + DAYS, end), track)
        whole, found = life.check()
        degraded = life.memory.degraded
    needed, at_hand = (sum(month[name] for month in months) for name in ("needed", "at_hand"))
    return {
        "from_day": round(begin, 1),
        "to_day": round(min(begin + DAYS, end), 1),
        "memories": months[-1]["memories"],
        "months": months,
        "bytes_share": months[-1]["share"],
        "needed_at_hand": round(at_hand / needed, 4) if needed else None,
        "texts_whole": whole,
        "texts_found": found,
        "degraded": list(degraded),
    }


def _live(life: _Life, begin: float, end: float, track: Track) -> list[dict[str, Any]]:
    """Go from pass to pass until the end; the months of the year."""
    months = []
    passes = np.arange(begin % MONTH or MONTH, end + 1e-6, MONTH).tolist()
    for done, at in enumerate(passes, start=1):
        life.go(at)
        if at >= begin - 1e-6:
            months.append({"day": round(at - begin, 1), **life.month(at)})
        track(done, len(passes))
    return months


class _Life:
    """A store that lives through a trace."""

    def __init__(self, items: Sequence[Uses], folder: Path, seed: int) -> None:
        self._items = items
        self._now = STARTED
        self.memory = Memory.open(folder, encode="off", clock=lambda: self._now)
        self._events = sorted((float(day), item) for item, uses in enumerate(items) for day in uses)
        self._next = 0
        self._ids: dict[int, str] = {}
        chance = random.Random(seed)
        self._texts = [f"item {n}: {' '.join(chance.sample(NOUNS, WORDS))}" for n in range(len(items))]

    def __enter__(self) -> _Life:
        return self

    def __exit__(self, *_: object) -> None:
        self.memory.close()

    def go(self, until: float) -> None:
        """Use what is used before that day, then do a pass."""
        while self._next < len(self._events) and self._events[self._next][0] < until:
            day, item = self._events[self._next]
            self._next += 1
            self._now = STARTED + timedelta(days=day)
            if item in self._ids:
                self.memory.use([self._ids[item]], via="bench")
            else:
                self._ids[item] = self.memory.remember(self._texts[item]).id
        self._now = STARTED + timedelta(days=until)
        try:
            self.memory.encode_pending()
        except EncoderUnavailable:
            return  # `degraded` says so
        self.memory.lifecycle.run()

    def month(self, at: float) -> dict[str, Any]:
        """The bytes of vectors now, and where the memories are that will be needed within the month."""
        status = self.memory.lifecycle.status()
        kept = sum(share.bytes for share in status.tiers)
        wanted = [
            id_
            for item, id_ in self._ids.items()
            if np.searchsorted(self._items[item], at + MONTH) > np.searchsorted(self._items[item], at)
        ]
        tiers = [life.tier for life in self.memory.lifecycle.vitality(wanted)]
        return {
            "memories": len(self._ids),
            "tiers": {share.tier: share.memories for share in status.tiers},
            "bytes": kept,
            "float_bytes": status.float_bytes,
            "share": round(kept / status.float_bytes, 4) if status.float_bytes else 0.0,
            "needed": len(wanted),
            "at_hand": sum(tier in ("active", "warm") for tier in tiers),
        }

    def check(self) -> tuple[int, int]:
        """How many texts are there to the letter, and how many recall finds by their words."""
        whole = found = 0
        for item, id_ in self._ids.items():
            text = self._texts[item]
            whole += self.memory.show(id_).text == text
            hits = self.memory.recall(text, limit=LIMIT, min_relevance=0.0).hits
            found += any(hit.memory.id == id_ for hit in hits)
        return whole, found
