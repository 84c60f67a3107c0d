"""Purging: memories are erased in one transaction; then no file of memd's may have a byte of them left.

SQLite leaves what was deleted in the word index until its parts are merged, in pages until they are written over, and
in the write-ahead log until that is cut. So the index is merged, the whole file is written anew, and the log is
emptied; and every copy of the store is purged in the same way, beside itself, and takes its own place once it is whole.

What is to do stands in the table `purging`, in the transaction that erases: a process may die anywhere, and the daemon
goes on when it starts, and whenever what hindered a purge (a reader of an older state, a disk that isn't there) has
gone.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.disk import sync
from memd.errors import Conflict, MemdError, NotFound, StoreCorrupt, StoreNewer
from memd.home import HOOK_LOG, HOOK_SPOOL, LOG
from memd.model import Purge, PurgedPlace
from memd.store import backups, cipher, copies, erasing, memories, schema
from memd.store.connection import Store
from memd.store.failures import corrupt, translate, translate_os
from memd.store.keys import keys

WORDS, PAGES, LOG_FILE = "words", "pages", "log"  # places in the store itself, in the order they are worked off
MERGED = 500  # pages of the word index that one transaction merges
PATIENCE = 500  # such transactions at most
LOG_WAIT_S = 10.0  # for readers of an older state
QUOTED_SHOWN = 20
_FIRST_FORMAT = 3  # of a store that can have purged memories
_WHAT = {
    WORDS: "the word index was merged, without what was deleted",
    PAGES: "the file was written anew, without what was deleted",
    LOG_FILE: "the write-ahead log was emptied",
}


class _Enough(Exception):
    """Ends a transaction that was only to tell what it would do."""


class Purger:
    """Purges memories of one store, and goes on with what is left of earlier purges. Safe for many threads.

    Args:
        store: the open store.
        now_ms: the time, milliseconds since 1970.
    """

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._home = store.path.parent
        self._now_ms = now_ms
        self._lock = threading.Lock()

    def purge(self, ids: Sequence[str], *, dry_run: bool = False) -> Purge:
        """Erase memories, living or forgotten, and work off all that follows. O(size of the store and its copies).

        Args:
            ids: ids or prefixes.
            dry_run: change nothing; tell what would go.

        Raises:
            NotFound, Ambiguous: for any of them; nothing is purged then.
            StoreUnusable: nothing was purged. What comes after the erasing raises nothing: the result says what is
                left, and the daemon goes on with it.
        """
        with self._lock:
            found = self._look(ids)
            places = [] if dry_run else self._blot(found.texts)
            rows = self._erase(found.seqs, dry_run)
            places.insert(0, PurgedPlace("tables", ", ".join(f"{name} {count}" for name, count in rows.items())))
            if dry_run:
                places += [PurgedPlace(str(path), "would be purged too") for path in self._copies()]
            else:
                places += self._work_off()
        return Purge(found.ids, tuple(places), found.quoted, found.files, dry_run)

    def finish(self) -> Purge:
        """Go on with what is left of earlier purges; what it came to."""
        with self._lock:
            return Purge((), tuple(self._work_off()))

    def waits(self) -> bool:
        """Whether something is left that could be done now: a copy that isn't at hand waits until it is."""
        with self._store.reading() as db:
            places = [row[0] for row in db.execute("SELECT place FROM purging")]
        return any(
            place in _WHAT or Path(place).exists() or copies.is_gone(self._home, Path(place)) for place in places
        )

    # --- erasing ----------------------------------------------------------------------------------------

    def _look(self, ids: Sequence[str]) -> _Found:
        with self._store.reading() as db:
            seqs = memories.resolve_all(db, ids)
            stored = memories.fetch(db, seqs)
            texts = [memory.text for memory in stored]
            files = {memory.source.path for memory in stored if memory.source.path}
            files |= {row[0] for row in db.execute(
                "SELECT DISTINCT f.path FROM section AS s JOIN note_file AS f ON f.id = s.file"
                " WHERE s.memory IN (SELECT value FROM json_each(?))", (json.dumps(seqs),),
            )}  # fmt: skip
            return _Found(
                tuple(seqs),
                tuple(memory.id for memory in stored),
                texts,
                tuple(_quoting(db, seqs, texts)),
                tuple(sorted(path for path in files if os.path.isfile(path))),
            )

    def _erase(self, seqs: Sequence[int], dry_run: bool) -> dict[str, int]:
        erased = erasing.Erased({}, ())
        with suppress(_Enough), self._store.writing() as db:
            now = self._now_ms()
            erased = erasing.erase(db, seqs, now)
            if dry_run:
                raise _Enough
            places = [*_WHAT, *map(str, self._copies())]
            db.executemany("INSERT OR REPLACE INTO purging (place, since) VALUES (?, ?)", [(p, now) for p in places])
        return erased.rows

    def _copies(self) -> list[Path]:
        """Every file that may be a copy of this store, as far as memd knows."""
        return copies.all_of(self._home)

    def _blot(self, texts: Sequence[str]) -> list[PurgedPlace]:
        """Take the texts out of logs, where they don't belong, and out of what hooks left for the daemon."""
        needles = sorted(_spellings(texts), key=len, reverse=True)
        found = []
        for path in sorted(self._home.glob(f"{LOG}*")) + sorted(self._home.glob(f"{HOOK_LOG}*")):
            with suppress(OSError):
                if path.is_file() and (count := _blotted(path, needles)):
                    found.append(PurgedPlace(str(path), f"{count} written over"))
        for path in sorted((self._home / HOOK_SPOOL).glob("*")):
            with suppress(OSError):
                if path.is_file() and any(needle in path.read_bytes() for needle in needles):
                    path.unlink()
                    found.append(PurgedPlace(str(path), "deleted: a hook's word, not taken in yet"))
        return found

    # --- working off ------------------------------------------------------------------------------------

    def _work_off(self) -> list[PurgedPlace]:
        with self._store.reading() as db:
            left = {row[0] for row in db.execute("SELECT place FROM purging")}
        places = []
        for place in [*(name for name in _WHAT if name in left), *sorted(left - _WHAT.keys())]:
            try:
                done = self._clean(place)
            except MemdError as error:
                trouble = f"{error.message} {error.hint}".strip()
                self._note(place, trouble)
                places.append(PurgedPlace(place, "", trouble))
            else:
                self._note(place, None)
                places.append(PurgedPlace(place, done))
        copies.sweep(self._home)
        return places

    def _clean(self, place: str) -> str:
        """Leave nothing there; what was done, in words. Raises MemdError where it can't be."""
        if place == WORDS:
            self._merge()
        elif place == PAGES:
            self._store.rewrite()
        elif place == LOG_FILE:
            if not self._store.empty_log(LOG_WAIT_S):
                raise Conflict(
                    "A program reads the store as it was before, so its log can't be emptied yet.",
                    "The daemon does so once that has ended; or say: memd forget --purge",
                )
        else:
            if copies.is_gone(self._home, Path(place)):
                copies.leave_out(self._home, Path(place))
                return "it was deleted"
            with self._store.reading() as db:
                purged = purged_in(db)
            return purge_copy(Path(place), purged)
        return _WHAT[place]

    def _merge(self) -> None:
        """Merge all parts of the word index, a transaction for every few pages, so that writers get their turn.

        Where they add parts as fast, it is done in one transaction in the end.
        """
        for _ in range(PATIENCE):
            with self._store.writing() as db:
                before = db.total_changes
                db.execute("INSERT INTO passage_fts (passage_fts, rank) VALUES ('merge', ?)", (-MERGED,))
                if db.total_changes - before < 2:  # SQLite's own sign that nothing is left to merge
                    return
        with self._store.writing() as db:
            db.execute("INSERT INTO passage_fts (passage_fts) VALUES ('optimize')")

    def _note(self, place: str, trouble: str | None) -> None:
        with suppress(MemdError), self._store.writing() as db:
            if trouble is None:
                db.execute("DELETE FROM purging WHERE place = ?", (place,))
            else:
                db.execute("UPDATE purging SET trouble = ? WHERE place = ?", (trouble, place))


