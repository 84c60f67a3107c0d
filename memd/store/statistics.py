"""Counts and sizes."""

from __future__ import annotations

from pathlib import Path

from pysqlite3 import dbapi2 as sqlite3

from memd.model import Stats
from memd.store import schema, vectors


def stats(db: sqlite3.Connection, path: Path) -> Stats:
    """What the store holds. O(memories)."""
    living = "FROM memory AS m WHERE m.forgotten_at IS NULL"
    holding = f"{living} AND m.superseded_at IS NULL"
    return Stats(
        path=str(path),
        memories=_number(db, f"SELECT count(*) {holding}"),
        superseded=_number(db, f"SELECT count(*) {living} AND m.superseded_at IS NOT NULL"),
        forgotten=_number(db, "SELECT count(*) FROM memory WHERE forgotten_at IS NOT NULL AND purged_at IS NULL"),
        passages=_number(db, f"SELECT count(*) FROM passage WHERE memory IN (SELECT seq {living})"),
        pending=vectors.pending(db),
        episodes=_number(db, "SELECT count(*) FROM episode"),
        entities=_number(db, "SELECT count(*) FROM entity"),
        by_kind=dict(db.execute(f"SELECT m.kind, count(*) {holding} GROUP BY m.kind ORDER BY m.kind").fetchall()),
        by_scope=dict(
            db.execute(
                "SELECT s.path, count(*) FROM memory AS m JOIN scope AS s ON s.id = m.scope"
                " WHERE m.forgotten_at IS NULL AND m.superseded_at IS NULL GROUP BY s.path ORDER BY s.path"
            ).fetchall()
        ),
        store_bytes=_size(path),
        wal_bytes=_size(path.with_name(path.name + "-wal")),
        encoder=vectors.fingerprint(db),
        format=schema.FORMAT,
    )


def held(db: sqlite3.Connection) -> int:
    """How many memories there are, forgotten ones too; purged ones only in a copy of a format that didn't mark them.

    Read from indexes, so that those of a damaged table can be counted.
    """
    purged = any(row[1] == "purged_at" for row in db.execute("PRAGMA table_info(memory)"))
    less = _number(db, "SELECT count(*) FROM memory WHERE purged_at IS NOT NULL") if purged else 0
    return _number(db, "SELECT count(*) FROM memory") - less


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
