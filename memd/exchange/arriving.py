"""Memories as they come in: known by their id or their text, else new, with all that their line says of them.

Which memory here is the one of a line:

1. the one that an earlier import stored for it, or that has its id and its text;
2. where it holds (is neither forgotten nor replaced), the one of the same text in its scope that holds;
3. of another store's memories with the same text in that scope, one that was forgotten or replaced after this one was
   said the last time, or that holds and was said the last time before this one was forgotten or replaced: as if both
   had been told to one store, in the order of time.

Otherwise it is new. What is here already is added to, and otherwise stays as it is: see `memd.exchange.uniting`.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

import msgspec

from memd.clock import to_ms
from memd.exchange import journals, uniting
from memd.exchange import lines as x
from memd.exchange.desk import Desk
from memd.lifecycle import vitality
from memd.store import changes, episodes, journal, memories, origins, passages, uses, vectors
from memd.store.drafts import Draft
from memd.store.entities import Mentions
from memd.store.ids import RANDOM_BITS, encode
from memd.store.uses import Event, Life, NewUse


class Arrival(NamedTuple):
    """A line, and the memory made ready for the write."""

    line: x.MemoryLine
    draft: Draft


class Arrivals:
    """Takes memories in, within one transaction; `finish` makes the new ones findable."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._db = desk.db
        self._words = passages.Words(desk.db)
        self._mentions = Mentions(desk.db)
        self._speakers: dict[str, int] = {}
        self._living: list[int] = []
        self._changed: list[int] = []
        self._entries: list[journal.Entry] = []

    def take(self, arrival: Arrival) -> None:
        """Store a memory, or find it."""
        line, draft, desk = arrival.line, arrival.draft, self._desk
        desk.tally.redacted += bool(draft.redacted)
        seq, own_id = self._find(line, draft)
        if seq is not None:
            self.flush()
            gained = uniting.unite(desk, seq, line, draft, own_id)
            desk.tally.merged += gained
            desk.tally.known += not gained
            return
        new = self._insert(line, draft)
        desk.tally.added["memory"] += 1
        desk.tally.seqs.append(new)

    def finish(self) -> None:
        """Write the words of what was written, once all neighbours are known, and note the changes."""
        self.flush()
        if self._desk.indexed:
            self._words.put(self._living)
        changes.append(self._db, self._changed)

    def flush(self) -> None:
        """Write the entries of the journal that were put by: before anything looks at them, or adds others."""
        if self._entries:
            journal.append(self._db, self._desk.now_ms, self._entries)
            self._entries = []

    def take_purged(self, line: x.PurgedLine) -> None:
        """Keep the place of a memory that was purged elsewhere; one that is here stays."""
        desk = self._desk
        there = desk.find(line.id)
        if there is not None:
            desk.tally.known += 1
            purged = self._db.execute("SELECT purged_at IS NOT NULL FROM memory WHERE seq = ?", (there,)).fetchone()[0]
            if not purged:
                desk.tally.trouble("differs", f"{line.id} was purged there, and is kept here.", line.id)
            return
        scope = desk.scope_row(desk.scope(line.scope))
        at = to_ms(line.purged_at)
        forgotten = at if line.forgotten_at is None else to_ms(line.forgotten_at)
        superseded = None if line.superseded_at is None else to_ms(line.superseded_at)
        seq = self._db.execute(
            "INSERT INTO memory (id, text, digest, kind, scope, source, recorded_at, speaker, asks, said_at,"
            " forgotten_at, superseded_at, purged_at)"
            " VALUES (?, '', randomblob(16), 'purged', ?, '{}', ?, 1, 0, ?, ?, ?, ?)",
            (line.id, scope, to_ms(line.recorded_at), to_ms(line.recorded_at), forgotten, superseded, at),
        ).lastrowid
        self._db.execute("INSERT INTO life (memory) VALUES (?)", (seq,))
        origins.note(self._db, seq, desk.origin_row(desk.store(line.store)))
        journal.append(self._db, at, [(journal.PURGE, seq, {journal.IMPORTED: True})])
        desk.tally.added["purged"] += 1

    # --- which one it is

    def _find(self, line: x.MemoryLine, draft: Draft) -> tuple[int | None, bool]:
        """The memory here, and whether it is known by the line's own id."""
        there = self._desk.find(line.id)
        if there is not None:
            row = self._db.execute("SELECT digest, id, purged_at FROM memory WHERE seq = ?", (there,)).fetchone()
            if row[0] == draft.digest or row[2] is not None or row[1] != line.id:
                return there, True
        scope = self._desk.scope_row(draft.scope)
        twin = self._twin(line, draft.digest, scope)
        if twin is not None:
            self._know(twin, line)
        return twin, False

    def _twin(self, line: x.MemoryLine, digest: bytes, scope: int) -> int | None:
        """The memory of the same text that the line's is one with."""
        ended = _ended(line)
        holding = self._db.execute(
            "SELECT seq, said_at FROM memory WHERE scope = ? AND digest = ?"
            " AND forgotten_at IS NULL AND superseded_at IS NULL",
            (scope, digest),
        ).fetchone()
        if ended is None:
            if holding:
                return int(holding[0])
            past = self._db.execute(
                "SELECT seq, max(coalesce(superseded_at, 0), coalesce(forgotten_at, 0)) FROM memory"
                " WHERE scope = ? AND digest = ? AND (forgotten_at IS NOT NULL OR superseded_at IS NOT NULL)"
                " ORDER BY seq DESC LIMIT 1",
                (scope, digest),
            ).fetchone()
            later = past and to_ms(line.said_at) <= past[1]
            return int(past[0]) if later and self._is_of_another_store(past[0], line) else None
        if holding and holding[1] <= ended and self._is_of_another_store(holding[0], line):
            return int(holding[0])
        return None

    def _is_of_another_store(self, seq: int, line: x.MemoryLine) -> bool:
        """Of one store's memories with the same text each was meant to be another."""
        row = self._db.execute(
            "SELECT o.store FROM came AS c JOIN origin AS o ON o.id = c.origin WHERE c.memory = ?", (seq,)
        ).fetchone()
        return bool((row[0] if row else self._desk.own) != self._desk.store(line.store))

    def _know(self, seq: int, line: x.MemoryLine) -> None:
        """Let the line's id mean this memory from now on, in what comes from the same store."""
        id_ = self._db.execute("SELECT id FROM memory WHERE seq = ?", (seq,)).fetchone()[0]
        if id_ != line.id:
            origins.know(self._db, seq, self._desk.origin.store, line.id)

    # --- a new one

    def _insert(self, line: x.MemoryLine, draft: Draft) -> int:
        desk = self._desk
        scope = desk.scope_row(draft.scope)
        seq = self._insert_row(line, draft, scope)
        self._db.execute(
            "INSERT INTO life (memory, importance, pinned, used_at, stability, tier, tier_at, due, past)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, *_life(line)),
        )
        memories.add_tags(self._db, seq, draft.tags)
        if line.sayings:
            self._db.executemany(
                "INSERT INTO saying (memory, said_at, event_at, source) VALUES (?, ?, ?, ?)",
                [(seq, *uniting.saying_row(saying)) for saying in line.sayings],
            )
        if line.uses:
            uses.add(self._db, [new_use(seq, use) for use in line.uses])
        self._write_noted(seq, line)
        self._write_journal(seq, line, draft)
        self._index(seq, line, draft, scope)
        # To be compared once all that is known of it is here: see `Desk.finish`.
        self._db.execute("DELETE FROM unchecked WHERE memory = ?", (seq,))
        if desk.fresh:
            self._db.execute("DELETE FROM ungisted WHERE memory = ?", (seq,))
        return seq

    def _insert_row(self, line: x.MemoryLine, draft: Draft, scope: int) -> int:
        desk, episode, position = self._desk, None, None
        if draft.episode is not None:
            episode = episodes.ensure(self._db, scope, draft.episode)
            position = episodes.next_position(self._db, episode) if draft.position is None else draft.position
        text = draft.text if desk.indexed else ""
        values = (
            text, draft.digest, draft.kind, scope, draft.source, to_ms(line.recorded_at), draft.event_at, episode,
            position, self._speaker(draft.speaker), draft.asks, line.said, to_ms(line.said_at), _ms(line.forgotten_at),
            _ms(line.superseded_at),
        )  # fmt: skip
        id_ = line.id
        taken = ":" in id_ or self._db.execute("SELECT 1 FROM memory WHERE id = ?", (id_,)).fetchone()
        while True:
            if taken:
                id_ = encode(max(to_ms(line.recorded_at), 0) << RANDOM_BITS | secrets.randbits(RANDOM_BITS))
            cursor = self._db.execute(
                "INSERT INTO memory (id, text, digest, kind, scope, source, recorded_at, event_at, episode, position,"
                " speaker, asks, said, said_at, forgotten_at, superseded_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (id_, *values),
            )
            if cursor.rowcount == 1:
                break
            taken = True
        seq = int(cursor.lastrowid)
        if id_ != line.id:
            origins.know(self._db, seq, desk.origin.store, line.id)
            if ":" not in line.id:
                why = f"{line.id} is another text here; the one from the file is stored beside it."
                desk.tally.trouble("text", why, id_ if desk.indexed else "")
        origins.note(self._db, seq, desk.origin_row(desk.store(line.store)))
        return seq

    def _write_noted(self, seq: int, line: x.MemoryLine) -> None:
        if (noted := line.noted) is not None:
            tags = msgspec.json.encode(noted.tags).decode()
            self._db.execute(
                "INSERT INTO noted (memory, tags, retired_at, why) VALUES (?, ?, ?, ?)",
                (seq, tags, _ms(noted.retired_at), noted.why),
            )

    def _write_journal(self, seq: int, line: x.MemoryLine, draft: Draft) -> None:
        """What the origin's journal said; when it went out of sight and came back, for what is asked as of a time; and
        the memory as it now is."""
        store = self._desk.store(line.store)
        self._entries += [journals.entry_of(self._desk.cleaned(entry), seq, store) for entry in line.history]
        sights = [(to_ms(one.at), one.op) for one in line.history if one.op in (journal.FORGET, journal.RESTORE)]
        last = sights[-1][1] if sights else journal.RESTORE
        if line.forgotten_at is not None and last != journal.FORGET:
            sights.append((to_ms(line.forgotten_at), journal.FORGET))
        elif line.forgotten_at is None and last == journal.FORGET:
            sights.append((self._desk.now_ms, journal.RESTORE))
        for at, op in sights:
            journal.append(self._db, at, [(op, seq, {journal.IMPORTED: True})])
        said: dict[str, object] = {
            "store": store,
            "text": draft.digest.hex(),
            "source": msgspec.Raw(draft.source.encode()),
            "tags": list(draft.tags),
            "about": [draft.kind, draft.scope, draft.event_at],
            "pinned": line.life.pinned,
            "forgotten": line.forgotten_at is not None,
        }
        self._entries.append((journal.IMPORT, seq, said))

    def _index(self, seq: int, line: x.MemoryLine, draft: Draft, scope: int) -> None:
        self._desk.tally.passages += len(draft.spans)
        self._changed.append(seq)
        if not self._desk.indexed:
            return
        spans = passages.insert(self._db, seq, draft.spans)
        for span, entities in zip(spans, draft.entities, strict=True):
            self._mentions.put(span.id, entities)
        self._words.know(seq, draft.text, scope, spans)
        if line.forgotten_at is None:
            self._living.append(seq)
        if line.life.tier == vectors.DORMANT:
            vectors.requantize(self._db, [seq], vectors.DORMANT)

    def _speaker(self, name: str) -> int:
        if name not in self._speakers:
            self._db.execute("INSERT INTO speaker (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            row = self._db.execute("SELECT id FROM speaker WHERE name = ?", (name,)).fetchone()
            self._speakers[name] = int(row[0])
        return self._speakers[name]


def new_use(seq: int, use: x.Use) -> NewUse:
    """A use of the file's, as it is written down."""
    return NewUse(seq, to_ms(use.at), use.verdict, use.who, use.via, use.session, use.recall)


def _life(line: x.MemoryLine) -> tuple[object, ...]:
    """The columns of `life` after the memory; what follows from its uses is worked out here, or by the lifecycle."""
    it, past = line.life, [Event(to_ms(at), verdict) for at, verdict in line.past]
    events = sorted([*past, *(Event(to_ms(use.at), use.verdict) for use in line.uses)])
    life = Life(
        0, line.kind, to_ms(line.recorded_at), it.importance, it.pinned, None, None, it.tier, _ms(it.tier_at), 0
    )
    if events or it.tier != vectors.FLOAT_BITS:
        life = vitality.reckoned(life, events)
    return it.importance, it.pinned, life.used_at, life.stability, it.tier, life.tier_at, life.due, uses.pack(past)


def _ended(line: x.MemoryLine) -> int | None:
    """Since when it is forgotten or replaced; None while it holds."""
    ends = [to_ms(at) for at in (line.forgotten_at, line.superseded_at) if at is not None]
    return min(ends) if ends else None


def _ms(at: object) -> int | None:
    return None if at is None else to_ms(at)  # type: ignore[arg-type]
