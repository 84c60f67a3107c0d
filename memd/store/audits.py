"""The audit: whether the journal is whole, and whether the memories are what it says of them. O(store)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.model import Audit
from memd.store import journal
from memd.store.journal import Row


@dataclass
class Told:
    """What the journal says of a memory, after its last entry. What older entries don't say is None."""

    entry: int
    text: str | None = None
    source: dict[str, Any] | None = None
    about: list[Any] | None = None
    tags: set[str] | None = None
    pinned: bool | None = None
    forgotten: bool = False
    purged: bool = False
    lost: bool = False
    reworded: bool = False
    """An entry on what stands in its place was blanked, as that was purged."""
    by: dict[str, None] = field(default_factory=dict)
    """Ids of what stands in its place."""


def report(db: sqlite3.Connection, number: int, link: str, most: int) -> Audit:
    """The audit with at most so many troubles in words; `number` and `link` as for `verify`. O(store)."""
    troubles = list(verify(db, number, link))
    entries, last = journal.head(db)
    lost = tuple(
        f"Entries {first} to {last_} were lost in a damage, found on {from_ms(at):%Y-%m-%d}."
        for first, last_, at in gaps(db)
    )
    shown = tuple(troubles[:most])
    return Audit(not troubles, entries, last.hex(), shown, len(troubles) - len(shown), lost)


def verify(db: sqlite3.Connection, number: int = 0, link: str = "") -> Iterator[str]:
    """Read the journal and what it tells of; yield in words what doesn't fit, the first broken link first. O(store).

    Args:
        number, link: of an entry (hex), as `journal.head` had them once; 0 for none.
    """
    if number:
        row = db.execute("SELECT link FROM journal WHERE seq = ?", (number,)).fetchone()
        if row is None or row[0].hex() != link.lower():
            yield f"Entry {number} of the journal isn't the one that has this link: the journal was written anew."
    broken = list(_broken_links(db))
    yield from broken
    if not broken:  # nothing that a broken journal says can be held against the memories
        told = replay(db)
        yield from _strays(db, told)
        yield from _missing(db, told)
        yield from _misplaced(db, told)


def _broken_links(db: sqlite3.Connection) -> Iterator[str]:
    """The first entry that isn't what was written; nothing after it can be trusted."""
    before, link = 0, b""
    row = None
    known = gaps(db)
    for values in db.execute("SELECT * FROM journal ORDER BY seq"):
        row = Row(*values)
        begins = row.seq != before + 1 and any(one <= before + 1 and row.seq - 1 <= last for one, last, _ in known)
        if row.seq != before + 1 and not begins:
            yield f"Entries {before + 1} to {row.seq - 1} of the journal are missing."
            return
        if row.payload is not None and journal.sum_of(row.payload) != row.sum:
            yield f"Entry {_named(db, row)} was changed: what it says isn't what was written."
            return
        # A new segment stands by what its first entry says: the one before that is lost.
        if not begins and journal.chained(link, row.seq, row.at, row.op, row.memory, row.sum) != row.link:
            yield f"Entry {_named(db, row)} was changed, or the one before it: the chain breaks here."
            return
        before, link = row.seq, row.link
    known = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
    if known and known[0] > before:
        yield f"Entries {before + 1} to {known[0]}, the last of the journal, are missing."


def gaps(db: sqlite3.Connection) -> list[tuple[int, int, int]]:
    """Entries that were lost in a damage, as repairs of the store have noted: first, last, and when it was noted."""
    rows = db.execute("SELECT * FROM journal WHERE op = ? AND memory IS NULL ORDER BY seq", (journal.REPAIR,))
    return [
        (first, last, row.at)
        for row in (Row(*values) for values in rows)
        if row.payload is not None and journal.sum_of(row.payload) == row.sum
        for first, last in msgspec.convert(row.said.get("missing", []), list[tuple[int, int]])
    ]


def replay(db: sqlite3.Connection) -> dict[int, Told]:
    """What all entries together say of each memory (by seq)."""
    found: dict[int, Told] = {}
    for values in db.execute("SELECT * FROM journal WHERE memory IS NOT NULL ORDER BY seq"):
        row = Row(*values)
        assert row.memory is not None
        told = found.setdefault(row.memory, Told(row.seq))
        if row.payload is None:
            told.purged = told.purged or row.op in journal.WRITTEN
        _apply(told, row.op, row.said)
    return found


def _apply(told: Told, op: str, said: dict[str, Any]) -> None:
    if op in journal.WRITTEN and said:
        told.text, told.source, told.purged = said["text"], said.get("source"), False
        if "about" in said:
            told.about, told.tags = said["about"], set(said.get("tags", ()))
            told.pinned = bool(said.get("pinned"))
        if op == journal.IMPORT:
            told.forgotten = bool(said.get("forgotten"))
    elif op == journal.LOST:
        told.lost = True
    elif op in (journal.FORGET, journal.RESTORE):
        told.forgotten = op == journal.FORGET
    elif op in (journal.AGAIN, journal.TAG) and told.tags is not None:
        told.tags |= {*said.get("tags", ()), *said.get("add", ())}
        told.tags -= set(said.get("remove", ()))
    elif op == journal.MOVE and said:
        told.source, told.about = said["source"], said["about"]
    elif op in (journal.PIN, journal.UNPIN):
        told.pinned = op == journal.PIN
    elif op == journal.INHERIT and said.get("pinned"):
        told.pinned = True
    elif op == journal.SUPERSEDE:
        if said:
            told.by[said["by"]] = None
        else:
            told.reworded = True
    elif op == journal.RELEASE:
        told.by.clear()


