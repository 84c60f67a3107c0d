"""Memories: written once, read back as they were given, forgotten and restored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.errors import Ambiguous, BadInput, Conflict, NotFound
from memd.model import Remembered, Source, StoredMemory
from memd.store import changes, episodes, erasing, gists, ids, journal, passages, scopes, vectors, versions
from memd.store.drafts import Draft
from memd.store.entities import Mentions
from memd.store.ids import IdMaker
from memd.store.validation import TAGS

AT_ONCE = 128 << 20  # characters of all texts that are read together; one has at most half as many
AMBIGUOUS_SHOWN = 5

_decode_source = msgspec.json.Decoder(Source).decode

# The + keeps SQLite from counting by the index on encoder, through the passages of all memories.
_COLUMNS = """
SELECT m.seq, m.id, m.text, m.kind, s.path, m.source, m.recorded_at, m.event_at, e.key, m.position, m.said,
    m.said_at, m.forgotten_at,
    (SELECT json_group_array(name) FROM tag WHERE tag.memory = m.seq),
    (SELECT count(*) FROM passage AS p WHERE p.memory = m.seq),
    (SELECT count(*) FROM passage AS p WHERE p.memory = m.seq AND +p.encoder = :encoder),
    m.superseded_at IS NOT NULL,
    (SELECT json_group_array(o.id ORDER BY v.at, v.old) FROM version AS v JOIN memory AS o ON o.seq = v.old
        WHERE v.new = m.seq),
    (SELECT json_group_array(o.id ORDER BY o.seq) FROM conflict AS c JOIN memory AS o ON o.seq = c.one + c.other - m.seq
        WHERE (c.one = m.seq OR c.other = m.seq) AND c.settled_at IS NULL AND o.forgotten_at IS NULL
        AND o.superseded_at IS NULL AND m.forgotten_at IS NULL AND m.superseded_at IS NULL),
    m.purged_at
