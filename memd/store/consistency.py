"""Whether the parts of a store agree: passages and words with the texts, vectors with the passages, versions, journal.

SQLite's own check (`Store.check`) says whether the file is sound; this one, whether what stands in it fits together. A
kill can't bring that about, as every change is one transaction; a fault of memd's, another program that wrote into the
file, or a copy made past SQLite can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing

from pysqlite3 import dbapi2 as sqlite3

from memd.model import Soundness, Trouble
from memd.store import audits, schema, vectors
from memd.store.connection import Store
from memd.store.passages import Words
from memd.store.statistics import held

BATCH = 1_000  # memories whose words are indexed again at a time
_INSTANCES = "CREATE VIRTUAL TABLE temp.instance USING fts5vocab({database}, passage_fts, instance)"


def check(store: Store, most: int) -> Soundness:
    """Examine the file, then compare its parts; at most `most` troubles are listed. O(store)."""
    found = [Trouble("file", what) for what in store.check()]
    with store.examining() as db:
        memories, passages = held(db), db.execute("SELECT count(*) FROM passage").fetchone()[0]
        try:
            found += troubles(db)
        except sqlite3.DatabaseError as error:
            if not found:
                raise
            found.append(Trouble("file", f"It can't be read on: {error}"))
    return Soundness(not found, memories, passages, tuple(found[:most]), max(0, len(found) - most))


def troubles(db: sqlite3.Connection) -> Iterator[Trouble]:
    """Compare everything with everything; yield what doesn't agree. O(store); about half of it for the words.

    Args:
        db: a connection that may make temporary tables, in a transaction: it all stands at one moment.
    """
    yield from _passages(db)
    yield from _words(db)
    yield from cheap(db)
    yield from (Trouble("journal", what) for what in audits.verify(db))


def cheap(db: sqlite3.Connection) -> Iterator[Trouble]:
    """The part that reads no texts: vectors against passages, lives against memories, versions. O(passages)."""
    yield from _vectors(db)
    yield from _lives(db)
    yield from _versions(db)


def _passages(db: sqlite3.Connection) -> Iterator[Trouble]:
    """Every memory's passages follow on each other and cover its text."""
    rows = db.execute(
        "SELECT m.id, length(m.text), json_group_array(json_array(p.start, p.stop) ORDER BY p.ordinal),"
        " max(p.ordinal) FROM memory AS m LEFT JOIN passage AS p ON p.memory = m.seq GROUP BY m.seq"
    )
    for id_, length, spans, last in rows:
        at = 0
        found = [span for span in json.loads(spans) if span[0] is not None]
        for start, stop in found:
            if start != at or stop <= start:
                break
            at = stop
        else:
            if at == length and (last is None or last == len(found) - 1):
                continue
        yield Trouble("passages", f"The passages of {id_} don't cover its text.")


def _words(db: sqlite3.Connection) -> Iterator[Trouble]:
    """The index of words has for each passage what its text gives, and nothing else."""
    db.execute(_INSTANCES.format(database="main"))
    try:
        indexed = _sums(db)
    finally:
        db.execute("DROP TABLE temp.instance")
    living = [row[0] for row in db.execute("SELECT seq FROM memory WHERE forgotten_at IS NULL ORDER BY seq")]
    for start in range(0, len(living), BATCH):
        batch = living[start : start + BATCH]
        owner = dict(_named_passages(db, batch))
        for passage, total in _sums_of(row for row in Words(db).rows(batch) if row[0] in owner).items():
            if indexed.pop(passage, None) != total:
                yield Trouble("words", f"{owner[passage]} isn't found by all of its words, or by others than its own.")
    for passage in indexed:
        row = db.execute(
            "SELECT m.id FROM passage AS p JOIN memory AS m ON m.seq = p.memory WHERE p.id = ?", (passage,)
        ).fetchone()
        yield Trouble("words", f"{row[0] if row else 'A memory that is gone'} is found by words, and shouldn't be.")


def _named_passages(db: sqlite3.Connection, memories: Sequence[int]) -> list[tuple[int, str]]:
    rows = db.execute(
        "SELECT p.id, m.id FROM memory AS m JOIN passage AS p ON p.memory = m.seq"
        " WHERE m.seq IN (SELECT value FROM json_each(?))",
        (json.dumps(memories),),
    )
    return [(passage, id_) for passage, id_ in rows]


