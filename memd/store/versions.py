"""Which memory replaced which, and which of them hold.

A memory holds unless one that replaced it, directly or through others, is living. So a successor that is forgotten
lets the older one hold again, and hides it again when it is restored. `memory.superseded_at` says so for each memory;
`settle` keeps it true.

A memory has one successor at a time: to replace it again, replace the one that holds. (Two can only come about by
restoring a successor that was forgotten and replaced meanwhile; both hold then.) Several memories may have the same
successor.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.errors import BadInput, Conflict
from memd.store import changes, journal, vectors

_EVER = (1 << 63) - 1
SAME_TEXT = "the same text was remembered anew"


class Link(NamedTuple):
    """One memory (by seq) in the place of another; times in milliseconds since 1970."""

    old: int
    new: int
    at: int
    until: int
    why: str


def supersede(db: sqlite3.Connection, old_seq: int, new_seq: int, at: int, why: str = "") -> None:
    """Let `new_seq` stand in the place of `old_seq`. The caller holds the write transaction.

    Args:
        old_seq, new_seq: memories that are there, of one scope.
        at: when memd learned it, milliseconds since 1970. The old one was true until the new one's event time, or
            until `at` where it has none.
        why: in a few words (`"memd supersede"`, `"notes.md changed"`), for `memd history`.

    Raises:
        BadInput: they are the same, or of different scopes.
        Conflict: the old one has a living successor already, or the new one is itself replaced by the old one.
    """
    old, new = _about(db, old_seq), _about(db, new_seq)
    if old_seq == new_seq:
        raise BadInput(f"{old.id} can't supersede itself.", "Give a text, or a memory, that replaces it.")
    if old.scope != new.scope:
        raise BadInput(
            f"{old.id} and {new.id} are of different scopes.", "A memory is superseded by one of its own scope."
        )
    check_holds(db, old_seq)
    if old_seq in _ahead(db, new_seq):
        raise Conflict(
            f"{new.id} can't supersede {old.id}, which has superseded it.",
            "Remember the text anew: memd supersede " + old.id,
        )
    until = at if new.event_at is None else new.event_at
    if old.event_at is not None:
        until = max(until, old.event_at)
    db.execute(
        "INSERT INTO version (old, new, at, until, why) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (old_seq, new_seq, at, until, why),
    )
    _inherit(db, old_seq, new_seq, at)
    changes.append(db, [new_seq])
    journal.append(db, at, [(journal.SUPERSEDE, old_seq, {"by": new.id, "why": why})])
    settle(db, [new_seq], at)


def _inherit(db: sqlite3.Connection, old_seq: int, new_seq: int, at: int) -> None:
    """Let the new one be pinned if the old one is, and as important; a pin brings back what has faded of it."""
    changed = db.execute(
        "UPDATE life SET importance = max(life.importance, old.importance), pinned = max(life.pinned, old.pinned),"
        " stability = NULL, due = 0 FROM life AS old WHERE life.memory = ? AND old.memory = ?"
        " AND (old.importance > life.importance OR old.pinned > life.pinned)"
        " RETURNING life.pinned, life.tier, life.importance",
        (new_seq, old_seq),
    ).fetchone()
    if changed:
        said = {"importance": changed[2]} | ({"pinned": True} if changed[0] else {})
        journal.append(db, at, [(journal.INHERIT, new_seq, said)])
    if changed and changed[0] and changed[1] != vectors.FLOAT_BITS:
        vectors.requantize(db, [new_seq], vectors.FLOAT_BITS)
        db.execute("UPDATE life SET tier = ?, tier_at = ? WHERE memory = ?", (vectors.FLOAT_BITS, at, new_seq))


def check_holds(db: sqlite3.Connection, seq: int) -> None:
    """Raise Conflict where a living memory stands in the place of `seq`."""
    about = _about(db, seq)
    if about.superseded and (stands := stands_for(db, seq)):
        raise Conflict(
            f"{about.id} is superseded by {stands[0]} already.", f"Supersede that one: memd supersede {stands[0]} TEXT"
        )


def already(db: sqlite3.Connection, old_seq: int, digest: bytes) -> int | None:
    """The memory (by seq) with this text that replaced `old_seq` and holds: so asking twice comes to the same."""
    row = db.execute(
        "SELECT m.seq FROM version AS v JOIN memory AS m ON m.seq = v.new WHERE v.old = ? AND m.digest = ?"
        " AND m.forgotten_at IS NULL AND m.superseded_at IS NULL LIMIT 1",
        (old_seq, digest),
    ).fetchone()
    return None if row is None else int(row[0])


def settle(db: sqlite3.Connection, changed: Iterable[int], now_ms: int) -> None:
    """Work out anew which of the memories that the `changed` ones replaced hold. O(those whose state changes)."""
    reckon(db, [parent for seq in changed for parent in _replaced(db, seq)], now_ms)


def reckon(db: sqlite3.Connection, unsure: Iterable[int], now_ms: int) -> None:
    """Work out anew whether these memories hold, and by that which of those hold that they replaced."""
    waiting = list(unsure)
    while waiting:
        seq = waiting.pop()
        row = db.execute("SELECT forgotten_at, superseded_at FROM memory WHERE seq = ?", (seq,)).fetchone()
        forgotten, before = row
        now = _hidden_since(db, seq)
        if now is None and before is not None and forgotten is None:
            now = _give_way_to_twin(db, seq, now_ms)
        if now == before:
            continue
        db.execute("UPDATE memory SET superseded_at = ? WHERE seq = ?", (now, seq))
        changes.append(db, [seq])
        if forgotten is not None:  # a living one stands for what it replaced either way
            waiting += _replaced(db, seq)


def stands_for(
    db: sqlite3.Connection, seq: int, by: int = _EVER, forgotten: Container[int] | None = None
) -> tuple[str, int] | None:
    """The id of the nearest living memory in the place of `seq`, and until when `seq` was true; None if it holds.

    Args:
        by: only by what had been replaced at this time, milliseconds since 1970.
        forgotten: what counts as forgotten (by seq); None: what is.
    """
    seen = {seq}
    ring: list[tuple[int, int | None]] = [(seq, None)]
    while ring:
        further: list[tuple[int, int | None]] = []
        for old, until in ring:
            rows = db.execute(
                "SELECT v.new, v.until, m.id, m.forgotten_at FROM version AS v JOIN memory AS m ON m.seq = v.new"
                " WHERE v.old = ? AND v.at <= ? ORDER BY v.at DESC, v.new DESC",
                (old, by),
            ).fetchall()
            for new, ended, id_, forgotten_at in rows:
                since = ended if until is None else until
                if (forgotten_at is None) if forgotten is None else (new not in forgotten):
                    return id_, since
                if new not in seen:
                    seen.add(new)
                    further.append((new, since))
        ring = further
    return None


def family(db: sqlite3.Connection, seq: int) -> tuple[list[int], list[Link]]:
    """All memories that `seq` is tied to by replacing, older ones first, and the links between them."""
    links: dict[tuple[int, int], Link] = {}
    seen, waiting = {seq}, [seq]
    while waiting:
        at = waiting.pop()
        for row in db.execute("SELECT old, new, at, until, why FROM version WHERE old = ? OR new = ?", (at, at)):
            link = Link(*row)
            links[link.old, link.new] = link
            for other in (link.old, link.new):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
    return _in_order(seen, links.values()), sorted(links.values(), key=lambda link: (link.at, link.old, link.new))


def _in_order(members: set[int], links: Iterable[Link]) -> list[int]:
    """Each after all that it replaced; among equals the one stored first."""
    before: dict[int, set[int]] = {seq: set() for seq in members}
    for link in links:
        before[link.new].add(link.old)
    found: list[int] = []
    while before:
        ready = sorted(seq for seq, olds in before.items() if not olds)
        found += ready
        for seq in ready:
            del before[seq]
        for olds in before.values():
            olds.difference_update(ready)
    return found


class _About(NamedTuple):
    id: str
    scope: int
    event_at: int | None
    superseded: bool


def _about(db: sqlite3.Connection, seq: int) -> _About:
    row = db.execute(
        "SELECT id, scope, event_at, superseded_at IS NOT NULL FROM memory WHERE seq = ?", (seq,)
    ).fetchone()
    return _About(*row)


def _replaced(db: sqlite3.Connection, seq: int) -> list[int]:
    """What `seq` replaced directly."""
    return [row[0] for row in db.execute("SELECT old FROM version WHERE new = ?", (seq,))]


def _ahead(db: sqlite3.Connection, seq: int) -> set[int]:
    """All that replaced `seq`, directly or through others."""
    rows = db.execute(
        "WITH RECURSIVE ahead (seq) AS (SELECT ? UNION SELECT v.new FROM version AS v JOIN ahead ON v.old = ahead.seq)"
        " SELECT seq FROM ahead",
        (seq,),
    )
    return {row[0] for row in rows} - {seq}


def _hidden_since(db: sqlite3.Connection, seq: int) -> int | None:
    """Since when a direct successor is living, or is itself stood for; None when none is."""
    row = db.execute(
        "SELECT max(v.at) FROM version AS v JOIN memory AS m ON m.seq = v.new"
        " WHERE v.old = ? AND (m.forgotten_at IS NULL OR m.superseded_at IS NOT NULL)",
        (seq,),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def _give_way_to_twin(db: sqlite3.Connection, seq: int, now_ms: int) -> int | None:
    """Where the text was remembered anew while `seq` didn't hold, that one stands for it; since when."""
    row = db.execute(
        "SELECT twin.seq, twin.id FROM memory AS m"
        " JOIN memory AS twin ON twin.scope = m.scope AND twin.digest = m.digest"
        " AND twin.forgotten_at IS NULL AND twin.superseded_at IS NULL WHERE m.seq = ? AND twin.seq <> m.seq",
        (seq,),
    ).fetchone()
    if row is None:
        return None
    db.execute(
        "INSERT INTO version (old, new, at, until, why) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (seq, row[0], now_ms, now_ms, SAME_TEXT),
    )
    changes.append(db, [row[0]])
    journal.append(db, now_ms, [(journal.SUPERSEDE, seq, {"by": row[1], "why": SAME_TEXT})])
    return now_ms
