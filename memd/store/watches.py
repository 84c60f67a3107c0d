"""What is watched: durable, so that the daemon takes it up again whenever it starts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.model import Watch
from memd.store import journal, scopes

_ROW = "SELECT w.kind, w.path, s.path, w.include, w.exclude, w.poll, w.added_at FROM watch AS w JOIN scope AS s"


def all_of(db: sqlite3.Connection) -> list[Watch]:
    """Every watch, by path."""
    rows = db.execute(_ROW + " ON s.id = w.scope ORDER BY w.path, w.kind")
    return [_watch(row) for row in rows]


def find(db: sqlite3.Connection, kind: str, path: str) -> Watch | None:
    """The watch of this kind on this path."""
    row = db.execute(_ROW + " ON s.id = w.scope WHERE w.kind = ? AND w.path = ?", (kind, path)).fetchone()
    return _watch(row) if row else None


def put(
    db: sqlite3.Connection,
    kind: str,
    path: str,
    scope: str,
    include: Sequence[str],
    exclude: Sequence[str],
    poll: bool,
    at: int,
) -> None:
    """Watch a path, or watch it otherwise than before."""
    db.execute(
        "INSERT INTO watch (kind, path, scope, include, exclude, poll, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, path) DO UPDATE SET (scope, include, exclude, poll)"
        " = (excluded.scope, excluded.include, excluded.exclude, excluded.poll)",
        (kind, path, scopes.ensure(db, scope), json.dumps(list(include)), json.dumps(list(exclude)), int(poll), at),
    )
    told = {"kind": kind, "path": path, "scope": scope, "include": list(include), "exclude": list(exclude)}
    journal.append(db, at, [("watch", None, told)])


def remove(db: sqlite3.Connection, kind: str, path: str, at: int) -> bool:
    """Watch a path no longer; whether it was watched."""
    gone = db.execute("DELETE FROM watch WHERE kind = ? AND path = ?", (kind, path)).rowcount
    if gone:
        journal.append(db, at, [("unwatch", None, {"kind": kind, "path": path})])
    return bool(gone)


def head(db: sqlite3.Connection, path: str) -> str:
    """The last commit that was taken in from a watched repository; empty before the first."""
    row = db.execute("SELECT head FROM watch WHERE kind = 'git' AND path = ?", (path,)).fetchone()
    return str(row[0]) if row else ""


def put_head(db: sqlite3.Connection, path: str, commit: str) -> None:
    """Note the last commit that was taken in."""
    db.execute("UPDATE watch SET head = ? WHERE kind = 'git' AND path = ?", (commit, path))


def _watch(row: tuple) -> Watch:  # type: ignore[type-arg]
    return Watch(
        kind=row[0],
        path=row[1],
        scope=row[2],
        include=tuple(json.loads(row[3])),
        exclude=tuple(json.loads(row[4])),
        poll=bool(row[5]),
        added_at=from_ms(row[6]),
    )
