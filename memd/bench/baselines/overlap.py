"""Keyword overlap: how many of the question's words a memory has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memd.bench.collection import Collection, Question
from memd.text.words import STOP_WORDS, terms


class Overlap:
    """Counts distinct shared words, stop words left out; among equals the memory with fewer words goes first.

    Attributes:
        size: 4 bytes for each distinct word of each memory.
    """

    def __init__(self, collection: Collection) -> None:
        self._keys = collection.keys
        words = [[word for word in terms(memory.text) if word not in STOP_WORDS] for memory in collection.memories]
        self._lengths = np.array([len(found) for found in words])
        self.size = 4 * int(self._lengths.sum())
        places: dict[str, list[int]] = {}
        for place, found in enumerate(words):
            for word in found:
                places.setdefault(word, []).append(place)
        self._places: dict[str, NDArray[np.int32]] = {word: np.array(at, np.int32) for word, at in places.items()}

    def rank(self, question: Question, limit: int) -> list[str]:
        """Memories that share a word with the question."""
        shared = np.zeros(len(self._keys), np.int32)
        for word in terms(question.text):
            if word in self._places:
                shared[self._places[word]] += 1
        order = np.lexsort((np.arange(len(shared)), self._lengths, -shared))
        return [self._keys[place] for place in order[:limit].tolist() if shared[place]]
