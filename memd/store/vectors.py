"""What the encoder made of passages: the pooled vector, the token vectors' signs, and the bits for candidates.

One encoder is current. A living passage without its vector waits in the queue, which is nothing but
`passage.encoder`: a crash loses no place in it. `requantize` keeps the vectors of what fades in fewer bits, down to
none: a dormant passage is found by its words alone, and waits for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.store import changes, schema

if TYPE_CHECKING:
    from memd.encoder import Encoding

FLOAT_BITS = 32
DORMANT = 0  # instead of an encoder's row: the passage has no vector and needs none
CURRENT = "(SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'encoder')"

# Living passages that wait: never encoded, or by another encoder than the current one.
_WAITING = """
FROM passage AS p JOIN memory AS m ON m.seq = p.memory
WHERE m.forgotten_at IS NULL
    AND (p.encoder IS NULL OR p.encoder IN (SELECT id FROM encoder WHERE id NOT IN (:encoder, 0)))
"""


class Waiting(NamedTuple):
    """A passage in the queue: the characters [start, stop) of its memory's text."""

    passage: int
    memory: int
    start: int
    stop: int


def current(db: sqlite3.Connection) -> int | None:
    """The current encoder's row; None before the first."""
    row = db.execute("SELECT value FROM meta WHERE key = 'encoder'").fetchone()
    return int(row[0]) if row else None


def fingerprint(db: sqlite3.Connection) -> str:
    """The current encoder's fingerprint; empty before the first."""
    row = db.execute("SELECT fingerprint FROM encoder WHERE id = ?", (current(db),)).fetchone()
    return str(row[0]) if row else ""


def is_current(db: sqlite3.Connection, fingerprint: str) -> bool:
    """Whether the store's vectors are this encoder's."""
    row = db.execute("SELECT fingerprint FROM encoder WHERE id = ?", (current(db),)).fetchone()
    return row is not None and bool(row[0] == fingerprint)


def adopt(db: sqlite3.Connection, fingerprint: str, dimension: int) -> int:
    """Make this encoder the current one and return its row.

    When it wasn't: the candidate bits are made afresh in its dimension, from the vectors of its own that the
    store has already, and everything else joins the queue. O(passages) then, O(1) otherwise.
    """
    db.execute(
        "INSERT INTO encoder (fingerprint, dimension) VALUES (?, ?) ON CONFLICT DO NOTHING", (fingerprint, dimension)
    )
    encoder = int(db.execute("SELECT id FROM encoder WHERE fingerprint = ?", (fingerprint,)).fetchone()[0])
    if current(db) == encoder:
        return encoder
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('encoder', ?)", (str(encoder),))
    db.execute("DROP TABLE IF EXISTS passage_bits")
    db.execute(schema.PASSAGE_BITS.format(dimension=dimension))
    _put_bits(db, "m.forgotten_at IS NULL", ())
    _requeue(db, "m.forgotten_at IS NULL", (), FLOAT_BITS)  # codes lost their signs with the table
    return encoder


def put(db: sqlite3.Connection, encoder: int, encoded: Sequence[tuple[Waiting, Encoding]]) -> int:
    """Store encodings and return how many found their place.

    A passage that was forgotten meanwhile keeps its vector but gets no bits; one that was purged gets nothing. Nothing
    is stored when another encoder has become the current one.
    """
    from memd.quantize.signs import pack

    if current(db) != encoder:
        return 0
    # In order: rows put in one by one before others leave half of each page empty.
    for waiting, encoding in sorted(encoded, key=lambda pair: pair[0].passage):
        if db.execute("SELECT memory FROM passage WHERE id = ?", (waiting.passage,)).fetchone() != (waiting.memory,):
            continue  # it was purged while it was encoded, and another may have its number by now
        pooled, tokens = encoding.pooled, encoding.tokens
        db.execute(
            "INSERT OR REPLACE INTO vector (passage, encoder, bits, code) VALUES (?, ?, ?, ?)",
            (waiting.passage, encoder, FLOAT_BITS, pooled.astype("<f4").tobytes()),
        )
        db.execute(
            "INSERT OR REPLACE INTO token_code (passage, encoder, ids, code) VALUES (?, ?, ?, ?)",
            (waiting.passage, encoder, encoding.ids.astype("<u2").tobytes(), pack(tokens).tobytes()),
        )
        db.execute("UPDATE passage SET encoder = ? WHERE id = ?", (encoder, waiting.passage))
        db.execute("DELETE FROM passage_bits WHERE passage = ?", (waiting.passage,))
        db.execute(
            "INSERT INTO passage_bits (passage, bits)"
            " SELECT ?, vec_bit(?) FROM memory WHERE seq = ? AND forgotten_at IS NULL",
            (waiting.passage, pack(pooled).tobytes(), waiting.memory),
        )
    memories = list(dict.fromkeys(waiting.memory for waiting, _ in encoded))
    changes.append(db, memories)
    for bits, faded in _faded(db, memories):
        requantize(db, faded, bits)
    return len(encoded)