FROM memory AS m JOIN scope AS s ON s.id = m.scope LEFT JOIN episode AS e ON e.id = m.episode
"""


class Writer:
    """Writes drafts within one transaction: memory, tags, passages, words, mentions, the note of the change.

    Args:
        db: a connection inside a write transaction.
        make_id: makes the ids.
        now_ms: recorded and said time of everything written.

    Attributes:
        now_ms: as given.
        written: the new memories so far (by seq).
        restated: what was said again so far: the memory (by seq), and from where, as JSON.
    """

    def __init__(self, db: sqlite3.Connection, make_id: IdMaker, now_ms: int) -> None:
        self._db = db
        self._make_id = make_id
        self.now_ms = now_ms
        self._words = passages.Words(db)
        self._mentions = Mentions(db)
        self._scopes: dict[str, int] = {}
        self._speakers: dict[str, int] = {}
        self.written: list[int] = []
        self.restated: list[tuple[int, str]] = []
        self._changed: list[int] = []
        self._entries: list[journal.Entry] = []

    def write(self, draft: Draft, *, restate: bool) -> Remembered:
        """Store `draft`; where its scope has the text already, note that it was said again (if `restate`).

        Without `restate`, what was forgotten stays forgotten, and what was superseded stays superseded.
        """
        scope = self._scope(draft.scope)
        row = self._db.execute(
            "SELECT seq, id, (SELECT count(*) FROM passage WHERE memory = seq) FROM memory"
            " WHERE scope = ? AND digest = ? AND forgotten_at IS NULL AND superseded_at IS NULL",
            (scope, draft.digest),
        ).fetchone()
        if row is None and not restate:
            row = self._past(draft, scope) or self._shunned(draft, scope)
        elif row is None:
            erasing.welcome(self._db, scope, draft.digest)
        if row is None:
            done, seq = self._insert(draft, scope)
            self._note("remember" if restate else "ingest", seq, draft)
            return done
        if restate:
            self._say_again(row[0], draft)
        return Remembered(id=row[1], again=True, passages=row[2], redacted=draft.redacted)

    def _past(self, draft: Draft, scope: int) -> tuple[int, str, int] | None:
        """The last one forgotten or superseded that had this text.

        Reading its file again doesn't bring it back, the user's word does.
        """
        row: tuple[int, str, int] | None = self._db.execute(
            "SELECT seq, id, (SELECT count(*) FROM passage WHERE memory = seq) FROM memory"
            " WHERE scope = ? AND digest = ? AND (forgotten_at IS NOT NULL OR superseded_at IS NOT NULL)"
            " ORDER BY seq DESC LIMIT 1",
            (scope, draft.digest),
        ).fetchone()
        return row

    def _shunned(self, draft: Draft, scope: int) -> tuple[int, str, int] | None:
        """What is left of a memory that had this text and was purged: its file is read again, and still has it."""
        seq = erasing.shunned(self._db, scope, draft.digest)
        return None if seq is None else (seq, ids_of(self._db, [seq])[seq], 0)

    def finish(self) -> None:
        """Write the words of what was written, once all neighbours are known, and note the changes."""
        self._words.put(self.written)
        journal.append(self._db, self.now_ms, self._entries)
        changes.append(self._db, self._changed)

    def _note(self, op: str, seq: int, draft: Draft) -> None:
        said: dict[str, object] = {"text": draft.digest.hex(), "source": msgspec.Raw(draft.source.encode())}
        if draft.tags:
            said["tags"] = list(draft.tags)
        if op != journal.AGAIN:
            said["about"] = [draft.kind, draft.scope, draft.event_at]
            if draft.pinned:
                said["pinned"] = True
        self._entries.append((op, seq, said))

    def _insert(self, draft: Draft, scope: int) -> tuple[Remembered, int]:
        episode = position = None
        if draft.episode is not None:
            episode = episodes.ensure(self._db, scope, draft.episode)
            position = episodes.next_position(self._db, episode) if draft.position is None else draft.position
        seq, new_id = self._insert_row(draft, scope, episode, position)
        self._db.execute(
            "INSERT INTO life (memory, importance, pinned) VALUES (?, ?, ?)", (seq, draft.importance, draft.pinned)
        )
        add_tags(self._db, seq, draft.tags)
        spans = passages.insert(self._db, seq, draft.spans)
        for span, entities in zip(spans, draft.entities, strict=True):
            self._mentions.put(span.id, entities)
        self._words.know(seq, draft.text, scope, spans)
        self.written.append(seq)
        self._changed.append(seq)
        return Remembered(id=new_id, again=False, passages=len(spans), redacted=draft.redacted), seq

    def _insert_row(self, draft: Draft, scope: int, episode: int | None, position: int | None) -> tuple[int, str]:
        """The new row's seq and id. An id that another process hit upon in the same millisecond is made anew."""
        now = self.now_ms
        place = (episode, position, self._speaker(draft.speaker), draft.asks)
        about = (draft.text, draft.digest, draft.kind, scope, draft.source, now, draft.event_at, *place, now)
        while True:
            new_id = self._make_id.make(now)
            cursor = self._db.execute(
                "INSERT INTO memory (id, text, digest, kind, scope, source, recorded_at, event_at,"
                " episode, position, speaker, asks, said_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (new_id, *about),
            )
            if cursor.rowcount == 1:
                return int(cursor.lastrowid), new_id

    def _say_again(self, seq: int, draft: Draft) -> None:
        self._db.execute("UPDATE memory SET said = said + 1, said_at = ? WHERE seq = ?", (self.now_ms, seq))
        self._db.execute(
            "INSERT INTO saying (memory, said_at, event_at, source) VALUES (?, ?, ?, ?)",
            (seq, self.now_ms, draft.event_at, draft.source),
        )
        add_tags(self._db, seq, draft.tags)
        self.restated.append((seq, draft.source))
        self._changed.append(seq)
        self._note(journal.AGAIN, seq, draft)

    def _speaker(self, name: str) -> int:
        if name not in self._speakers:
            self._db.execute("INSERT INTO speaker (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            row = self._db.execute("SELECT id FROM speaker WHERE name = ?", (name,)).fetchone()
            self._speakers[name] = int(row[0])
        return self._speakers[name]

    def _scope(self, path: str) -> int:
        if path not in self._scopes:
            self._scopes[path] = scopes.ensure(self._db, path)
        return self._scopes[path]


def fetch(db: sqlite3.Connection, seqs: Iterable[int]) -> list[StoredMemory]:
    """The memories with these `seq`, in that order; what isn't there is left out.

    Raises:
        BadInput: their texts are longer than `AT_ONCE` together.
    """
    order = list(seqs)
    rows = db.execute(
        _COLUMNS + "WHERE m.seq IN (SELECT value FROM json_each(:seqs))",
        {"seqs": json.dumps(order), "encoder": vectors.current(db)},
    )
    found, size = {}, 0
    for row in rows:
        found[row[0]] = memory = _stored(db, row)
        size += len(memory.text)
        if size > AT_ONCE:
            raise too_long()
    return [found[seq] for seq in order if seq in found]


def too_long() -> BadInput:
    """The error for texts that are longer than `AT_ONCE` together."""
    return BadInput(f"These texts are longer than {AT_ONCE >> 20} MiB together; ask for fewer at a time.")


def ids_of(db: sqlite3.Connection, seqs: Sequence[int]) -> dict[int, str]:
    """The public ids of memories."""
    these = json.dumps(list(seqs))
    return dict(
        db.execute("SELECT seq, id FROM memory WHERE seq IN (SELECT value FROM json_each(?))", (these,)).fetchall()
    )


def resolve(db: sqlite3.Connection, prefix: str, *, purged: bool = False) -> int:
    """The `seq` of the one memory, living or forgotten, whose id begins with `prefix` (letter case ignored).

    Args:
        purged: also one of which nothing is left but its place.

    Raises:
        NotFound, Ambiguous: none has, or several have.
        BadInput: the prefix is empty.
    """
    if not isinstance(prefix, str) or not (wanted := ids.normalize(prefix)):
        raise BadInput("The id is empty.", "'memd list' shows the ids.")
    rows = []
    if wanted.isascii():
        rows = db.execute(
            "SELECT seq, id, purged_at FROM memory WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (wanted, wanted + "\x7f", AMBIGUOUS_SHOWN + 1),
        ).fetchall()
    if not rows:
        if (gist := gists.id_of(db, prefix)) is not None:
            raise NotFound(f"{gist} is a gist, which is as its members are.", f"'memd show {gist}' lists them.")
        raise NotFound(f"No memory has an id that begins with {prefix.strip()!r}.", "'memd list' shows the ids.")
    if len(rows) > 1:
        shown = ", ".join(row[1] for row in rows[:AMBIGUOUS_SHOWN]) + (", …" if len(rows) > AMBIGUOUS_SHOWN else "")
        raise Ambiguous(
            f"Several memories have an id that begins with {prefix.strip()!r}: {shown}.", "Give more of the id."
        )
    if rows[0][2] is not None and not purged:
        if _is_lost(db, rows[0][0]):
            raise NotFound(
                f"{rows[0][1]} was lost in a damage of the store.", "If a backup has it: memd repair --with BACKUP"
            )
        raise NotFound(
            f"{rows[0][1]} was purged on {from_ms(rows[0][2]):%Y-%m-%d}: nothing of it is left.",
            f"'memd history {rows[0][1]}' shows what it replaced and what replaced it.",
        )
    return int(rows[0][0])


def _is_lost(db: sqlite3.Connection, seq: int) -> bool:
    return bool(db.execute("SELECT kind = 'lost' FROM memory WHERE seq = ?", (seq,)).fetchone()[0])


def resolve_all(db: sqlite3.Connection, prefixes: Sequence[str]) -> list[int]:
    """`resolve` for each, repeated ones once."""
    if isinstance(prefixes, str):
        raise BadInput("Ids must be given as a list.")
    return list(dict.fromkeys(resolve(db, prefix) for prefix in prefixes))


def forget(db: sqlite3.Connection, seqs: Sequence[int], now_ms: int) -> None:
    """Take memories out of sight: text, vectors and mentions stay for `restore`, words and candidate bits go."""
    gone = [seq for seq in seqs if _forgotten_at(db, seq) is None]
    db.executemany("UPDATE memory SET forgotten_at = ? WHERE seq = ?", [(now_ms, seq) for seq in gone])
    passages.Words(db).take_out(gone)
    vectors.hide(db, gone)
    changes.append(db, gone)
    journal.append(db, now_ms, [(journal.FORGET, seq, {}) for seq in gone])
    versions.settle(db, gone, now_ms)


def restore(db: sqlite3.Connection, seqs: Sequence[int], now_ms: int) -> None:
    """Undo `forget`.

    Raises:
        Conflict: the same text was said again in its scope since; the living one stands for it.
    """
    back = [seq for seq in seqs if _forgotten_at(db, seq) is not None]
    for seq in back:
        row = db.execute(
            "SELECT gone.id, alive.id FROM memory AS gone JOIN memory AS alive ON alive.scope = gone.scope"
            " AND alive.digest = gone.digest AND alive.forgotten_at IS NULL AND alive.superseded_at IS NULL"
            " WHERE gone.seq = ? AND gone.superseded_at IS NULL",
            (seq,),
        ).fetchone()
        if row:
            raise Conflict(
                f"{row[0]} can't be restored: the same text is there as {row[1]}.", f"See it with 'memd show {row[1]}'."
            )
        db.execute("UPDATE memory SET forgotten_at = NULL WHERE seq = ?", (seq,))
    passages.Words(db).put(back)
    vectors.unhide(db, back)
    changes.append(db, back)
    journal.append(db, now_ms, [(journal.RESTORE, seq, {}) for seq in back])
    versions.settle(db, back, now_ms)


def retag(db: sqlite3.Connection, seqs: Sequence[int], add: Sequence[str], remove: Sequence[str], now_ms: int) -> None:
    """Add and remove tags (already lower-case).

    Raises:
        BadInput: one would come to have more than `TAGS`, which nothing that replaces it could inherit.
    """
    for seq in seqs:
        before = _tag_count(db, seq)
        add_tags(db, seq, add)
        db.executemany("DELETE FROM tag WHERE name = ? AND memory = ?", [(name, seq) for name in remove])
        if _tag_count(db, seq) > max(before, TAGS):
            raise BadInput(f"A memory takes at most {TAGS} tags.", "Remove some of its tags first.")
    changes.append(db, seqs)
    journal.append(db, now_ms, [(journal.TAG, seq, {"add": list(add), "remove": list(remove)}) for seq in seqs])


def _tag_count(db: sqlite3.Connection, seq: int) -> int:
    return int(db.execute("SELECT count(*) FROM tag WHERE memory = ?", (seq,)).fetchone()[0])


def add_tags(db: sqlite3.Connection, seq: int, names: Iterable[str]) -> None:
    """Add tags that aren't there yet."""
    db.executemany("INSERT OR IGNORE INTO tag (name, memory) VALUES (?, ?)", [(name, seq) for name in names])


def _forgotten_at(db: sqlite3.Connection, seq: int) -> int | None:
    row = db.execute("SELECT forgotten_at FROM memory WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else row[0]


def _names(array: str) -> list[str]:
    """A JSON array of names; mostly there are none, and then there is nothing to read."""
    return [] if array == "[]" else json.loads(array)


def _stored(db: sqlite3.Connection, row: tuple) -> StoredMemory:  # type: ignore[type-arg]
    stands = versions.stands_for(db, row[0]) if row[16] else None
    return StoredMemory(
        id=row[1],
        text=row[2],
        kind=row[3],
        scope=row[4],
        source=_decode_source(row[5]),
        recorded_at=from_ms(row[6]),
        event_at=None if row[7] is None else from_ms(row[7]),
        episode=row[8],
        position=row[9],
        said=row[10],
        said_at=from_ms(row[11]),
        forgotten_at=None if row[12] is None else from_ms(row[12]),
        tags=tuple(sorted(_names(row[13]))),
        passages=row[14],
        encoded=row[15],
        superseded_by=stands[0] if stands else None,
        until=from_ms(stands[1]) if stands else None,
        supersedes=tuple(_names(row[17])),
        conflicts=tuple(_names(row[18])),
        purged_at=None if row[19] is None else from_ms(row[19]),
    )