class _Found(NamedTuple):
    """What a purge is about: seqs, ids, texts, ids of other memories that quote them, files that have them."""

    seqs: tuple[int, ...]
    ids: tuple[str, ...]
    texts: list[str]
    quoted: tuple[str, ...]
    files: tuple[str, ...]


def _quoting(db: sqlite3.Connection, seqs: Sequence[int], texts: Iterable[str]) -> list[str]:
    """Other memories that have one of the texts, or are part of one, or say the same; at most `QUOTED_SHOWN`."""
    found: dict[str, None] = {}
    these = json.dumps(list(seqs))
    for text in texts:
        if len(words := text.strip()) < erasing.LEAST:
            continue
        rows = db.execute(
            "SELECT id FROM memory WHERE seq NOT IN (SELECT value FROM json_each(?1)) AND (instr(text, ?2)"
            " OR (length(text) >= ?3 AND instr(?4, text))) ORDER BY seq LIMIT ?5",
            (these, words, erasing.LEAST, text, QUOTED_SHOWN),
        )
        found.update((row[0], None) for row in rows)
    rows = db.execute(
        "SELECT m.id FROM twin AS t JOIN memory AS m ON m.seq IN (t.one, t.other) WHERE m.purged_at IS NULL"
        " AND (t.one IN (SELECT value FROM json_each(?1)) OR t.other IN (SELECT value FROM json_each(?1)))"
        " AND m.seq NOT IN (SELECT value FROM json_each(?1))",
        (these,),
    )
    found.update((row[0], None) for row in rows)
    return list(found)[:QUOTED_SHOWN]


