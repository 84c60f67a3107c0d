"""What a reader of another tool's files gives, and what came of taking it in. Plain structs, no I/O.

A reader (`memd.exchange.foreign`) is a generator of `Record`, in an order of its own, each once;
`memd.exchange.taking` does the rest: redaction, the exact-duplicate check, passages, links, the journal. Taking the
same records in again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from memd.model import Source


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """A memory helped (`useful`, `cited`), was said again (`restated`), or didn't help (`useless`)."""

    at: datetime
    verdict: str = "useful"
    who: str = ""
    via: str = ""
    session: str = ""
    recall: str = ""


class Record(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A memory as another tool keeps it.

    Attributes:
        key: by which it is known again: unique within the origin, the same whenever the same file is read. At most
            300 characters.
        text: stored word for word, less secrets.
        kind: one of `memd.model.KINDS`.
        tags: words; spaces and commas are for the reader to take out.
        scope: a project's root (absolute path) or `"global"`; None: the scope that the user imports into.
        source: who said it, and where it stood; `via` is filled in where the reader leaves it empty.
        recorded_at: when the other tool learned it; None: now. Times in the future count as now.
        event_at: when it was true or happened, if that is another time.
        episode, position: its ordered group, and its place there; None appends.
        importance: from 0 to 1; 0.5 is an ordinary memory's.
        pinned: it doesn't fade.
        forgotten: it is out of sight there, and shall be here.
        uses: when it helped there.
        supersedes: keys of the records in whose place it stands, which may come before or after it.
        same_as: keys of records that say the same in other words.
        contradicts: keys of records that can't hold beside it.
        line: where it stands in the file, for messages; 0: nowhere in particular.
    """

    key: str
    text: str
    kind: str = "note"
    tags: tuple[str, ...] = ()
    scope: str | None = None
    source: Source = Source()
    recorded_at: datetime | None = None
    event_at: datetime | None = None
    episode: str | None = None
    position: int | None = None
    importance: float = 0.5
    pinned: bool = False
    forgotten: bool = False
    uses: tuple[Use, ...] = ()
    supersedes: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()
    line: int = 0


class Origin(msgspec.Struct, frozen=True):
    """Where records come from.

    Attributes:
        store: of a memd store its id; of another tool the kind and what tells its stores apart, as in
            `"claude-mem:/home/ann/.claude-mem"`. Keys are unique within it.
        name: what people call it.
        digest: BLAKE2b (hex) of the file, by which an interrupted import is known again.
    """

    store: str
    name: str
    digest: str


class Trouble(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that was not taken in, or not as it stands in the file; nothing in the store was overwritten.

    Attributes:
        what: `bad` (the line can't be read), `differs` (the store has it otherwise, and keeps its own), `text` (the
            store has another text under this id: the new one was stored under another), `missing` (a link leads to
            nothing), `refused` (a link that can't be: the store keeps its own).
        why: in a sentence.
        line: in the file, from 1; 0 where that isn't known.
        id: the memory in this store that it is about; empty for none.
    """

    what: str
    why: str
    line: int = 0
    id: str = ""


class Report(msgspec.Struct, frozen=True):
    """What came of an import, or with `dry_run` would come.

    Attributes:
        dry_run: nothing was changed.
        origin: where it came from.
        read: records in the file, by type.
        added: of them new here, by type.
        merged: memories that the store has already and that gained something: tags, uses, sayings, entries of the
            journal.
        known: memories that the store has already, just so.
        redacted: memories from whose text secrets or private parts were taken out.
        troubles: what was not taken in as it stands, the first 100; `more` counts the others.
        passages: what the encoder has to do in the background; until then they are found by their words.
    """

    dry_run: bool
    origin: Origin
    read: dict[str, int]
    added: dict[str, int]
    merged: int
    known: int
    redacted: int
    passages: int
    troubles: tuple[Trouble, ...] = ()
    more: int = 0


class Reader(Protocol):
    """The files of one other tool: a module, or an object, of `memd.exchange.foreign`.

    `memd.exchange.foreign.READERS` has them by the word that follows `--from`.
    """

    def fits(self, path: Path) -> bool:
        """Whether this file or folder is the tool's, by a look at its beginning."""

    def origin(self, path: Path) -> Origin:
        """Whose it is. Raises BadInput where it isn't the tool's."""

    def read(self, path: Path, refuse: Callable[[Trouble], None]) -> Iterator[Record]:
        """Its memories, one by one, in bounded memory where the format allows. It may be read twice.

        Args:
            path: the file or folder.
            refuse: told of each line that can't be read; it raises, or with `--skip-bad` returns, and the next
                record follows.
        """
