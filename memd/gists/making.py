"""Making gists: the memories near a new one are grouped afresh, and each group's sentences chosen.

Two memories of a scope are about the same where they say the same (near-duplicates), or where they are close in
meaning and name the same thing. Groups are stars of that relation; a gist quotes the most central of their sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from pysqlite3 import dbapi2 as sqlite3

from memd.gists.centrality import chosen, lexrank, likeness
from memd.gists.clusters import stars
from memd.gists.sentences import sentences
from memd.store import Store, gists, nearby, pooled
from memd.store.gists import Cited, Member
from memd.store.ids import IdMaker
from memd.text.words import STOP_WORDS, listed, terms

SEEDS = 8  # memories looked at in one step
NEAR = 16  # of the same words, and of each thing that is named
CLOSE = 0.5  # cosine of two memories that are about the same where they name the same
VERY_CLOSE = 0.7  # the same, whatever they name
SHARE, MOST_CHARACTERS, MOST_SENTENCES = 0.4, 600, 5  # of the members' text, that a gist has at most


class Group(NamedTuple):
    """Memories that one gist is to stand for, and what it is to quote."""

    members: tuple[int, ...]
    scope: int
    quotes: tuple[Cited, ...]


class Gister:
    """Takes memories off one store's queue. For one thread at a time.

    Args:
        store: where the queue is.
        now_ms: the time, milliseconds since 1970.
    """

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms
        self._make_id = IdMaker()
        self.made = 0

    def sweep(self) -> int:
        """Drop gists that aren't whole any more, a few; how many."""
        with self._store.reading() as db:
            if not gists.broken(db, 1):
                return 0
        with self._store.writing() as db:
            gone = gists.broken(db, SEEDS)
            gists.drop(db, gone, self._now_ms(), again=True)
        return len(gone)

    def step(self) -> int:
        """Look at a few memories that wait, and return how many; what came of it is durable. 0: none waits."""
        with self._store.reading() as db:
            seeds = gists.waiting(db, SEEDS)
            if not seeds:
                return 0
            around = _around(db, gists.members(db, seeds))
            before = gists.of_members(db, around)
            known = {tuple(part) for part in before.values()}
            groups = _groups(db, gists.members(db, {*around, *(one for part in known for one in part)}), known)
        with self._store.writing() as db:
            gists.done(db, seeds)
            self._write(db, before, groups)
        return len(seeds)

    def _write(self, db: sqlite3.Connection, before: dict[int, list[int]], groups: Sequence[Group]) -> None:
        """Put the new groups in the place of those before; what is as it was stays."""
        now = self._now_ms()
        kept = {tuple(part) for part in before.values()} & {group.members for group in groups}
        gists.drop(db, [gist for gist, part in before.items() if tuple(part) not in kept], now)
        for group in groups:
            if group.members in kept:
                continue
            hold = len(gists.members(db, group.members)) == len(group.members)
            if hold and not gists.of_members(db, group.members):  # else another process was here meanwhile
                gists.put(db, self._make_id, group.scope, group.members, group.quotes, now)
                self.made += 1


def _around(db: sqlite3.Connection, seeds: Sequence[Member]) -> set[int]:
    """The seeds and what may be about the same as one of them."""
    found = {seed.seq for seed in seeds}
    named = nearby.rare_entities(db, found)
    for seed in seeds:
        found.update(nearby.sharing_words(db, seed.text, seed.scope, NEAR))
        found.update(nearby.naming(db, named[seed.seq], NEAR))
    for pair in gists.twins(db, [seed.seq for seed in seeds]):
        found.update(pair)
    return found


def _groups(db: sqlite3.Connection, among: Sequence[Member], known: Container[tuple[int, ...]]) -> list[Group]:
    """The groups among these memories, with what their gists quote; those `known` without."""
    near = _near(db, among)
    by = {one.seq: one for one in among}
    found = []
    for star in stars(near):
        members = [by[seq] for seq in star]
        quotes = [] if star in known else quoted(members)
        if quotes or star in known:
            found.append(Group(star, members[0].scope, tuple(quotes)))
    return found


def _near(db: sqlite3.Connection, among: Sequence[Member]) -> dict[int, set[int]]:
    """Which of these memories are about the same."""
    by = {one.seq: one for one in among}
    near: dict[int, set[int]] = {one.seq: set() for one in among}
    for one, other in gists.twins(db, by):
        if one in by and other in by:
            near[one].add(other)
            near[other].add(one)
    vectors = pooled.of_memories(db, by)
    named = nearby.rare_entities(db, by)
    seqs = [one.seq for one in among if one.seq in vectors]
    if len(seqs) < 2:
        return near
    matrix = np.stack([vectors[seq] for seq in seqs])
    cosines = matrix @ matrix.T
    for row, column in np.argwhere(np.triu(cosines >= CLOSE, 1)).tolist():
        one, other = seqs[row], seqs[column]
        if by[one].scope == by[other].scope and (cosines[row, column] >= VERY_CLOSE or named[one] & named[other]):
            near[one].add(other)
            near[other].add(one)
    return near


def quoted(members: Iterable[Member]) -> list[Cited]:
    """The sentences that stand for these memories, in the order in which those were recorded.

    Empty where that would take more than half of what it stands for.
    """
    ordered = sorted(members, key=lambda one: (one.recorded_at, one.seq))
    texts = {one.seq: one.text for one in ordered}
    cited = [Cited(one.seq, *span) for one in ordered for span in sentences(one.text)]
    cited = [one for one in cited if _stands_alone(texts[one.memory][one.start : one.stop])]
    if not cited:
        return []
    words = [[word for word in terms(texts[one.memory][one.start : one.stop]) if word not in STOP_WORDS]
             for one in cited]  # fmt: skip
    like = likeness(words)
    sizes = [one.stop - one.start for one in cited]
    whole = sum(len(one.text) for one in ordered)
    room = min(MOST_CHARACTERS, int(SHARE * whole))
    taken = chosen(lexrank(like), like, sizes, room, MOST_SENTENCES)
    if 2 * sum(sizes[place] for place in taken) > whole:
        return []
    return [cited[place] for place in sorted(taken)]


def _stands_alone(sentence: str) -> bool:
    """Whether a sentence can be understood without the one before it, as far as its first word tells."""
    return sentence.split(maxsplit=1)[0].lower().strip("*_`\"'(") not in _POINTING


_POINTING = listed("it its this that these those they them their he she his her such so then otherwise and but")
