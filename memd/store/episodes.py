"""Episodes: ordered groups of memories, and who stands next to whom."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3


def ensure(db: sqlite3.Connection, scope: int, key: str) -> int:
    """The episode's row in this scope, made when it is new."""
    row = db.execute("SELECT id FROM episode WHERE scope = ? AND key = ?", (scope, key)).fetchone()
    if row:
        return int(row[0])
    return int(db.execute("INSERT INTO episode (scope, key) VALUES (?, ?)", (scope, key)).lastrowid)


def next_position(db: sqlite3.Connection, episode: int) -> int:
    """The place after the last one taken, counted from 0."""
    row = db.execute("SELECT max(position) FROM memory WHERE episode = ?", (episode,)).fetchone()
    return 0 if row[0] is None else int(row[0]) + 1


def neighbours(db: sqlite3.Connection, seq: int) -> tuple[int | None, int | None]:
    """The living memories right before and after this one in its episode (by seq), whether it lives itself or not.

    Equal positions are ordered by seq. None at an end, or without an episode.
    """
    row = db.execute("SELECT episode, position FROM memory WHERE seq = ?", (seq,)).fetchone()
    if row is None or row[0] is None:
        return None, None
    episode, position = row
    before = db.execute(
        "SELECT seq FROM memory WHERE episode = ? AND (position, seq) < (?, ?) AND forgotten_at IS NULL"
        " ORDER BY position DESC, seq DESC LIMIT 1",
        (episode, position, seq),
    ).fetchone()
    after = db.execute(
        "SELECT seq FROM memory WHERE episode = ? AND (position, seq) > (?, ?) AND forgotten_at IS NULL"
        " ORDER BY position, seq LIMIT 1",
        (episode, position, seq),
    ).fetchone()
    return (before[0] if before else None), (after[0] if after else None)
