"""Sessions of coding agents: where each stands, what was shown in it, what its tools did, and the queue of reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.store import erasing, scopes
from memd.text.redaction import redact

KEPT_EVENTS = 50_000  # of all sessions together; the oldest go first


class Session(NamedTuple):
    """A row of `session`; times in milliseconds."""

    id: int
    agent: str
    key: str
    scope: str
    transcript: str
    taken: int
    line: int
    due: int
    begun_at: int
    seen_at: int
    ended_at: int | None


class Event(NamedTuple):
    """A row of `session_event`, less its session."""

    seq: int
    call: str
    kind: str
    what: str
    detail: str
    outcome: int | None
    at: int
    first_line: int | None
    last_line: int | None


_COLUMNS = ", ".join(Session._fields)


def meet(db: sqlite3.Connection, agent: str, key: str, scope: str, transcript: str, now: int) -> Session:
    """The session, made when it is new; its transcript and last sign of life brought up to date.

    The scope is that in which it began: a session that changes folder goes on belonging there.
    """
    db.execute(
        "INSERT INTO session (agent, key, scope, transcript, begun_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (agent, key) DO UPDATE SET seen_at = excluded.seen_at, ended_at = NULL,"
        " transcript = CASE excluded.transcript WHEN '' THEN transcript ELSE excluded.transcript END,"
        " taken = CASE WHEN excluded.transcript IN ('', transcript) THEN taken ELSE 0 END,"
        " line = CASE WHEN excluded.transcript IN ('', transcript) THEN line ELSE 0 END",
        (agent, key, scope, transcript, now, now),
    )
    row = db.execute(f"SELECT {_COLUMNS} FROM session WHERE agent = ? AND key = ?", (agent, key)).fetchone()
    return Session(*row)


def find(db: sqlite3.Connection, id_: int) -> Session:
    """The session with this row id."""
    return Session(*db.execute(f"SELECT {_COLUMNS} FROM session WHERE id = ?", (id_,)).fetchone())


def known(db: sqlite3.Connection, agent: str, key: str) -> Session | None:
    """The session of that name, or None."""
    row = db.execute(f"SELECT {_COLUMNS} FROM session WHERE agent = ? AND key = ?", (agent, key)).fetchone()
    return Session(*row) if row else None


def ask_to_read(db: sqlite3.Connection, id_: int, ended_at: int | None = None) -> None:
    """Put the session into the queue; `ended_at` says that it is over."""
    db.execute("UPDATE session SET due = due + 1, ended_at = coalesce(?, ended_at) WHERE id = ?", (ended_at, id_))


def due(db: sqlite3.Connection) -> list[Session]:
    """The queue, the longest waiting first."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM session WHERE due > 0 ORDER BY seen_at, id")
    return [Session(*row) for row in rows]


def took(db: sqlite3.Connection, session: Session, taken: int, line: int) -> None:
    """Note how far the transcript is in the store for good. Stays in the queue if it was asked for meanwhile."""
    db.execute(
        "UPDATE session SET taken = ?, line = ?, due = CASE WHEN due = ? THEN 0 ELSE due END WHERE id = ?",
        (taken, line, session.due, session.id),
    )


