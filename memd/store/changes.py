"""The list of what changed, by which a resident copy in another process catches up."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pysqlite3 import dbapi2 as sqlite3

KEPT = 100_000


def append(db: sqlite3.Connection, memories: Iterable[int]) -> None:
    """Note that these memories (by seq) changed; forget all but the last `KEPT` notes."""
    db.execute("INSERT INTO change (memory) SELECT value FROM json_each(?)", (json.dumps(list(memories)),))
    db.execute("DELETE FROM change WHERE seq <= (SELECT max(seq) FROM change) - ?", (KEPT,))


def last(db: sqlite3.Connection) -> int:
    """The number of the latest change; 0 when there was none."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'change'").fetchone()
    return int(row[0]) if row else 0


def since(db: sqlite3.Connection, seen: int) -> list[int] | None:
    """Memories (by seq) that changed after change `seen`, each once; None when the list no longer reaches back."""
    first = db.execute("SELECT min(seq) FROM change").fetchone()[0]
    if seen < last(db) and (first is None or first > seen + 1):
        return None
    return [row[0] for row in db.execute("SELECT DISTINCT memory FROM change WHERE seq > ?", (seen,))]
