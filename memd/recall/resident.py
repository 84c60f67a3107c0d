"""The resident copy: what every recall needs of every passage, as arrays, one slot a passage.

A slot's number is the passage's place in the order of writing. The copy catches up with the store's list
of changes at the start of each recall, whoever wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysqlite3 import dbapi2 as sqlite3

from memd.model import Query
from memd.quantize import signs
from memd.quantize.preference import Copies, copies
from memd.recall.codes import CodeCache
from memd.recall.vitals import Vitals
from memd.store import changes, filters, scopes, vectors
from memd.text.roles import ROLES
from memd.text.words import terms

_NONE = -1
NOBODY = 1  # the row of the speaker of what is no turn
_VOCABULARY = 1 << 16  # token ids are uint16
_CHUNK = 4096  # rows read at a time

_ROWS = """
SELECT p.id, p.memory, p.ordinal, m.scope, coalesce(m.episode, 0), coalesce(m.position, 0),
    coalesce(m.event_at, m.recorded_at), m.forgotten_at IS NULL, coalesce(length(t.ids) / 2, 0),
    p.start, p.stop, m.speaker, m.asks AND m.speaker <> 1, m.superseded_at IS NULL,
    coalesce(p.encoder, -1) = 0 OR coalesce(length(t.ids), 1) = 0
FROM passage AS p JOIN memory AS m ON m.seq = p.memory
    LEFT JOIN token_code AS t ON t.passage = p.id AND t.encoder = :encoder
