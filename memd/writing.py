"""Texts on their way into a store: checked, without secrets, cut into passages, written in groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice

from pysqlite3 import dbapi2 as sqlite3

from memd.config import Config
from memd.errors import BadInput
from memd.home import data_home
from memd.lifecycle import record
from memd.loading import Models
from memd.model import NewMemory, Remembered
from memd.store import Store, memories
from memd.store.drafts import Draft, draft, refuse_private
from memd.store.ids import IdMaker
from memd.store.validation import check_new
from memd.text.redaction import redact

GROUP = 500  # memories a transaction, so that other writers get their turn
GROUP_CHARACTERS = 16 << 20


class Scribe:
    """Writes new memories into a store, and gives others what they need to write them. Safe for many threads.

    Args:
        store: the open store.
        models: tells where passages end.
        now_ms: tells the time.
        written: told (by seq) of memories that were written or said again, once that is durable. Who uses `writer`
            has to tell it.
    """

    def __init__(
        self, store: Store, models: Models, now_ms: Callable[[], int], written: Callable[[Sequence[int]], None]
    ) -> None:
        self._store = store
        self._models = models
        self.now_ms = now_ms
        self.written = written
        self._make_id = IdMaker()

    def remember(self, items: Iterable[NewMemory], *, restate: bool) -> list[Remembered]:
        """Store many, in their order. All are checked before any is written. As `Memory.remember_many`."""
        items = list(items)
        for number, item in enumerate(items, start=1):
            try:
                check_new(item)
                refuse_private(item.text)
            except BadInput as error:
                if len(items) > 1:
                    raise BadInput(f"Memory {number} of {len(items)}: {error.message}", error.hint) from None
                raise
        remembered: list[Remembered] = []
        for group in _groups(items):
            remembered += self._write([self.draft(item) for item in group], restate)
        return remembered

    def _write(self, drafts: Sequence[Draft], restate: bool) -> list[Remembered]:
        with self._store.writing() as db:
            writer = self.writer(db)
            remembered = [writer.write(item, restate=restate) for item in drafts]
            writer.finish()
            record.restated(db, writer.restated, writer.now_ms)
        self.written([*writer.written, *(seq for seq, _ in writer.restated)])
        return remembered

    def draft(self, item: NewMemory, *, named: bool = True) -> Draft:
        """A memory made ready for the write. As `memd.store.drafts.draft`."""
        return draft(item, self._models.offsets, self._models.most_words(), self.allowed, named=named)

    def writer(self, db: sqlite3.Connection) -> memories.Writer:
        """What writes memories, as of now, inside a write transaction."""
        return memories.Writer(db, self._make_id, self.now_ms())

    def without_secrets(self, text: str) -> str:
        """The text as it would be stored: without secrets and private parts, blank where nothing is left."""
        return redact(text, self.allowed).text

    @cached_property
    def allowed(self) -> frozenset[str]:
        """What looks like a secret and is none, by the settings of the data folder."""
        home = self._store.path.parent
        return Config.load(None if str(home) == data_home() else home).settings.redaction.allowed


def _groups(items: Sequence[NewMemory]) -> Iterator[list[NewMemory]]:
    """At most `GROUP` items, and about `GROUP_CHARACTERS`, each."""
    rest = iter(items)
    while group := list(islice(rest, 1)):
        size = len(group[0].text)
        while len(group) < GROUP and size < GROUP_CHARACTERS and (more := next(rest, None)):
            group.append(more)
            size += len(more.text)
        yield group
