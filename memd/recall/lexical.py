"""The lexical channel: BM25 over the words of passages and, at lower weight, of their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.recall.calibration import Calibration
from memd.recall.ranking import Voice
from memd.recall.resident import Resident, Visible
from memd.store.passages import scope_mark

# Where a query sees more passages than this, words that many passages have only add to the score of those that a
# rarer word finds: FTS5 takes about half a microsecond for each passage and word that it scores.
WHOLE_BELOW = 5000  # passages
ROWS = 1000  # passages scored, as far as the words allow
COMMON_SHARE = 0.125  # a word in more passages than this says too little to be counted (idf below 2)


def search(
    db: sqlite3.Connection, terms: Sequence[str], resident: Resident, visible: Visible, numbers: Calibration
) -> Voice:
    """The best passages by BM25 (SQLite FTS5's: k1 = 1.2, b = 0.75), at most `lexical_depth` of them.

    Costs what FTS5 takes to score every passage that has one of the words; in a large store, one of the rarer words.
    """
    depth = numbers.lexical_depth
    if not terms or not depth:
        return Voice("lexical", numbers.lexical, np.zeros(0, np.int64), np.zeros(0))
    # What counts is what the query sees: in a small project of a large store every word is searched, and cheaply.
    seen = int(np.count_nonzero(visible.slots))
    asked = Words(tuple(terms), ()) if seen <= WHOLE_BELOW else choose(db, terms, resident)
    rows = db.execute(
        "SELECT rowid, bm25(passage_fts, 1.0, ?, 0.0) AS score FROM passage_fts WHERE passage_fts MATCH ?"
        " ORDER BY score, rowid LIMIT ?",
        (numbers.context, asked.expression(visible.scopes), depth + visible.superseded if visible.only_scopes else -1),
    ).fetchall()
    slots = resident.known([row[0] for row in rows])
    kept = (slots >= 0) & visible.slots[slots] if len(resident) else slots >= 0
    scores = np.array([-row[1] for row in rows], np.float64) * asked.scale
    return Voice("lexical", numbers.lexical, slots[kept][:depth], scores[kept][:depth])


class Words(NamedTuple):
    """What is searched: passages that have one of the `finding` words; the `adding` ones only add to the score."""

    finding: tuple[str, ...]
    adding: tuple[str, ...]

    def expression(self, scopes: Sequence[int] | None) -> str:
        """For FTS5. It has no optional words, so the finding ones stand twice, and the adding ones for balance too."""
        if not self.adding:
            return match(self.finding, scopes)
        both = match((*self.finding, *self.adding, *self.adding), None)
        return f"{match(self.finding, scopes)} AND {both}"

    @property
    def scale(self) -> float:
        """What undoes the repetition in the score."""
        return 0.5 if self.adding else 1.0


def choose(db: sqlite3.Connection, terms: Sequence[str], resident: Resident) -> Words:
    """The rarest words find, as many as find `ROWS` passages together and at least one; less common ones add."""
    counts = {term: count(db, term, resident) for term in terms}
    order = sorted((term for term in counts if counts[term]), key=counts.__getitem__) or list(terms)
    finding, total = order[:1], counts[order[0]]
    for term in order[1:]:
        total += counts[term]
        if total > ROWS:
            break
        finding.append(term)
    adding = [term for term in order[len(finding) :] if counts[term] <= COMMON_SHARE * len(resident)]
    return Words(tuple(finding), tuple(adding))


def count(db: sqlite3.Connection, term: str, resident: Resident) -> int:
    """In how many passages a word stands. O(that), 30 ns each, once until the store changes."""
    if term not in resident.word_counts:
        found = db.execute("SELECT count(*) FROM passage_fts WHERE passage_fts MATCH ?", (match((term,), None),))
        resident.word_counts[term] = found.fetchone()[0]
    return resident.word_counts[term]


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
