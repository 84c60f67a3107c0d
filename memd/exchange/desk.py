"""What a batch of an import works with: the transaction, where it all comes from, the tally of what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.exchange.lines import Entry
from memd.exchange.records import Origin, Report, Trouble
from memd.store import journal, origins, scopes
from memd.store.validation import plain_scope

SHOWN = 100  # troubles of a report
EVERY_SCOPE = "*"
_NAMES = ("text", "by", "with", "of", "verdict", "rule", "state")  # of an entry: digests, ids and words of memd's own


@dataclass
class Tally:
    """What became of the lines so far. `seqs`: the new memories, for the encoder."""

    read: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    merged: int = 0
    known: int = 0
    redacted: int = 0
    passages: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    more: int = 0
    seqs: list[int] = field(default_factory=list)

    def trouble(self, what: str, why: str, id_: str = "", line: int = 0) -> None:
        """Note something that isn't taken in as it stands."""
        if len(self.troubles) < SHOWN:
            self.troubles.append(Trouble(what, why, line, id_))
        else:
            self.more += 1

    def report(self, origin: Origin, dry_run: bool) -> Report:
        """The tally as it is told."""
        return Report(
            dry_run=dry_run,
            origin=origin,
            read=dict(sorted(self.read.items())),
            added={name: count for name, count in sorted(self.added.items()) if count},
            merged=self.merged,
            known=self.known,
            redacted=self.redacted,
            passages=self.passages,
            troubles=tuple(self.troubles),
            more=self.more,
        )


def together(one: Report, other: Report) -> Report:
    """The reports of two batches as one."""
    troubles = one.troubles + other.troubles
    return msgspec.structs.replace(
        one,
        read=dict(sorted((Counter(one.read) + Counter(other.read)).items())),
        added=dict(sorted((Counter(one.added) + Counter(other.added)).items())),
        merged=one.merged + other.merged,
        known=one.known + other.known,
        redacted=one.redacted + other.redacted,
        passages=one.passages + other.passages,
        troubles=troubles[:SHOWN],
        more=one.more + other.more + len(troubles[SHOWN:]),
    )


@dataclass
class Desk:
    """One transaction of an import.

    Attributes:
        db: inside a write transaction.
        origin: where the file comes from.
        scopes: which scope takes the place of which; `EVERY_SCOPE` for all of them.
        now_ms: the time of the import.
        clean: a text without secrets.
        tally: counts.
        indexed: whether memories are made findable; not in a rehearsal.
    """

    db: sqlite3.Connection
    origin: Origin
    scopes: Mapping[str, str]
    now_ms: int
    clean: Callable[[str], str]
    tally: Tally = field(default_factory=Tally)
    indexed: bool = True
    _scope_rows: dict[str, int] = field(default_factory=dict)
    _origin_rows: dict[str, int | None] = field(default_factory=dict)

    def begin(self) -> None:
        """Note in the journal that this import began, once."""
        self.origin_row(self.origin.store)
        if origins.begun(self.db, self.origin.digest) is None:
            fresh = self.db.execute("SELECT 1 FROM memory LIMIT 1").fetchone() is None
            told = {"file": self.origin.digest, "store": self.origin.store, "name": self.origin.name, "fresh": fresh}
            journal.append(self.db, self.now_ms, [(journal.IMPORT, None, told)])

    def finish(self) -> None:
        """All lines are here: let what is new be compared with what was here before. Where nothing was, the origin has
        compared it, and found what stands in the file."""
        if self.fresh or self._journaled("done"):
            return
        self.db.execute(
            "INSERT OR IGNORE INTO unchecked (memory) SELECT m.seq FROM journal AS j"
            " JOIN memory AS m ON m.seq = j.memory WHERE j.seq > ("
            "SELECT min(seq) FROM journal WHERE memory IS NULL AND op = :op AND payload ->> 'file' = :file)"
            " AND j.op = :op"
            " AND m.kind NOT IN ('turn', 'commit', 'task', 'fix') AND length(m.text) <= 2000",
            {"op": journal.IMPORT, "file": self.origin.digest},
        )
        journal.append(self.db, self.now_ms, [(journal.IMPORT, None, {"file": self.origin.digest, "done": True})])

    def _journaled(self, name: str) -> bool:
        row = self.db.execute(
            "SELECT 1 FROM journal"
            " WHERE memory IS NULL AND op = ? AND payload ->> 'file' = ? AND payload ->> ? LIMIT 1",
            (journal.IMPORT, self.origin.digest, name),
        ).fetchone()
        return row is not None

    @cached_property
    def fresh(self) -> bool:
        """Whether the store was empty when this import began: then what the origin had done needn't be done again."""
        said = origins.begun(self.db, self.origin.digest)
        return bool(said and said.get("fresh"))

    @cached_property
    def own(self) -> str:
        """The id of this store."""
        return origins.own(self.db)

    def scope(self, path: str) -> str:
        """The scope in this store for one of the file's."""
        return plain_scope(self.scopes.get(path) or self.scopes.get(EVERY_SCOPE) or path)

    def scope_row(self, path: str) -> int:
        """The row of a scope of this store."""
        if path not in self._scope_rows:
            self._scope_rows[path] = scopes.ensure(self.db, path)
        return self._scope_rows[path]

    def store(self, named: str) -> str:
        """The store that a line is from: the one it names, else the file's."""
        return named or self.origin.store

    def origin_row(self, store: str) -> int | None:
        """The row of a store that memories come from; None for this one."""
        if store not in self._origin_rows:
            name = self.origin.name if store == self.origin.store else ""
            self._origin_rows[store] = origins.ensure(self.db, store, name)
        return self._origin_rows[store]

    def cleaned(self, entry: Entry) -> Entry:
        """An entry of another store's journal, without secrets in what it says in words."""
        said = {
            name: self.clean(value) if isinstance(value, str) and name not in _NAMES else value
            for name, value in entry.said.items()
        }
        return entry if said == entry.said else msgspec.structs.replace(entry, said=said)

    def find(self, id_: str) -> int | None:
        """The memory here that a line means by an id of its file."""
        return origins.find(self.db, self.origin.store, id_)
