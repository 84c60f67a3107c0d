"""What became of a memory: its versions, in order, and every change to them."""

from __future__ import annotations

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.model import Change, History, Replacement, Source
from memd.store import journal, memories, versions


def read(db: sqlite3.Connection, seq: int) -> History:
    """The history of the memory `seq`. O(its versions)."""
    members, links = versions.family(db, seq)
    found = memories.fetch(db, members)
    ids = dict(zip(members, (memory.id for memory in found), strict=True))
    return History(
        id=ids[seq],
        versions=tuple(found),
        replacements=tuple(
            Replacement(ids[link.old], ids[link.new], from_ms(link.at), from_ms(link.until), link.why) for link in links
        ),
        changes=tuple(
            _change(row, ids[member])
            for member, row in sorted(
                ((member, row) for member in members for row in journal.of_memory(db, member)),
                key=lambda pair: pair[1].seq,
            )
        ),
    )


def _change(row: journal.Row, id_: str) -> Change:
    said = row.said
    source = msgspec.convert(said.pop("source", {}), Source)
    for name in ("salt", "about"):
        said.pop(name, None)
    details = {name: _plain(value) for name, value in said.items() if value not in ("", [], None)}
    return Change(row.seq, from_ms(row.at), row.op, id_, source, details)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
