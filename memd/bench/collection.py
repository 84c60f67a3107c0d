"""What a protocol runs on: memories with keys of the data's own, and questions with the keys that answer them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from memd.model import NewMemory


class Question(NamedTuple):
    """A question and what answers it.

    Attributes:
        key: the data's name for it, unique in its collection.
        text: what is asked.
        gold: the keys of the memories that answer it.
        category: in the data's words; empty where the data has none.
        groups: the groups that answer it, where the data names them; else they are those of `gold`.
        grades: how well each of `gold` answers, for data that tells; else all alike.
        now: the date it is asked at, where the data has one.
        answerable: false where the data says that no memory answers it.
        itself: the key of a memory that is the question itself, which no ranking may show.
    """

    key: str
    text: str
    gold: tuple[str, ...]
    category: str = ""
    groups: tuple[str, ...] = ()
    grades: tuple[float, ...] = ()
    now: datetime | None = None
    answerable: bool = True
    itself: str = ""


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
