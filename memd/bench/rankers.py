"""What the bench compares: anything that ranks a collection's memories for a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from memd.bench.collection import Question
from memd.bench.stores import Stocked
from memd.model import CHANNELS, Channel, Query


class Ranker(Protocol):
    """One row of the bench, over one store."""

    @property
    def size(self) -> int:
        """Bytes that it keeps for the whole collection."""

    def rank(self, question: Question, limit: int) -> list[str]:
        """Keys of the collection's memories, the best first, each once, at most about `limit`."""


class Recall:
    """memd itself, as every other program asks it.

    Args:
        store: the store.
        without: channels left out.
    """

    def __init__(self, store: Stocked, without: Sequence[Channel] = ()) -> None:
        self._store = store
        self._without = tuple(without)
        self.size = store.size

    def rank(self, question: Question, limit: int) -> list[str]:
        """Ask, and read the keys off the hits; a text that the data has twice counts for both keys."""
        asked = Query(question.text, limit=limit, scope="global", now=question.now, without=self._without)
        hits = self._store.memory.ask(asked).hits
        return [key for hit in hits for key in self._store.keys.get(hit.memory.id, ())]


def ablations(store: Stocked) -> dict[str, Recall]:
    """Each channel alone, and memd without each channel."""
    rows: dict[str, Recall] = {}
    for channel in CHANNELS:
        rows[f"only-{channel}"] = Recall(store, [other for other in CHANNELS if other != channel])
    for channel in CHANNELS:
        rows[f"without-{channel}"] = Recall(store, [channel])
    return rows
