"""Notes into the store: what a file says now against what it said, within one write transaction.

A section is a memory. One whose text changed supersedes the one before; one that moved, or whose file did, stays the
same memory and is said to stand elsewhere; one that is gone is retired: forgotten, to be restored when a note has its
text again. What the user forgot, replaced or said beside the notes is left to the user.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import to_ms
from memd.ingest import VIA, matching, memory_of
from memd.ingest.files import order
from memd.ingest.linking import stem
from memd.ingest.matching import Known
from memd.ingest.notes import READER, ReadNote, ReadSection
from memd.model import NewMemory, Source
from memd.store import changes, episodes, erasing, memories, notes, passages, scopes, versions
from memd.store.drafts import Draft, digest_of, source_json
from memd.store.notes import FileRow, Place, SectionRow


class Taken(msgspec.Struct):
    """What became of the sections of some notes.

    Attributes:
        files: that were taken in, or found gone.
        added: memories that are new.
        known: sections whose text was there already.
        superseded: memories that others replaced.
        restored: memories that are back.
        retired: memories that no note has any more.
        passages: of the new memories.
    """

    files: int = 0
    added: int = 0
    known: int = 0
    superseded: int = 0
    restored: int = 0
    retired: int = 0
    passages: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(*(mine + its for mine, its in zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other),
                                                        strict=True)))  # fmt: skip


class Taking:
    """Takes notes in, and lets go of those that are gone. `finish` ends it.

    Args:
        db: a connection inside a write transaction.
        writer: of that transaction; its time is that of everything that happens.
        scope: of all the notes.
        draft: makes a memory ready for the write; asked only for texts that the scope doesn't have.

    Attributes:
        taken: what became of it all.
        back: memories (by seq) that are living again.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        writer: memories.Writer,
        scope: str,
        draft: Callable[[NewMemory], Draft],
    ) -> None:
        self._db = db
        self._writer = writer
        self._scope_path = scope
        self._scope = scopes.ensure(db, scope)
        self._now = writer.now_ms
        self._draft = draft
        self._touched: dict[int, None] = {}
        self._edits: list[tuple[int, int, str]] = []
        self._orders: dict[int, list[int]] = {}
        self._meanwhile: set[int] = set()
        self._why: dict[int, str] = {}
        self.taken = Taken()
        self.back: list[int] = []

    def take(self, note: ReadNote) -> None:
        """Take in what a file says now."""
        self.taken.files += 1
        before = notes.file_at(self._db, self._scope, note.path)
        if before and before.digest.hex() == note.digest and before.reader == READER:
            notes.put_state(self._db, before.id, note.state)
            self.taken.known += len(note.sections)
            return
        self._see(self._episode(note.path))
        old = notes.sections_of(self._db, before.id) if before else []
        former = [section.memory for section in old] if before else notes.unnoted(self._db, self._scope, note.path, VIA)
        for memory in former:
            self._touch(memory, f"changed in {note.path}")
        file = notes.put_file(self._db, self._scope, note.path, stem(note.path), _facts(note))
        notes.clear_file(self._db, file)
        here = (self._section(note, position, file) for position in range(len(note.sections)))
        new = [row for row in here if row is not None]
        erasing.shunned_in(self._db, self._scope, note.path, [digest_of(section.text) for section in note.sections])
        self._note_edits(old, new, note.path)

    def let_go(self, path: str, moved_to: str | None = None) -> None:
        """The file is gone, perhaps to another place, where it was taken in already."""
        file = notes.file_at(self._db, self._scope, path)
        if file is None:
            return
        self.taken.files += 1
        old = notes.sections_of(self._db, file.id)
        for section in old:
            self._touch(section.memory, f"gone with {path}")
        if (successor := self._successor(file, old, moved_to)) is not None:
            self._note_edits(old, notes.sections_of(self._db, successor), path)
        notes.drop_file(self._db, file.id)
        erasing.shunned_in(self._db, self._scope, path, ())

    def finish(self) -> None:
        """Supersede, retire, restore and place what was touched, and write the words."""
        standing = notes.places(self._db, self._touched)
        for memory in standing:
            self._revive(memory)
        self._go_back(standing)
        for memory in standing:
            self._release(memory)
        self._supersede(standing)
        self._retire([memory for memory in self._touched if memory not in standing])
        self._place(standing)
        self._writer.finish()
        self._write_neighbours()

    def _section(self, note: ReadNote, position: int, file: int) -> SectionRow | None:
        """Find or store the memory of a section, and write its row; None where it was purged, and stays away."""
        section = note.sections[position]
        digest = digest_of(section.text)
        memory = notes.find(self._db, self._scope, digest)
        if memory is None and erasing.shunned(self._db, self._scope, digest) is not None:
            return None
        if memory is None:
            memory = self._new(note, position)
        else:
            self.taken.known += 1
            self._touch(memory, "")
        row = SectionRow(section.headings, section.number, section.body_digest, digest, memory)
        notes.put_section(self._db, file, _columns(position, section, row), section.links)
        return row

    def _new(self, note: ReadNote, position: int) -> int:
        """Store a section; or find it after all, where what may not be stored was taken out of its text."""
        draft = self._draft(memory_of(note, position, self._scope_path))
        memory = notes.find(self._db, self._scope, draft.digest)
        if memory is not None:
            self.taken.known += 1
            self._touch(memory, "")
            return memory
        done = self._writer.write(draft, restate=False)
        memory = self._writer.written[-1]
        notes.give_tags(self._db, memory, draft.tags)
        self._see(self._episode(note.path), [])
        self._touched[memory] = None
        self.taken.added += 1
        self.taken.passages += done.passages
        return memory

    def _touch(self, memory: int, why: str) -> None:
        """Look at this memory at the end; remember the order of the episode that it stands in so far."""
        if memory not in self._touched:
            self._touched[memory] = None
            notes.adopt(self._db, memory, VIA)
            self._see(notes.state(self._db, memory).episode)
        if why:
            self._why.setdefault(memory, why)

    def _see(self, episode: int | None, order: list[int] | None = None) -> None:
        if episode is not None and episode not in self._orders:
            self._orders[episode] = notes.in_episode(self._db, episode) if order is None else order

    def _episode(self, path: str) -> int | None:
        row = self._db.execute("SELECT id FROM episode WHERE scope = ? AND key = ?", (self._scope, path)).fetchone()
        return int(row[0]) if row else None

    def _note_edits(self, old: Sequence[SectionRow], new: Sequence[SectionRow], path: str) -> None:
        for i, j in matching.edited([_known(row) for row in old], [_known(row) for row in new]):
            self._touch(new[j].memory, "")
            self._edits.append((old[i].memory, new[j].memory, f"{path} changed"))

    def _successor(self, gone: FileRow, old: Sequence[SectionRow], moved_to: str | None) -> int | None:
        """The file that `gone` has become.

        It is the one that it was seen to be moved to; else one with its inode and a section or half the headings of
        it (inodes are used again); else one with half its sections.
        """
        if moved_to is not None and (told := notes.file_at(self._db, self._scope, moved_to)):
            return told.id
        mine, heads = {row.memory for row in old}, {(row.headings, row.number) for row in old}
        for file in notes.files_like(self._db, self._scope, gone):
            its = notes.sections_of(self._db, file)
            shared = len(mine & {row.memory for row in its})
            alike = len(heads & {(row.headings, row.number) for row in its})
            same_inode = notes.inode_of(self._db, file) == gone.state[:2]
            if 2 * shared >= len(mine) or (same_inode and (shared or 2 * alike >= len(heads))):
                return file
        return None

    # --- what becomes of memories ---------------------------------------------------------------------

    def _revive(self, memory: int) -> None:
        """Bring back what was retired and stands somewhere again, with what it had replaced."""
        if not notes.state(self._db, memory).retired:
            return
        former = notes.retired_with(self._db, memory)
        self._restore(memory)
        for one in former:
            state = notes.state(self._db, one)
            if state.superseded:  # else it would hold: its text is elsewhere by now
                self._restore(one)
                notes.unretire(self._db, [one])
                self.back.append(one)
        notes.unretire(self._db, [memory])
        self.back.append(memory)
        self.taken.restored += 1

    def _restore(self, memory: int) -> None:
        memories.restore(self._db, [memory], self._now)
        self._stood_beside(memory)

    def _go_back(self, standing: Mapping[int, object]) -> None:
        """A section has a text again that it had before: what came after it is retired, so that it holds again."""
        back = [
            old for old, new, _ in self._edits
            if old not in standing and new in standing and notes.came_after(self._db, new, old)
        ]  # fmt: skip
        self._retire(back)

    def _release(self, memory: int) -> None:
        """Let a memory hold that stands in a note, though another note replaced the same text."""
        state = notes.state(self._db, memory)
        if state.superseded and state.noted and not state.forgotten:
            notes.release(self._db, memory, self._now)

    def _supersede(self, standing: Mapping[int, object]) -> None:
        for old, new, why in self._edits:
            if old in standing or new not in standing or not self._may_go(old):
                continue
            its = notes.state(self._db, new)
            if its.forgotten or its.superseded or notes.came_after(self._db, new, old):
                continue
            versions.supersede(self._db, old, new, self._now, why)
            self.taken.superseded += 1

    def _retire(self, candidates: Iterable[int]) -> None:
        """Forget what stands nowhere, with what it had replaced, which would hold again otherwise."""
        going: dict[int, None] = {}
        waiting = [memory for memory in candidates if self._may_go(memory)]
        self.taken.retired += len(dict.fromkeys(waiting))
        while waiting:
            memory = waiting.pop()
            if memory not in going:
                going[memory] = None
                waiting += [old for old in notes.replaced_notes(self._db, memory) if self._may_go(old, replaced=True)]
        why = {memory: self._why.get(memory, "replaced by what it was before") for memory in going}
        memories.forget(self._db, list(going), self._now)
        for memory in going:
            self._stood_beside(memory)
            notes.retire(self._db, [memory], self._now, why[memory])

    def _may_go(self, memory: int, *, replaced: bool = False) -> bool:
        """Whether a memory is the notes' to put out of sight: it holds, nobody gave it beside them, none has it."""
        state = notes.state(self._db, memory)
        mine = state.noted and not state.forgotten and not state.said and (replaced or not state.superseded)
        return mine and not notes.is_anywhere(self._db, memory)

    def _stood_beside(self, memory: int) -> None:
        """Words were written as the order is now, of a memory that was restored or of those beside one forgotten."""
        self._meanwhile.update(one for one in (memory, *episodes.neighbours(self._db, memory)) if one is not None)

    # --- where they stand -----------------------------------------------------------------------------

    def _place(self, standing: Mapping[int, Sequence[Place]]) -> None:
        """Say of each memory where its text stands: in the first of the notes that have it."""
        for memory in self._touched.keys() - standing.keys():
            state = notes.state(self._db, memory)
            if state.noted and state.superseded and state.episode is not None:
                notes.detach(self._db, memory, self._now)
        moved = []
        for memory, places in standing.items():
            state = notes.state(self._db, memory)
            if not state.noted or state.forgotten:
                continue
            place = min(places, key=lambda one: (order(one.path), one.position))
            self._retag(memory, json.loads(place.tags))
            source = source_json(Source(via=VIA, path=place.path, span=(place.first, place.last)))
            episode = position = None
            if not state.superseded:
                episode, position = episodes.ensure(self._db, self._scope, place.path), place.position
                self._see(episode)
            if notes.move(self._db, memory, (place.kind, source, episode, position, place.event_at), self._now):
                moved.append(memory)
        changes.append(self._db, moved)

    def _retag(self, memory: int, tags: list[str]) -> None:
        given = notes.given_tags(self._db, memory)
        if set(given) != set(tags):
            add, remove = [tag for tag in tags if tag not in given], [tag for tag in given if tag not in tags]
            memories.retag(self._db, [memory], add, remove, self._now)
            notes.give_tags(self._db, memory, tags)

    def _write_neighbours(self) -> None:
        """Write the words anew of all whose neighbours are others than before, or that have none any more.

        And of those that were written on the way: nothing need be left of that order, nor of the one before.
        """
        known = set(self._writer.written)
        anew: list[int] = []
        there: set[int] = set()
        gone: set[int] = set()
        for episode, before in self._orders.items():
            beside = dict(_beside(before))
            after = dict(_beside(notes.in_episode(self._db, episode)))
            anew += [memory for memory, pair in after.items() if beside.get(memory) != pair and memory not in known]
            there |= after.keys()
            gone |= beside.keys() - after.keys()
        others = (gone - there | self._meanwhile) - {*anew, *known}
        anew += [memory for memory in sorted(others) if not notes.state(self._db, memory).forgotten]
        passages.Words(self._db).put(anew)


def _known(row: SectionRow) -> Known:
    return Known(row.digest, row.headings, row.number, row.body)


def _beside(order: Sequence[int]) -> Iterable[tuple[int, tuple[int | None, int | None]]]:
    ends: list[int | None] = [None, *order, None]
    return ((memory, (ends[index], ends[index + 2])) for index, memory in enumerate(order))


def _facts(note: ReadNote) -> list[object]:
    """A file's columns from device to event_at."""
    dated = None if note.dated is None else to_ms(note.dated)
    return [*note.state, bytes.fromhex(note.digest), READER, note.kind, json.dumps(note.tags), dated]


def _columns(position: int, section: ReadSection, row: SectionRow) -> list[object]:
    """A section's columns from position to memory."""
    headings = json.dumps(section.headings, ensure_ascii=False)
    return [position, headings, row.number, section.anchor, row.body, section.first, section.last, row.memory]
