"""Passages and their words: a passage's FTS row holds its text, its neighbours' texts, and its scope's mark.

A passage's neighbours are the passages before and after it in the same memory; at the ends of a memory,
the nearest passage of the living memories beside it in the episode.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.store import episodes

_PUT_ROW = "INSERT OR REPLACE INTO passage_fts (rowid, text, context, mark) VALUES (?, ?, ?, ?)"


class Span(NamedTuple):
    """A passage: its row and the characters [start, stop) of its memory's text."""

    id: int
    start: int
    stop: int


def scope_mark(scope: int) -> str:
    """The token in the FTS column `mark` that keeps a query inside its scopes."""
    return f"s{scope}"


def insert(db: sqlite3.Connection, memory: int, spans: Sequence[tuple[int, int]]) -> list[Span]:
    """Add the passages of a memory, in order, and return them with their ids. Their words follow with `Words`."""
    inserted = []
    for ordinal, (start, stop) in enumerate(spans):
        cursor = db.execute(
            "INSERT INTO passage (memory, ordinal, start, stop) VALUES (?, ?, ?, ?)", (memory, ordinal, start, stop)
        )
        inserted.append(Span(cursor.lastrowid, start, stop))
    return inserted


class _Memory(NamedTuple):
    text: str
    scope: int
    spans: Sequence[Span]


class Words:
    """Rewrites FTS rows within one transaction, reading each memory involved once.

    Cost: one FTS row for each passage of the given memories and at most two more for each memory in an episode.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._memories: dict[int, _Memory] = {}
        self._neighbours: dict[int, tuple[int | None, int | None]] = {}

    def know(self, seq: int, text: str, scope: int, spans: Sequence[Span]) -> None:
        """Spare the reading of a memory that was just written."""
        self._memories[seq] = _Memory(text, scope, spans)

    def put(self, memories: Iterable[int]) -> None:
        """Make these living memories findable, and write their neighbours' rows anew."""
        present = list(memories)
        for row in self._rows(present, whole=True):
            self._db.execute(_PUT_ROW, row)

    def take_out(self, memories: Iterable[int]) -> None:
        """Make these memories, forgotten by now, unfindable, and write their neighbours' rows anew."""
        gone = list(memories)
        for seq in gone:
            self._db.executemany(
                "DELETE FROM passage_fts WHERE rowid = ?",
                self._db.execute("SELECT id FROM passage WHERE memory = ?", (seq,)).fetchall(),
            )
        for row in self._rows(gone, whole=False):
            self._db.execute(_PUT_ROW, row)

    def rows(self, memories: Iterable[int]) -> list[tuple[int, str, str, str]]:
        """The rows that these living memories should have (passage, text, context, mark), and their neighbours'."""
        return self._rows(list(memories), whole=True)

    def _rows(self, memories: list[int], *, whole: bool) -> list[tuple[int, str, str, str]]:
        """The rows to write, in the order of their ids, which is the order FTS takes them fastest."""
        wanted: set[tuple[int, int]] = set()
        for seq in memories:
            if whole:
                wanted.update((seq, ordinal) for ordinal in range(len(self._memory(seq).spans)))
            before, after = self._beside(seq)
            if before is not None:
                wanted.add((before, len(self._memory(before).spans) - 1))
            if after is not None:
                wanted.add((after, 0))
        return sorted(self._row(seq, ordinal) for seq, ordinal in wanted)

    def _row(self, seq: int, ordinal: int) -> tuple[int, str, str, str]:
        memory = self._memory(seq)
        before = self._slice(seq, ordinal - 1) if ordinal else self._edge(self._beside(seq)[0], -1)
        last = ordinal == len(memory.spans) - 1
        after = self._edge(self._beside(seq)[1], 0) if last else self._slice(seq, ordinal + 1)
        context = "\n".join(filter(None, (before, after)))
        return memory.spans[ordinal].id, self._slice(seq, ordinal), context, scope_mark(memory.scope)

    def _slice(self, seq: int, ordinal: int) -> str:
        memory = self._memory(seq)
        return memory.text[memory.spans[ordinal].start : memory.spans[ordinal].stop]

    def _edge(self, seq: int | None, ordinal: int) -> str:
        return "" if seq is None else self._slice(seq, ordinal)

    def _beside(self, seq: int) -> tuple[int | None, int | None]:
        if seq not in self._neighbours:
            self._neighbours[seq] = episodes.neighbours(self._db, seq)
        return self._neighbours[seq]

    def _memory(self, seq: int) -> _Memory:
        if seq not in self._memories:
            text, scope = self._db.execute("SELECT text, scope FROM memory WHERE seq = ?", (seq,)).fetchone()
            self._memories[seq] = _Memory(text, scope, spans_of(self._db, seq))
        return self._memories[seq]


def spans_of(db: sqlite3.Connection, memory: int) -> list[Span]:
    """The passages of a memory, in order."""
    rows = db.execute("SELECT id, start, stop FROM passage WHERE memory = ? ORDER BY ordinal", (memory,))
    return [Span(*row) for row in rows]


def texts(db: sqlite3.Connection, passages: Sequence[int]) -> list[str]:
    """The texts of passages that are there, in the order given."""
    rows = db.execute(
        "SELECT substr(m.text, p.start + 1, p.stop - p.start) FROM json_each(?) AS wanted"
        " CROSS JOIN passage AS p ON p.id = wanted.value JOIN memory AS m ON m.seq = p.memory ORDER BY wanted.key",
        (json.dumps(list(passages)),),
    )
    return [row[0] for row in rows]
