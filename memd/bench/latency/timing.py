"""Timing recalls, in this process and through the daemon."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from memd.api import Memory
from memd.bench.stores import ASKED_AT, Track
from memd.encoder import Encoder
from memd.model import Query

PERCENTILES = (50, 95, 99)
WARM = 20  # questions asked before anything is timed


def spread(samples: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of milliseconds."""
    values = np.percentile(np.asarray(samples), PERCENTILES)
    return {f"p{share}": round(float(value), 4) for share, value in zip(PERCENTILES, values, strict=True)}


def in_process(folder: Path, encoder: Encoder | None, questions: Sequence[str], track: Track) -> dict[str, Any]:
    """Ask every question of the store in `folder`; before each recall the encoder alone takes the same question.

    The first recall of a question is timed as a whole; a second, explained one tells the stages.
    """
    alone: list[float] = []
    whole: list[float] = []
    stages: dict[str, list[float]] = {}
    started = time.perf_counter()
    with Memory.open(folder, encode="off", clock=lambda: ASKED_AT) as memory:
        opened = _since(started)
        first = _timed(memory.ask, Query(questions[0]))
        for place, text in enumerate(questions):
            encoding = _timed(encoder.encode_query, text) if encoder else 0.0
            took = _timed(memory.ask, Query(text))
            trace = memory.ask(Query(text, explain=True)).trace
            track(place + 1, len(questions))
            if place < WARM or trace is None:
                continue
            alone.append(encoding)
            whole.append(took)
            for stage, ms in trace.stages_ms.items():
                stages.setdefault(stage, []).append(ms)
    result: dict[str, Any] = {
        "open_ms": round(opened, 3),
        "first_recall_ms": round(first, 3),
        "recall": spread(whole),
        # A stage that a recall skipped took no time there.
        "stages": {name: spread([*ms, *[0.0] * (len(whole) - len(ms))]) for name, ms in stages.items()},
    }
    if encoder:
        result["encoder"] = spread(alone)
        result["ratio"] = round(median(whole) / median(alone), 4)
        result["tail"] = round(result["recall"]["p95"] / result["recall"]["p50"], 4)
    return result


def through_daemon(folder: Path, questions: Sequence[str], track: Track) -> dict[str, Any]:
    """Ask the same of a real daemon over its socket; round trips, and the memory that it then holds.

    Raises:
        DaemonUnavailable: it can't be started here.
    """
    from memd.daemon.client import Door
    from memd.daemon.launch import wait_gone

    took: list[float] = []
    with Door(str(folder)) as door:
        try:
            for place, text in enumerate(questions):
                ms = _timed(door.call, "recall", {"text": text, "now": ASKED_AT.isoformat()})
                track(place + 1, len(questions))
                if place >= WARM:
                    took.append(ms)
            status = door.call("status", {})
        finally:
            door.call("shutdown", {})
    wait_gone(str(folder))
    return {
        "recall": spread(took),
        "resident_bytes": status["rss_bytes"],
        "peak_bytes": status["peak_rss_bytes"],
    }


def _timed(work: Callable[..., object], *arguments: object) -> float:
    """Milliseconds that a call takes."""
    started = time.perf_counter()
    work(*arguments)
    return _since(started)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