def _sums_of(rows: Iterator[tuple[int, str, str, str]]) -> dict[int, int]:
    """What `_sums` would give for an index of these rows alone; it is made in memory, by the same tokenizer."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        scratch.execute("BEGIN")
        scratch.execute(_definition())
        scratch.executemany("INSERT INTO passage_fts (rowid, text, context, mark) VALUES (?, ?, ?, ?)", rows)
        scratch.execute(_INSTANCES.format(database="main"))
        return _sums(scratch)


def _definition() -> str:
    """The statement that makes the index of words."""
    begin = schema.M001_TABLES.index("CREATE VIRTUAL TABLE passage_fts USING")
    return schema.M001_TABLES[begin : schema.M001_TABLES.index(";", begin)]


def _sums(db: sqlite3.Connection) -> dict[int, int]:
    """For each passage a sum over its words, with column and place: equal for equal rows, else by chance of 2⁻⁶⁰.

    Python's own hash is good for that within one process, and nothing is faster.
    """
    sums: dict[int, int] = {}
    for term, passage, column, place in db.execute("SELECT term, doc, col, offset FROM temp.instance"):
        sums[passage] = sums.get(passage, 0) + hash((term, column, place))
    return sums


def _vectors(db: sqlite3.Connection) -> Iterator[Trouble]:
    """What is marked as encoded has its vector, and what isn't, or is forgotten, is no candidate."""
    encoder = vectors.current(db)
    if encoder is None:
        if db.execute("SELECT 1 FROM vector LIMIT 1").fetchone():
            yield Trouble("vectors", "There are vectors, and no encoder that made them.")
        return
    row = db.execute("SELECT dimension FROM encoder WHERE id = ?", (encoder,)).fetchone()
    if row is None:
        yield Trouble("vectors", "The encoder in use is none that the store knows.")
        return
    for query, what in _VECTOR_RULES:
        for (id_,) in db.execute(query, {"encoder": encoder, "dimension": row[0]}):
            yield Trouble("vectors", what.format(id_ or "A memory that is gone"))


# Each finds the ids of memories of which its sentence holds.
_VECTOR_RULES = (
    (
        "SELECT DISTINCT m.id FROM passage AS p JOIN memory AS m ON m.seq = p.memory"
        " LEFT JOIN vector AS v ON v.passage = p.id AND v.encoder = p.encoder"
        " LEFT JOIN token_code AS t ON t.passage = p.id AND t.encoder = p.encoder"
        " WHERE p.encoder = :encoder AND (v.passage IS NULL OR t.passage IS NULL)",
        "{} counts as encoded and has no vector.",
    ),
    (
        "SELECT DISTINCT m.id FROM passage AS p JOIN memory AS m ON m.seq = p.memory"
        " WHERE p.encoder = 0 AND (EXISTS (SELECT 1 FROM vector AS v WHERE v.passage = p.id)"
        " OR EXISTS (SELECT 1 FROM token_code AS t WHERE t.passage = p.id))",
        "{} is dormant and has a vector.",
    ),
    (
        "SELECT DISTINCT m.id FROM vector AS v JOIN passage AS p ON p.id = v.passage JOIN memory AS m"
        " ON m.seq = p.memory WHERE v.encoder = :encoder AND v.bits = 32 AND length(v.code) <> 4 * :dimension",
        "The vector of {} isn't as long as the encoder's are.",
    ),
    (
        "SELECT DISTINCT m.id FROM vector AS v JOIN passage AS p ON p.id = v.passage"
        " JOIN memory AS m ON m.seq = p.memory LEFT JOIN passage_bits AS b ON b.passage = v.passage"
        " WHERE v.encoder = :encoder AND p.encoder = :encoder AND m.forgotten_at IS NULL AND b.passage IS NULL",
        "{} has a vector and isn't found by it.",
    ),
    (
        "SELECT DISTINCT m.id FROM passage_bits AS b LEFT JOIN passage AS p ON p.id = b.passage"
        " LEFT JOIN memory AS m ON m.seq = p.memory LEFT JOIN vector AS v ON v.passage = b.passage"
        " WHERE v.passage IS NULL OR m.forgotten_at IS NOT NULL",
        "{} is found by a vector, and shouldn't be.",
    ),
    (
        "SELECT DISTINCT m.id FROM vector AS v JOIN passage_bits AS b ON b.passage = v.passage"
        " JOIN passage AS p ON p.id = v.passage JOIN memory AS m ON m.seq = p.memory"
        " WHERE v.encoder = :encoder AND v.bits = 32 AND length(v.code) = 4 * :dimension"
        " AND vec_quantize_binary(v.code) <> b.bits",
        "{} is found by the signs of another vector than its own.",
    ),
    (
        "SELECT DISTINCT m.id FROM vector AS v JOIN passage AS p ON p.id = v.passage"
        " JOIN memory AS m ON m.seq = p.memory JOIN life AS l ON l.memory = m.seq"
        " WHERE v.encoder = :encoder AND p.encoder = :encoder AND m.forgotten_at IS NULL AND v.bits <> l.tier",
        "The vector of {} isn't kept at the bits of its tier.",
    ),
)


def _lives(db: sqlite3.Connection) -> Iterator[Trouble]:
    for (id_,) in db.execute("SELECT id FROM memory WHERE seq NOT IN (SELECT memory FROM life)"):
        yield Trouble("vectors", f"{id_} has no place in the lifecycle: it will never fade.")


def _versions(db: sqlite3.Connection) -> Iterator[Trouble]:
    """A memory counts as superseded where one that replaced it lives, or is itself stood for, and only there."""
    rows = db.execute(
        "SELECT m.id, m.superseded_at IS NOT NULL FROM memory AS m"
        " WHERE (m.superseded_at IS NOT NULL) <> EXISTS (SELECT 1 FROM version AS v JOIN memory AS n ON n.seq = v.new"
        "  WHERE v.old = m.seq AND (n.forgotten_at IS NULL OR n.superseded_at IS NOT NULL))"
    )
    for id_, superseded in rows:
        told = "counts as superseded, and nothing stands in its place." if superseded else "holds, and was superseded."
        yield Trouble("versions", f"{id_} {told}")
