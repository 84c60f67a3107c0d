"""BM25 as SQLite's FTS5 computes it (k1 = 1.2, b = 0.75), over an index of its own."""

from __future__ import annotations

from collections.abc import Iterator

from pysqlite3 import dbapi2 as sqlite3

from memd.bench.collection import Collection, Question
from memd.text.words import STOP_WORDS, terms

NEIGHBOURS = 0.3  # weight of the words of the memory before and after, in the same episode
MOST_TERMS = 256


class BM25:
    """Porter stems, stop words dropped, and the neighbours' words in a column of less weight.

    Attributes:
        size: bytes of the index.
    """

    def __init__(self, collection: Collection) -> None:
        self._keys = collection.keys
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.execute(
            "CREATE VIRTUAL TABLE words USING fts5"
            " (own, beside, content='', tokenize='porter unicode61 remove_diacritics 2')"
        )
        self._db.executemany("INSERT INTO words (rowid, own, beside) VALUES (?, ?, ?)", _rows(collection))
        self._db.execute("INSERT INTO words (words) VALUES ('optimize')")
        (self.size,) = self._db.execute(
            "SELECT (SELECT sum(length(block)) FROM words_data) + (SELECT sum(length(sz)) FROM words_docsize)"
        ).fetchone()

    def rank(self, question: Question, limit: int) -> list[str]:
        """Memories with one of the question's words, their own or a neighbour's."""
        words = terms(question.text)
        kept = [word for word in words if word not in STOP_WORDS] or words
        if not kept:
            return []
        rows = self._db.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, 1.0, ?), rowid LIMIT ?",
            (" OR ".join(f'"{word}"' for word in kept[:MOST_TERMS]), NEIGHBOURS, limit),
        )
        return [self._keys[row[0]] for row in rows]


def _rows(collection: Collection) -> Iterator[tuple[int, str, str]]:
    """Place, text and the neighbours' texts of every memory."""
    memories = collection.memories
    for place, memory in enumerate(memories):
        beside = [
            memories[other].text
            for other in (place - 1, place + 1)
            if memory.episode is not None and 0 <= other < len(memories) and memories[other].episode == memory.episode
        ]
        yield place, memory.text, "\n".join(beside)
