"""Salvaged rows into the tables of a new store, and what is to be said of those that are lost.

A memory whose text isn't the one that its digest was made of is lost. Of every lost memory that anything still tells
of, its place is kept, so that what it replaced doesn't hold again. Rows that speak of what is lost are refused, but for
names, which can be told otherwise or made up.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from memd.store import erasing, ids, journal, sound
from memd.store.journal import Row
from memd.store.pages import Value
from memd.store.salvage import IDS, Salvage, Shape

# What is made anew from the texts, or says nothing any more.
DERIVED = frozenset({
    "passage", "passage_fts", "vector", "token_code", "entity", "mention", "change", "encoder", "gist", "gist_member",
    "gist_quote", "ungisted", "purging", "_sqlite_migrations", "sqlite_sequence", "sqlite_master",
})  # fmt: skip
# The indexes that have all of a row, should the row be lost.
_TWICE = {
    "scope": "sqlite_autoindex_scope_1", "episode": "sqlite_autoindex_episode_1",
    "speaker": "sqlite_autoindex_speaker_1", "tag": "tag_memory",
}  # fmt: skip
LOST_SCOPE = "/lost+found/{}"
_ORDINARY = ("scope", "speaker")  # tables that the migrations put a first row into


class Refilling:
    """Fills the tables of a new store of the salvaged one's format, within one transaction.

    Args:
        db: the new store, empty, foreign keys off.
        salvage: what there is.
        now_ms: the time of the repair.

    Attributes:
        refused: rows that were read and couldn't be used, by table.
        from_backup: rows that a backup gave, by table.
        lost: ids of lost memories, by seq, with when they were recorded (milliseconds since 1970; None: not known).
        journal: what became of the journal, in words.
        missing: ranges of entries that the journal lost.
    """

    def __init__(self, db: sqlite3.Connection, salvage: Salvage, now_ms: int) -> None:
        self._db = db
        self._salvage = salvage
        self._now = now_ms
        self.refused: Counter[str] = Counter()
        self.from_backup: Counter[str] = Counter()
        self.lost: dict[int, tuple[str, int | None]] = {}
        self.journal: list[str] = []
        self.missing: list[tuple[int, int]] = []
        self._blanked: list[int] = []
        self._last_entry = 0
        self._ids: dict[int, str] = {}
        self._suspected: dict[int, str] = {}
        self._indexed = self._index_of_ids()
        self._told: dict[str, dict[int, Any]] = {}

    def run(self, backup: sqlite3.Connection | None) -> None:
        """Put in what there is, then from the backup what is lost, then places for the rest."""
        if self._is_table("journal"):
            self._fill_journal()
            self._read_told()
        for table, shape in self._salvage.shapes.items():
            if self._salvage.is_table(table) and table not in DERIVED and table != "journal":
                self._fill(table, shape)
        self._names_from_indexes()
        self._read_ids()
        if backup is not None:
            self._take_from(backup)
        self._note_gaps()
        self._keep_places()
        self._drop_strays()
        self._settle_versions()

    def _is_table(self, name: str) -> bool:
        row = self._db.execute("SELECT type FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        return row is not None and row[0] == "table"

    # --- rows -----------------------------------------------------------------------------------------

    def _fill(self, table: str, shape: Shape) -> None:
        self._empty(table)
        by_number = shape.alias is None and not shape.by_key
        columns = (*shape.columns, "rowid") if by_number else shape.columns
        put = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        for rowid, values in self._salvage.rows(table):
            row = dict(zip(shape.columns, values, strict=True))
            if table == "meta" and row["key"] == "encoder":
                continue  # the vectors are made anew
            if not self._is_sound(table, row):
                self.refused[table] += 1
                continue
            if table == "memory":
                self._mend(row)
            try:
                self._db.execute(put, (*row.values(), rowid) if by_number else tuple(row.values()))
            except sqlite3.IntegrityError:
                self.refused[table] += 1

    def _empty(self, table: str) -> None:
        """Take out what migrations and triggers put in; row 1 of a few tables stays unless there is another."""
        if table not in _ORDINARY:
            self._db.execute(f"DELETE FROM {table}")

    def _is_sound(self, table: str, row: Mapping[str, Value]) -> bool:
        if table == "memory":
            text, digest, seq = row["text"], row["digest"], row["seq"]
            if text != "" and (not isinstance(text, str) or _digest(text) != digest):
                if isinstance(seq, int) and isinstance(row["id"], str):
                    self._suspected[seq] = row["id"]
                return False
            return True
        return sound.is_sound(table, row)

    def _mend(self, row: dict[str, Value]) -> None:
        """Put right what else is told of a memory: its number and source by the journal, its times by its id."""
        digest = row["digest"].hex() if isinstance(row["digest"], bytes) else ""
        told = self._told.get(digest, {})
        if told and row["seq"] not in told:
            row["seq"] = min(told)
        if not sound.is_source(row["source"]):
            row["source"] = json.dumps(next((its for seq, its in told.items() if seq == row["seq"]), {}))
        if not sound.is_kind(row["kind"]):
            row["kind"] = "note"
        if not sound.is_time(row["recorded_at"]):
            row["recorded_at"] = ids.time_of(str(row["id"])) or self._now
        if not sound.is_time(row["said_at"]):
            row["said_at"] = row["recorded_at"]
        for name in ("event_at", "superseded_at"):
            if not sound.is_time(row.get(name, 0)):
                row[name] = None
        if row["forgotten_at"] is not None and not sound.is_time(row["forgotten_at"]):
            row["forgotten_at"] = self._now

    def _read_told(self) -> None:
        """What the journal says of texts: of which memory (by seq) each digest is, and where that came from."""
        if not self._is_table("journal"):
            return
        rows = self._db.execute(
            "SELECT memory, payload FROM journal WHERE op IN ('remember', 'ingest', 'found') AND payload IS NOT NULL"
        )
        for seq, payload in rows:
            said = json.loads(payload)
            self._told.setdefault(said.get("text", ""), {})[seq] = said.get("source", {})

    def _names_from_indexes(self) -> None:
        """Rows that are lost, and whose index has all of them."""
        for table, index in _TWICE.items():
            if (shape := self._salvage.shapes.get(index)) is None:
                continue
            columns = ["id" if column == "rowid" else column for column in shape.columns]
            put = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
            for _, values in self._salvage.rows(index):
                try:
                    self._db.execute(put, values)
                except sqlite3.IntegrityError:
                    self.refused[index] += 1

    def _index_of_ids(self) -> dict[str, int]:
        if IDS not in self._salvage.shapes:
            return {}
        rows = (values for _, values in self._salvage.rows(IDS))
        return {id_: seq for id_, seq, *_ in rows if isinstance(id_, str) and isinstance(seq, int)}

    def _read_ids(self) -> None:
        """The ids that memories had, by seq: of those that are there, and as far as anything tells, of the others."""
        self._ids = {**self._suspected, **{seq: id_ for id_, seq in self._indexed.items()}}
        rows = self._db.execute("SELECT seq, id, recorded_at FROM memory").fetchall()
        for seq, id_, at in rows:  # nothing else tells of a flipped bit in one
            other = self._ids.get(seq, id_)
            if other != id_ and ids.is_of(other, at) and not ids.is_of(id_, at):
                self._db.execute("UPDATE OR IGNORE memory SET id = ? WHERE seq = ?", (other, seq))
            self._ids[seq] = id_

    # --- the journal ------------------------------------------------------------------------------------

    def _fill_journal(self) -> None:
        """Entries that hold, in their order. What isn't what its hash says is blanked, or is lost."""
        entries: dict[int, Row] = {}
        for _, values in self._salvage.rows("journal"):
            row = Row(*values)  # type: ignore[arg-type]
            if sound.is_time(row.at):
                entries.setdefault(row.seq, row)
        self._put_entries(_chained(entries))
        for _, (name, number, *_) in self._salvage.rows("sqlite_sequence"):
            if name == "journal" and isinstance(number, int):
                self._last_entry = max(self._last_entry, number)

    def _put_entries(self, entries: Iterable[Row]) -> None:
        for row in entries:
            blank = row.payload is not None and journal.sum_of(row.payload) != row.sum
            if blank:
                self._blanked.append(row.seq)
            kept = row._replace(payload=None) if blank else row
            self._db.execute("INSERT OR IGNORE INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", kept)

    def _note_gaps(self) -> None:
        before = 0
        if not self._is_table("journal"):
            return
        for (seq,) in self._db.execute("SELECT seq FROM journal ORDER BY seq"):
            if seq > before + 1:
                self.missing.append((before + 1, seq - 1))
            before = seq
        if self._last_entry > before:
            self.missing.append((before + 1, self._last_entry))
        self._last_entry = max(self._last_entry, before)
        for first, last in self.missing:
            told = f"entry {first} is lost" if first == last else f"entries {first} to {last} are lost"
            self.journal.append(f"{told.capitalize()}; the chain begins a new segment after it.")
        if self._blanked:
            self.journal.append(f"What {len(self._blanked)} entries say can't be read; the chain holds across them.")

    @property
    def last_entry(self) -> int:
        """The number of the last entry that the journal ever had, as far as is known."""
        return self._last_entry

    # --- what is lost -----------------------------------------------------------------------------------

    def _take_from(self, backup: sqlite3.Connection) -> None:
        """Memories that aren't there, with what belongs to them, the names that they need, and journal entries."""
        there = {row[0] for row in self._db.execute("SELECT seq FROM memory")}
        rows = backup.execute("SELECT seq, id, text, digest FROM memory ORDER BY seq").fetchall()
        taken = [
            seq for seq, id_, text, digest in rows
            if seq not in there and self._ids.get(seq, id_) == id_ and (text == "" or _digest(text) == digest)
        ]  # fmt: skip
        these = json.dumps(taken)
        self._copy(backup, "memory", f"seq IN ({_LIST})", these)
        self._db.execute(f"DELETE FROM unchecked WHERE memory IN ({_LIST})", (these,)) if self._is_table(
            "unchecked"
        ) else 0
        for table, columns in {**erasing.BY_MEMORY, "life": ("memory",), "version": ("old", "new")}.items():
            if table not in DERIVED and self._is_table(table):
                everyones = json.dumps([row[0] for row in rows]) if self._salvage.may_lack(table) else these
                self._copy(backup, table, " OR ".join(f"{column} IN ({_LIST})" for column in columns), everyones)
        for table in ("scope", "episode", "speaker", "session"):
            self._copy_missing(backup, table)
        if self._is_table("journal") and _has(backup, "journal"):
            self._copy_entries(backup)

    def _copy(self, backup: sqlite3.Connection, table: str, condition: str, these: str) -> None:
        if not _has(backup, table):
            return
        columns = [name for name in _columns(backup, table) if name in _columns(self._db, table)]
        before = self._db.total_changes
        rows = backup.execute(
            f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}", (these,) * condition.count("?")
        )
        marks = ", ".join("?" * len(columns))
        put = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        if table == "saying":  # it has no key
            names = ", ".join(columns)
            put = f"INSERT INTO {table} ({names}) SELECT {marks} EXCEPT SELECT {names} FROM {table}"
        count = self._db.executemany(put, rows.fetchall()).rowcount
        self.from_backup[table] += max(count, 0) if before != self._db.total_changes else 0

    def _copy_missing(self, backup: sqlite3.Connection, table: str) -> None:
        """Rows of names whose number isn't there."""
        if self._is_table(table) and _has(backup, table):
            there = json.dumps([row[0] for row in self._db.execute(f"SELECT id FROM {table}")])
            self._copy(backup, table, f"id NOT IN ({_LIST})", there)

    def _copy_entries(self, backup: sqlite3.Connection) -> None:
        """Entries that are lost, where the chain across them holds."""
        entries = {row[0]: Row(*row) for row in backup.execute("SELECT * FROM journal")}
        mine = {row[0]: Row(*row) for row in self._db.execute("SELECT * FROM journal")}
        fresh = {seq for seq in entries if seq not in mine and seq <= max(self._last_entry, *mine, 0)}
        both = _chained({**{seq: entries[seq] for seq in fresh}, **mine})
        kept = {row.seq for row in both}
        if kept >= mine.keys():  # else the backup's are of another history
            self._put_entries(row for row in both if row.seq in fresh)
            self.from_backup["journal"] += len(fresh & kept)
        for seq in self._blanked:
            row = entries.get(seq)
            if row is not None and row.payload is not None and row.link == mine[seq].link:
                self._blanked = [one for one in self._blanked if one != seq]
                self._replace_entry(row)

    def _replace_entry(self, row: Row) -> None:
        triggers = self._db.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'"
        )
        kept = triggers.fetchall()
        for name, _ in kept:
            self._db.execute(f"DROP TRIGGER {name}")
        self._db.execute("UPDATE journal SET payload = ? WHERE seq = ?", (row.payload, row.seq))
        for _, sql in kept:
            self._db.execute(sql)

    def _keep_places(self) -> None:
        """A place for each memory that anything tells of and that isn't there."""
        there = {row[0] for row in self._db.execute("SELECT seq FROM memory")}
        told: set[int] = set(self._ids)
        for table, columns in self._naming_memories():
            for column in columns:
                rows = self._db.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
                told.update(row[0] for row in rows)
        written = self._written()
        maker = ids.IdMaker()
        columns = _columns(self._db, "memory")
        gone = self._gone_before()
        for seq in sorted(told - there):
            at, why = written.get(seq), gone.get(seq, ("lost", self._now))
            id_ = self._ids.get(seq) or ""
            while not id_ or self._db.execute("SELECT 1 FROM memory WHERE id = ?", (id_,)).fetchone():
                id_ = maker.make(at or self._now)  # it isn't known, or another memory has it after a flipped bit
            if seq not in gone:
                self.lost[seq] = (id_ if id_ == self._ids.get(seq) else "", at)
            row: dict[str, Any] = {
                "seq": seq, "id": id_, "text": "", "digest": secrets.token_bytes(16), "kind": why[0], "scope": 1,
                "source": "{}", "recorded_at": at or self._now, "speaker": 1, "asks": 0, "said_at": at or self._now,
                "forgotten_at": why[1], "purged_at": why[1],
            }  # fmt: skip
            row = {name: value for name, value in row.items() if name in columns}
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            self._db.execute(f"INSERT OR IGNORE INTO memory ({names}) VALUES ({marks})", list(row.values()))

    def _gone_before(self) -> dict[int, tuple[str, int]]:
        """Memories that the journal says were purged, or lost before: which of both, and when."""
        if not self._is_table("journal"):
            return {}
        rows = self._db.execute(
            "SELECT memory, op, at FROM journal WHERE op IN (?, ?) AND memory IS NOT NULL",
            (journal.PURGE, journal.LOST),
        )
        return {memory: ("purged" if op == journal.PURGE else "lost", at) for memory, op, at in rows}

    def _naming_memories(self) -> list[tuple[str, list[str]]]:
        """Tables, and their columns that name memories."""
        found = [("journal", ["memory"])] if self._is_table("journal") else []
        for (table,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = self._db.execute(f"PRAGMA foreign_key_list('{table}')").fetchall()
            if table not in DERIVED and (columns := [row[3] for row in rows if row[2] == "memory"]):
                found.append((table, columns))
        return found

    def _written(self) -> dict[int, int]:
        """When memories were stored, by the journal."""
        if not self._is_table("journal"):
            return {}
        rows = self._db.execute(
            "SELECT memory, min(at) FROM journal WHERE op IN ('remember', 'ingest', 'found') GROUP BY memory"
        )
        return dict(rows.fetchall())

    # --- what speaks of it ------------------------------------------------------------------------------

    def _drop_strays(self) -> None:
        """Rows that name what isn't there: names are made up, the rest goes."""
        self._db.execute(
            "INSERT OR IGNORE INTO scope (id, path) SELECT DISTINCT scope, replace(?, '{}', scope) FROM memory"
            " WHERE scope NOT IN (SELECT id FROM scope)",
            (LOST_SCOPE,),
        )
        self._db.execute(
            "INSERT OR IGNORE INTO episode (id, scope, key) SELECT episode, min(scope), 'lost-' || episode FROM memory"
            " WHERE episode NOT IN (SELECT id FROM episode) GROUP BY episode"
        )
        self._db.execute("UPDATE memory SET speaker = 1 WHERE speaker NOT IN (SELECT id FROM speaker)")
        if self._is_table("life"):
            self._db.execute("INSERT OR IGNORE INTO life (memory) SELECT seq FROM memory")
        while self._drop_round():
            pass

    def _drop_round(self) -> bool:
        dropped = False
        for (table,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table in DERIVED:
                continue
            for row in self._db.execute(f"PRAGMA foreign_key_list('{table}')").fetchall():
                target, column, key = row[2], row[3], row[4] or "id"
                count = self._db.execute(
                    f"DELETE FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT {key} FROM {target})"
                ).rowcount
                self.refused[table] += count
                dropped = dropped or count > 0
        return dropped

    def _settle_versions(self) -> None:
        """Who replaced whom is told by the journal too; a memory counts as superseded where that is known."""
        if not self._is_table("version"):
            return
        if self._is_table("journal"):
            self._db.execute(
                "INSERT OR IGNORE INTO version (old, new, at, until, why)"
                " SELECT j.memory, m.seq, j.at, coalesce(m.event_at, j.at), '' FROM journal AS j"
                " JOIN memory AS o ON o.seq = j.memory JOIN memory AS m ON m.id = j.payload ->> 'by'"
                " WHERE j.op = 'supersede' AND NOT EXISTS (SELECT 1 FROM journal AS r WHERE r.memory = j.memory"
                "  AND r.op = 'release' AND r.seq > j.seq)"
            )
        stale = self._db.execute(
            "SELECT seq, (SELECT max(v.at) FROM version AS v JOIN memory AS n ON n.seq = v.new WHERE v.old = m.seq"
            "  AND (n.forgotten_at IS NULL OR n.superseded_at IS NOT NULL)) AS since FROM memory AS m"
            " WHERE (superseded_at IS NULL) <> (since IS NULL)"
        ).fetchall()
        for seq, since in stale:
            try:
                self._db.execute("UPDATE memory SET superseded_at = ? WHERE seq = ?", (since, seq))
            except sqlite3.IntegrityError:  # its text was remembered anew, and that one holds
                self._db.execute(
                    "UPDATE memory SET superseded_at = NULL, forgotten_at = ? WHERE seq = ?", (self._now, seq)
                )


_LIST = "SELECT value FROM json_each(?)"


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _chained(entries: Mapping[int, Row]) -> list[Row]:
    """Those that hold: each follows from the one before, or begins a segment, and is what the one after it says."""
    found: list[Row] = []
    for seq in sorted(entries):
        row = entries[seq]
        before = entries.get(seq - 1)
        if before is not None or seq == 1:
            link = before.link if before is not None else b""
            if journal.chained(link, row.seq, row.at, row.op, row.memory, row.sum) != row.link:
                after = entries.get(seq + 1)
                goes_on = after is not None and (
                    journal.chained(row.link, after.seq, after.at, after.op, after.memory, after.sum) == after.link
                )
                if not goes_on:  # else the one before it is what was damaged
                    continue
                if found and found[-1].seq == seq - 1:
                    found.pop()
        found.append(row)
    return found


def _has(db: sqlite3.Connection, table: str) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = ? AND type = 'table'", (table,)).fetchone() is not None


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
