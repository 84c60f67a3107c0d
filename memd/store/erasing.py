"""Erasing memories: in one transaction, every row that holds their words, or anything made of them.

What is left of a memory is its place: id, scope, when it was recorded and forgotten, that it was purged, and what
replaced what. The journal's entries about it lose what they say; the chain stays whole. What SQLite leaves behind in
the file (in the word index, in pages that rows were taken out of, in the log) is the business of `memd.store.purging`.

It works on a store of any format, since backups are purged as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.store import changes, journal, meta, passages, versions

# Rows that go with their memory: the table, and the columns that name memories (by seq).
BY_MEMORY: dict[str, tuple[str, ...]] = {
    "saying": ("memory",),
    "tag": ("memory",),
    "use": ("memory",),
    "injection": ("memory",),
    "noted": ("memory",),
    "conflict": ("one", "other"),
    "twin": ("one", "other"),
    "unchecked": ("memory",),
    "gist_quote": ("memory",),
    "gist_member": ("memory",),
    "ungisted": ("memory",),
}
# Rows that go with its passages.
BY_PASSAGE: dict[str, str] = {
    "passage_bits": "passage",
    "vector": "passage",
    "token_code": "passage",
    "mention": "passage",
    "passage": "id",
}
# Tables that `erase` looks after one by one.
BY_HAND = frozenset({
    "memory", "life", "version", "journal", "section", "note_link", "session_event", "entity", "speaker", "episode",
    "passage_fts", "change", "shunned", "purging",
})  # fmt: skip
# Tables that hold nothing of a memory's words, and why.
WITHOUT_WORDS: dict[str, str] = {
    "scope": "folders",
    "encoder": "fingerprints",
    "meta": "facts about the store",
    "forecast": "counts",
    "session": "names and files of sessions",
    "watch": "folders and globs",
    "note_file": "paths, and tags that a file gives to all of its sections",
    "task": "numbers and states; its words are memories",
    "task_need": "numbers",
    "gist": "ids; what it says is read off its members",
    "origin": "names of other stores",
    "came": "from which of them a memory came: an import that has it again leaves it purged",
    "elsewhere": "ids in other stores, for the same",
    "_sqlite_migrations": "names of migrations",
    "sqlite_sequence": "numbers",
}

LEAST = 12  # characters of a line by which what quotes it is known
_WORDS = re.compile(r"\w+")
_RUN, _RUN_OF_ITS_OWN = 6, 3  # words in a row by which an event quotes a memory: of any session, of the memory's own
_WATCHED = ("ingest", "git", "hook")  # doors of what memd reads by itself, and would read again


class Erased(NamedTuple):
    """What went: rows by table, and the memories whose rows they were, by seq."""

    rows: dict[str, int]
    memories: tuple[int, ...]


def erase(db: sqlite3.Connection, memories: Sequence[int], now_ms: int) -> Erased:
    """Leave nothing of these memories (by seq) but their places. The caller holds the write transaction.

    Those that are erased already are passed over.
    """
    work = _Erasing(db, memories, now_ms)
    if work.seqs:
        work.run()
    return Erased({table: count for table, count in work.rows.items() if count}, tuple(work.seqs))


class _Erasing:
    def __init__(self, db: sqlite3.Connection, memories: Sequence[int], now_ms: int) -> None:
        self._db = db
        self._now = now_ms
        self._tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self._columns = {row[1] for row in db.execute("PRAGMA table_info(memory)")}
        self.rows: dict[str, int] = {}
        rows = db.execute(
            "SELECT seq, id, text, forgotten_at IS NULL FROM memory WHERE seq IN (SELECT value FROM json_each(?))"
            " AND text <> '' ORDER BY seq",
            (json.dumps(list(memories)),),
        ).fetchall()
        self.seqs = [row[0] for row in rows]
        self._ids = [row[1] for row in rows]
        self._texts = [row[2] for row in rows]
        self._living = [row[0] for row in rows if row[3]]
        self._these = json.dumps(self.seqs)

    def run(self) -> None:
        if "shunned" in self._tables:
            self._shun()
        self._words()
        self._notes()
        self._sessions()
        self._passages()
        self._gists()
        for table, columns in BY_MEMORY.items():
            if table in self._tables:
                self._touch_others(table, columns)
                self._delete(table, " OR ".join(f"{column} IN ({_LIST})" for column in columns))
        self._reasons()
        self._places()
        self._leftovers()
        self._settle()

    def _shun(self) -> None:
        """Note by a keyed hash what a file still has, so that it isn't taken in again."""
        said, again = _PATH.format("m"), _PATH.format("s")
        rows = self._db.execute(
            "SELECT m.seq, m.scope, m.digest, coalesce((SELECT f.path FROM section AS s JOIN note_file AS f"
            f" ON f.id = s.file WHERE s.memory = m.seq LIMIT 1), {said},"
            f" (SELECT {again} FROM saying AS s WHERE s.memory = m.seq AND {again} <> '' LIMIT 1))"
            f" FROM memory AS m WHERE m.seq IN ({_LIST})",
            (self._these,),
        ).fetchall()
        for seq, scope, digest, path in rows:
            if path:
                self._db.execute(
                    "INSERT OR REPLACE INTO shunned (scope, mark, memory, path) VALUES (?, ?, ?, ?)",
                    (scope, _mark(self._db, digest), seq, path),
                )

    def _words(self) -> None:
        self._db.execute(f"UPDATE memory SET forgotten_at = ? WHERE seq IN ({_LIST}) AND forgotten_at IS NULL", (
            self._now, self._these,
        ))  # fmt: skip
        passages.Words(self._db).take_out(self.seqs)

    def _notes(self) -> None:
        """Sections, where they lead, and their titles where other sections stand below them."""
        if "section" not in self._tables:
            return
        gone = self._db.execute(
            f"SELECT id, file, position, headings FROM section WHERE memory IN ({_LIST})", (self._these,)
        ).fetchall()
        for _, file, position, headings in gone:
            titles = json.loads(headings)
            if titles:
                self._retitle(file, position, titles)
        self._delete("note_link", f"section IN (SELECT id FROM section WHERE memory IN ({_LIST}))")
        self._delete("section", f"memory IN ({_LIST})")

    def _retitle(self, file: int, position: int, titles: list[str]) -> None:
        """Blank the last of these titles where sections that follow have it above their own."""
        depth = len(titles)
        rows = self._db.execute(
            "SELECT id, headings FROM section WHERE file = ? AND position > ? ORDER BY position", (file, position)
        ).fetchall()
        for id_, headings in rows:
            its = json.loads(headings)
            if len(its) > depth and its[:depth] == titles:
                its[depth - 1] = ""
                self._db.execute(
                    "UPDATE section SET headings = ? WHERE id = ?", (json.dumps(its, ensure_ascii=False), id_)
                )

    def _sessions(self) -> None:
        """What tools did and agents said that has these words, or that these were made of."""
        if "session_event" not in self._tables:
            return
        sources = self._db.execute(
            "SELECT source ->> 'session', source ->> '$.span[0]', source ->> '$.span[1]', text FROM memory"
            f" WHERE seq IN ({_LIST})",
            (self._these,),
        ).fetchall()
        own = [(session, first, last, text.casefold()) for session, first, last, text in sources if session]
        runs = {length: _runs(self._texts, length) for length in (_RUN, _RUN_OF_ITS_OWN)}
        at_home = {session for session, *_ in own}
        gone = []
        rows = self._db.execute(
            "SELECT e.seq, s.key, e.first_line, e.last_line, e.what, e.detail, e.kind FROM session_event AS e"
            " JOIN session AS s ON s.id = e.session"
        )
        for seq, key, first, last, what, detail, kind in rows:
            length = _RUN_OF_ITS_OWN if key in at_home else _RUN
            if not runs[length].isdisjoint(_runs((f"{what}\n{detail}",), length)) or any(
                key == session and (_meet(first, last, begin, end) or _is_part(what, detail, kind, text))
                for session, begin, end, text in own
            ):
                gone.append((seq,))
        self._db.executemany("DELETE FROM session_event WHERE seq = ?", gone)
        self.rows["session_event"] = len(gone)

    def _passages(self) -> None:
        """Passages with all that was made of them, and the names that no other passage has."""
        mine = f"SELECT id FROM passage WHERE memory IN ({_LIST})"
        ids = [row[0] for row in self._db.execute(mine, (self._these,))]
        names = [
            row[0]
            for row in self._db.execute(
                "SELECT DISTINCT entity FROM mention WHERE passage IN (SELECT value FROM json_each(?))",
                (json.dumps(ids),),
            )
        ]
        for table, column in BY_PASSAGE.items():
            if table in self._tables:  # sqlite-vec deletes by the key alone
                done = self._db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(id_,) for id_ in ids])
                self.rows[table] = max(done.rowcount, 0) if table != "passage_bits" else len(ids)
        self._db.executemany(
            "DELETE FROM entity WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM mention WHERE entity = ?1)",
            [(name,) for name in names],
        )
        self.rows["entity"] = sum(
            self._db.execute("SELECT NOT EXISTS (SELECT 1 FROM entity WHERE id = ?)", (name,)).fetchone()[0]
            for name in names
        )

    def _gists(self) -> None:
        """A gist goes with each of its members; the others may make a new one."""
        if "gist_member" in self._tables:
            self._db.execute(
                "INSERT OR IGNORE INTO ungisted (memory) SELECT memory FROM gist_member WHERE gist IN ("
                f"SELECT gist FROM gist_member WHERE memory IN ({_LIST}))",
                (self._these,),
            )

    def _touch_others(self, table: str, columns: tuple[str, ...]) -> None:
        """Those that were in conflict with an erased one are so no more: others' copies of them are of old."""
        if len(columns) == 2 and "change" in self._tables:
            others = self._db.execute(
                f"SELECT {columns[0]} FROM {table} WHERE {columns[1]} IN ({_LIST}) UNION"
                f" SELECT {columns[1]} FROM {table} WHERE {columns[0]} IN ({_LIST})",
                (self._these, self._these),
            ).fetchall()
            changes.append(self._db, [row[0] for row in others])

    def _reasons(self) -> None:
        """Why one replaced another is said in words, perhaps in those of either."""
        if "version" in self._tables:
            self._db.execute(
                f"UPDATE version SET why = '' WHERE old IN ({_LIST}) OR new IN ({_LIST})", (self._these, self._these)
            )
        if "journal" in self._tables:
            for seq, id_ in zip(self.seqs, self._ids, strict=True):
                journal.blank(self._db, seq)
                journal.blank_reasons(self._db, id_)

    def _places(self) -> None:
        """What stays of the rows themselves."""
        purged = ", purged_at = :now" if "purged_at" in self._columns else ""
        for seq in self.seqs:
            self._db.execute(
                "UPDATE memory SET text = '', digest = :digest, kind = 'purged', source = '{}', event_at = NULL,"
                f" episode = NULL, position = NULL, speaker = 1, asks = 0, said = 1, said_at = recorded_at{purged}"
                " WHERE seq = :seq",
                {"digest": secrets.token_bytes(16), "now": self._now, "seq": seq},
            )
        if "life" in self._tables:
            self._db.execute(
                "UPDATE life SET importance = 0.5, pinned = 0, used_at = NULL, stability = NULL, tier = 32,"
                f" tier_at = NULL, due = NULL, past = x'' WHERE memory IN ({_LIST})",
                (self._these,),
            )
        self.rows["memory"] = len(self.seqs)

    def _leftovers(self) -> None:
        """Names that nobody bears any more."""
        # Not deleted, as a number that came back with another name would be taken for the former one.
        self._db.execute("UPDATE speaker SET name = '#' || id WHERE id <> 1 AND id NOT IN (SELECT speaker FROM memory)")
        self._delete("episode", "id NOT IN (SELECT episode FROM memory WHERE episode IS NOT NULL)", ())

    def _settle(self) -> None:
        """Say so in the journal, and to who keeps a copy in memory; what these replaced may hold again."""
        changes.append(self._db, self.seqs)
        self._db.execute("DELETE FROM change")  # who keeps a copy in memory finds a gap, and loads afresh
        if "journal" in self._tables:
            journal.append(self._db, self._now, [(journal.FORGET, seq, {}) for seq in self._living])
            journal.append(self._db, self._now, [(journal.PURGE, seq, {}) for seq in self.seqs])
        if "version" in self._tables and self._living:
            versions.settle(self._db, self._living, self._now)

    def _delete(self, table: str, condition: str, values: tuple[object, ...] | None = None) -> None:
        given = (self._these,) * condition.count("?") if values is None else values
        done = self._db.execute(f"DELETE FROM {table} WHERE {condition}", given)
        self.rows[table] = self.rows.get(table, 0) + done.rowcount


