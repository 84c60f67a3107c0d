"""Files of notes as they were taken in: their state, their sections, and which memory each section is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.store import changes, journal


class FileRow(NamedTuple):
    """A file: `state` is device, inode, time of change in nanoseconds, size; `digest` of its bytes."""

    id: int
    path: str
    state: tuple[int, int, int, int]
    digest: bytes
    reader: int


class SectionRow(NamedTuple):
    """A section: its titles, its number among those with the same, digests of its body and of its text, its memory."""

    headings: tuple[str, ...]
    number: int
    body: bytes
    digest: bytes
    memory: int


class Place(NamedTuple):
    """Where a memory's text stands, and what the file says of its sections; times in milliseconds, tags as JSON."""

    memory: int
    path: str
    position: int
    first: int
    last: int
    kind: str
    tags: str
    event_at: int | None


class State(NamedTuple):
    """What is to be known of a memory before anything is done with it.

    `noted`: it was made from notes; `retired`: it was forgotten because no note had it any more, and not since by the
    user's word; `said`: somebody gave the text beside the notes.
    """

    forgotten: bool
    superseded: bool
    noted: bool
    retired: bool
    said: bool
    episode: int | None


_FILE = "SELECT id, path, device, inode, mtime_ns, size, digest, reader FROM note_file "
_STATE = """
SELECT m.forgotten_at IS NOT NULL, m.superseded_at IS NOT NULL, n.memory IS NOT NULL,
    n.retired_at IS NOT NULL AND n.retired_at = m.forgotten_at,
    EXISTS (SELECT 1 FROM saying AS s WHERE s.memory = m.seq), m.episode
FROM memory AS m LEFT JOIN noted AS n ON n.memory = m.seq WHERE m.seq = ?
"""


def file_at(db: sqlite3.Connection, scope: int, path: str) -> FileRow | None:
    """The file taken in from this path, in this scope."""
    row = db.execute(_FILE + "WHERE scope = ? AND path = ?", (scope, path)).fetchone()
    return _file(row) if row else None


def files_under(db: sqlite3.Connection, scope: int, root: str) -> list[FileRow]:
    """The file at `root`, and those in the folder, in this scope."""
    folder = root.rstrip("/") + "/"
    rows = db.execute(
        _FILE + "WHERE scope = :scope AND path = :root"
        " UNION ALL " + _FILE + "WHERE scope = :scope AND path >= :folder AND path < :end",
        {"scope": scope, "root": root, "folder": folder, "end": folder[:-1] + chr(ord("/") + 1)},
    )
    return [_file(row) for row in rows]


def files_like(db: sqlite3.Connection, scope: int, gone: FileRow) -> list[int]:
    """Other files of the scope that share the inode of `gone`, or sections with it; those with most of them first."""
    rows = db.execute(
        "SELECT f.id, (SELECT count(DISTINCT mine.memory) FROM section AS mine JOIN section AS its"
        "   ON its.memory = mine.memory WHERE mine.file = :gone AND its.file = f.id) AS shared"
        " FROM note_file AS f WHERE +f.scope = :scope AND f.id <> :gone AND f.id IN ("
        "   SELECT id FROM note_file WHERE inode = :inode AND device = :device"
        "   UNION SELECT its.file FROM section AS mine JOIN section AS its ON its.memory = mine.memory"
        "     WHERE mine.file = :gone)"
        " ORDER BY f.inode = :inode AND f.device = :device DESC, shared DESC, f.id LIMIT 8",
        {"gone": gone.id, "scope": scope, "inode": gone.state[1], "device": gone.state[0]},
    )
    return [int(row[0]) for row in rows]


def inode_of(db: sqlite3.Connection, file: int) -> tuple[int, int]:
    """Device and inode of a file."""
    device, inode = db.execute("SELECT device, inode FROM note_file WHERE id = ?", (file,)).fetchone()
    return device, inode


