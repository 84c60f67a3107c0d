"""One measurement of latency: make or find the store, ask it in this process and through a daemon, weigh it."""

from __future__ import annotations

import random
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from memd import __version__
from memd.api import Memory
from memd.bench.latency import corpus, making, timing
from memd.bench.stores import Progress, unseen
from memd.encoder import Encoder
from memd.errors import DaemonUnavailable, EncoderUnavailable

QUESTIONS = 300


class Plan(NamedTuple):
    """What to measure.

    Attributes:
        memories: how many; None for 10,000, or for all of a corpus.
        corpus: a file of texts, one a line; None makes them.
        home: a folder to keep the store in; None throws it away.
        seed: of what is made or drawn.
    """

    memories: int | None = None
    corpus: Path | None = None
    home: Path | None = None
    seed: int = 1


def latency(plan: Plan, progress: Progress = unseen) -> dict[str, Any]:
    """Measure, and return what `memd bench latency --json` prints as `data`. Milliseconds, bytes, rates a second.

    Raises:
        BadInput: the corpus can't be read, or the folder holds another store.
    """
    what = making.measured(plan.corpus, plan.memories, plan.seed)
    degraded: list[str] = []
    encoder = _encoder(degraded)
    with tempfile.TemporaryDirectory(prefix="memd-bench-") if plan.home is None else nullcontext(plan.home) as place:
        folder = Path(place).absolute()
        rates = making.make(folder, what, encoder, progress)
        questions = _questions(what)
        with progress("Asking") as track:
            times = timing.in_process(folder, encoder, questions, track)
        with progress("Asking the daemon") as track:
            daemon = _daemon(folder, questions, track, degraded)
        with Memory.open(folder, encode="off") as memory:
            stats = memory.stats()
    return {
        "version": __version__,
        "corpus": str(plan.corpus) if plan.corpus else "made",
        "seed": plan.seed,
        "memories": stats.memories,
        "passages": stats.passages,
        "questions": len(questions) - timing.WARM,
        **times,
        "daemon": daemon,
        "ingest": {name: round(rate, 2) for name, rate in rates.items()} if rates else None,
        "disk": {"bytes": stats.store_bytes, "per_memory": round(stats.store_bytes / stats.memories, 1)},
        "degraded": degraded,
    }


def _encoder(degraded: list[str]) -> Encoder | None:
    try:
        return Encoder.load()
    except EncoderUnavailable as error:
        degraded.append(error.message)
        return None


def _questions(what: making.Corpus) -> list[str]:
    """A question for each of some memories, drawn again where the corpus has fewer."""
    drawn = random.Random(what.seed)
    texts = what.sample(QUESTIONS + timing.WARM)
    return [corpus.question(texts[place % len(texts)], drawn) for place in range(QUESTIONS + timing.WARM)]


def _daemon(folder: Path, questions: list[str], track: Any, degraded: list[str]) -> dict[str, Any] | None:
    try:
        return timing.through_daemon(folder, questions, track)
    except DaemonUnavailable as error:
        degraded.append(f"The daemon was not measured: {error.message}")
        return None