_LIST = "SELECT value FROM json_each(?)"
# The file that a memory or saying came from, where memd reads that by itself.
_PATH = (
    "(SELECT coalesce(nullif({0}.source ->> 'path', ''), {0}.source ->> 'session', '-')"
    " WHERE {0}.source ->> 'via' IN ('" + "', '".join(_WATCHED) + "'))"
)


def _runs(texts: Iterable[str], length: int) -> set[tuple[str, ...]]:
    """By which what quotes one of these texts is known: every run of so many words, or all of a shorter text."""
    found = set()
    for text in texts:
        words = _WORDS.findall(text.casefold())
        found |= {tuple(words[i : i + length]) for i in range(max(1, len(words) - length + 1))}
    return found - {()}


def _meet(first: int | None, last: int | None, begin: int | None, end: int | None) -> bool:
    """Whether two ranges of lines have one in common."""
    if first is None or begin is None:
        return False
    return first <= (begin if end is None else end) and begin <= (first if last is None else last)


def _is_part(what: str, detail: str, kind: str, text: str) -> bool:
    """Whether an event is one of those that a text tells of: a command that failed, an edited file."""
    shortest = 4
    if kind == "command" and len(what) >= shortest and what.casefold() in text:
        return True
    lines = [line.strip().casefold() for line in detail.splitlines()]
    return any(len(line) >= LEAST and line in text for line in lines)


