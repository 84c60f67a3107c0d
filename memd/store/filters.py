"""The conditions by which memories are listed, counted and recalled, as one piece of SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import to_ms
from memd.model import GLOBAL_SCOPE, Query
from memd.store import scopes

SQL = tuple[str, list[object]]


class Filters(msgspec.Struct, frozen=True):
    """Which memories are meant. A `Query` has the same conditions, but finds nothing forgotten.

    Attributes:
        scope: sees that scope and the global one; `"all"` sees every one.
        kinds: any of these.
        tags: all of these.
        source: who, via, path or session contains this (letter case of ASCII ignored).
        since, until: event time, else recorded time, lies in [since, until).
        forgotten: the forgotten ones instead of the living.
        superseded: of the living also those that another one has replaced.
    """

    scope: str = GLOBAL_SCOPE
    kinds: Sequence[str] = ()
    tags: Sequence[str] = ()
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    forgotten: bool = False
    superseded: bool = False


def where(db: sqlite3.Connection, wanted: Filters | Query, *, recorded_by: int | None = None) -> SQL:
    """A condition on the table `memory AS m`, and its parameters.

    Args:
        db: where the scopes are looked up.
        wanted: which memories.
        recorded_by: whether forgotten, superseded or neither, all that had been recorded at this time, milliseconds
            since 1970.
    """
    forgotten = isinstance(wanted, Filters) and wanted.forgotten
    values: list[object] = []
    if recorded_by is not None:
        terms = ["m.recorded_at <= ?"]
        values.append(recorded_by)
    else:
        terms = ["m.forgotten_at IS NOT NULL AND m.purged_at IS NULL" if forgotten else "m.forgotten_at IS NULL"]
        if not (forgotten or wanted.superseded):
            terms.append("m.superseded_at IS NULL")
    if (seen := scopes.visible(db, wanted.scope)) is not None:
        terms.append(f"m.scope IN ({_marks(seen)})")
        values += seen
    if wanted.kinds:
        terms.append(f"m.kind IN ({_marks(wanted.kinds)})")
        values += wanted.kinds
    for tag in wanted.tags:
        terms.append("EXISTS (SELECT 1 FROM tag WHERE tag.name = ? AND tag.memory = m.seq)")
        values.append(tag.lower())
    if wanted.source:
        terms.append(
            "EXISTS (SELECT 1 FROM json_each(m.source) AS part WHERE part.key IN ('who', 'via', 'path', 'session')"
            " AND instr(lower(part.value), lower(?)))"
        )
        values.append(wanted.source)
    if wanted.since is not None:
        terms.append("coalesce(m.event_at, m.recorded_at) >= ?")
        values.append(to_ms(wanted.since))
    if wanted.until is not None:
        terms.append("coalesce(m.event_at, m.recorded_at) < ?")
        values.append(to_ms(wanted.until))
    return " AND ".join(terms), values


def newest(db: sqlite3.Connection, wanted: Filters, limit: int, before: int | None = None) -> list[int]:
    """Memories (by seq) that are meant, the newest first, of those stored before `before`. O(log N + limit) at best."""
    condition, values = where(db, wanted)
    if before is not None:
        condition += " AND m.seq < ?"
        values.append(before)
    rows = db.execute(f"SELECT m.seq FROM memory AS m WHERE {condition} ORDER BY m.seq DESC LIMIT ?", (*values, limit))
    return [row[0] for row in rows]


def count(db: sqlite3.Connection, wanted: Filters) -> int:
    """How many memories are meant."""
    condition, values = where(db, wanted)
    return int(db.execute(f"SELECT count(*) FROM memory AS m WHERE {condition}", values).fetchone()[0])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