def latest(db: sqlite3.Connection, since: int) -> list[Session]:
    """Sessions with a transcript that gave a sign of life since then."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM session WHERE transcript <> '' AND seen_at >= ?", (since,))
    return [Session(*row) for row in rows]


def show(db: sqlite3.Connection, session: int, memories: Iterable[int], now: int) -> None:
    """Note that these memories (by seq) were shown in the session."""
    db.executemany(
        "INSERT INTO injection (session, memory, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(session, seq, now) for seq in memories],
    )


def shown(db: sqlite3.Connection, session: int) -> dict[int, str]:
    """Ids of the memories (by seq) that were shown in the session."""
    rows = db.execute(
        "SELECT i.memory, m.id FROM injection AS i JOIN memory AS m ON m.seq = i.memory WHERE i.session = ?", (session,)
    )
    return {row[0]: row[1] for row in rows}


def unused(db: sqlite3.Connection, session: int) -> list[tuple[int, str, str, int]]:
    """Memories that were shown and not made use of so far: seq, id, text, when they were shown."""
    rows = db.execute(
        "SELECT m.seq, m.id, m.text, i.at FROM injection AS i JOIN memory AS m ON m.seq = i.memory"
        " WHERE i.session = ? AND i.used_at IS NULL AND m.forgotten_at IS NULL ORDER BY i.at, m.seq",
        (session,),
    )
    return [tuple(row) for row in rows]


def use(db: sqlite3.Connection, session: int, memories: Iterable[int], now: int) -> None:
    """Note that the session made use of these."""
    db.executemany(
        "UPDATE injection SET used_at = ? WHERE session = ? AND memory = ?", [(now, session, seq) for seq in memories]
    )


def note(
    db: sqlite3.Connection,
    session: int,
    call: str,
    kind: str,
    what: str,
    *,
    at: int,
    detail: str = "",
    outcome: int | None = None,
    first_line: int | None = None,
    last_line: int | None = None,
) -> None:
    """Keep what a call of a tool did, without secrets; what is known of it already is kept where this says nothing."""
    what, detail = redact(what).text, redact(detail).text
    db.execute(
        "INSERT INTO session_event (session, call, kind, what, detail, outcome, at, first_line, last_line)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session, call, kind, what) DO UPDATE SET"
        " detail = CASE excluded.detail WHEN '' THEN detail ELSE excluded.detail END,"
        " outcome = coalesce(excluded.outcome, outcome), first_line = coalesce(excluded.first_line, first_line),"
        " last_line = coalesce(excluded.last_line, last_line)",
        (session, call, kind, what, detail, outcome, at, first_line, last_line),
    )


def trim(db: sqlite3.Connection) -> None:
    """Let the oldest events go."""
    db.execute("DELETE FROM session_event WHERE seq <= (SELECT max(seq) FROM session_event) - ?", (KEPT_EVENTS,))


def events(db: sqlite3.Connection, session: int, kinds: Sequence[str] = ("edit", "command")) -> list[Event]:
    """What the session's tools did, in the order of the transcript where it is known, else of time."""
    marks = ", ".join("?" * len(kinds))
    rows = db.execute(
        "SELECT seq, call, kind, what, detail, outcome, at, first_line, last_line FROM session_event"
        f" WHERE session = ? AND kind IN ({marks}) ORDER BY first_line IS NULL, first_line, at, seq",
        (session, *kinds),
    )
    return [Event(*row) for row in rows]


def drop_event(db: sqlite3.Connection, seq: int) -> None:
    """Take an event away."""
    db.execute("DELETE FROM session_event WHERE seq = ?", (seq,))


def is_told(db: sqlite3.Connection, text_digest: bytes, scope: str, source: str) -> bool:
    """Whether the scope has this text (by digest) from exactly this source (as JSON): stored, said again, or purged."""
    row = db.execute(
        "SELECT 1 FROM memory AS m JOIN scope AS s ON s.id = m.scope WHERE s.path = ? AND m.digest = ?"
        " AND (m.source = ? OR EXISTS (SELECT 1 FROM saying WHERE saying.memory = m.seq AND saying.source = ?))",
        (scope, text_digest, source, source),
    ).fetchone()
    if row is not None:
        return True
    found = scopes.find(db, scope)
    return found is not None and erasing.shunned(db, found, text_digest) is not None


def seqs(db: sqlite3.Connection, ids: Sequence[str]) -> list[int]:
    """The memories (by seq) with these ids, those that there are."""
    marks = ", ".join("?" * len(ids))
    return [row[0] for row in db.execute(f"SELECT seq FROM memory WHERE id IN ({marks})", tuple(ids))]
