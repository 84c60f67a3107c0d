"""Entities and the passages that mention them."""

from __future__ import annotations

from collections.abc import Iterable

from pysqlite3 import dbapi2 as sqlite3

from memd.text.entities import Entity


class Mentions:
    """Writes mentions within one transaction, looking each entity up once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[tuple[str, str], int] = {}

    def put(self, passage: int, entities: Iterable[Entity]) -> None:
        """Note that the passage mentions these."""
        ids = sorted({self._row(entity.kind, entity.name) for entity in entities})
        self._db.executemany(
            "INSERT OR IGNORE INTO mention (entity, passage) VALUES (?, ?)", [(id_, passage) for id_ in ids]
        )

    def _row(self, kind: str, name: str) -> int:
        known = self._known.get((kind, name))
        if known is None:
            known = self._known[kind, name] = self._find_or_insert(kind, name)
        return known

    def _find_or_insert(self, kind: str, name: str) -> int:
        row = self._db.execute("SELECT id FROM entity WHERE name = ? AND kind = ?", (name, kind)).fetchone()
        if row:
            return int(row[0])
        return int(self._db.execute("INSERT INTO entity (kind, name) VALUES (?, ?)", (kind, name)).lastrowid)
