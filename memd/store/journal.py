"""The journal: every change to a memory, in order, each entry chained to the one before by its hash.

An entry is written in the transaction of its change. What it says of the change (`payload`) holds digests and never
texts, and enters the chain by its own hash alone, made with a salt. So it can be blanked when a memory is purged:
the chain still holds, and nothing of the text is left to be guessed at.

link(n) = BLAKE2b-256(link(n-1), n, at, op, memory, sum(n)); sum(n) = BLAKE2b-128(payload); link(0) is empty.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms

Entry = tuple[str, int | None, Mapping[str, object]]

# Those that take a memory out of sight or bring it back: what `--as-of` goes by. Also in the index journal_sight.
FORGET, RESTORE = "forget", "restore"
WRITTEN = ("remember", "ingest", "found")  # those that say what a memory's text is

_INSERT = "INSERT INTO journal (seq, at, op, memory, payload, sum, link) VALUES (?, ?, ?, ?, ?, ?, ?)"
_json = msgspec.json.Encoder().encode
_PERSON = b"memd journal"


class Row(NamedTuple):
    """An entry as it is stored. `memory` is a seq, `at` milliseconds since 1970; a blanked payload is None."""

    seq: int
    at: int
    op: str
    memory: int | None
    payload: str | None
    sum: bytes
    link: bytes

    @property
    def said(self) -> dict[str, object]:
        """What the entry says of the change."""
        return {} if self.payload is None else msgspec.json.decode(self.payload, type=dict[str, object])


def append(db: sqlite3.Connection, at: int, entries: Iterable[Entry]) -> None:
    """Note changes, in the transaction that makes them.

    Args:
        db: a connection inside a write transaction.
        at: when, milliseconds since 1970.
        entries: each what was done in a word, the memory's seq (None: the store as a whole), and what else is to be
            known of it, as JSON values. No texts.
    """
    seq, link = _last(db)
    rows = []
    for op, memory, said in entries:
        seq += 1
        payload = _json({"salt": os.urandom(8).hex(), **said}).decode()
        sum_ = _sum(payload)
        link = _chained(link, seq, at, op, memory, sum_)
        rows.append((seq, at, op, memory, payload, sum_, link))
    db.executemany(_INSERT, rows)


def blank(db: sqlite3.Connection, memory: int) -> None:
    """Leave nothing of what the journal said of a memory but that there were entries."""
    db.execute("UPDATE journal SET payload = NULL WHERE memory = ?", (memory,))


def of_memory(db: sqlite3.Connection, memory: int) -> list[Row]:
    """The entries about a memory, in order."""
    return [Row(*row) for row in db.execute("SELECT * FROM journal WHERE memory = ? ORDER BY seq", (memory,))]


def head(db: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and link of the last entry: who keeps them elsewhere can tell later that nothing before was changed."""
    return _last(db)


def verify(db: sqlite3.Connection, number: int = 0, link: str = "") -> Iterator[str]:
    """Read the journal and what it tells of; yield in words what doesn't fit, the first broken link first. O(store).

    Args:
        number, link: of an entry (hex), as `head` had them once; 0 for none.
    """
    if number:
        row = db.execute("SELECT link FROM journal WHERE seq = ?", (number,)).fetchone()
        if row is None or row[0].hex() != link.lower():
            yield f"Entry {number} of the journal isn't the one that has this link: the journal was written anew."
    broken = list(_broken_links(db))
    yield from broken
    if not broken:  # nothing that a broken journal says can be held against the memories
        yield from _strays(db)


def _broken_links(db: sqlite3.Connection) -> Iterator[str]:
    """The first entry that isn't what was written; nothing after it can be trusted."""
    before, link = 0, b""
    row = None
    for values in db.execute("SELECT * FROM journal ORDER BY seq"):
        row = Row(*values)
        if row.seq != before + 1:
            yield f"Entries {before + 1} to {row.seq - 1} of the journal are missing."
            return
        if row.payload is not None and _sum(row.payload) != row.sum:
            yield f"Entry {_named(db, row)} was changed: what it says isn't what was written."
            return
        if _chained(link, row.seq, row.at, row.op, row.memory, row.sum) != row.link:
            yield f"Entry {_named(db, row)} was changed, or the one before it: the chain breaks here."
            return
        before, link = row.seq, row.link
    known = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
    if known and known[0] > before:
        yield f"Entries {before + 1} to {known[0]}, the last of the journal, are missing."


def _strays(db: sqlite3.Connection) -> Iterator[str]:
    """Memories that aren't what the journal says of them."""
    rows = db.execute(
        "SELECT m.seq, m.id, m.text, m.digest, m.forgotten_at IS NOT NULL,"
        " (SELECT payload FROM journal AS j WHERE j.memory = m.seq AND op IN ('remember', 'ingest', 'found')"
        "  ORDER BY j.seq LIMIT 1),"
        " (SELECT op FROM journal AS j WHERE j.memory = m.seq AND op IN ('forget', 'restore')"
        "  ORDER BY j.seq DESC LIMIT 1)"
        " FROM memory AS m ORDER BY m.seq"
    )
    for _, id_, text, digest, forgotten, payload, sight in rows:
        if payload is None:
            yield f"{id_} is not in the journal: it was put into the store past memd."
            continue
        said = msgspec.json.decode(payload)
        if hashlib.blake2b(text.encode(), digest_size=16).digest() != digest or digest.hex() != said["text"]:
            yield f"The text of {id_} is not the one that was stored."
        elif forgotten != (sight == FORGET):
            yield f"{id_} is {'forgotten' if forgotten else 'not forgotten'}, and the journal says otherwise."
    for old, new in db.execute(
        "SELECT o.id, n.id FROM version AS v JOIN memory AS o ON o.seq = v.old JOIN memory AS n ON n.seq = v.new"
        " WHERE NOT EXISTS (SELECT 1 FROM journal AS j WHERE j.memory = v.old AND j.op = 'supersede'"
        "  AND (j.payload IS NULL OR j.payload ->> 'by' = n.id))"
    ):
        yield f"{new} stands in the place of {old}, and the journal doesn't say so."


def _named(db: sqlite3.Connection, row: Row) -> str:
    found = db.execute("SELECT id FROM memory WHERE seq = ?", (row.memory,)).fetchone()
    return f"{row.seq} ({row.op}{f' of {found[0]}' if found else ''}, {from_ms(row.at):%Y-%m-%d %H:%M:%S} UTC)"


def _last(db: sqlite3.Connection) -> tuple[int, bytes]:
    row = db.execute("SELECT seq, link FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, b"") if row is None else (int(row[0]), bytes(row[1]))


def _sum(payload: str) -> bytes:
    return hashlib.blake2b(payload.encode(), digest_size=16).digest()


def _chained(before: bytes, seq: int, at: int, op: str, memory: int | None, sum_: bytes) -> bytes:
    place = struct.pack(">qqq", seq, at, -1 if memory is None else memory)
    return hashlib.blake2b(before + place + sum_ + op.encode(), digest_size=32, person=_PERSON).digest()
