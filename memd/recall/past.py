"""Recall as of an earlier time: which slots are seen, and the words of what was forgotten since.

A forgotten memory's words are out of the index and its bits out of the candidates. For this rare question its text
is searched directly, and it joins the pool without having to be near.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import to_ms
from memd.model import Query
from memd.recall import lexical
from memd.recall.calibration import Calibration
from memd.recall.ranking import Slots, Voice
from memd.recall.resident import Resident, Visible
from memd.store import filters, passages, past, scopes

_CHUNK = 500


def visible(db: sqlite3.Connection, query: Query, resident: Resident) -> Visible:
    """What `query` would have seen at its `as_of`. O(n + memories)."""
    assert query.as_of is not None
    then = past.read(db, to_ms(query.as_of))
    condition, values = filters.where(db, query, recorded_by=then.at)
    known = {row[0] for row in db.execute(f"SELECT m.seq FROM memory AS m WHERE {condition}", values)}
    known -= then.forgotten
    if not query.superseded:
        known -= then.superseded
    slots = np.isin(resident.memory, np.fromiter(known, np.int64, len(known)))
    encoded = np.flatnonzero(slots & resident.encoded)
    waiting = int(np.count_nonzero(slots & resident.alive & resident.waiting))
    gone = np.flatnonzero(slots & ~resident.alive)
    whole = None if len(encoded) == len(resident) else encoded
    return Visible(slots, whole, waiting, scopes.visible(db, query.scope), False, 0, gone if len(gone) else None)


def with_forgotten(
    db: sqlite3.Connection, words: Voice, terms: Sequence[str], gone: Slots, resident: Resident, numbers: Calibration
) -> Voice:
    """The lexical voice, and with it the passages that were forgotten since. O(their text).

    They are scored by BM25 as the others are, with the words' frequencies in the store as it is now, and passages as
    long as these are on average.
    """
    if not terms or not len(gone) or not numbers.lexical_depth:
        return words
    scores = _score(db, terms, gone, resident)
    slots = np.concatenate((words.slots, gone[scores > 0]))
    totals = np.concatenate((words.scores, scores[scores > 0]))
    order = np.lexsort((slots, -totals))[: numbers.lexical_depth]
    return Voice("lexical", words.weight, slots[order], totals[order])


def _score(db: sqlite3.Connection, terms: Sequence[str], gone: Slots, resident: Resident) -> NDArray[np.float64]:
    beside = sqlite3.connect(":memory:")
    try:
        beside.execute("CREATE VIRTUAL TABLE words USING fts5 (text, tokenize='porter unicode61 remove_diacritics 2')")
        texts = passages.texts(db, resident.passage[gone].tolist())
        beside.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", zip(gone.tolist(), texts, strict=True))
        place = {slot: number for number, slot in enumerate(gone.tolist())}
        scores = np.zeros(len(gone))
        for term in terms:
            rows = beside.execute(
                "SELECT rowid, -bm25(words) FROM words WHERE words MATCH ?", (f'"{term}"',)
            ).fetchall()
            if rows:
                weight = _idf(len(resident), lexical.count(db, term, resident)) / _idf(len(gone), len(rows))
                for slot, score in rows:
                    scores[place[slot]] += score * weight
        return scores
    finally:
        beside.close()


def _idf(passages: int, having: int) -> float:
    """As FTS5 has it: never below a millionth."""
    return max(float(np.log((max(passages, having) - having + 0.5) / (having + 0.5))), 1e-6)
