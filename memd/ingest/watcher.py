"""The thread that keeps the store up with watched notes and repositories.

What is on the disk decides. Events only say where to look: what they miss, a look at all of it finds, which is also
what happens at the start. So nothing is lost when the process ends anywhere: what a file says is taken in together
with the state by which it is known to have been.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memd.clock import to_ms
from memd.errors import BadInput, MemdError, NotFound
from memd.ingest import files, git
from memd.ingest.following import Follower, Stamp
from memd.ingest.ignore import FILES as RULE_FILES
from memd.ingest.keeping import NoteKeeper, is_under, real
from memd.ingest.notes import ReadNote, read_note
from memd.ingest.observing import Observed, observe
from memd.ingest.settling import Settling
from memd.ingest.taking import Taken
from memd.ingest.territory import Differences, Territory, inside, owner
from memd.model import NewMemory, PassedOver, Watch, WatchState
from memd.store import Store, watches
from memd.store.validation import check_scope, plain_scope

if TYPE_CHECKING:
    from memd.clock import Clock

log = logging.getLogger("memd.watcher")

CHECK_S = 2.0  # between two looks whether folders are still the same, and HEADs
LOOK_S = 60.0  # between two looks at all files of a watch, for what events missed
LOOK_SHARE = 400  # a look that takes t seconds is taken every LOOK_SHARE·t at most: under 0.3 % of a core
RETRY_S = 5.0  # after the store refused a write
CHUNK = 50  # files read before they are taken in
MANY = 300  # changes at once from which on the whole watch is looked at
FRESH_NS = 3_000_000_000  # a file changed this recently is read even if its time is the one that is known
SKIPPED_TOLD = 1000
COMMITS = 500

State = Literal["catching up", "watching", "missing", "failed"]


class Watcher:
    """Keeps up with everything that the store says is watched. `start` it, and `stop` it before the store closes.

    Args:
        store: where the watches are written down.
        keeper: takes notes in.
        remember: stores commits, leaving alone what is there.
        clock: tells the time.
    """

    def __init__(
        self, store: Store, keeper: NoteKeeper, remember: Callable[[Sequence[NewMemory]], object], clock: Clock
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._remember = remember
        self._clock = clock
        self._posts: dict[tuple[str, str], _Post] = {}
        self._settling = Settling()
        self._moved: dict[str, str] = {}
        self._state = threading.Condition()
        self._stopping = False
        self._stale = True  # the list of watches is to be read
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Take up what is watched. Costs nothing while there is nothing."""
        with self._store.reading() as db:
            if watches.all_of(db):
                self._wake()

    def stop(self) -> None:
        """Finish the file in hand and end. Waits for the thread."""
        with self._state:
            self._stopping = True
            self._state.notify_all()
        if self._thread is not None:
            self._thread.join()

    def add(
        self,
        path: str,
        *,
        kind: str = "notes",
        scope: str,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        poll: bool = False,
    ) -> WatchState:
        """Watch a folder, a file or a repository from now on, or otherwise than before; durable on return.

        Raises:
            BadInput: there is nothing at `path`, it is no repository, or a glob isn't one.
        """
        check_scope(scope)
        _check_globs([*include, *exclude])
        place = Path(real(Path(path)))
        if kind == "git":
            place = git.root(place)
        elif not place.exists():
            raise BadInput(f"There is no file or folder {path}.", "Check the path.")
        _check_name(place)
        with self._store.writing() as db:
            now = to_ms(self._clock())
            watches.put(db, kind, str(place), plain_scope(scope), include, exclude, poll, now)
        self._wake()
        return self._state_of(kind, str(place))

    def remove(self, path: str, *, kind: str = "notes", forget: bool = False) -> tuple[Watch, Taken]:
        """Watch it no longer. What was taken from it stays, unless it is to be forgotten (until it is back).

        Raises:
            NotFound: it isn't watched.
        """
        place = self._watched(path, kind)
        with self._store.writing() as db:
            watch = watches.find(db, kind, place)
            assert watch is not None
            watches.remove(db, kind, place, to_ms(self._clock()))
            left = watches.all_of(db)
        self._wake()
        with self._state:
            self._state.wait_for(lambda: not self._stale or self._stopping, RETRY_S)
        taken = Taken()
        if forget and kind == "notes":
            theirs = [one.path for one in inside(left, watch) if one.scope == watch.scope]
            taken = self._keeper.sweep(watch.scope, watch.path, (), theirs)
        return watch, taken

    def watched(self) -> list[Watch]:
        """Everything that is watched, by path."""
        with self._store.reading() as db:
            return watches.all_of(db)

    def status(self) -> list[WatchState]:
        """How each watch is doing. O(files taken in)."""
        return [self._state_of(watch.kind, watch.path) for watch in self.watched()]

    def _watched(self, path: str, kind: str) -> str:
        """The path as it is watched: as given, or what it leads to."""
        spelled = os.path.abspath(os.path.expanduser(path))
        known = [watch.path for watch in self.watched() if watch.kind == kind]
        for one in (spelled, real(Path(path)), *_roots(path, kind)):
            if one in known:
                return one
        raise NotFound(f"{path} isn't watched.", "See: memd watch list")

    def _state_of(self, kind: str, path: str) -> WatchState:
        with self._store.reading() as db:
            watch = watches.find(db, kind, path)
            head = watches.head(db, path) if kind == "git" else ""
        if watch is None:
            raise NotFound(f"{path} isn't watched.", "See: memd watch list")
        file_count, sections = self._keeper.count(watch.scope, path) if kind == "notes" else (0, 0)
        with self._state:
            post = self._posts.get((kind, path))
            pending = sum(1 for one in self._settling.paths() if is_under(one, path))
            if post is None or post.watch != watch:
                post = _Post(watch, [])
                return WatchState(watch, post.state, post.by, files=file_count, sections=sections, head=head)
            skipped = [PassedOver(one, why) for one, why in islice(sorted(dict(post.skipped).items()), SKIPPED_TOLD)]
            return WatchState(
                watch, post.state, post.by,
                why=post.why or (post.observed.why if post.observed else ""), done=post.done, total=post.total,
                files=file_count, sections=sections, pending=pending, seen_at=post.seen_at, skipped=tuple(skipped),
                head=head,
            )  # fmt: skip

    # --- the thread -----------------------------------------------------------------------------------

    def _wake(self) -> None:
        """See to it that the thread runs and reads the list of watches."""
        with self._state:
            self._stale = True
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
                self._thread.start()
            self._state.notify_all()

    def _run(self) -> None:
        try:
            while not self._stopping:
                try:
                    self._step()
                except Exception as error:  # the store can't be read, say
                    log.warning("watching waits: %s", _told(error))
                    self._sleep(RETRY_S)
                    for post in self._posts.values():
                        post.look_at = 0.0
        finally:
            for post in self._posts.values():
                post.stop()

    def _step(self) -> None:
        if self._stale:
            self._reload()
        now = time.monotonic()
        for post in list(self._posts.values()):
            if now >= post.check_at and not self._stopping:
                self._check(post)
        with self._state:
            now = time.monotonic()
            due = self._settling.due(now)
            if not due and not self._stale and not self._stopping:
                self._state.wait(self._patience(now))
                due = self._settling.due(time.monotonic())
            moved = dict(self._moved)
            if not len(self._settling):
                self._moved.clear()
        if due:
            self._follow(due, moved)

    def _patience(self, now: float) -> float | None:
        waits = [post.check_at - now for post in self._posts.values()]
        settled = self._settling.wait(now)
        if settled is not None:
            waits.append(settled)
        return max(0.0, min(waits)) if waits else None

    def _sleep(self, seconds: float) -> None:
        with self._state:
            self._state.wait_for(lambda: self._stopping, seconds)

    def _reload(self) -> None:
        """Read what is watched; begin with what is new or otherwise than before, and let go of what isn't any more."""
        with self._state:
            self._stale = False
        found = self.watched()
        wanted: dict[tuple[str, str], Watch] = {(watch.kind, watch.path): watch for watch in found}
        for key, post in list(self._posts.items()):
            if wanted.get(key) != post.watch or post.inner != inside(found, post.watch):
                post.stop()
                with self._state:
                    del self._posts[key]
        with self._state:
            for key, watch in wanted.items():
                if key not in self._posts:
                    self._posts[key] = _Post(watch, inside(found, watch))
            self._state.notify_all()

    def _check(self, post: _Post) -> None:
        """Begin, or look whether all is as it was; from time to time look at everything."""
        now = time.monotonic()
        post.check_at = now + CHECK_S
        try:
            if post.watch.kind == "git":
                self._check_head(post)
                return
            identity = _identity(post.watch.path)
            if identity is None:
                self._missing(post)
            elif identity != post.identity:
                self._begin(post, identity)
            elif now >= post.look_at:
                self._catch_up(post)
        except Exception as error:
            self._fail(post, _told(error))

    def _fail(self, post: _Post, why: str) -> None:
        """Say what is wrong, and look at everything again in a while."""
        if post.why != why:
            log.warning("watching %s waits: %s", post.watch.path, why)
        post.state, post.why = "failed", why
        post.check_at = time.monotonic() + RETRY_S
        post.look_at = 0.0

    def _missing(self, post: _Post) -> None:
        """What was taken in stays: an unplugged disk looks the same as a deleted folder."""
        if post.state != "missing":
            log.info("%s is missing", post.watch.path)
        post.stop()
        post.state, post.identity, post.why = "missing", None, ""

    def _begin(self, post: _Post, identity: tuple[int, int]) -> None:
        """Observe first, then look, so that nothing falls between."""
        post.stop()
        post.state, post.why = "catching up", ""

        def changed(path: str, moved_to: str | None, *, closed: bool, folder: bool) -> None:
            self._note(post, path, moved_to, closed=closed, folder=folder)

        post.observed = observe(post.watch.path, changed, poll=post.watch.poll)
        post.identity = identity
        self._catch_up(post)
        log.info("watching %s by %s", post.watch.path, post.observed.by)

    def _note(self, post: _Post, path: str, moved_to: str | None, *, closed: bool, folder: bool) -> None:
        """Something happened at a path; called from threads of watchdog."""
        if not post.territory.concerns(path, folder):
            return
        with self._state:
            self._settling.note(path, time.monotonic(), closed=closed, moved_to=moved_to)
            if moved_to is not None and not folder:
                self._moved[path] = moved_to
            self._state.notify_all()

    # --- notes ----------------------------------------------------------------------------------------

    def _catch_up(self, post: _Post) -> None:
        """Look at all of a watch, and take in what changed."""
        started = time.monotonic()
        found = self._look(post, None)
        post.state, post.why = "catching up", ""
        self._take_all(post, found)
        if not self._stopping:
            cost = time.monotonic() - started if not found.changed else LOOK_S / LOOK_SHARE
            post.state = "watching"
            post.look_at = time.monotonic() + max(LOOK_S, LOOK_SHARE * cost)

    def _look(self, post: _Post, part: str | None) -> Differences:
        seen = self._keeper.seen(post.watch.scope, part or post.watch.path)
        return post.territory.look(seen, part, time.time_ns() - FRESH_NS)

    def _follow(self, paths: Sequence[str], moved: dict[str, str]) -> None:
        """Take in what changed at these paths."""
        known = [post.watch for post in self._posts.values()]
        by_post: dict[tuple[str, str], list[str]] = {}
        for path in paths:
            watch = owner(known, path)
            if watch is not None:
                by_post.setdefault((watch.kind, watch.path), []).append(path)
        for key, mine in by_post.items():
            post = self._posts[key]
            if _identity(post.watch.path) != post.identity or post.identity is None:
                post.check_at = 0.0  # its folder is gone, or another one
                continue
            try:
                self._follow_in(post, mine, moved)
            except Exception as error:
                self._fail(post, _told(error))

    def _follow_in(self, post: _Post, paths: list[str], moved: dict[str, str]) -> None:
        if len(paths) > MANY:
            self._catch_up(post)
            return
        changed: dict[Path, None] = {}
        gone: dict[str, None] = {}
        skipped: dict[str, str] = {}
        for path in paths:
            part = os.path.dirname(path) if os.path.basename(path) in RULE_FILES else path
            found = self._look(post, part)
            changed.update(dict.fromkeys(found.changed))
            gone.update(dict.fromkeys(found.gone))
            skipped.update(found.skipped)
            for told in [one for one in post.skipped if is_under(one, part)]:
                del post.skipped[told]
        self._take(post, list(changed), list(gone), skipped, moved)

    def _take_all(self, post: _Post, found: Differences) -> None:
        """Take in what a look at all of a watch came to, saying how far it is, and minding what changes meanwhile."""
        post.done, post.total = 0, len(found.changed)
        post.skipped = dict(found.skipped)
        lost = list(found.gone)
        last = max(len(found.changed) - CHUNK, 0)
        for start in range(0, last, CHUNK):
            if self._stopping:
                return
            self._take(post, found.changed[start : start + CHUNK], [], {}, {}, lost)
            post.done = start + CHUNK
            followed = self._follow_meanwhile()
            lost = [path for path in lost if not any(is_under(path, one) for one in followed)]
        if not self._stopping:
            start = -(-last // CHUNK) * CHUNK
            self._take(post, found.changed[start:], lost, {}, {})
            post.done = post.total

    def _follow_meanwhile(self) -> list[str]:
        """Take in what changed and is quiet by now, unless it is so much that it has to wait; the paths."""
        with self._state:
            now = time.monotonic()
            due = self._settling.due(now)
            moved = dict(self._moved)
            if len(due) > MANY:
                for path in due:
                    self._settling.note(path, now, closed=True, moved_to=moved.get(path))
                return []
        self._follow(due, moved)
        return due

    def _take(
        self,
        post: _Post,
        changed: Sequence[Path],
        gone: Sequence[str],
        skipped: Mapping[str, str],
        moved: dict[str, str],
        later: list[str] | None = None,
    ) -> None:
        """Read files and take them in; together with the last ones let go of those that are gone.

        So what was renamed is never there twice, and what turns out to be no note any more goes with them, or with
        those that are let go of `later`.
        """
        post.skipped.update(skipped)
        lost = list(gone)
        for start in range(0, max(len(changed), 1), CHUNK):
            chunk = changed[start : start + CHUNK]
            notes = [note for path in chunk if (note := self._read(post, path, lost))]
            if start + CHUNK < len(changed):
                self._take_chunk(post, notes)
            elif later is not None:
                later += lost
                self._take_chunk(post, notes)
            elif notes or lost:
                self._take_chunk(post, notes, lost, _chains(moved))
        if changed or lost:
            post.seen_at = self._clock()

    def _read(self, post: _Post, path: Path, lost: list[str]) -> ReadNote | None:
        """Read a file; one that is no note is listed, and what was taken from it before is lost."""
        try:
            return read_note(path)
        except files.Unreadable as reason:
            if reason.writing:
                with self._state:
                    self._settling.note(str(path), time.monotonic(), closed=False)
            elif os.path.lexists(path):
                post.skipped[str(files.printable(path))] = str(reason)
            if not reason.passing and files.printable(path) == path:
                lost.append(str(path))
            return None

    def _take_chunk(
        self, post: _Post, notes: list[ReadNote], gone: Sequence[str] = (), moved: Mapping[str, str] | None = None
    ) -> None:
        try:
            self._keeper.take(notes, post.watch.scope, gone=list(dict.fromkeys(gone)), moved=moved)
        except BadInput as error:
            if len(notes) == 1:
                post.skipped[notes[0].path] = error.message
                self._take_chunk(post, [], gone, moved)
                return
            for note in notes:
                self._take_chunk(post, [note])
            self._take_chunk(post, [], gone, moved)

    # --- commits --------------------------------------------------------------------------------------

    def _check_head(self, post: _Post) -> None:
        """Take in what HEAD has come by since."""
        if not os.path.isdir(post.watch.path):
            self._missing(post)
            return
        if post.follower is None:
            post.follower = Follower(Path(post.watch.path))
        stamp = post.follower.stamp()
        if stamp == post.stamp:
            return
        with self._store.reading() as db:
            last = watches.head(db, post.watch.path)
        head = post.follower.head()
        if head and head != last:
            post.state = "catching up"
            commits = iter(post.follower.since(last, head, post.watch.scope))
            while batch := list(islice(commits, COMMITS)):
                self._remember(batch)
                post.done += len(batch)
            with self._store.writing() as db:
                watches.put_head(db, post.watch.path, head)
            post.seen_at = self._clock()
        post.stamp, post.state, post.why = stamp, "watching", ""


class _Post:
    """One watch at work."""

    def __init__(self, watch: Watch, inner: list[Watch]) -> None:
        self.watch = watch
        self.inner = inner
        self.territory = Territory(watch, inner)
        self.state: State = "catching up"
        self.why = ""
        self.observed: Observed | None = None
        self.identity: tuple[int, int] | None = None
        self.skipped: dict[str, str] = {}
        self.done = self.total = 0
        self.check_at = self.look_at = 0.0
        self.seen_at: datetime | None = None
        self.follower: Follower | None = None
        self.stamp: Stamp = ()

    @property
    def by(self) -> Literal["events", "polling"]:
        """How it learns of changes. Of a repository a few files are looked at."""
        if self.observed:
            return self.observed.by
        return "polling" if self.watch.poll or self.watch.kind == "git" else "events"

    def stop(self) -> None:
        """Observe no longer."""
        if self.observed:
            self.observed.stop()
            self.observed = None
        self.identity = None


def _identity(path: str) -> tuple[int, int] | None:
    """What tells a folder from another at the same path. A file has none but its name: each save makes it anew."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    return (state.st_dev, state.st_ino) if os.path.isdir(path) else (0, 0)


def _told(error: Exception) -> str:
    """An error in words; one that nobody foresaw goes to the log."""
    if isinstance(error, MemdError):
        return error.message
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    log.error("the watcher stumbled", exc_info=error)
    return "something went wrong; see: memd daemon logs"


def _chains(moved: dict[str, str]) -> dict[str, str]:
    """Where each file came to in the end, moved once or several times."""
    found = {}
    for start in moved:
        path, steps = start, 0
        while path in moved and steps < len(moved):
            path, steps = moved[path], steps + 1
        found[start] = path
    return found


def _roots(path: str, kind: str) -> list[str]:
    if kind != "git":
        return []
    try:
        return [str(git.root(Path(path).expanduser()))]
    except BadInput:
        return []


def _check_globs(globs: Sequence[str]) -> None:
    from pathspec import GitIgnoreSpec

    for glob in globs:
        try:
            GitIgnoreSpec.from_lines([glob])
        except ValueError:
            raise BadInput(f"{glob!r} is no glob.", "Globs are as in .gitignore: *.md, drafts/, /todo.txt") from None


def _check_name(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise BadInput(f"The name of {files.printable(path)} isn't UTF-8.", "Rename it.") from None