def sections_of(db: sqlite3.Connection, file: int) -> list[SectionRow]:
    """The sections of a file, in order."""
    rows = db.execute(
        "SELECT s.headings, s.number, s.body, m.digest, s.memory FROM section AS s JOIN memory AS m ON m.seq = s.memory"
        " WHERE s.file = ? ORDER BY s.position",
        (file,),
    )
    return [SectionRow(tuple(json.loads(row[0])), *row[1:]) for row in rows]


def put_file(db: sqlite3.Connection, scope: int, path: str, stem: str, facts: Sequence[object]) -> int:
    """Write a file's row; `facts` are its columns from device to event_at. Returns its id."""
    db.execute(
        "INSERT INTO note_file (scope, path, stem, device, inode, mtime_ns, size, digest, reader, kind, tags, event_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, path) DO UPDATE SET (device, inode, mtime_ns,"
        " size, digest, reader, kind, tags, event_at) = (excluded.device, excluded.inode, excluded.mtime_ns,"
        " excluded.size, excluded.digest, excluded.reader, excluded.kind, excluded.tags, excluded.event_at)",
        (scope, path, stem, *facts),
    )
    found = file_at(db, scope, path)
    assert found is not None
    return found.id


def put_state(db: sqlite3.Connection, file: int, state: tuple[int, int, int, int]) -> None:
    """Note that a file says the same although its state is another."""
    db.execute("UPDATE note_file SET (device, inode, mtime_ns, size) = (?, ?, ?, ?) WHERE id = ?", (*state, file))


def clear_file(db: sqlite3.Connection, file: int) -> None:
    """Take out a file's sections and links."""
    db.execute("DELETE FROM note_link WHERE section IN (SELECT id FROM section WHERE file = ?)", (file,))
    db.execute("DELETE FROM section WHERE file = ?", (file,))


def drop_file(db: sqlite3.Connection, file: int) -> None:
    """Take out a file, its sections and links."""
    clear_file(db, file)
    db.execute("DELETE FROM note_file WHERE id = ?", (file,))


def put_section(
    db: sqlite3.Connection, file: int, row: Sequence[object], links: Iterable[tuple[str, str, str]]
) -> None:
    """Write a section, `row` being its columns from position to memory, and where it leads."""
    section = db.execute(
        "INSERT INTO section (file, position, headings, number, anchor, body, first_line, last_line, memory)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (file, *row),
    ).lastrowid
    db.executemany(
        "INSERT OR IGNORE INTO note_link (section, path, stem, anchor) VALUES (?, ?, ?, ?)",
        [(section, *link) for link in links],
    )


def find(db: sqlite3.Connection, scope: int, digest: bytes) -> int | None:
    """The memory of this text that a section is: one that holds, else one that notes replaced or retired, else any."""
    # Each half is a range of an index of its own.
    holds = db.execute(
        "SELECT seq FROM memory WHERE scope = ? AND digest = ? AND forgotten_at IS NULL AND superseded_at IS NULL",
        (scope, digest),
    ).fetchone()
    past = (
        holds
        or db.execute(
            "SELECT m.seq FROM memory AS m LEFT JOIN noted AS n ON n.memory = m.seq WHERE m.scope = ? AND m.digest = ?"
            " AND (m.forgotten_at IS NOT NULL OR m.superseded_at IS NOT NULL)"
            " ORDER BY n.memory IS NOT NULL AND (m.forgotten_at IS NULL OR m.forgotten_at = n.retired_at) DESC,"
            " m.forgotten_at IS NULL DESC, m.seq DESC LIMIT 1",
            (scope, digest),
        ).fetchone()
    )
    return int(past[0]) if past else None


def state(db: sqlite3.Connection, memory: int) -> State:
    """What is known of a memory."""
    row = db.execute(_STATE, (memory,)).fetchone()
    forgotten, superseded, noted, retired, said = map(bool, row[:5])
    return State(forgotten, superseded, noted, retired, said, row[5])