def purged_in(db: sqlite3.Connection) -> dict[str, int]:
    """The ids of all memories of which nothing is left but their place, and since when, milliseconds since 1970."""
    if int(db.execute("PRAGMA user_version").fetchone()[0]) < _FIRST_FORMAT:
        return {}
    return dict(db.execute("SELECT id, purged_at FROM memory WHERE purged_at IS NOT NULL").fetchall())


# --- copies of the store ------------------------------------------------------------------------------


def purge_copy(path: Path, purged: Mapping[str, int]) -> str:
    """Erase memories, as `purged_in` has them, in a copy of the store as well; what was done, in words. O(its size).

    The purged copy is made beside it and takes its place when it is whole. It keeps its format and its time.

    Raises:
        NotFound: it isn't there.
        StoreCorrupt, StoreNewer, StoreLocked: it can't be read.
        StoreFull, StoreReadOnly: it can't be written. It is as it was in all cases.
    """
    if not path.is_file():
        raise NotFound(
            f"{path} isn't there.",
            "When it is, say: memd forget --purge. If it is gone for good, delete its line in the file"
            f" '{copies.ELSEWHERE}' beside the backups.",
        )
    try:
        if _is_clean(path, purged):
            return "it had none of them"
        with _part_of(path) as part:
            count = _purge_file(part, purged)
            backups.verify(part)
            _take_place(part, path)
    except OSError as error:
        raise translate_os(error, path) from error
    except (StoreCorrupt, StoreNewer) as error:
        raise type(error)(f"It can't be purged. {error.message}", _delete_hint(path)) from error
    except sqlite3.Error as error:
        typed = translate(error, path) or corrupt(path, str(error))
        if isinstance(typed, StoreCorrupt):
            typed = StoreCorrupt(f"It can't be purged. {typed.message}", _delete_hint(path))
        raise typed from error
    return f"{count} {'memory' if count == 1 else 'memories'} erased in it, and all its pages written anew"


def _delete_hint(path: Path) -> str:
    return f"If you don't need it, delete it: rm {shlex.quote(str(path))}"