def _faded(db: sqlite3.Connection, memories: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Those whose tier is below active, by its bits: another encoder's vectors are kept as its forerunner's were."""
    rows = db.execute(
        "SELECT tier, memory FROM life WHERE tier <> ? AND memory IN (SELECT value FROM json_each(?)) ORDER BY tier",
        (FLOAT_BITS, json.dumps(memories)),
    ).fetchall()
    return [(tier, [row[1] for row in group]) for tier, group in groupby(rows, key=lambda row: int(row[0]))]


def requantize(db: sqlite3.Connection, memories: Sequence[int], bits: int) -> int:
    """Keep the vectors of memories at `bits` a coordinate, and return how many passages changed.

    Fewer bits: each code is made from what is kept and takes its place, and the rarer part of its tokens stays. 0: the
    passages are dormant, found by words alone and out of the encoding queue. `FLOAT_BITS`: what has less, or nothing,
    joins the queue; what it has stays in use until it is encoded from its text. A passage that waits, or has
    fewer bits already, is left alone. The space comes back with `give_back`.

    Args:
        memories: by seq. The caller bounds the transaction: 1,000 short ones take about 50 ms.
        bits: 32, 8, 4, 1 or 0.
    """
    wanted = json.dumps(list(memories))
    if bits == FLOAT_BITS:
        changed = _wake(db, wanted)
    elif bits == 0:
        changed = _put_to_sleep(db, wanted)
    else:
        from memd.store.coarsening import coarsen  # it takes NumPy, which most of what is asked of a store doesn't

        changed = coarsen(db, wanted, bits)
    if changed:
        changes.append(db, memories)
    return changed


def give_back(db: sqlite3.Connection, pages: int) -> int:
    """Cut at most `pages` free pages off the file, in the transaction at hand, and return how many are left.

    Incremental vacuum moves the file's last pages into its holes; the file is shorter after the next checkpoint.
    """
    db.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])


def _wake(db: sqlite3.Connection, wanted: str) -> int:
    """Queue the passages whose vector isn't whole."""
    return int(
        db.execute(
            "UPDATE passage SET encoder = NULL WHERE memory IN (SELECT value FROM json_each(?)) AND encoder IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM vector AS v WHERE v.passage = passage.id AND v.bits = {FLOAT_BITS})",
            (wanted,),
        ).rowcount
    )


def _put_to_sleep(db: sqlite3.Connection, wanted: str) -> int:
    """Drop all that was encoded."""
    rows = db.execute(
        "SELECT id FROM passage WHERE encoder IS NOT ? AND memory IN (SELECT value FROM json_each(?))",
        (DORMANT, wanted),
    ).fetchall()
    db.execute("INSERT OR IGNORE INTO encoder (id, fingerprint, dimension) VALUES (?, '', 0)", (DORMANT,))
    if current(db) is not None:
        db.executemany("DELETE FROM passage_bits WHERE passage = ?", rows)
    db.executemany("DELETE FROM vector WHERE passage = ?", rows)
    db.executemany("DELETE FROM token_code WHERE passage = ?", rows)
    db.executemany("UPDATE passage SET encoder = ? WHERE id = ?", ((DORMANT, *row) for row in rows))
    return len(rows)


def waiting(db: sqlite3.Connection, newest: int, oldest: int = 0, skip: Sequence[int] = ()) -> list[Waiting]:
    """The head of the queue: the `newest` latest passages and the `oldest` earliest, without those in `skip`.

    The two ends keep a new memory from waiting for a long backlog, and the backlog from waiting for ever.
    """
    others = [row[0] for row in db.execute("SELECT id FROM encoder WHERE id IS NOT ? AND id <> 0", (current(db),))]
    found: dict[int, Waiting] = {}
    for order, limit in (("DESC", newest), ("ASC", oldest)):
        # Each is a range of the index, in order already. The never encoded come first.
        for encoder in (None, *others):
            rows = db.execute(
                "SELECT p.id, p.memory, p.start, p.stop FROM passage AS p JOIN memory AS m ON m.seq = p.memory"
                f" WHERE p.encoder IS ? AND m.forgotten_at IS NULL ORDER BY p.id {order} LIMIT ?",
                (encoder, limit + len(skip)),
            )
            if fresh := [Waiting(*row) for row in rows if row[0] not in skip]:
                found.update((row.passage, row) for row in fresh[:limit])
                break
    return list(found.values())


def waiting_of(db: sqlite3.Connection, memories: Sequence[int], limit: int) -> list[Waiting]:
    """The passages of these memories that wait, at most `limit`."""
    these = "AND m.seq IN (SELECT value FROM json_each(:seqs)) LIMIT :limit"
    rows = db.execute(
        f"SELECT p.id, p.memory, p.start, p.stop {_WAITING} {these}",
        {"encoder": current(db), "seqs": json.dumps(list(memories)), "limit": limit},
    )
    return [Waiting(*row) for row in rows]


def text_of(db: sqlite3.Connection, memory: int) -> str:
    """The text that a memory's passages are cut from."""
    return str(db.execute("SELECT text FROM memory WHERE seq = ?", (memory,)).fetchone()[0])


def pending(db: sqlite3.Connection) -> int:
    """How many living passages wait. O(waiting)."""
    return int(db.execute("SELECT count(*) " + _WAITING, {"encoder": current(db)}).fetchone()[0])


def encoded(db: sqlite3.Connection, fingerprint: str) -> tuple[int, int]:
    """How many living passages have this encoder's vector and needn't wait, of how many that aren't dormant."""
    row = db.execute(
        "SELECT count(*) FILTER (WHERE p.encoder = (SELECT id FROM encoder WHERE fingerprint = ?)), count(*)"
        " FROM passage AS p JOIN memory AS m ON m.seq = p.memory WHERE m.forgotten_at IS NULL"
        " AND p.encoder IS NOT 0",
        (fingerprint,),
    ).fetchone()
    return int(row[0]), int(row[1])


def requeue_all(db: sqlite3.Connection) -> None:
    """Let every living passage that isn't dormant wait again; what it has stays in use until then. O(passages)."""
    db.execute(
        "UPDATE passage SET encoder = NULL WHERE encoder <> 0"
        " AND memory IN (SELECT seq FROM memory WHERE forgotten_at IS NULL)"
    )


def hide(db: sqlite3.Connection, memories: Sequence[int]) -> None:
    """Take the bits of forgotten memories out of the candidates.

    A code says nothing without its signs, so a hidden one keeps them at its end, and says so: its `bits` are negative.
    """
    if current(db) is None:
        return
    for seq in memories:
        passages = db.execute("SELECT id FROM passage WHERE memory = ?", (seq,)).fetchall()
        for passage in passages:
            coded = db.execute(
                "SELECT v.code, b.bits FROM vector AS v, passage_bits AS b WHERE v.passage = ?1 AND b.passage = ?1"
                f" AND v.encoder = {CURRENT} AND v.bits BETWEEN 1 AND {FLOAT_BITS - 1}",
                passage,
            ).fetchone()
            if coded:
                db.execute("UPDATE vector SET bits = -bits, code = ? WHERE passage = ?", (b"".join(coded), *passage))
        db.executemany("DELETE FROM passage_bits WHERE passage = ?", passages)


def unhide(db: sqlite3.Connection, memories: Sequence[int]) -> None:
    """Put the bits of restored memories back; what has no vector any more joins the queue."""
    if current(db) is None:
        return
    width = f"(SELECT dimension / 8 FROM encoder WHERE id = {CURRENT})"
    for seq in memories:
        _put_bits(db, "m.seq = ?", (seq,))
        hidden = f"FROM passage AS p JOIN vector AS v ON v.passage = p.id WHERE p.memory = ? AND v.encoder = {CURRENT}"
        db.execute(
            "INSERT INTO passage_bits (passage, bits)"
            f" SELECT p.id, vec_bit(substr(v.code, length(v.code) - {width} + 1)) {hidden} AND v.bits < 0",
            (seq,),
        )
        db.execute(
            f"UPDATE vector SET bits = -bits, code = substr(code, 1, length(code) - {width})"
            f" WHERE bits < 0 AND passage IN (SELECT p.id {hidden})",
            (seq,),
        )
        _requeue(db, "m.seq = ?", (seq,))


def _put_bits(db: sqlite3.Connection, condition: str, values: tuple[object, ...]) -> None:
    """Bits from the stored vectors of the current encoder, for memories under `condition`."""
    db.execute(
        "INSERT INTO passage_bits (passage, bits) SELECT v.passage, vec_quantize_binary(v.code)"
        " FROM memory AS m JOIN passage AS p ON p.memory = m.seq JOIN vector AS v ON v.passage = p.id"
        f" WHERE v.encoder = {CURRENT} AND v.bits = {FLOAT_BITS} AND {condition}",
        values,
    )


def _requeue(db: sqlite3.Connection, condition: str, values: tuple[object, ...], least: int = 1) -> None:
    """Passages under `condition` that are marked as done by the current encoder but have no code of `least` bits."""
    db.execute(
        "UPDATE passage SET encoder = NULL WHERE id IN ("
        "SELECT p.id FROM memory AS m JOIN passage AS p ON p.memory = m.seq"
        f" LEFT JOIN vector AS v ON v.passage = p.id AND v.encoder = p.encoder AND v.bits >= {least}"
        f" WHERE p.encoder = {CURRENT} AND v.passage IS NULL AND {condition})",
        values,
    )
