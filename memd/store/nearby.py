"""The memories that may be about the same as a text, found by its words and by what it names."""

from __future__ import annotations

from collections.abc import Iterable

from pysqlite3 import dbapi2 as sqlite3

from memd.store.passages import scope_mark
from memd.text.words import terms

WORDS = 12  # of a text, to look for those with
RARE = 64  # passages at most that mention what tells memories apart


def sharing_words(db: sqlite3.Connection, text: str, scope: int, limit: int) -> list[int]:
    """Memories (by seq) of a scope that share the most telling words of a text: those of the `limit` best passages.

    O(passages with one of the words).
    """
    words = sorted(dict.fromkeys(terms(text)), key=len, reverse=True)[:WORDS]
    if not words:
        return []
    expression = "{text} : (" + " OR ".join(f'"{word}"' for word in words) + f') AND mark : "{scope_mark(scope)}"'
    rows = db.execute(
        "SELECT p.memory FROM passage_fts AS f JOIN passage AS p ON p.id = f.rowid WHERE passage_fts MATCH ?"
        " ORDER BY bm25(passage_fts, 1.0, 0.0, 0.0) LIMIT ?",
        (expression, limit),
    )
    return list(dict.fromkeys(row[0] for row in rows))


def rare_entities(db: sqlite3.Connection, memories: Iterable[int]) -> dict[int, set[int]]:
    """What each memory names that at most `RARE` passages mention, as rows of `entity`."""
    found: dict[int, set[int]] = {}
    often: dict[int, bool] = {}
    for memory in memories:
        rows = db.execute(
            "SELECT DISTINCT n.entity FROM passage AS p CROSS JOIN mention AS n ON n.passage = p.id WHERE p.memory = ?",
            (memory,),
        )
        found[memory] = {row[0] for row in rows if not _often(db, row[0], often)}
    return found


def naming(db: sqlite3.Connection, entities: Iterable[int], limit: int) -> list[int]:
    """Memories (by seq) that name one of these, the latest first, at most `limit` for each."""
    found: dict[int, None] = {}
    for entity in entities:
        rows = db.execute(
            "SELECT p.memory FROM mention AS n CROSS JOIN passage AS p ON p.id = n.passage WHERE n.entity = ?"
            " ORDER BY n.passage DESC LIMIT ?",
            (entity, limit),
        )
        found |= dict.fromkeys(row[0] for row in rows)
    return list(found)


def _often(db: sqlite3.Connection, entity: int, known: dict[int, bool]) -> bool:
    if entity not in known:
        row = db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM mention WHERE entity = ? LIMIT ?)", (entity, RARE + 1)
        ).fetchone()
        known[entity] = row[0] > RARE
    return known[entity]