def _is_clean(path: Path, purged: Collection[str]) -> bool:
    """Whether a copy has none of these memories, and wasn't made while a purge was at work."""
    if any(Path(f"{path}{side}").exists() for side in copies.SIDE_FILES):
        return False
    with closing(cipher.connect(path, keys.of(path), "copy")) as db:
        _check_kind(db, path)
        return not _present(db, purged) and not _is_half_done(db)


def _check_kind(db: sqlite3.Connection, path: Path) -> None:
    if int(db.execute("PRAGMA application_id").fetchone()[0]) != schema.APPLICATION_ID:
        raise StoreCorrupt(f"{path} is not a memd store.")
    if int(db.execute("PRAGMA user_version").fetchone()[0]) > schema.FORMAT:
        raise StoreNewer(f"{path} was made by a newer memd.")


def _present(db: sqlite3.Connection, purged: Collection[str]) -> list[int]:
    rows = db.execute(
        "SELECT seq FROM memory WHERE id IN (SELECT value FROM json_each(?)) AND text <> ''",
        (json.dumps(list(purged)),),
    )
    return [row[0] for row in rows]


def _is_half_done(db: sqlite3.Connection) -> bool:
    there = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'purging'").fetchone()
    return there is not None and db.execute("SELECT 1 FROM purging LIMIT 1").fetchone() is not None


def _purge_file(part: Path, purged: Mapping[str, int]) -> int:
    """Erase, merge, and write anew, in a file that nobody else knows; how many memories that were."""
    with closing(cipher.connect(part, keys.of(part), "rw")) as db:
        _check_kind(db, part)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA journal_mode = DELETE")  # with what the log has
        db.execute("BEGIN IMMEDIATE")
        erased = erasing.erase(db, _present(db, purged), max(purged.values(), default=0))
        if _is_half_done(db):
            db.execute("DELETE FROM purging")
        db.execute("COMMIT")
        db.execute("INSERT INTO passage_fts (passage_fts) VALUES ('optimize')")
        db.execute("VACUUM")
    return len(erased.memories)


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """A copy of a copy beside it, with its log, for this process alone."""
    part = path.with_name(path.name + copies.PART)
    with copies.claimed(part):
        for side in ("-journal", *copies.SIDE_FILES):  # of one that was killed: they would be played into this one
            Path(f"{part}{side}").unlink(missing_ok=True)
        shutil.copyfile(path, part)
        sides = [side for side in copies.SIDE_FILES if Path(f"{path}{side}").exists()]
        try:
            for side in sides:
                shutil.copyfile(f"{path}{side}", f"{part}{side}")
            yield part
        finally:
            for side in ("", "-journal", *copies.SIDE_FILES):
                Path(f"{part}{side}").unlink(missing_ok=True)


def _take_place(part: Path, path: Path) -> None:
    """Put the purged copy in the place of the other, with its times, and the other's log away."""
    info = path.stat()
    os.utime(part, ns=(info.st_atime_ns, info.st_mtime_ns))
    sync(part)
    os.replace(part, path)
    for side in copies.SIDE_FILES:
        Path(f"{path}{side}").unlink(missing_ok=True)
    sync(path.parent)


# --- other files --------------------------------------------------------------------------------------


def _spellings(texts: Sequence[str]) -> set[bytes]:
    """The texts and their longer lines, as UTF-8 and as JSON writes them."""
    found = set()
    for text in texts:
        for part in {text.strip(), *(line.strip() for line in text.splitlines())}:
            if len(part) >= erasing.LEAST:
                for spelt in (part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]):
                    found.add(spelt.encode("utf-8", "surrogatepass"))
    return found


def _blotted(path: Path, needles: Iterable[bytes]) -> int:
    """Write over these in a file that another process may be adding to; how many there were."""
    data, count = path.read_bytes(), 0
    with path.open("r+b") as file:
        for needle in needles:
            at = data.find(needle)
            while at >= 0:
                count += 1
                file.seek(at)
                file.write(b"#" * len(needle))
                at = data.find(needle, at + len(needle))
        if count:
            _flush(file)
    return count


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
