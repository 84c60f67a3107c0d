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
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from pysqlite3 import dbapi2 as sqlite3

Entry = tuple[str, int | None, Mapping[str, object]]

# Those that take a memory out of sight or bring it back: what `--as-of` goes by. Also in the index journal_sight.
FORGET, RESTORE = "forget", "restore"
IMPORT = "import"  # a new memory from another store, in its whole state; without one: an import began
TOLD = "told"  # what another store's journal says: without effect here
IMPORTED = "import"  # in what an entry says: an import made it, and the origin has one of its own
WRITTEN = ("remember", "ingest", "found", IMPORT)  # those that say what a memory's text is
# Those that change what else is known of it, by which an audit goes.
AGAIN, TAG, MOVE, PIN, UNPIN, INHERIT = "again", "tag", "move", "pin", "unpin", "inherit"
SUPERSEDE, RELEASE = "supersede", "release"
PURGE = "purge"  # nothing is left of it but its place
LOST = "lost"  # it stood where the file was damaged
REPAIR = "repair"  # of the store: which entries were lost, where a new segment of the chain begins

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


def append(db: sqlite3.Connection, at: int, entries: Iterable[Entry], *, after: int = 0) -> None:
    """Note changes, in the transaction that makes them.

    Args:
        db: a connection inside a write transaction.
        at: when, milliseconds since 1970.
        entries: each what was done in a word, the memory's seq (None: the store as a whole), and what else is to be
            known of it, as JSON values. No texts.
        after: the entries are numbered from the one after this, where the last ones before were lost.
    """
    seq, link = _last(db)
    seq = max(seq, after)
    rows = []
    for op, memory, said in entries:
        seq += 1
        payload = _json({"salt": os.urandom(8).hex(), **said}).decode()
        sum_ = sum_of(payload)
        link = chained(link, seq, at, op, memory, sum_)
        rows.append((seq, at, op, memory, payload, sum_, link))
    db.executemany(_INSERT, rows)


def blank(db: sqlite3.Connection, memory: int) -> None:
    """Leave nothing of what the journal said of a memory but that there were entries."""
    db.execute("UPDATE journal SET payload = NULL WHERE memory = ?", (memory,))


def blank_reasons(db: sqlite3.Connection, new: str) -> None:
    """Blank the entries that give a reason, in words, why the memory with the id `new` replaced others."""
    db.execute(
        "UPDATE journal SET payload = NULL WHERE op = ? AND payload ->> 'by' = ?"
        " AND coalesce(payload ->> 'why', '') <> ''",
        (SUPERSEDE, new),
    )
    db.execute(  # and what another store's journal said of that
        "UPDATE journal SET payload = NULL WHERE op = ? AND payload ->> '$.said.by' = ?"
        " AND coalesce(payload ->> '$.said.why', '') <> ''",
        (TOLD, new),
    )


def of_memory(db: sqlite3.Connection, memory: int) -> list[Row]:
    """The entries about a memory, in order."""
    return [Row(*row) for row in db.execute("SELECT * FROM journal WHERE memory = ? ORDER BY seq", (memory,))]


def told_at(row: Row) -> int:
    """When that happened which an entry tells of, milliseconds since 1970: for one of another store's, there."""
    at = row.said.get("at") if row.op == TOLD else None
    return at if isinstance(at, int) else row.at


def about_of(db: sqlite3.Connection, memory: int) -> list[object]:
    """Kind, scope and event time of a memory, as entries have them."""
    return list(
        db.execute(
            "SELECT m.kind, s.path, m.event_at FROM memory AS m JOIN scope AS s ON s.id = m.scope WHERE m.seq = ?",
            (memory,),
        ).fetchone()
    )


def head(db: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and link of the last entry: who keeps them elsewhere can tell later that nothing before was changed."""
    return _last(db)


def _last(db: sqlite3.Connection) -> tuple[int, bytes]:
    row = db.execute("SELECT seq, link FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, b"") if row is None else (int(row[0]), bytes(row[1]))


def sum_of(payload: str) -> bytes:
    """The hash of what an entry says, by which that enters the chain."""
    return hashlib.blake2b(payload.encode(), digest_size=16).digest()


def chained(before: bytes, seq: int, at: int, op: str, memory: int | None, sum_: bytes) -> bytes:
    """The link of an entry: its hash with the link before it."""
    place = struct.pack(">qqq", seq, at, -1 if memory is None else memory)
    return hashlib.blake2b(before + place + sum_ + op.encode(), digest_size=32, person=_PERSON).digest()
