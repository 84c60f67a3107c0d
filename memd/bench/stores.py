"""A store for each collection: fresh, in a folder of its own, every passage encoded before the first question."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from memd.api import Memory
from memd.bench.collection import Collection
from memd.errors import EncoderUnavailable
from memd.home import STORE

# The moment that every memory is stored and every question asked at, unless the data gives one. Fixed, so that
# a question that leans on today's date has the same answer every day; later than the data, as today is.
ASKED_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)

Track = Callable[[int, int], None]
Progress = Callable[[str], AbstractContextManager[Track]]


class Stocked(NamedTuple):
    """An open store that holds a collection.

    Attributes:
        memory: the store, through the same door as every recall.
        collection: what it holds.
        keys: for each memory's id the collection's keys for it: several where the data has a text twice.
        size: bytes of the store's file.
        degraded: what can't take part, in words.
    """

    memory: Memory
    collection: Collection
    keys: dict[str, tuple[str, ...]]
    size: int
    degraded: tuple[str, ...]


@contextmanager
def stocked(collection: Collection, home: Path | None, track: Track) -> Iterator[Stocked]:
    """A store with the collection in it, closed when the block ends.

    Args:
        collection: what to hold.
        home: keep the store under this folder and use it again the next time; None makes one to throw away.
        track: told of passages encoded and passages in all.

    Raises:
        BadInput: a memory of the data can't be taken.
        StoreUnusable: the store can't be made.
    """
    if home is not None:
        with _filled(collection, home / _folder_name(collection), track) as store:
            yield store
        return
    with tempfile.TemporaryDirectory(prefix="memd-bench-") as folder, _filled(collection, Path(folder), track) as store:
        yield store


@contextmanager
def _filled(collection: Collection, folder: Path, track: Track) -> Iterator[Stocked]:
    keys: dict[str, tuple[str, ...]] = {}
    degraded: tuple[str, ...] = ()
    with _open(folder) as memory:
        # What is there already is recognised and left as it is, so a store can be finished or used again.
        remembered = memory.remember_many(collection.memories, restate=False)
        for key, stored in zip(collection.keys, remembered, strict=True):
            keys[stored.id] = (*keys.get(stored.id, ()), key)
        try:
            memory.encode_pending(track)
        except EncoderUnavailable:
            degraded = memory.degraded
    with _open(folder) as memory:  # the first one left no write-ahead log beside the file when it closed
        yield Stocked(memory, collection, keys, (folder / STORE).stat().st_size, degraded)


def _open(folder: Path) -> Memory:
    return Memory.open(folder, encode="off", clock=lambda: ASKED_AT)


def _folder_name(collection: Collection) -> str:
    """A name that changes with what is stored, and with the code that stores it."""
    digest = hashlib.blake2b(msgspec.json.encode((list(collection.keys), list(collection.memories))), digest_size=8)
    for file in _writing_code():
        digest.update(file.read_bytes())
    name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in collection.name)[:60]
    return f"{name}-{digest.hexdigest()}"


def _writing_code() -> list[Path]:
    """The source files that decide what stands in a store: a kept one is of no use once they have changed."""
    package = Path(__file__).resolve().parent.parent
    folders = [file for part in ("store", "text", "quantize", "encoder") for file in (package / part).rglob("*.py")]
    return sorted([*folders, package / "encoding.py"])


def unseen(title: str) -> AbstractContextManager[Track]:
    """Progress that nobody sees."""
    return nullcontext(lambda done, total: None)
