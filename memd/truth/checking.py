"""Comparing a memory with those near it: by shared words, then by the rules on what excludes.

The queue is the table `unchecked`: a memory leaves it in the transaction that writes what was found, so that a
process may die anywhere and another, or the next, goes on.
"""

from __future__ import annotations

import logging
import re
import time
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from memd.errors import StoreUnusable
from memd.lifecycle import record
from memd.store import conflicts as kept
from memd.store import nearby, versions
from memd.store.conflicts import Found, Text
from memd.store.uses import NewUse
from memd.truth import conflicts
from memd.truth.conflicts import Difference
from memd.truth.statements import Statement, parse, split
from memd.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pysqlite3 import dbapi2 as sqlite3

    from memd.store import Store

log = logging.getLogger(__name__)

NEAR = 16  # passages that share the most telling words, whose memories are compared
SAME_SHARE = 0.85  # of the words of both: they say the same
POLL_S = 3.0
RETRY_S = 10.0
YIELD_S = 0.5  # the longest wait for recalls before a comparison is made all the same
YIELD_STEP_S = 0.002
REST = 4  # times as long as a look took, so that a backlog leaves the processor to others


class Outcome(NamedTuple):
    """What looking at one memory came to."""

    conflicts: int
    twins: int
    superseded: int


class Checker:
    """Takes memories off one store's queue. For one thread at a time.

    Args:
        store: where the queue is.
        now_ms: the time, milliseconds since 1970.
        pause: called before each comparison; may wait.
    """

    def __init__(self, store: Store, now_ms: Callable[[], int], pause: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._now_ms = now_ms
        self._pause = pause

    def step(self) -> Outcome | None:
        """Look at one memory, the newest that waits; None when none does."""
        with self._store.reading() as db:
            seqs = kept.waiting(db, 1)
            if not seqs:
                return None
            mine = kept.text_of(db, seqs[0])
            others = _near(db, mine) if mine else []
        differing = []
        for other in others:
            self._pause()
            if mine and (difference := _difference(mine, other)):
                differing.append((other, difference))
        found = [pair for pair in differing if mine and are_comparable(mine.path, pair[0].path)]
        unlike = {other.seq for other, _ in differing}
        same = [other for other in others if mine and other.seq not in unlike and says_the_same(mine.text, other.text)]
        with self._store.writing() as db:
            kept.done(db, seqs[0])
            if mine is None or kept.text_of(db, mine.seq) is None:
                return Outcome(0, 0, 0)
            return self._write(db, mine, found, same)

    def _write(
        self, db: sqlite3.Connection, mine: Text, found: list[tuple[Text, Difference]], same: list[Text]
    ) -> Outcome:
        now = self._now_ms()
        conflicting = superseded = linked = 0
        for other, difference in found:
            if kept.text_of(db, other.seq) is None:
                continue
            old, new = sorted((mine, other), key=lambda text: text.seq)
            if not kept.add(db, Found(old.seq, new.seq, difference.rule, now)):
                continue
            conflicting += 1
            if why := settles_itself(old.text, new.text):
                versions.supersede(db, old.seq, new.seq, now, why)
                kept.settle(db, old.seq, new.seq, now, why)
                superseded += 1
                if old.seq == mine.seq:
                    break
        for other in same:
            if kept.link(db, mine.seq, other.seq, now):
                linked += 1
                older, newer = sorted((mine, other), key=lambda text: text.seq)
                record.use(db, [NewUse(older.seq, newer.recorded_at, "restated", via="near-duplicate")], now)
        return Outcome(conflicting, linked, superseded)


def _near(db: sqlite3.Connection, mine: Text) -> list[Text]:
    """The memories of its scope that share the most telling words with it."""
    found = nearby.sharing_words(db, mine.text, mine.scope, NEAR)
    return kept.texts(db, [seq for seq in found if seq != mine.seq])


def are_comparable(one: str, other: str) -> bool:
    """Whether what stands in these files (empty: in none) can say different things of the same.

    What a section of a file says it says under its heading: the same key of another option, the same package in another
    release. And a log of releases tells what was done, as commits do, not what holds.
    """
    return (one != other or not one) and not any(_LOG.fullmatch(PurePath(path).stem) for path in (one, other))


# Names of files without what follows the last dot: CHANGELOG, HISTORY-0.x, release_notes, What's New, v1.2.0-rc1. No
# dates: what is noted day by day holds until something else does.
_LOG = re.compile(
    r"[\W\d_]*(?:change[-_ ]?log|changes|history|news|what'?s[-_ ]?new|releases|release[-_ ]?notes)[\W\d_vx]*"
    r"|v?(?!\d{4}\.|0\d)\d+(?:\.(?:\d+|x))+(?:[-.]?(?:a|b|rc|alpha|beta|dev)\.?\d*)?",
    re.IGNORECASE,
)


def _difference(mine: Text, other: Text) -> Difference | None:
    old, new = sorted((mine, other), key=lambda text: text.seq)
    return conflicts.find(old.text, new.text)


def settles_itself(old: str, new: str) -> str:
    """Why the newer of two memories in conflict stands for the older without being asked; empty where it doesn't.

    Only where each is a single statement, so that nothing else is lost with the old one: both set the same key
    (`MAX_SIZE: 10`), or the newer says "now", "no longer" or what it moved from or to.
    """
    olds, news = split(old), split(new)
    if len(olds) != 1 or len(news) != 1:
        return ""
    key, new_key = _KEY.match(olds[0]), _KEY.match(news[0])
    if key and new_key and key.group(1) == new_key.group(1):
        return f"same key: {key.group(1)}"
    difference = conflicts.compare(parse(olds[0]), parse(news[0]))
    return "the newer one says so" if difference is not None and difference.newer > 0 else ""


_KEY = re.compile(r"^`?([A-Z][A-Z0-9]*_[A-Z0-9_]+|[a-z]\w*(?:[._-]\w+)+)`?\s*(?:=|:|\bis\b)\s")


def says_the_same(one: str, other: str) -> bool:
    """Whether two texts have the same statements in about the same words, with the same values and the same sense."""
    ones, others = [parse(part) for part in split(one)], [parse(part) for part in split(other)]
    if not ones or len(ones) != len(others) or _exact(one) != _exact(other):
        return False
    return all(_alike(first, second) for first, second in zip(ones, others, strict=True))


def _exact(text: str) -> set[str]:
    """What can't be said in other words: numbers, addresses, paths, identifiers, and the lines of code blocks."""
    code = {line.strip() for block in _FENCED.findall(text) for line in block.splitlines()}
    return code | {found.strip(_MARKS) for found in _CODED.findall(text)}


_MARKS = ".,;:!?()[]{}<>*\"'`"
_CODED = re.compile(r"\S*[\d_/\\]\S*")
_FENCED = re.compile(r"```(.*?)(?:```|\Z)", re.DOTALL)


def _alike(one: Statement, other: Statement) -> bool:
    mine, theirs = {token.key for token in one.tokens}, {token.key for token in other.tokens}
    values = {token.key for token in one.tokens if token.kind != "word"}
    if values != {token.key for token in other.tokens if token.kind != "word"} or one.negative != other.negative:
        return False
    return len(mine) > 1 and len(mine & theirs) >= SAME_SHARE * len(mine | theirs)


class CheckingWorker(Worker):
    """A thread that keeps the queue empty, at a fifth of a processor.

    Args:
        store: must stay open until `stop` returned.
        now_ms: the time, milliseconds since 1970.
        recalling: whether somebody waits for an answer just now, who goes first.
    """

    def __init__(self, store: Store, now_ms: Callable[[], int], recalling: Callable[[], bool]) -> None:
        super().__init__("checking")
        self._checker = Checker(store, now_ms, self._give_way)
        self._recalling = recalling

    def _work(self) -> None:
        while not self._stopping:
            begun = time.monotonic()
            try:
                found = self._checker.step()
            except StoreUnusable as error:
                log.warning("looking for conflicts waits: %s", error.message)
                self._rest(RETRY_S)
                continue
            except Exception:
                log.exception("looking for conflicts stopped short; it goes on in %g s", RETRY_S)
                self._rest(RETRY_S)
                continue
            if found is None:
                self._await_nudge(POLL_S)
            else:
                self._rest(REST * (time.monotonic() - begun))

    def _give_way(self) -> None:
        deadline = time.monotonic() + YIELD_S
        while self._recalling() and not self._stopping and time.monotonic() < deadline:
            time.sleep(YIELD_STEP_S)