def _strays(db: sqlite3.Connection, journaled: dict[int, Told]) -> Iterator[str]:
    """Memories that aren't what the journal says of them."""
    rows = db.execute(
        "SELECT m.seq, m.id, m.text, m.digest, m.forgotten_at IS NOT NULL, m.kind, s.path, m.event_at, m.source,"
        " (SELECT json_group_array(name) FROM tag WHERE tag.memory = m.seq), l.pinned, m.purged_at IS NOT NULL"
        " FROM memory AS m JOIN scope AS s ON s.id = m.scope LEFT JOIN life AS l ON l.memory = m.seq ORDER BY m.seq"
    )
    for seq, id_, text, digest, forgotten, kind, scope, event_at, source, tags, pinned, purged in rows:
        told = journaled.get(seq)
        if purged:
            if text or told is None or (told.text is not None and not told.lost):
                yield f"{id_} counts as purged, and {'has a text' if text else 'the journal says otherwise'}."
            continue
        if told is None or told.text is None:
            yield f"{id_} is not in the journal: it was put into the store past memd."
            continue
        if hashlib.blake2b(text.encode(), digest_size=16).digest() != digest or digest.hex() != told.text:
            yield f"The text of {id_} is not the one that was stored."
        elif forgotten != told.forgotten:
            yield f"{id_} is {'forgotten' if forgotten else 'not forgotten'}, and the journal says otherwise."
        now = {
            "kind, scope or time": (told.about, [kind, scope, event_at]),
            "source": (told.source, msgspec.json.decode(source)),
            "tags": (told.tags, set(msgspec.json.decode(tags))),
            "pin": (told.pinned, bool(pinned)),
        }
        for what, (said, there) in now.items():
            if said is not None and said != there:
                yield f"The {what} of {id_} {'are' if what == 'tags' else 'is'} not as the journal says."


def agrees(
    told: Told | None, digest: bytes, source: dict[str, Any], about: list[Any], tags: set[str], pinned: bool
) -> bool:
    """Whether what the journal says of a memory is what it is; what it doesn't say counts as the same."""
    if told is None or told.text != digest.hex():
        return False
    pairs = ((told.source, source), (told.about, about), (told.tags, tags), (told.pinned, pinned))
    return all(said is None or said == there for said, there in pairs)


def _missing(db: sqlite3.Connection, journaled: dict[int, Told]) -> Iterator[str]:
    """Memories that the journal tells of, that nobody purged, and that aren't there."""
    there = {row[0] for row in db.execute("SELECT seq FROM memory")}
    for seq, told in journaled.items():
        if seq not in there and told.text is not None and not told.purged:
            yield f"The memory that entry {told.entry} of the journal tells of is gone, and nobody purged it."


def _misplaced(db: sqlite3.Connection, journaled: dict[int, Told]) -> Iterator[str]:
    """Memories that stand in the place of others, or don't, other than the journal says."""
    links = db.execute(
        "SELECT v.old, o.id, n.id FROM version AS v JOIN memory AS o ON o.seq = v.old JOIN memory AS n ON n.seq = v.new"
    ).fetchall()
    for seq, old, new in links:
        told = journaled.get(seq)
        if told is None or (not (told.purged or told.reworded) and new not in told.by):
            yield f"{new} stands in the place of {old}, and the journal doesn't say so."
    there = {(seq, new) for seq, _, new in links}
    ids = dict(db.execute("SELECT id, seq FROM memory").fetchall())
    old_ids = {seq: id_ for id_, seq in ids.items()}
    for seq, told in journaled.items():
        for new in told.by:
            if seq in old_ids and new in ids and (seq, new) not in there:
                yield f"{new} doesn't stand in the place of {old_ids[seq]}, and the journal says that it does."
    for id_, hidden in db.execute(
        "SELECT m.id, m.superseded_at IS NOT NULL AS hidden FROM memory AS m WHERE hidden <> EXISTS ("
        "SELECT 1 FROM version AS v JOIN memory AS n ON n.seq = v.new WHERE v.old = m.seq"
        " AND (n.forgotten_at IS NULL OR n.superseded_at IS NOT NULL))"
    ):
        yield f"{id_} {'no longer holds' if hidden else 'holds'}, and what replaced what says otherwise."


def _named(db: sqlite3.Connection, row: Row) -> str:
    found = db.execute("SELECT id FROM memory WHERE seq = ?", (row.memory,)).fetchone()
    return f"{row.seq} ({row.op}{f' of {found[0]}' if found else ''}, {from_ms(row.at):%Y-%m-%d %H:%M:%S} UTC)"