# --- what isn't taken in again -----------------------------------------------------------------------


def shunned(db: sqlite3.Connection, scope: int, digest: bytes) -> int | None:
    """What is left (by seq) of the memory that had the text of this digest, was purged, and isn't to be read again."""
    if db.execute("SELECT 1 FROM shunned LIMIT 1").fetchone() is None:
        return None
    row = db.execute("SELECT memory FROM shunned WHERE scope = ? AND mark = ?", (scope, _mark(db, digest))).fetchone()
    return int(row[0]) if row else None


def welcome(db: sqlite3.Connection, scope: int, digest: bytes) -> None:
    """The user gave the text anew: it is like any other from now on."""
    if db.execute("SELECT 1 FROM shunned LIMIT 1").fetchone() is not None:
        db.execute("DELETE FROM shunned WHERE scope = ? AND mark = ?", (scope, _mark(db, digest)))


def shunned_in(db: sqlite3.Connection, scope: int, path: str, digests: Collection[bytes]) -> None:
    """A file was read: keep the marks of those texts that it has, and drop those that it had before."""
    if db.execute("SELECT 1 FROM shunned LIMIT 1").fetchone() is None:
        return
    marks = {_mark(db, digest) for digest in digests}
    for (mark,) in db.execute("SELECT mark FROM shunned WHERE scope = ? AND path = ?", (scope, path)).fetchall():
        if mark not in marks:
            db.execute("DELETE FROM shunned WHERE scope = ? AND mark = ?", (scope, mark))
    for mark in marks:
        db.execute("UPDATE shunned SET path = ? WHERE scope = ? AND mark = ?", (path, scope, mark))


def _mark(db: sqlite3.Connection, digest: bytes) -> bytes:
    """A text's hash with the store's own key: who has the store can test a guess with it, who hasn't can't."""
    key = meta.get(db, "shunning")
    if key is None:
        key = os.urandom(32).hex()
        meta.put(db, "shunning", key)
    return hashlib.blake2b(digest, digest_size=16, key=bytes.fromhex(key)).digest()