"""

_COLUMNS: tuple[tuple[str, type], ...] = (
    ("passage", np.int64),
    ("memory", np.int64),
    ("ordinal", np.int32),
    ("scope", np.int32),
    ("episode", np.int32),
    ("position", np.int64),
    ("time", np.int64),
    ("alive", np.bool_),
    ("length", np.int32),
    ("start", np.int32),
    ("stop", np.int32),
    ("speaker", np.int32),
    ("asks", np.bool_),
    ("holds", np.bool_),
    ("settled", np.bool_),
)

_SCOPES_KEPT = 16  # sets of scopes whose view is kept until the store changes


class Visible(NamedTuple):
    """What a query may see.

    Attributes:
        slots: bool [n].
        encoded: those of them that have a vector, int64, ascending; None where that is every slot.
        waiting: how many of them have none yet. One that is dormant, or has nothing to encode, waits for nothing.
        scopes: the rows of its scopes; None when it sees all there are.
        only_scopes: nothing but the scope narrows it, and that some memories no longer hold.
        superseded: how many passages its scopes have that no longer hold, and that it doesn't see.
        gone: slots forgotten since the time that the query is asked as of; None where there is none.
    """

    slots: NDArray[np.bool_]
    encoded: NDArray[np.int64] | None
    waiting: int
    scopes: tuple[int, ...] | None
    only_scopes: bool
    superseded: int = 0
    gone: NDArray[np.int64] | None = None


class Resident:
    """Arrays over all passages. Not safe for threads: the recaller's lock guards it.

    Attributes (each [n] unless said otherwise):
        passage, memory: row numbers in the store; `passage` ascends.
        time: event time, else recorded time, milliseconds since 1970.
        alive: the memory isn't forgotten.
        length: tokens of the passage that are kept; 0 while it has no vector.
        before, after: slots of its neighbours in the memory or the episode, -1 where there is none.
        start, stop: the characters [start, stop) of the memory's text.
        bits: uint64 [⌈d/64⌉, n], signs of the pooled vector; zero while it has none.
        token_df: int32 [65536], in how many living encoded passages each token occurs.
        living: how many passages `token_df` counts.
        vitals: which of the memories were used, and which have faded.
        word_counts: in how many passages words stand, for the lexical channel to keep; empties when the store changes.
        encoder: fingerprint of the encoder whose vectors these are; empty before the first.
    """

    def __init__(self) -> None:
        self._seen = -1
        self._encoder: int | None = None
        self._codes = CodeCache()
        self.vitals = Vitals()
        self.word_counts: dict[str, int] = {}
        self._speakers: dict[str, list[int]] = {}
        self._last_speaker = 0
        self._clear(0)

    def __len__(self) -> int:
        return self._n

    # --- reading ---

    @property
    def passage(self) -> NDArray[np.int64]:
        return self._columns["passage"][: self._n]

    @property
    def memory(self) -> NDArray[np.int64]:
        return self._columns["memory"][: self._n]

    @property
    def time(self) -> NDArray[np.int64]:
        return self._columns["time"][: self._n]

    @property
    def alive(self) -> NDArray[np.bool_]:
        return self._columns["alive"][: self._n]

    @property
    def length(self) -> NDArray[np.int32]:
        return self._columns["length"][: self._n]

    @property
    def start(self) -> NDArray[np.int32]:
        return self._columns["start"][: self._n]

    @property
    def stop(self) -> NDArray[np.int32]:
        return self._columns["stop"][: self._n]

    @property
    def scope(self) -> NDArray[np.int32]:
        return self._columns["scope"][: self._n]

    @property
    def holds(self) -> NDArray[np.bool_]:
        """bool [n]: no other memory has replaced it."""
        return self._columns["holds"][: self._n]

    @property
    def speaker(self) -> NDArray[np.int32]:
        return self._columns["speaker"][: self._n]

    @property
    def asks(self) -> NDArray[np.bool_]:
        """bool [n]: it is of what somebody says that ends in a question."""
        return self._columns["asks"][: self._n]

    def speakers(self, words: Iterable[str]) -> list[int]:
        """The speakers that have one of these words, case-folded, in their name."""
        return sorted({speaker for word in words for speaker in self._speakers.get(word, ())})

    def talks(self, speakers: Sequence[int], slots: NDArray[np.int64]) -> bool:
        """Whether one of `slots` is one of these speakers' turn beside somebody else's.

        A label before a colon (`Database: …`) looks like a speaker, too; it talks with nobody.
        """
        turns = slots[np.isin(self.speaker[slots], speakers)] if speakers else slots[:0]
        for beside in (self.before[turns], self.after[turns]):
            other = np.where(beside >= 0, self.speaker[beside], NOBODY)
            if ((other != NOBODY) & (other != self.speaker[turns])).any():
                return True
        return False

    @property
    def episode(self) -> NDArray[np.int32]:
        return self._columns["episode"][: self._n]

    @property
    def before(self) -> NDArray[np.int64]:
        return self._columns["before"][: self._n]

    @property
    def after(self) -> NDArray[np.int64]:
        return self._columns["after"][: self._n]

    @property
    def bits(self) -> NDArray[np.uint64]:
        return self._bits[:, : self._n]

    @property
    def encoded(self) -> NDArray[np.bool_]:
        """bool [n]: has the current encoder's vector."""
        return self.length > 0

    @property
    def waiting(self) -> NDArray[np.bool_]:
        """bool [n]: is to be encoded."""
        settled: NDArray[np.bool_] = self._columns["settled"][: self._n]
        return ~(self.encoded | settled)

    def slot(self, passage: int) -> int | None:
        """The slot of a passage, None when there is none."""
        place = int(np.searchsorted(self.passage, passage))
        return place if place < self._n and self.passage[place] == passage else None

    def slots(self, passages: Sequence[int]) -> NDArray[np.int64]:
        """The slots of passages that are there, in the order given."""
        places = self.known(passages)
        return places[places >= 0]

    def known(self, passages: Sequence[int]) -> NDArray[np.int64]:
        """The slots of passages, -1 for what isn't there."""
        wanted = np.array(passages, np.int64)
        if not self._n:
            return np.full(len(wanted), _NONE)
        places = np.minimum(np.searchsorted(self.passage, wanted), self._n - 1)
        return np.where(self.passage[places] == wanted, places, _NONE)

    def pooled(self, db: sqlite3.Connection, slots: NDArray[np.int64]) -> NDArray[np.float32]:
        """The pooled vectors of encoded slots, [n, d]; for those kept in fewer bits, what estimates as they do."""
        return self._codes.pooled(db, self.passage[slots].tolist(), lambda: self._packed(slots))

    @property
    def mixed(self) -> bool:
        """Whether some pooled vectors may be kept in fewer bits than others."""
        return self._codes.mixed

    def copies(self, db: sqlite3.Connection, slots: NDArray[np.int64], vectors: NDArray[np.float32]) -> Copies:
        """Which of encoded slots are the same content, kept in different numbers of bits.

        Args:
            vectors: float32 [n, d], what `pooled` gave.
        """
        return copies(vectors, *self._codes.fidelity(db, self.passage[slots].tolist()))

    def _packed(self, slots: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The signs of slots, [n, whole words of 8 bytes]."""
        return np.ascontiguousarray(self._bits[:, slots].T).view(np.uint8)

    def token_codes(self, db: sqlite3.Connection, slots: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The signs of the tokens of encoded slots, [t, d/8], one passage's after the other's."""
        return self._codes.tokens(db, self.passage[slots].tolist())

    def gather(self, slots: NDArray[np.int64], known: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The distinct encoded ones among `slots` that aren't `known`, and the place of each of `slots`.

        Places count through `known` (distinct, encoded), then through what is new; a slot of -1, or one without
        a vector, has place -1. O(len(slots)): no sorting, by way of a table.
        """
        table = self._places
        table[known] = np.arange(len(known), dtype=np.int32)
        fresh = slots[slots >= 0]
        fresh = fresh[(self.length[fresh] > 0) & (table[fresh] < 0)]
        turns = np.arange(len(known), len(known) + len(fresh), dtype=np.int32)
        table[fresh] = turns
        fresh = fresh[table[fresh] == turns]  # of several turns at one slot the last was written
        table[fresh] = turns[: len(fresh)]
        places = table[slots]  # the table's last entry, that of -1, is never written
        table[known] = table[fresh] = _NONE
        return fresh, places

    def visible(self, db: sqlite3.Connection, query: Query) -> Visible:
        """What `query` may see. Kept for its scopes alone; O(n) and a query to the store when more narrows it."""
        rows = scopes.visible(db, query.scope)
        if not (query.kinds or query.tags or query.source or query.since or query.until or query.superseded):
            if rows not in self._views:
                if len(self._views) >= _SCOPES_KEPT:
                    self._views.clear()
                self._views[rows] = self._view(rows, None)
            return self._views[rows]
        condition, values = filters.where(db, query)
        found = db.execute(f"SELECT m.seq FROM memory AS m WHERE {condition}", values)
        return self._view(rows, np.fromiter((row[0] for row in found), np.int64))

    def _view(self, rows: tuple[int, ...] | None, memories: NDArray[np.int64] | None) -> Visible:
        """What is alive, in these scopes, and of these memories; None for any."""
        slots = self.alive.copy()
        if rows is not None:
            slots &= np.isin(self.scope, rows)
            if np.array_equal(slots, self.alive):
                rows = None
        superseded = 0
        if memories is not None:
            slots &= np.isin(self.memory, memories)
        elif superseded := int(np.count_nonzero(slots & ~self.holds)):
            slots &= self.holds
        encoded = np.flatnonzero(slots & self.encoded)
        waiting = int(np.count_nonzero(slots & self.waiting))
        return Visible(slots, None if len(encoded) == self._n else encoded, waiting, rows, memories is None, superseded)

    # --- catching up ---

    def refresh(self, db: sqlite3.Connection) -> None:
        """Catch up with the store as the snapshot `db` sees it. O(changes), O(store) at first and after a gap."""
        last = changes.last(db)
        encoder = vectors.current(db)
        if last == self._seen and encoder == self._encoder:
            return
        changed = changes.since(db, self._seen) if self._seen >= 0 and encoder == self._encoder else None
        if changed is None:
            self._load(db, encoder)
        else:
            self._update(db, changed)
        self._meet_speakers(db)
        self.vitals.refresh(db, changed)
        self._seen = last
        self._views.clear()
        self.word_counts.clear()
        self.living = int(np.count_nonzero(self.alive & self.encoded))

    def _meet_speakers(self, db: sqlite3.Connection) -> None:
        """Learn the names that are new since the last time: each word of a name leads to its speaker."""
        for speaker, name in db.execute("SELECT id, name FROM speaker WHERE id > ? ORDER BY id", (self._last_speaker,)):
            for word in () if name in ROLES else terms(name):
                self._speakers.setdefault(word, []).append(speaker)
            self._last_speaker = speaker

    def _clear(self, width: int) -> None:
        self._n = 0
        self._columns: dict[str, NDArray[Any]] = {name: np.zeros(0, kind) for name, kind in _COLUMNS}
        self._columns |= {name: np.zeros(0, np.int64) for name in ("before", "after")}
        self._bits = np.zeros((width, 0), np.uint64)
        self._places = np.full(1, _NONE, np.int32)  # between uses of `gather` all -1
        self._views: dict[tuple[int, ...] | None, Visible] = {}
        self.living, self.encoder = 0, ""
        self.token_df = np.zeros(_VOCABULARY, np.int32)

    def _load(self, db: sqlite3.Connection, encoder: int | None) -> None:
        self._encoder = encoder
        row = db.execute("SELECT dimension, fingerprint FROM encoder WHERE id = ?", (encoder,)).fetchone()
        dimension, fingerprint = row or (0, "")
        self._clear(-(-dimension // 64))
        self.encoder = fingerprint
        rows = db.execute(_ROWS + " ORDER BY p.id", {"encoder": encoder})
        while chunk := rows.fetchmany(_CHUNK):
            self._append(chunk)
        self._read_bits(db, None)
        self._count_tokens(db, None, 1)
        if dimension:
            self._codes.fill(db, encoder, dimension)
        self._link(None)

    def _update(self, db: sqlite3.Connection, changed: Sequence[int]) -> None:
        seqs = json.dumps(list(changed))
        known = np.isin(self.memory, changed)
        touched = set(self.episode[known].tolist())
        self._count_tokens(db, self.passage[known & self.alive & self.encoded], -1)
        rows = db.execute(
            _ROWS + " WHERE p.memory IN (SELECT value FROM json_each(:seqs)) ORDER BY p.id",
            {"encoder": self._encoder, "seqs": seqs},
        ).fetchall()
        last = int(self.passage[-1]) if self._n else 0
        for row in rows:
            if row[0] <= last and (slot := self.slot(row[0])) is not None:
                for (name, _), value in zip(_COLUMNS, row, strict=True):
                    self._columns[name][slot] = value
        self._append([row for row in rows if row[0] > last])
        slots = np.flatnonzero(np.isin(self.memory, changed))
        self._codes.drop(self.passage[slots].tolist())
        self._read_bits(db, self.passage[slots])
        self._count_tokens(db, self.passage[slots][(self.alive & self.encoded)[slots]], 1)
        touched.update(self.episode[slots].tolist())
        self._link((touched - {0}, list(changed)))

    def _append(self, rows: Sequence[tuple[int, ...]]) -> None:
        if not rows:
            return
        start, self._n = self._n, self._n + len(rows)
        if self._n > self._bits.shape[1]:
            self._grow(max(self._n, self._bits.shape[1] * 5 // 4, 1024))
        for (name, kind), values in zip(_COLUMNS, zip(*rows, strict=True), strict=True):
            self._columns[name][start : self._n] = np.array(values, kind)
        self._columns["before"][start : self._n] = self._columns["after"][start : self._n] = _NONE
        self._bits[:, start : self._n] = 0

    def _grow(self, room: int) -> None:
        for name, column in self._columns.items():
            grown = np.zeros(room, column.dtype)
            grown[: len(column)] = column
            self._columns[name] = grown
        bits = np.zeros((self._bits.shape[0], room), np.uint64)
        bits[:, : self._bits.shape[1]] = self._bits
        self._bits = bits
        self._places = np.full(room + 1, _NONE, np.int32)

    def _read_bits(self, db: sqlite3.Connection, passages: NDArray[np.int64] | None) -> None:
        if not len(self._bits):
            return
        if passages is None:
            rows = db.execute("SELECT passage, bits FROM passage_bits")
        else:
            # One lookup each: sqlite-vec answers `passage = ?` from its index, a join by a scan.
            rows = (
                row
                for passage in passages.tolist()
                for row in db.execute("SELECT passage, bits FROM passage_bits WHERE passage = ?", (passage,))
            )
        while chunk := list(islice(rows, _CHUNK)):
            known = self.known([row[0] for row in chunk])
            packed = np.frombuffer(b"".join(row[1] for row in chunk), np.uint8).reshape(len(chunk), -1)
            self._bits[:, known[known >= 0]] = signs.words(packed)[known >= 0].T

    def _count_tokens(self, db: sqlite3.Connection, passages: NDArray[np.int64] | None, sign: int) -> None:
        for ids in _token_ids(db, self._encoder, passages):
            np.add.at(self.token_df, ids, sign)

    def _link(self, only: tuple[set[int], list[int]] | None) -> None:
        """Set `before` and `after`: for all, or for the slots of these episodes and memories."""
        slots = np.arange(self._n)
        if only is not None:
            episodes, memories = only
            slots = np.flatnonzero(np.isin(self.episode, list(episodes)) | np.isin(self.memory, memories))
        self._columns["before"][slots] = self._columns["after"][slots] = _NONE
        slots = slots[self.alive[slots]]
        episode, memory = self.episode[slots].astype(np.int64), self.memory[slots]
        group = np.where(episode > 0, episode, -memory)  # a memory of no episode is a group of its own
        position = self._columns["position"][slots]
        order = np.lexsort((self._columns["ordinal"][slots], memory, position, group))
        slots, group = slots[order], group[order]
        beside = group[1:] == group[:-1]
        self._columns["after"][slots[:-1][beside]] = slots[1:][beside]
        self._columns["before"][slots[1:][beside]] = slots[:-1][beside]


def _token_ids(
    db: sqlite3.Connection, encoder: int | None, passages: NDArray[np.int64] | None
) -> Iterable[NDArray[np.int64]]:
    """The token ids of living passages, each distinct id of a passage once, in chunks."""
    if passages is None:
        rows = db.execute(
            "SELECT t.ids FROM token_code AS t JOIN passage AS p ON p.id = t.passage"
            " JOIN memory AS m ON m.seq = p.memory WHERE t.encoder = ? AND m.forgotten_at IS NULL",
            (encoder,),
        )
    else:
        rows = db.execute(
            "SELECT ids FROM token_code WHERE encoder = ? AND passage IN (SELECT value FROM json_each(?))",
            (encoder, json.dumps(passages.tolist())),
        )
    while chunk := rows.fetchmany(2_000):
        ids = np.frombuffer(b"".join(row[0] for row in chunk), "<u2").astype(np.int64)
        owner = np.repeat(np.arange(len(chunk)), [len(row[0]) // 2 for row in chunk])
        yield np.unique(owner * _VOCABULARY + ids) % _VOCABULARY
