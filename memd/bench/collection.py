"""What a protocol runs on: memories with keys of the data's own, and questions with the keys that answer them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from memd.model import NewMemory


class Question(NamedTuple):
    """A question: what is asked, the keys of what answers it, its category in the data's words."""

    text: str
    gold: tuple[str, ...]
    category: str


class Collection(NamedTuple):
    """One store's worth of data.

    Attributes:
        name: the data's name for it.
        keys: the key of each memory, in the order of storing.
        memories: the memories themselves.
        groups: for each key, the larger unit it belongs to (its session); empty where there is none.
        questions: what is asked of this store.
    """

    name: str
    keys: Sequence[str]
    memories: Sequence[NewMemory]
    groups: Sequence[str]
    questions: Sequence[Question]