def adopt(db: sqlite3.Connection, memory: int, via: str) -> None:
    """Count a memory that came from a file through the door `via` among those made from notes."""
    db.execute(
        "INSERT OR IGNORE INTO noted (memory) SELECT seq FROM memory"
        " WHERE seq = ? AND source ->> 'via' = ? AND source ->> 'path' IS NOT NULL",
        (memory, via),
    )


def unnoted(db: sqlite3.Connection, scope: int, path: str, via: str) -> list[int]:
    """Memories that came from this file through the door `via` before files were kept track of."""
    rows = db.execute(
        "SELECT m.seq FROM memory AS m JOIN episode AS e ON e.id = m.episode LEFT JOIN noted AS n ON n.memory = m.seq"
        " WHERE e.scope = ? AND e.key = ? AND n.memory IS NULL AND m.forgotten_at IS NULL"
        " AND m.source ->> 'via' = ? AND m.source ->> 'path' = ?",
        (scope, path, via, path),
    )
    return [int(row[0]) for row in rows]


def places(db: sqlite3.Connection, memories: Iterable[int]) -> dict[int, list[Place]]:
    """Where the texts of these memories stand; those that stand nowhere are left out."""
    rows = db.execute(
        "SELECT s.memory, f.path, s.position, s.first_line, s.last_line, f.kind, f.tags, f.event_at"
        " FROM section AS s JOIN note_file AS f ON f.id = s.file WHERE s.memory IN (SELECT value FROM json_each(?))",
        (json.dumps(list(memories)),),
    )
    found: dict[int, list[Place]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(Place(*row))
    return found


def is_anywhere(db: sqlite3.Connection, memory: int) -> bool:
    """Whether a section has this memory."""
    return db.execute("SELECT 1 FROM section WHERE memory = ? LIMIT 1", (memory,)).fetchone() is not None


def replaced_notes(db: sqlite3.Connection, memory: int) -> list[int]:
    """The memories made from notes that `memory` replaced directly."""
    rows = db.execute("SELECT v.old FROM version AS v JOIN noted AS n ON n.memory = v.old WHERE v.new = ?", (memory,))
    return [int(row[0]) for row in rows]


def came_after(db: sqlite3.Connection, new: int, old: int) -> bool:
    """Whether `old` has replaced `new`, directly or through others: then going from `old` to `new` is going back."""
    row = db.execute(
        "WITH RECURSIVE ahead (seq) AS (SELECT ? UNION SELECT v.new FROM version AS v JOIN ahead ON v.old = ahead.seq)"
        " SELECT 1 FROM ahead WHERE seq = ? LIMIT 1",
        (new, old),
    ).fetchone()
    return row is not None


def release(db: sqlite3.Connection, memory: int, at: int) -> bool:
    """Let a memory hold again beside what notes put in its place, where another note has its text; whether it does.

    It doesn't where the user replaced it, or remembered the text anew meanwhile.
    """
    db.execute(
        "DELETE FROM version WHERE old = ? AND new IN (SELECT memory FROM noted)",
        (memory,),
    )
    blocked = db.execute(
        "SELECT 1 FROM version AS v JOIN memory AS m ON m.seq = v.new WHERE v.old = :seq"
        " AND (m.forgotten_at IS NULL OR m.superseded_at IS NOT NULL)"
        " UNION ALL SELECT 1 FROM memory AS m JOIN memory AS twin ON twin.scope = m.scope AND twin.digest = m.digest"
        " AND twin.seq <> m.seq AND twin.forgotten_at IS NULL AND twin.superseded_at IS NULL WHERE m.seq = :seq"
        " LIMIT 1",
        {"seq": memory},
    ).fetchone()
    if blocked:
        return False
    db.execute("UPDATE memory SET superseded_at = NULL WHERE seq = ?", (memory,))
    changes.append(db, [memory])
    journal.append(db, at, [(journal.RELEASE, memory, {})])
    return True


def retire(db: sqlite3.Connection, memories: Sequence[int], at: int, why: str) -> None:
    """Note that these memories, forgotten at `at`, are to come back with their notes."""
    db.executemany(
        "UPDATE noted SET retired_at = ?, why = ? WHERE memory = ?", [(at, why, memory) for memory in memories]
    )


def retired_with(db: sqlite3.Connection, memory: int) -> list[int]:
    """What `memory` had replaced and was retired together with it, the nearest first."""
    rows = db.execute(
        "WITH RECURSIVE back (seq, depth) AS (SELECT ?, 0 UNION SELECT v.old, depth + 1 FROM back"
        "   JOIN version AS v ON v.new = back.seq JOIN noted AS n ON n.memory = v.old"
        "   WHERE n.retired_at = (SELECT retired_at FROM noted WHERE memory = back.seq))"
        " SELECT seq FROM back JOIN memory AS m USING (seq) JOIN noted AS n ON n.memory = seq"
        " WHERE m.forgotten_at = n.retired_at GROUP BY seq ORDER BY min(depth)",
        (memory,),
    )
    return [int(row[0]) for row in rows if row[0] != memory]


def unretire(db: sqlite3.Connection, memories: Sequence[int]) -> None:
    """Note that these memories are back."""
    db.executemany("UPDATE noted SET retired_at = NULL, why = '' WHERE memory = ?", [(memory,) for memory in memories])


def in_episode(db: sqlite3.Connection, episode: int) -> list[int]:
    """The living memories of an episode, in order."""
    rows = db.execute(
        "SELECT seq FROM memory WHERE episode = ? AND forgotten_at IS NULL ORDER BY position, seq", (episode,)
    )
    return [int(row[0]) for row in rows]


def move(
    db: sqlite3.Connection, memory: int, row: tuple[str, str, int | None, int | None, int | None], at: int
) -> bool:
    """Say anew where a memory stands: kind, source (as JSON), episode, position, event time. Whether that changed."""
    done = db.execute(
        "UPDATE memory SET (kind, source, episode, position, event_at) = (?, ?, ?, ?, coalesce(?, event_at))"
        " WHERE seq = ? AND (kind, source, episode, position, event_at) IS NOT (?, ?, ?, ?, coalesce(?, event_at))",
        (*row, memory, *row),
    )
    if not done.rowcount:
        return False
    said = {"source": msgspec.Raw(row[1].encode()), "position": row[3], "about": journal.about_of(db, memory)}
    journal.append(db, at, [(journal.MOVE, memory, said)])
    return True


def detach(db: sqlite3.Connection, memory: int, at: int) -> None:
    """Take a memory out of its file's order, so that it is nobody's neighbour any more."""
    db.execute("UPDATE memory SET episode = NULL, position = NULL WHERE seq = ?", (memory,))
    changes.append(db, [memory])
    journal.append(db, at, [("detach", memory, {})])


def given_tags(db: sqlite3.Connection, memory: int) -> list[str]:
    """The tags that notes gave a memory."""
    row = db.execute("SELECT tags FROM noted WHERE memory = ?", (memory,)).fetchone()
    return list(json.loads(row[0])) if row else []


def give_tags(db: sqlite3.Connection, memory: int, tags: Sequence[str]) -> None:
    """Note the tags that notes gave a memory, which is made from them."""
    db.execute(
        "INSERT INTO noted (memory, tags) VALUES (?, ?) ON CONFLICT (memory) DO UPDATE SET tags = excluded.tags",
        (memory, json.dumps(list(tags))),
    )


def _file(row: tuple) -> FileRow:  # type: ignore[type-arg]
    return FileRow(row[0], row[1], (row[2], row[3], row[4], row[5]), row[6], row[7])


def count_under(db: sqlite3.Connection, scope: int, root: str) -> tuple[int, int]:
    """How many files there are at and under `root`, and how many sections they have."""
    files = [file.id for file in files_under(db, scope, root)]
    row = db.execute(
        "SELECT count(*) FROM section WHERE file IN (SELECT value FROM json_each(?))", (json.dumps(files),)
    ).fetchone()
    return len(files), int(row[0])
