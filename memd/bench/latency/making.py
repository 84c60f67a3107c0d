"""Making the store that is measured, and how fast that goes."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from memd.api import Memory
from memd.bench.latency import corpus
from memd.bench.stores import ASKED_AT, Progress
from memd.encoder import Encoder
from memd.errors import BadInput
from memd.home import STORE

MARK = "bench-latency.json"  # in the store's folder: what it holds, and how fast it was made
BATCH = 1000  # memories a call
SAMPLE = 256  # texts that the bare encoder is timed on
_HEAD = 1000  # texts that stand for a made corpus in its mark


class Corpus(NamedTuple):
    """What the store holds.

    Attributes:
        path: the file it is read from; None for one made from word lists.
        size: how many memories.
        seed: of what is made or drawn.
    """

    path: Path | None
    size: int
    seed: int

    def texts(self) -> Iterator[str]:
        """The texts, in order."""
        if self.path is None:
            return corpus.made(self.size, self.seed)
        return corpus.read(self.path, self.size)

    def mark(self) -> dict[str, Any]:
        """What tells this corpus from another."""
        head = 0
        for text in islice(self.texts(), _HEAD if self.path is None else None):
            head = corpus.hash_of(f"{head} {text}")
        return {"count": self.size, "texts": head}

    def sample(self, count: int) -> list[str]:
        """`count` of the texts, spread over all and in a random order."""
        drawn = random.Random(self.seed)
        wanted = set(drawn.sample(range(self.size), min(count, self.size)))
        found = [text for place, text in enumerate(self.texts()) if place in wanted]
        drawn.shuffle(found)
        return found


def measured(path: Path | None, memories: int | None, seed: int) -> Corpus:
    """The corpus of a plan.

    Raises:
        BadInput: the file has no lines.
    """
    if path is None:
        return Corpus(None, memories or 10_000, seed)
    count = sum(1 for _ in corpus.read(path, memories))
    if not count:
        raise BadInput(f"{path} has no lines.", "Give --corpus a file with one text a line.")
    return Corpus(path, count, seed)


def make(folder: Path, what: Corpus, encoder: Encoder | None, progress: Progress) -> dict[str, float] | None:
    """Fill the store in `folder` and encode all of it; a store that was begun is finished, a whole one left alone.

    Returns:
        Rates a second, as they were when the store was made: `stored` and `encoded` memories, both together as
        `ingested`, and `encoder`: what the encoder alone does with such texts in the same run. None where the store
        was made in several runs.

    Raises:
        BadInput: there is another store in the folder.
    """
    mark = what.mark()
    known = _known(folder)
    if known and known["corpus"] != mark:
        raise BadInput(f"{folder} holds a store of another corpus.", "Give --home a folder of its own.")
    if known and known["whole"]:
        return known["rates"]  # type: ignore[no-any-return]
    fresh = not (folder / STORE).exists()
    if fresh:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, {"corpus": mark, "whole": False, "rates": None})
    elif not known:
        raise BadInput(f"{folder} holds a store that this command didn't make.", "Give --home a folder of its own.")
    rates = _fill(folder, what, encoder, progress)
    _write(folder, {"corpus": mark, "whole": True, "rates": rates if fresh else None})
    return rates if fresh else None


def _fill(folder: Path, what: Corpus, encoder: Encoder | None, progress: Progress) -> dict[str, float]:
    with Memory.open(folder, encode="off", clock=lambda: ASKED_AT) as memory:
        with progress("Storing") as track:
            started = time.perf_counter()
            done = 0
            texts = what.texts()
            while batch := list(islice(texts, BATCH)):
                memory.remember_many(
                    [corpus.memory(text, done + place, what.size, ASKED_AT) for place, text in enumerate(batch)],
                    restate=False,
                )
                done += len(batch)
                track(done, what.size)
            rates = {"stored": what.size / (time.perf_counter() - started)}
        if encoder is None:
            return rates
        with progress("Encoding") as track:
            before = _bare_rate(what, encoder)
            started = time.perf_counter()
            memory.encode_pending(track)
            rates["encoded"] = what.size / (time.perf_counter() - started)
            rates["encoder"] = (before + _bare_rate(what, encoder)) / 2
    rates["ingested"] = 1 / (1 / rates["stored"] + 1 / rates["encoded"])
    return rates


def _bare_rate(what: Corpus, encoder: Encoder) -> float:
    """Texts a second of the encoder alone, on the same cores."""
    texts = what.sample(SAMPLE)
    started = time.perf_counter()
    encoder.encode(texts)
    return len(texts) / (time.perf_counter() - started)


def _known(folder: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads((folder / MARK).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return None


def _write(folder: Path, value: dict[str, Any]) -> None:
    (folder / MARK).write_text(json.dumps(value) + "\n", encoding="utf-8")
