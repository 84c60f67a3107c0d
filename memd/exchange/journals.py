"""What the journals of several stores say of a memory, as one list: own entries, and those that were imported."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms, to_ms
from memd.exchange.lines import Entry
from memd.store import journal

_decode = msgspec.json.Decoder(dict[str, object]).decode


class Told(msgspec.Struct, frozen=True):
    """An imported entry, as the journal of this store keeps it: of which store, when, what, and what was said."""

    store: str
    op: str
    at: int
    said: dict[str, object]


def of_memories(db: sqlite3.Connection, memories: Sequence[int], own: str) -> dict[int, list[Entry]]:
    """The entries about each of these memories, in order; of this store (`own`) those that its imports made are left
    out."""
    rows = db.execute(
        "SELECT memory, at, op, payload FROM journal WHERE memory IN (SELECT value FROM json_each(?))"
        " AND op <> ? ORDER BY memory, seq",
        (json.dumps(list(memories)), journal.IMPORT),
    )
    found: dict[int, list[Entry]] = {seq: [] for seq in memories}
    for seq, at, op, payload in rows:
        said = {} if payload is None else _decode(payload)
        said.pop("salt", None)
        if op == journal.TOLD:
            if said:
                told = msgspec.convert(said, Told)
                found[seq].append(Entry(from_ms(told.at), told.op, told.said, told.store))
        elif not said.pop(journal.IMPORTED, False):
            found[seq].append(Entry(from_ms(at), op, said, own))
    return found


def key(entry: Entry) -> bytes:
    """By which an entry is known again: when, what, and what was said, whichever store tells it."""
    return msgspec.json.encode((to_ms(entry.at), entry.op, entry.said), order="sorted")


def entry_of(entry: Entry, memory: int, store: str) -> journal.Entry:
    """The journal entry that keeps an imported one.

    Args:
        entry: the imported one.
        memory: which memory it is about, by seq.
        store: where that memory is from, whose entry it is unless it says otherwise.
    """
    told = Told(entry.store or store, entry.op, to_ms(entry.at), entry.said)
    return journal.TOLD, memory, msgspec.to_builtins(told)


def stores(db: sqlite3.Connection, memories: Sequence[int], own: str) -> set[str]:
    """The stores whose journals have an entry about any of these memories."""
    these = json.dumps(list(memories))
    told = db.execute(
        "SELECT DISTINCT payload ->> 'store' FROM journal WHERE memory IN (SELECT value FROM json_each(?))"
        " AND op = ? AND payload IS NOT NULL",
        (these, journal.TOLD),
    )
    found = {row[0] for row in told}
    mine = db.execute(
        "SELECT 1 FROM journal WHERE memory IN (SELECT value FROM json_each(?)) AND op NOT IN (?, ?)"
        f" AND payload ->> '{journal.IMPORTED}' IS NULL LIMIT 1",
        (these, journal.IMPORT, journal.TOLD),
    ).fetchone()
    return found | ({own} if mine else set())
