"""What became of a memory: its versions, in order, and every change to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.model import Change, History, Replacement, Source
from memd.store import journal, memories, origins, versions


def read(db: sqlite3.Connection, seq: int) -> History:
    """The history of the memory `seq`. O(its versions)."""
    members, links = versions.family(db, seq)
    found = memories.fetch(db, members)
    stores = {place.store: place.name or place.store for place in origins.all_of(db).values()}
    ids = dict(zip(members, (memory.id for memory in found), strict=True))
    return History(
        id=ids[seq],
        versions=tuple(found),
        replacements=tuple(
            Replacement(ids[link.old], ids[link.new], from_ms(link.at), from_ms(link.until), link.why) for link in links
        ),
        changes=tuple(
            _change(row, ids[member], stores)
            for member, row in sorted(
                ((member, row) for member in members for row in journal.of_memory(db, member)),
                key=lambda pair: pair[1].seq,
            )
            if journal.IMPORTED not in row.said
        ),
    )


def _change(row: journal.Row, id_: str, stores: Mapping[str, str]) -> Change:
    op, at, said = row.op, row.at, row.said
    if op == journal.TOLD and said:  # by the journal of another store, which is named
        op, at = str(said["op"]), journal.told_at(row)
        said = {**msgspec.convert(said["said"], dict[str, Any]), "store": said["store"]}
    if (store := said.get("store")) is not None:
        said["store"] = stores.get(str(store), store)
    source = msgspec.convert(said.pop("source", {}), Source)
    for name in ("salt", "about", *(("text", "tags", "pinned", "forgotten") if op == journal.IMPORT else ())):
        said.pop(name, None)
    details = {name: _plain(value) for name, value in said.items() if value not in ("", [], None)}
    return Change(row.seq, from_ms(at), op, id_, source, details)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
