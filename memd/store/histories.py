"""What became of a memory: its versions, in order."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.model import History, Replacement
from memd.store import memories, versions


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
    )
