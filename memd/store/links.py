"""Links between notes, as edges between the memories of their sections: for spreading.

A link says where it leads as it is written, and finds its target anew each time: notes come, go and are renamed.
It leads to the section under the heading that it names, else to the first of the file. Of several files with the
name of a wiki link the one in the same folder is meant, else the one nearest to the top.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3


class Edge(NamedTuple):
    """A link between two memories (by seq)."""

    source: int
    target: int


# A link, and the files that it may mean: by path, or by stem within its scope.
_TARGETS = """
SELECT s.memory, l.path, l.anchor, l.stem, mine.path, f.id, f.path
FROM note_link AS l JOIN section AS s ON s.id = l.section JOIN note_file AS mine ON mine.id = s.file
    JOIN note_file AS f ON f.scope = mine.scope AND {how}
WHERE {which}
"""
# The + keeps SQLite from beginning with all links that have no stem.
_BY_PATH = "f.path = l.path AND +l.stem = ''"
_BY_STEM = "f.stem = l.stem AND +l.stem <> ''"
_LIVING = "SELECT 1 FROM memory AS m WHERE m.seq = ? AND m.forgotten_at IS NULL AND m.superseded_at IS NULL"


def linked(db: sqlite3.Connection, memories: Iterable[int]) -> list[Edge]:
    """The links from and to these memories, each once. O(links of theirs, and to their files)."""
    seqs = json.dumps(list(memories))
    mine = "s.memory IN (SELECT value FROM json_each(:seqs))"
    theirs = "f.id IN (SELECT file FROM section WHERE memory IN (SELECT value FROM json_each(:seqs)))"
    found = _edges(db, _rows(db, mine, seqs) + _rows(db, theirs, seqs))
    wanted = set(json.loads(seqs))
    return [edge for edge in found if edge.source in wanted or edge.target in wanted]


def edges(db: sqlite3.Connection) -> list[Edge]:
    """All links between memories that hold. O(links)."""
    return _edges(db, _rows(db, "1", "[]"))


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether there are no links at all. O(1)."""
    return db.execute("SELECT 1 FROM note_link LIMIT 1").fetchone() is None


def _rows(db: sqlite3.Connection, which: str, seqs: str) -> list[tuple]:  # type: ignore[type-arg]
    found = []
    for how in (_BY_PATH, _BY_STEM):
        found += db.execute(
            _TARGETS.format(how=how, which=which), {"seqs": seqs} if ":seqs" in which else {}
        ).fetchall()
    return found


def _edges(db: sqlite3.Connection, rows: Sequence[tuple]) -> list[Edge]:  # type: ignore[type-arg]
    meant: dict[tuple[int, str, str, str], tuple[tuple[bool, int, str], int]] = {}
    for memory, path, anchor, stem, mine, file, target in rows:
        if stem and not _is_in(target, path):
            continue
        # The same folder first, then the shortest way from the top.
        rank = (PurePosixPath(target).parent != PurePosixPath(mine).parent, target.count("/"), target)
        link = memory, path, anchor, stem
        if link not in meant or rank < meant[link][0]:
            meant[link] = rank, file
    found: dict[Edge, None] = {}
    for (memory, _, anchor, _), (_, file) in meant.items():
        target = _section(db, file, anchor)
        if target is not None and target != memory and _lives(db, memory) and _lives(db, target):
            found[Edge(memory, target)] = None
    return list(found)


def _is_in(path: str, folders: str) -> bool:
    """Whether the folders that a wiki link names stand right above the file."""
    return not folders or str(PurePosixPath(path).parent).endswith("/" + folders)


def _section(db: sqlite3.Connection, file: int, anchor: str) -> int | None:
    row = db.execute(
        "SELECT memory FROM section WHERE file = ? ORDER BY (anchor = ? AND anchor <> '') DESC, position LIMIT 1",
        (file, anchor),
    ).fetchone()
    return int(row[0]) if row else None


def _lives(db: sqlite3.Connection, memory: int) -> bool:
    return db.execute(_LIVING, (memory,)).fetchone() is not None
