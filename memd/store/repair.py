"""Repair: a new store out of a damaged one, which is only read.

What can be read is put into a new file beside it (`salvage`, `refilling`); what follows from the texts is made anew:
passages, words, names, and the queue of what is to be encoded. The journal goes on in a new segment, with a marker that
says what is missing. The result is checked as any store is before it is shown to anyone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.errors import BadInput, Conflict, NotFound, StoreCorrupt, StoreUnusable, WrongKey
from memd.model import LostMemory, Repair, RepairedTable
from memd.store import audits, backups, cipher, consistency, copies, journal, pages, passages, salvage
from memd.store.cipher import Key
from memd.store.connection import Store
from memd.store.entities import Mentions
from memd.store.failures import translate, translate_os
from memd.store.keys import keys
from memd.store.migrations import begin, migrate
from memd.store.refilling import DERIVED, Refilling
from memd.text import chunking
from memd.text.entities import extract

GROUP = 200  # memories whose passages are made in one transaction
LOST_SHOWN = 100
_TRIED = 64  # pages that a key is tried on
_TROUBLES = 20
Offsets = Callable[[str], chunking.Offsets]
Progress = Callable[[int, int], None]


class Tools(msgspec.Struct, frozen=True):
    """What cuts passages: the tokenizer's offsets (None estimates them), and the most tokens of one."""

    offsets: Offsets | None = None
    most: int = chunking.TOKENS


def repair(
    store: Path,
    target: Path,
    now_ms: int,
    *,
    backup: Path | None = None,
    tools: Tools = Tools(),  # noqa: B008 - it is frozen
    progress: Progress | None = None,
) -> Repair:
    """Put all that can be read of a damaged store into a new one. O(its size); nobody may write to it meanwhile.

    Args:
        store: the damaged file; it and its log are read, and left as they are.
        target: the new file; nothing must be there.
        now_ms: the time, milliseconds since 1970.
        backup: a copy of the store from before, for what is lost.
        tools: what cuts passages.
        progress: called with memories done and memories to do.

    Raises:
        NotFound: there is no store, or no backup.
        Conflict: `target` exists.
        BadInput: the backup is of another store.
        StoreCorrupt: nothing of memd's can be read in it.
        StoreLocked, WrongKey, EncryptionMissing: it is encrypted, and the key isn't at hand, or no use.
        StoreFull, StoreReadOnly, StoreUnusable: the new one can't be written; nothing is left of it then.
    """
    if not store.is_file():
        raise NotFound(f"There is no store at {store}.", "'memd restore --from latest' puts a backup there.")
    if target.exists():
        raise Conflict(f"{target} exists.", "Give another name with --to, or delete it.")
    part = target.with_name(target.name + copies.PART)
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _opened(store) as (file, key), copies.claimed(part), _dropped(part):
            done = _Repair(store, part, file, key, now_ms, tools, progress).run(backup)
            os.replace(part, target)
    except sqlite3.Error as error:
        raise translate(error, target) or StoreUnusable(f"{target} can't be made: {error}.") from error
    except OSError as error:
        raise translate_os(error, target) from error
    return msgspec.structs.replace(done, target=str(target))


@contextmanager
def _opened(store: Path) -> Iterator[tuple[pages.Pages, Key | None]]:
    """The damaged file's pages, and the key that it is encrypted with."""
    key = _key_of(store)
    file = _pages(store, key)
    try:
        yield file, key
    finally:
        file.close()


def _key_of(store: Path) -> Key | None:
    """The store's key; where its first page can't say whether one fits, one that another page goes with."""
    wrong = None
    try:
        key = keys.of(store)
        if key is not None or cipher.start_of(store) == cipher.PLAIN:
            return key
    except WrongKey as error:
        wrong = error
    for key in keys.likely(store, copies.all_of(store.parent)):
        file = _pages(store, key)
        try:
            if any(file.page(number) is not None for number in range(2, _TRIED)):
                return key
        finally:
            file.close()
    if wrong is not None:
        raise wrong
    return None


def _pages(store: Path, key: Key | None) -> pages.Pages:
    if key is None:
        return pages.Pages(store, None)
    try:
        return pages.Pages(store, pages.decryptor(key.raw, key.salt))
    except ImportError:
        raise StoreUnusable(
            "Reading a damaged encrypted store takes the package cryptography, which isn't installed.",
            "Install it where memd is: pip install cryptography",
        ) from None


