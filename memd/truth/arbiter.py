"""`Arbiter`: what holds, over an open store: one memory in the place of another, and which can't both hold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from memd.clock import from_ms
from memd.errors import BadInput
from memd.model import ConflictFound, ConflictsFound, NewMemory, StoredMemory, Superseded
from memd.store import Store, memories, versions
from memd.store import conflicts as kept
from memd.store.filters import Filters
from memd.store.validation import build, check_filters, check_new, plain_scope
from memd.truth import conflicts
from memd.truth.checking import Checker
from memd.writing import Scribe

COMPARING_S = 2.0  # before conflicts are listed


class Arbiter:
    """The verbs of truth, as `Memory` has them.

    Args:
        store: the open store.
        scribe: writes memories into it.
    """

    def __init__(self, store: Store, scribe: Scribe) -> None:
        self._store = store
        self._scribe = scribe

    def supersede(self, old_id: str, text: str, why: str, fields: dict[str, Any]) -> Superseded:
        """Store a text in the place of a memory. As `Memory.supersede`."""
        with self._store.reading() as db:
            old = memories.fetch(db, [memories.resolve(db, old_id)])[0]
        known = {"kind": old.kind, "scope": old.scope, "tags": old.tags}
        item = build(NewMemory, text=text, **known | fields)
        check_new(item)
        new = self._scribe.draft(item)
        with self._store.writing() as db:
            writer = self._scribe.writer(db)
            seq = memories.resolve(db, old.id)
            if (there := versions.already(db, seq, new.digest)) is not None:
                return _superseded(memories.fetch(db, [there])[0], old.id, new.redacted)
            versions.check_holds(db, seq)
            done = writer.write(new, restate=True)
            writer.finish()
            if done.id != old.id:
                versions.supersede(db, seq, memories.resolve(db, done.id), writer.now_ms, why)
        self._scribe.written(writer.written)
        return Superseded(id=done.id, old=old.id, again=done.again, passages=done.passages, redacted=done.redacted)

    def conflicts(self, scope: str, limit: int) -> ConflictsFound:
        """Memories that can't both hold, and that nobody decided on, the latest found first. As `Memory.conflicts`."""
        check_filters(Filters(scope), limit)
        self.compare(COMPARING_S)
        with self._store.reading() as db:
            found = kept.unsettled(db, plain_scope(scope), limit)
            return ConflictsFound(
                tuple(_conflict(one, memories.fetch(db, [one.one, one.other])) for one in found),
                kept.count_waiting(db),
            )

    def compare(self, seconds: float | None = None) -> int:
        """Compare what nobody compared yet, for so many seconds or to the end; return how many that were."""
        checker, count = Checker(self._store, self._scribe.now_ms), 0
        deadline = None if seconds is None else time.monotonic() + seconds
        while (deadline is None or time.monotonic() < deadline) and checker.step() is not None:
            count += 1
        return count

    def resolve(self, keep: str, other: str, *, both: bool, why: str) -> list[StoredMemory]:
        """Decide between two memories: the first stands in the place of the second, or both hold."""
        with self._store.writing() as db:
            now = self._scribe.now_ms()
            one, two = memories.resolve(db, keep), memories.resolve(db, other)
            if one == two:
                raise BadInput("A memory can't be in conflict with itself.", "Give two ids, as `memd conflicts` does.")
            if not both:
                versions.supersede(db, two, one, now, why or "resolved")
            kept.settle(db, one, two, now, "both hold" if both else "superseded")
            return memories.fetch(db, [one, two])


def _superseded(new: StoredMemory, old: str, redacted: tuple[str, ...]) -> Superseded:
    return Superseded(id=new.id, old=old, again=True, passages=new.passages, redacted=redacted)


def _conflict(found: kept.Found, pair: Sequence[StoredMemory]) -> ConflictFound:
    difference = conflicts.find(pair[0].text, pair[1].text)
    words = (difference.one, difference.other) if difference else ("", "")
    return ConflictFound(found.rule, words, (pair[0], pair[1]), from_ms(found.at))
