"""What ties memories together, as lines: versions, conflicts, near-duplicates, gists. All ends must be selected."""

from __future__ import annotations

from collections.abc import Iterator

from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.exchange import lines as x
from memd.exchange.selecting import Selected

_ENDS = "JOIN memory AS a ON a.seq = t.{0} JOIN memory AS b ON b.seq = t.{1}"


def versions(db: sqlite3.Connection, selected: Selected) -> Iterator[x.VersionLine]:
    """Which memory replaced which."""
    rows = db.execute(
        f"SELECT t.old, t.new, a.id, b.id, t.at, t.until, t.why FROM version AS t {_ENDS.format('old', 'new')}"
        " ORDER BY t.at, t.old, t.new"
    )
    for one, other, old, new, at, until, why in rows:
        if one in selected and other in selected:
            yield x.VersionLine(old, new, from_ms(at), from_ms(until), why)


def conflicts(db: sqlite3.Connection, selected: Selected) -> Iterator[x.ConflictLine]:
    """What can't hold together, and what was decided."""
    rows = db.execute(
        "SELECT t.one, t.other, a.id, b.id, t.at, t.rule, t.settled_at, t.how"
        f" FROM conflict AS t {_ENDS.format('one', 'other')} ORDER BY t.one, t.other"
    )
    for low, high, one, other, at, rule, settled_at, how in rows:
        if low in selected and high in selected:
            settled = None if settled_at is None else from_ms(settled_at)
            yield x.ConflictLine(one, other, from_ms(at), rule, settled, how)


def twins(db: sqlite3.Connection, selected: Selected) -> Iterator[x.TwinLine]:
    """What says the same in other words."""
    rows = db.execute(
        f"SELECT t.one, t.other, a.id, b.id, t.at FROM twin AS t {_ENDS.format('one', 'other')} ORDER BY t.one, t.other"
    )
    for low, high, one, other, at in rows:
        if low in selected and high in selected:
            yield x.TwinLine(one, other, from_ms(at))


def gists(db: sqlite3.Connection, selected: Selected) -> Iterator[x.GistLine]:
    """What stands for memories about the same."""
    rows = db.execute(
        "SELECT g.seq, g.id, s.path, g.made_at FROM gist AS g JOIN scope AS s ON s.id = g.scope ORDER BY g.seq"
    ).fetchall()
    for seq, id_, scope, made_at in rows:
        members = db.execute(
            "SELECT m.seq, m.id FROM gist_member AS p JOIN memory AS m ON m.seq = p.memory WHERE p.gist = ?"
            " ORDER BY m.seq",
            (seq,),
        ).fetchall()
        if all(member in selected for member, _ in members):
            quotes = db.execute(
                "SELECT m.id, q.start, q.stop FROM gist_quote AS q JOIN memory AS m ON m.seq = q.memory"
                " WHERE q.gist = ? ORDER BY q.position",
                (seq,),
            )
            names = tuple(name for _, name in members)
            yield x.GistLine(
                id_, scope, from_ms(made_at), names, tuple((one, start, stop) for one, start, stop in quotes)
            )