@contextmanager
def _dropped(part: Path) -> Iterator[None]:
    try:
        yield
    finally:
        for side in ("", "-journal", *copies.SIDE_FILES):
            Path(f"{part}{side}").unlink(missing_ok=True)


class _Repair:
    def __init__(
        self, store: Path, part: Path, file: pages.Pages, key: Key | None, now_ms: int, tools: Tools,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self._store = store
        self._part = part
        self._file = file
        self._key = key
        self._now = now_ms
        self._tools = tools
        self._progress = progress or (lambda done, total: None)

    def run(self, backup: Path | None) -> Repair:
        found = salvage.Salvage(self._file)
        with closing(cipher.connect(self._part, self._key, "rwc")) as db:
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("BEGIN IMMEDIATE")
            begin(db, found.version)
            filling = Refilling(db, found, self._now)
            with self._second(db, found, backup) as second:
                filling.run(second)
            self._refuse_nothing(db, filling)
            migrate(db)
            self._note(db, filling)
            db.execute("COMMIT")
        self._rebuild()
        return self._report(found, filling)

    @contextmanager
    def _second(
        self, db: sqlite3.Connection, found: salvage.Salvage, backup: Path | None
    ) -> Iterator[sqlite3.Connection | None]:
        """The backup, opened to be read."""
        if backup is None:
            yield None
            return
        backups.verify(backup)
        with closing(cipher.connect(backup, keys.of(backup), "copy")) as second:
            mine = {values[1] for _, values in found.rows("meta") if values[0] == "store"}
            its = {row[0] for row in second.execute("SELECT value FROM meta WHERE key = 'store'")}
            if mine and its and mine != its:
                raise BadInput(f"{backup} is a backup of another store.", "'memd backup --list' shows this store's.")
            yield second

    def _refuse_nothing(self, db: sqlite3.Connection, filling: Refilling) -> None:
        if not db.execute("SELECT 1 FROM memory LIMIT 1").fetchone() and not filling.lost:
            raise StoreCorrupt(
                f"Nothing that memd wrote can be read in {self._store}.",
                "Put a backup back: memd restore --from latest",
            )

    # --- the journal ------------------------------------------------------------------------------------

    def _note(self, db: sqlite3.Connection, filling: Refilling) -> None:
        """Go on with the journal: a marker, what is lost, and what it no longer tells of the memories."""
        said = {"missing": [list(gap) for gap in filling.missing], "memories_lost": len(filling.lost)}
        journal.append(db, self._now, [(journal.REPAIR, None, said)], after=filling.last_entry)
        entries: list[journal.Entry] = [(journal.LOST, seq, {"id": id_}) for seq, (id_, _) in filling.lost.items()]
        journal.append(db, self._now, entries)
        journal.append(db, self._now, list(_untold(db)))

    # --- what follows from the texts ----------------------------------------------------------------------

    def _rebuild(self) -> None:
        """Passages, names and words, in the order of the memories."""
        with closing(Store.open(self._part)) as store:
            with store.reading() as db:
                seqs = [row[0] for row in db.execute("SELECT seq FROM memory WHERE text <> '' ORDER BY seq")]
            for step, work in ((1, self._cut), (2, _put_words)):
                for begin_ in range(0, len(seqs), GROUP):
                    with store.writing() as db:
                        work(db, seqs[begin_ : begin_ + GROUP])
                    self._progress((len(seqs) * (step - 1) + min(begin_ + GROUP, len(seqs))) // 2, len(seqs))
            store.rewrite()
            store.empty_log(1.0)

    def _cut(self, db: sqlite3.Connection, seqs: Sequence[int]) -> None:
        mentions = Mentions(db)
        rows = db.execute(
            "SELECT seq, text FROM memory WHERE seq IN (SELECT value FROM json_each(?))", (json.dumps(seqs),)
        ).fetchall()
        for seq, text in rows:
            for span in passages.insert(db, seq, chunking.cut(text, self._tools.offsets, self._tools.most)):
                mentions.put(span.id, extract(text[span.start : span.stop]))

    # --- what it came to ----------------------------------------------------------------------------------

    def _report(self, found: salvage.Salvage, filling: Refilling) -> Repair:
        notes = []
        if not found.has_schema:
            notes.append("The list of tables was damaged: tables were told by the shape of their rows.")
        if self._file.has_map and not self._file.map_is_whole:
            notes.append("The file's map of its pages is damaged too: there may be more lost pages than those counted.")
        if self._file.log.damaged:
            notes.append(f"{self._file.log.damaged} pages in the write-ahead log don't add up; older ones were taken.")
        with closing(Store.open(self._part)) as store:
            sound = consistency.check(store, _TROUBLES)
            with store.reading() as db:
                count = db.execute("SELECT count(*) FROM memory WHERE purged_at IS NULL").fetchone()[0]
            store.empty_log(1.0)
        notes += [f"Still not right in the new store: {trouble.what}" for trouble in sound.troubles]
        names = {*found.read, *filling.refused, *filling.from_backup}
        tables = [
            RepairedTable(
                name, read.rows, read.pages, read.cells, filling.refused[name], filling.from_backup[name]
            )
            for name in sorted(names)
            if name not in DERIVED and (name == salvage.UNKNOWN or found.is_table(name))
            for read in (found.read.get(name, salvage.Read()),)
        ]  # fmt: skip
        lost = [LostMemory(id_, None if at is None else from_ms(at)) for id_, at in filling.lost.values()]
        return Repair(
            store=str(self._store),
            target=str(self._part),
            memories=count,
            pages=self._file.count,
            damaged_pages=sum(read.pages for read in found.read.values()),
            tables=tuple(t for t in tables if t.pages_lost or t.records_lost or t.refused or t.from_backup),
            lost=tuple(lost[:LOST_SHOWN]),
            lost_count=len(lost),
            from_backup=filling.from_backup["memory"],
            journal=tuple(filling.journal),
            notes=tuple(notes),
        )


def _put_words(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    rows = db.execute(
        "SELECT seq FROM memory WHERE forgotten_at IS NULL AND seq IN (SELECT value FROM json_each(?))",
        (json.dumps(seqs),),
    ).fetchall()
    passages.Words(db).put([row[0] for row in rows])


def _untold(db: sqlite3.Connection) -> Iterator[journal.Entry]:
    """Entries for what the memories are and the journal no longer says, after what it lost."""
    told = audits.replay(db)
    rows = db.execute(
        "SELECT m.seq, m.digest, m.source, m.kind, s.path, m.event_at, m.forgotten_at IS NOT NULL, l.pinned,"
        " m.purged_at IS NOT NULL, (SELECT json_group_array(name) FROM tag WHERE tag.memory = m.seq)"
        " FROM memory AS m JOIN scope AS s ON s.id = m.scope LEFT JOIN life AS l ON l.memory = m.seq ORDER BY m.seq"
    ).fetchall()
    for seq, digest, source, kind, scope, event_at, forgotten, pinned, purged, tags in rows:
        its = told.get(seq)
        about, names, where = [kind, scope, event_at], sorted(json.loads(tags)), json.loads(source)
        if not purged and not audits.agrees(its, digest, where, about, set(names), bool(pinned)):
            said = {"text": digest.hex(), "source": where, "about": about, "tags": names, "pinned": bool(pinned)}
            yield "found", seq, said
        elif purged and its is None:
            yield journal.PURGE, seq, {}
        if bool(forgotten) != (its.forgotten if its else False):
            yield (journal.FORGET if forgotten else journal.RESTORE), seq, {}
    yield from _untold_links(db, told)


def _untold_links(db: sqlite3.Connection, told: dict[int, audits.Told]) -> Iterator[journal.Entry]:
    """The same for what stands in the place of what."""
    links: dict[int, set[str]] = {}
    for old, new in db.execute("SELECT v.old, m.id FROM version AS v JOIN memory AS m ON m.seq = v.new"):
        links.setdefault(old, set()).add(new)
    ids = {row[0] for row in db.execute("SELECT id FROM memory")}
    for seq, its in told.items():
        if {id_ for id_ in its.by if id_ in ids} - links.get(seq, set()):
            yield journal.RELEASE, seq, {}
            its.by.clear()
    for seq, news in links.items():
        known = told[seq].by if seq in told else {}
        for new in sorted(news - set(known)):
            yield journal.SUPERSEDE, seq, {"by": new, "why": ""}


def put_in_place(target: Path, store: Path, aside: Path) -> None:
    """Put the new store in the damaged one's place, and that one aside, as it is.

    Raises:
        StoreBusy: another process has it open.
        MemdError: the new one can't be read, or not be moved. The damaged one is where it was then.
    """
    backups.verify(target)
    backups.put_back(target, store, aside)
    with suppress(OSError):
        target.unlink()
