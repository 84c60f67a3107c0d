"""Notes and the store, from outside of a transaction: taking in, letting go, and what is there already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from memd.ingest import memory_of
from memd.ingest.notes import READER, ReadNote, without_secrets
from memd.ingest.taking import Taken, Taking
from memd.model import NewMemory
from memd.store import Store, notes, scopes
from memd.store.drafts import Draft, digest_of
from memd.store.validation import check_new, check_path, check_scope, plain_scope
from memd.writing import Scribe

GROUP = 300  # sections a transaction, so that other writers get their turn
GROUP_CHARACTERS = 4 << 20


class Seen(NamedTuple):
    """A file as it was last taken in; `current` says whether by the rules of today."""

    state: tuple[int, int, int, int]
    digest: bytes
    current: bool


class NoteKeeper:
    """Takes files of notes into a store. Safe for many threads.

    Args:
        store: the store.
        scribe: writes memories into it.
    """

    def __init__(self, store: Store, scribe: Scribe) -> None:
        self._store = store
        self._scribe = scribe

    def take(
        self,
        items: Sequence[ReadNote],
        scope: str,
        *,
        gone: Sequence[str] = (),
        moved: Mapping[str, str] | None = None,
    ) -> Taken:
        """Take in what files say now, and let go of those that are gone; durable on return.

        A file is taken in as a whole, in one transaction, and all before any is let go, so that what went from one
        to another stays the same memory.

        Args:
            items: the files, as `read_notes` gives them.
            scope: of their memories.
            gone: paths of files that are no notes any more.
            moved: where some of them were moved to, as far as that was seen.

        Raises:
            BadInput: a section can't be stored; nothing was then.
            StoreUnusable: it couldn't be written; what came before is there.
        """
        check_scope(scope)
        scope = plain_scope(scope)
        items = [without_secrets(note, self._scribe.allowed) for note in items]
        for note in items:
            check_path(note.path)
            for position in range(len(note.sections)):
                check_new(memory_of(note, position, scope))
        taken = Taken()
        groups = list(_groups(items)) or ([[]] if gone else [])
        for number, group in enumerate(groups, start=1):
            last = number == len(groups)
            taken += self._take(group, scope, gone if last else (), moved or {})
        return taken

    def sweep(self, scope: str, root: str, found: Iterable[str], unknown: Sequence[str] = ()) -> Taken:
        """Let go of the files at and under `root` that are no notes any more.

        Args:
            scope: theirs.
            root: a folder or file, absolute.
            found: the notes that are there.
            unknown: files and folders that couldn't be read: what was taken from there is kept.
        """
        check_path(root)
        keep = {*found, *unknown}
        folders = tuple(path.rstrip("/") + "/" for path in unknown)
        gone = [path for path in self.seen(scope, root) if path not in keep and not path.startswith(folders or "\0")]
        return self.take([], scope, gone=gone) if gone else Taken()

    def seen(self, scope: str, root: str) -> dict[str, Seen]:
        """The files that were taken in at and under `root`, by path."""
        with self._store.reading() as db:
            row = scopes.find(db, plain_scope(scope))
            rows = notes.files_under(db, row, root) if row is not None else []
        return {one.path: Seen(one.state, one.digest, one.reader == READER) for one in rows}

    def count(self, scope: str, root: str) -> tuple[int, int]:
        """How many files were taken in at and under `root`, and how many sections they have."""
        with self._store.reading() as db:
            row = scopes.find(db, plain_scope(scope))
            return notes.count_under(db, row, root) if row is not None else (0, 0)

    def _take(self, items: Sequence[ReadNote], scope: str, gone: Sequence[str], moved: Mapping[str, str]) -> Taken:
        ready = self._ready(items, scope)

        def draft(item: NewMemory) -> Draft:
            return ready.get((item.source.path, item.position)) or self._scribe.draft(item)

        with self._store.writing() as db:
            writer = self._scribe.writer(db)
            taking = Taking(db, writer, scope, draft)
            for note in items:
                taking.take(note)
            for path in gone:
                taking.let_go(path, moved.get(path))
            taking.finish()
        if changed := [*writer.written, *taking.back]:
            self._scribe.written(changed)
        return taking.taken

    def _ready(self, items: Sequence[ReadNote], scope: str) -> dict[tuple[str, int | None], Draft]:
        """Drafts of the texts that aren't there yet, made before the write lock is taken."""
        missing = []
        with self._store.reading() as db:
            row = scopes.find(db, scope)
            for note in items:
                for position, section in enumerate(note.sections):
                    if row is None or notes.find(db, row, digest_of(section.text)) is None:
                        missing.append(memory_of(note, position, scope))
        return {(item.source.path, item.position): self._scribe.draft(item) for item in missing}


def is_under(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies in it."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def real(path: Path) -> str:
    """The one spelling of a watched path: absolute, links resolved."""
    return str(path.expanduser().resolve())


def _groups(items: Sequence[ReadNote]) -> Iterator[list[ReadNote]]:
    """Whole files, about `GROUP` sections and `GROUP_CHARACTERS` at a time."""
    group: list[ReadNote] = []
    sections = size = 0
    for note in items:
        if group and (sections + len(note.sections) > GROUP or size + note.size > GROUP_CHARACTERS):
            yield group
            group, sections, size = [], 0, 0
        group.append(note)
        sections += len(note.sections)
        size += note.size
    if group:
        yield group
