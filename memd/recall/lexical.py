"""The lexical channel: BM25 over the words of passages and, at lower weight, of their neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.recall.calibration import Calibration
from memd.recall.ranking import Voice
from memd.recall.resident import Resident, Visible
from memd.store.passages import scope_mark


def search(
    db: sqlite3.Connection, terms: Sequence[str], resident: Resident, visible: Visible, numbers: Calibration
) -> Voice:
    """The best passages by BM25 (SQLite FTS5's: k1 = 1.2, b = 0.75), at most `lexical_depth` of them.

    Costs what FTS5 takes to score every passage that has one of the words.
    """
    depth = numbers.lexical_depth
    if not terms or not depth:
        return Voice("lexical", numbers.lexical, np.zeros(0, np.int64), np.zeros(0))
    rows = db.execute(
        "SELECT rowid, bm25(passage_fts, 1.0, ?, 0.0) AS score FROM passage_fts WHERE passage_fts MATCH ?"
        " ORDER BY score, rowid LIMIT ?",
        (numbers.context, match(terms, visible.scopes), depth if visible.only_scopes else -1),
    ).fetchall()
    slots = resident.known([row[0] for row in rows])
    seen = (slots >= 0) & visible.slots[slots] if len(resident) else slots >= 0
    scores = np.array([-row[1] for row in rows], np.float64)
    return Voice("lexical", numbers.lexical, slots[seen][:depth], scores[seen][:depth])


def stand_in(words: Voice, heard: Sequence[Voice], encoded: NDArray[np.bool_]) -> list[Voice]:
    """The words' voice once more, with the weight of those that need a vector, for passages that have none yet.

    Without it a passage that waits for its vector would lose to any that has one, however well its words fit.
    Ranks are those among all: a slot of -1 keeps the place of a passage that speaks for itself.

    Args:
        heard: the voices that need a vector.
        encoded: bool [n]: the slot has one.
    """
    has = encoded[words.slots]
    if has.all() or not heard:
        return []
    return [Voice("lexical", sum(each.weight for each in heard), np.where(has, -1, words.slots), words.scores)]


def match(terms: Sequence[str], scopes: Sequence[int] | None, *, every: bool = False) -> str:
    """An FTS5 expression: any of the words, inside the scopes. Quoted, so that no word is read as an operator.

    With `every`, a passage must have all of them itself.
    """
    quoted = (" AND " if every else " OR ").join(f'"{term}"' for term in terms)
    words = ("{text}" if every else "{text context}") + f" : ({quoted})"
    if scopes is None:
        return words
    return words + " AND mark : (" + " OR ".join(f'"{scope_mark(scope)}"' for scope in scopes) + ")"
