"""`Memory`: every verb of memd, in this process. The daemon is this object behind a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from memd.clock import Clock, from_ms, system_clock, to_ms
from memd.config import Config
from memd.encoding import Drain, EncodingWorker
from memd.errors import BadInput, Conflict, EncoderUnavailable, MemdError, NotFound
from memd.home import STORE, data_home
from memd.lifecycle import record
from memd.lifecycle.keeper import Keeper
from memd.model import (
    GLOBAL_SCOPE,
    Audit,
    ConflictFound,
    ConflictsFound,
    EncoderInfo,
    GistsFound,
    History,
    NewMemory,
    Purge,
    Query,
    Recollection,
    Remembered,
    Soundness,
    Stats,
    StoredMemory,
    Superseded,
    Verdict,
    Vitality,
)
from memd.store import Store, audits, filters, gists, histories, journal, memories, past, statistics, vectors, versions
from memd.store import conflicts as kept_conflicts
from memd.store.drafts import Draft, draft, plain_tags, refuse_private
from memd.store.filters import Filters
from memd.store.ids import IdMaker
from memd.store.validation import check_filters, check_new, check_query, check_tags, plain_scope
from memd.tasks import Tasks
from memd.text.chunking import TOKENS, estimated_offsets
from memd.text.redaction import redact

if TYPE_CHECKING:
    from memd.encoder import Encoder, Tokenizer
    from memd.encoder.files import EncoderFiles
    from memd.encoder.library import Encoders, Stamp
    from memd.exchange.lines import Selection
    from memd.exchange.taking import Taker
    from memd.ingest.keeping import NoteKeeper
    from memd.recall.recaller import Recaller
    from memd.store.purging import Purger
    from memd.truth.checking import CheckingWorker

Encode = Literal["background", "inline", "off"]
StoredMemories = list[StoredMemory]  # inside `Memory`, `list` is its method
RememberedOnes = list[Remembered]
Vitalities = list[Vitality]

GROUP = 500  # memories a transaction, so that other writers get their turn
GROUP_CHARACTERS = 16 << 20
COMPARING_S = 2.0  # before conflicts are listed
TROUBLES_SHOWN = 20  # of an audit
WAIT_SLICE_S = 0.2


class Memory:
    """An open store with everything around it. Safe for many threads, and beside other processes.

        with Memory.open() as memory:
            memory.remember("The tests need FFmpeg on the PATH.", kind="fact")
            for hit in memory.recall("what do the tests need").hits:
                print(hit.excerpt.text)

    The encoder is loaded when it is first needed, and another one as soon as that is chosen for the data folder,
    by whichever process. Where it can't be, everything else goes on and `degraded` says so.
    """

    def __init__(self, store: Store, encode: Encode, clock: Clock) -> None:
        self._store = store
        self._encode = encode
        self._clock = clock
        self._make_id = IdMaker()
        self._models = _Models(store.path.parent)
        self._recaller: Recaller | None = None
        self._recalls_by: tuple[Encoder | None, str] = None, ""
        self._recaller_lock = threading.Lock()
        self._drain_lock = threading.Lock()
        self._switch_lock = threading.Lock()
        self._worker: EncodingWorker | None = None
        self._checking: CheckingWorker | None = None
        if encode == "background":
            self._worker = EncodingWorker(store, self._models.encoder, insist=not self._models.is_overridden)
            self._worker.start()
            from memd.truth.checking import CheckingWorker

            worker = self._worker
            self._checking = CheckingWorker(store, self._now_ms, lambda: worker.recalling)
            self._checking.start()

    @classmethod
    def open(
        cls,
        home: Path | str | None = None,
        *,
        encode: Encode = "inline",
        clock: Clock = system_clock,
        passphrase: str | None = None,
    ) -> Memory:
        """Open the store in a data folder, creating both as needed.

        Args:
            home: the data folder; None means MEMD_HOME, else the user's own.
            encode: when vectors are made: in a `"background"` thread, `"inline"` before `remember` returns, or
                `"off"` (left in the queue for another process, or `encode_pending`).
            clock: tells the time, as an aware datetime.
            passphrase: of an encrypted store, or its key in hexadecimal digits; None: MEMD_PASSPHRASE, the file that
                MEMD_KEY_FILE names, or the keyring.

        Raises:
            StoreUnusable: in one of its kinds; the message says why, the hint what to do.
        """
        if encode not in ("background", "inline", "off"):
            raise BadInput(f"encode can't be {encode!r}.", "It is 'background', 'inline' or 'off'.")
        path = Path(data_home() if home is None else home) / STORE
        if passphrase is not None:
            from memd.store import cipher
            from memd.store.keys import keys

            if cipher.is_encrypted(cipher.start_of(path)):
                keys.offer(passphrase, path)
        return cls(Store.open(path), encode, clock)

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish the write in hand and close. What still waits for its vectors stays in the queue."""
        if self._worker:
            self._worker.stop()
        if self._checking:
            self._checking.stop()
        with self._drain_lock:
            self._store.close()
        if self._recaller:
            self._recaller.close()
        self._models.close()

    @property
    def store(self) -> Store:
        """The store itself, for the layers beside this one."""
        return self._store

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        return self._clock

    @cached_property
    def notes(self) -> NoteKeeper:
        """Files of notes as memories that follow them: taken in, superseded, retired and restored."""
        from memd.ingest.keeping import NoteKeeper

        return NoteKeeper(
            self._store, self._make_id, self._now_ms, self._draft, self._encode_after_write, self._not_secret
        )

    @property
    def degraded(self) -> tuple[str, ...]:
        """In words, what can't take part at present; empty when all is well, or wasn't needed yet."""
        reasons = [self._models.why_no_encoder, self._worker.trouble if self._worker else "", self._refused]
        return tuple(reason for reason in reasons if reason)

    @property
    def _refused(self) -> str:
        count = self._worker.refused if self._worker else 0
        return f"The encoder fails at {count} passages, which are found by words alone; see the log." if count else ""

    def remember(self, text: str, **fields: Any) -> Remembered:
        """Store a text, word for word. On return it is durable.

        Args:
            text: any text up to 64 MiB.
            **fields: the other fields of `NewMemory`.

        Raises:
            BadInput: something can't be taken; the store is as it was.
            StoreUnusable: it couldn't be written.
        """
        return self.remember_many([_build(NewMemory, text=text, **fields)])[0]

    def remember_many(self, items: Iterable[NewMemory], *, restate: bool = True) -> RememberedOnes:
        """Store many, in their order. All are checked before any is written; then they go in groups of `GROUP`.

        Args:
            items: what to store.
            restate: whether a text that is there already counts as said again; False leaves it untouched, so
                that the same files can be ingested any number of times.

        Raises:
            BadInput, StoreUnusable: as for `remember`.
        """
        items = list(items)
        for number, item in enumerate(items, start=1):
            try:
                check_new(item)
                refuse_private(item.text)
            except BadInput as error:
                if len(items) > 1:
                    raise BadInput(f"Memory {number} of {len(items)}: {error.message}", error.hint) from None
                raise
        remembered: RememberedOnes = []
        for group in _groups(items):
            remembered += self._write([self._draft(item) for item in group], restate)
        return remembered

    def without_secrets(self, text: str) -> str:
        """The text as it would be stored: without secrets and private parts, blank where nothing is left."""
        return redact(text, self._not_secret).text

    def supersede(self, old_id: str, text: str, *, why: str = "", **fields: Any) -> Superseded:
        """Store a text in the place of a memory, which is no hit any more but keeps its text. Durable on return.

        Where the text is the old one's own, nothing is replaced: it counts as said again. Where another memory that
        holds has it, that one takes the place. A text of a former version is stored anew. Asked twice, as a client does
        under which the daemon was killed, it is done once.

        Args:
            old_id: id or prefix of the memory that no longer holds.
            text: what holds now.
            why: in a few words, for `history`.
            **fields: the other fields of `NewMemory`; kind, scope and tags are the old one's by default. The old
                one was true until `event_at`, or until now.

        Raises:
            NotFound, Ambiguous: no memory, or several, have that id.
            Conflict: it is superseded already.
            BadInput: something can't be taken, or the scope is another one. The store is as it was in all cases.
        """
        with self._store.reading() as db:
            old = memories.fetch(db, [memories.resolve(db, old_id)])[0]
        known = {"kind": old.kind, "scope": old.scope, "tags": old.tags}
        item = _build(NewMemory, text=text, **known | fields)
        check_new(item)
        new = self._draft(item)
        with self._store.writing() as db:
            now = self._now_ms()
            writer = memories.Writer(db, self._make_id, now)
            seq = memories.resolve(db, old.id)
            if (there := versions.already(db, seq, new.digest)) is not None:
                return _superseded(memories.fetch(db, [there])[0], old.id, new.redacted)
            versions.check_holds(db, seq)
            done = writer.write(new, restate=True)
            writer.finish()
            if done.id != old.id:
                versions.supersede(db, seq, memories.resolve(db, done.id), now, why)
        self._encode_after_write(writer.written)
        return Superseded(id=done.id, old=old.id, again=done.again, passages=done.passages, redacted=done.redacted)

    def history(self, id: str) -> History:
        """What became of a memory: every version of it, and what replaced what.

        Raises:
            NotFound, Ambiguous: no memory, or several, have that id.
        """
        with self._store.reading() as db:
            return histories.read(db, memories.resolve(db, id, purged=True))

    def conflicts(self, *, scope: str = GLOBAL_SCOPE, limit: int = 50) -> ConflictsFound:
        """Memories that can't both hold, and that nobody decided on, the latest found first.

        What was stored just now is compared first, for `COMPARING_S` at most.

        Args:
            scope: sees that scope and the global one; `"all"` sees every one.
            limit: how many at most, 1 to 1000.
        """
        check_filters(Filters(scope), limit)
        self.compare(COMPARING_S)
        with self._store.reading() as db:
            found = kept_conflicts.unsettled(db, plain_scope(scope), limit)
            return ConflictsFound(
                tuple(_conflict(one, memories.fetch(db, [one.one, one.other])) for one in found),
                kept_conflicts.count_waiting(db),
            )

    def compare(self, seconds: float | None = None) -> int:
        """Compare what nobody compared yet with the memories near it; return how many that were.

        Args:
            seconds: stop after so long; None: when all is done.
        """
        from memd.truth.checking import Checker

        checker, count = Checker(self._store, self._now_ms), 0
        deadline = None if seconds is None else time.monotonic() + seconds
        while (deadline is None or time.monotonic() < deadline) and checker.step() is not None:
            count += 1
        return count

    def resolve(self, keep: str, other: str, *, both: bool = False, why: str = "") -> StoredMemories:
        """Decide between two memories: the first stands in the place of the second, or both hold.

        Args:
            keep, other: ids or prefixes.
            both: they don't exclude each other; memd won't say so again.
            why: in a few words, for `history`.

        Raises:
            NotFound, Ambiguous: no memory, or several, have such an id.
            Conflict, BadInput: the first can't supersede the second, as for `supersede`.
        """
        with self._store.writing() as db:
            now = self._now_ms()
            one, two = memories.resolve(db, keep), memories.resolve(db, other)
            if one == two:
                raise BadInput("A memory can't be in conflict with itself.", "Give two ids, as `memd conflicts` does.")
            if not both:
                versions.supersede(db, two, one, now, why or "resolved")
            kept_conflicts.settle(db, one, two, now, "both hold" if both else "superseded")
            return memories.fetch(db, [one, two])

    def audit(self, number: int = 0, link: str = "") -> Audit:
        """Verify the journal: each entry, the chain, and that the memories are as it says. O(store).

        Args:
            number, link: of an entry, as an earlier audit gave them; the journal must still have it. 0: none.
        """
        with self._store.reading() as db:
            troubles = list(audits.verify(db, number, link))
            entries, last = journal.head(db)
            gaps = tuple(
                f"Entries {first} to {last_} were lost in a damage, found on {from_ms(at):%Y-%m-%d}."
                for first, last_, at in audits.gaps(db)
            )
        shown = tuple(troubles[:TROUBLES_SHOWN])
        return Audit(not troubles, entries, last.hex(), shown, len(troubles) - len(shown), gaps)

    def check(self) -> Soundness:
        """Read the whole store: whether the file is sound, and its words, vectors and journal agree with the texts.

        O(store): about half a millisecond a passage. Writers and readers go on meanwhile.
        """
        from memd.store import consistency

        return consistency.check(self._store, TROUBLES_SHOWN)

    def recall(self, text: str, **fields: Any) -> Recollection:
        """Find what helps with `text`. `fields` are the other fields of `Query`."""
        return self.ask(_build(Query, text=text, **fields))

    def ask(self, query: Query) -> Recollection:
        """Answer a query.

        Raises:
            BadInput: the query can't be asked like this.
            StoreUnusable: the store can't be read.
        """
        check_query(query)
        if query.scope != (scope := plain_scope(query.scope)):
            query = msgspec.structs.replace(query, scope=scope)
        if query.as_of is not None and query.now is None:
            query = msgspec.structs.replace(query, now=query.as_of)
        recaller = self._ready_recaller()
        with self._worker.giving_way() if self._worker else nullcontext():
            answer = recaller.recall(query)
        if query.as_of is not None:
            answer = self._as_then(answer, query.as_of)
        if query.gists or query.budget is not None:
            answer = self._briefly(answer, query)
        if self._worker and (trouble := self._worker.trouble):  # why passages wait, and will go on waiting
            answer = msgspec.structs.replace(answer, degraded=(*answer.degraded, trouble))
        return answer

    def _as_then(self, answer: Recollection, as_of: datetime) -> Recollection:
        """The hits' memories as they stood then. In a snapshot of its own: what was by then doesn't change."""
        with self._store.reading() as db:
            known = past.as_then(db, past.read(db, to_ms(as_of)), [hit.memory for hit in answer.hits])
        hits = [msgspec.structs.replace(hit, memory=memory) for hit, memory in zip(answer.hits, known, strict=True)]
        return msgspec.structs.replace(answer, hits=tuple(hits))

    def _briefly(self, answer: Recollection, query: Query) -> Recollection:
        """The answer with gists for what they stand for, and within the budget, as the query asks."""
        from memd.gists import standing

        hits = answer.hits
        if standing.fits(query):
            with self._store.reading() as db:
                hits = standing.stand_in(db, hits)
        if query.budget is not None:
            hits = standing.within(hits, query.budget, self.count_tokens)
        return msgspec.structs.replace(answer, hits=hits)

    def show(self, id: str) -> StoredMemory:
        """The memory whose id begins with `id`, living or forgotten; or the gist.

        Raises:
            NotFound, Ambiguous: none has, or several have.
        """
        with self._store.reading() as db:
            try:
                return memories.fetch(db, [memories.resolve(db, id)])[0]
            except NotFound:
                from memd.gists import standing

                if (gist := gists.find(db, id)) is None:
                    raise
                return standing.as_memory(gists.read(db, [gist])[0])

    def gists(self, *, scope: str = GLOBAL_SCOPE, limit: int = 50) -> GistsFound:
        """Gists, the latest made first: a few sentences that stand for memories about the same.

        The maintenance pass makes them, and drops one as soon as a member of it no longer holds.

        Args:
            scope: sees that scope and the global one; `"all"` sees every one.
            limit: how many at most, 1 to 1000.
        """
        check_filters(Filters(scope), limit)
        with self._store.reading() as db:
            found = gists.read(db, gists.seen(db, plain_scope(scope), limit))
            return GistsFound(tuple(found), gists.count_waiting(db))

    def list(
        self,
        *,
        scope: str = GLOBAL_SCOPE,
        kinds: Sequence[str] = (),
        tags: Sequence[str] = (),
        source: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        forgotten: bool = False,
        superseded: bool = False,
        limit: int = 50,
        before: str | None = None,
    ) -> StoredMemories:
        """Memories, the newest first.

        Args:
            scope: sees that scope and the global one; `"all"` sees every one.
            kinds, tags, source, since, until: as in `Query`.
            forgotten: the forgotten ones instead of the living.
            superseded: of the living also those that another memory has replaced.
            limit: how many at most, 1 to 10,000.
            before: only those stored before this one (by id or prefix), for the next page.

        Raises:
            BadInput, NotFound, Ambiguous: a filter, or `before`, can't be understood.
        """
        wanted = _checked(Filters(scope, kinds, tags, source, since, until, forgotten, superseded), limit)
        with self._store.reading() as db:
            condition, values = filters.where(db, wanted)
            if before is not None:
                condition += " AND m.seq < ?"
                values.append(memories.resolve(db, before))
            rows = db.execute(
                f"SELECT m.seq FROM memory AS m WHERE {condition} ORDER BY m.seq DESC LIMIT ?", (*values, limit)
            )
            return memories.fetch(db, [row[0] for row in rows])

    def count(
        self,
        *,
        scope: str = GLOBAL_SCOPE,
        kinds: Sequence[str] = (),
        tags: Sequence[str] = (),
        source: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        forgotten: bool = False,
        superseded: bool = False,
    ) -> int:
        """How many memories `list` would go through with these filters."""
        wanted = _checked(Filters(scope, kinds, tags, source, since, until, forgotten, superseded))
        with self._store.reading() as db:
            condition, values = filters.where(db, wanted)
            return int(db.execute(f"SELECT count(*) FROM memory AS m WHERE {condition}", values).fetchone()[0])

    def forget(self, ids: Sequence[str], *, dry_run: bool = False) -> StoredMemories:
        """Put memories out of sight until `restore`; return them. One that is forgotten already stays so.

        Args:
            ids: ids or prefixes.
            dry_run: change nothing, return what would be forgotten.

        Raises:
            NotFound, Ambiguous: for any of them; nothing is forgotten then.
        """
        if dry_run:
            with self._store.reading() as db:
                return memories.fetch(db, memories.resolve_all(db, ids))
        with self._store.writing() as db:
            seqs = memories.resolve_all(db, ids)
            memories.forget(db, seqs, self._now_ms())
            return memories.fetch(db, seqs)

    @cached_property
    def purges(self) -> Purger:
        """Erasing memories for good, and what is left to do of that."""
        from memd.store.purging import Purger

        return Purger(self._store, self._now_ms)

    def purge(self, ids: Sequence[str], *, dry_run: bool = False) -> Purge:
        """Leave no trace of memories, living or forgotten, in any file of memd's, for good. As `Purger.purge`."""
        return self.purges.purge(ids, dry_run=dry_run)

    def restore(self, ids: Sequence[str]) -> StoredMemories:
        """Undo `forget`; return the memories.

        Raises:
            NotFound, Ambiguous: for any of them.
            Conflict: the same text was remembered anew meanwhile. Nothing is restored in either case.
        """
        with self._store.writing() as db:
            seqs = memories.resolve_all(db, ids)
            memories.restore(db, seqs, self._now_ms())
            found = memories.fetch(db, seqs)
        self._encode_after_write(seqs)
        return found

    def tag(self, ids: Sequence[str], add: Sequence[str] = (), remove: Sequence[str] = ()) -> StoredMemories:
        """Add and remove tags; return the memories.

        Raises:
            BadInput: a tag isn't a word, or a memory would have too many.
            NotFound, Ambiguous: for any of the ids; nothing is changed then.
        """
        check_tags(add)
        check_tags(remove)
        with self._store.writing() as db:
            seqs = memories.resolve_all(db, ids)
            memories.retag(db, seqs, plain_tags(add), plain_tags(remove), self._now_ms())
            return memories.fetch(db, seqs)

    @cached_property
    def tasks(self) -> Tasks:
        """What is being worked on, scope by scope: goals and their steps."""
        return Tasks(
            self._store,
            self._draft,
            lambda db: memories.Writer(db, self._make_id, self._now_ms()),
            self._encode_after_write,
            self._now_ms,
        )

    @cached_property
    def lifecycle(self) -> Keeper:
        """How alive the memories are, and the maintenance pass."""
        pause = self._worker.stand_back_for_recalls if self._worker else lambda: None
        return Keeper(self._store, self._clock, pause, self._encode_after_write)

    def use(
        self,
        ids: Sequence[str],
        *,
        verdict: Verdict = "useful",
        who: str = "",
        via: str = "api",
        session: str = "",
        recall: str = "",
    ) -> Vitalities:
        """Note that memories helped, or didn't; return how alive they now are. As `Keeper.use`."""
        return self.lifecycle.use(ids, verdict=verdict, who=who, via=via, session=session, recall=recall)

    def pin(self, ids: Sequence[str]) -> Vitalities:
        """Keep memories from fading; return how alive they now are. As `Keeper.pin`."""
        return self.lifecycle.pin(ids)

    def unpin(self, ids: Sequence[str]) -> Vitalities:
        """Let pinned memories fade again, from their last use on."""
        return self.lifecycle.pin(ids, pinned=False)

    def export(self, selection: Selection, name: str) -> Iterator[bytes]:
        """The store, or what a selection picks, as lines of memd's exchange format, all of one moment.

        Args:
            selection: what is wanted.
            name: what people call this store.
        """
        from memd.exchange.exporting import Export

        with self._store.reading() as db:
            yield from Export(db, selection, name).lines()

    @cached_property
    def taker(self) -> Taker:
        """Taking in what was exported, or another tool has kept."""
        from memd.exchange.taking import Taker

        return Taker(self._store, self._draft, self.without_secrets, self._now_ms, self._encode_after_write)

    def count_tokens(self, text: str) -> int:
        """How many tokens the text has by the encoder's tokenizer; estimated where there is none. O(length)."""
        return len(self._offsets(text))

    def stats(self) -> Stats:
        """What the store holds. O(memories)."""
        with self._store.reading() as db:
            return statistics.stats(db, self._store.path)

    def wait_encoded(self, timeout: float = 60.0) -> bool:
        """Wait until no passage waits for its vectors, at most `timeout` seconds; whether that came true.

        Returns at once when this process has no encoder to do it with.
        """
        deadline = time.monotonic() + timeout
        if self._worker:
            self._worker.wait_begun(timeout)  # until then the queue may be that of the encoder before
        while self.pending() > (self._worker.refused if self._worker else 0):
            left = deadline - time.monotonic()
            if left <= 0 or self._models.why_no_encoder:
                return False
            if self._worker and self._worker.alive:
                self._worker.wait_step(min(left, WAIT_SLICE_S))
            else:
                time.sleep(min(left, WAIT_SLICE_S))
        return True

    def pending(self) -> int:
        """How many passages wait for their vectors."""
        with self._store.reading() as db:
            return vectors.pending(db)

    def encode_pending(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Encode all that waits, here and now; return how many passages that were.

        Args:
            progress: called after each batch with passages done and passages to do.

        Raises:
            EncoderUnavailable: there is no encoder.
        """
        encoder = self._models.need()
        with self._drain_lock:
            drain = Drain(self._store, encoder)
            done, total = 0, self.pending()
            while taken := drain.step():
                done += taken
                if progress:
                    progress(done, max(total, done))
        return done

    def encoder_info(self) -> EncoderInfo:
        """Which encoder is in use, and how far the store has its vectors. O(passages).

        Raises:
            EncoderUnavailable: there is none to use.
        """
        encoder = self._models.need()
        name, chosen_by, files = self._models.described()
        with self._store.reading() as db:
            encoded, passages = vectors.encoded(db, encoder.fingerprint)
        return EncoderInfo(
            name=name,
            chosen_by=chosen_by,
            model=encoder.name,
            fingerprint=encoder.fingerprint,
            dimension=encoder.dimension,
            tokens=encoder.has_tokens,
            max_tokens=encoder.max_tokens,
            bytes=files.size,
            folder=str(files.graph.parent),
            passages=passages,
            encoded=encoded,
            pending=passages - encoded,
        )

    def use_encoder(self, name: str) -> EncoderInfo:
        """Put the encoder of this name to use: here at once, in every other process when it next needs one.

        What has no vector of it yet waits in the queue, and is found by words until then.

        Args:
            name: as `memd model list` has it; `"builtin"` for the one that memd brings.

        Raises:
            NotFound: there is none of that name.
            EncoderUnavailable: it can't be loaded.
            Conflict: MEMD_ENCODER names the encoder of this process.
            StoreUnusable: the choice can't be written. In all these cases the one in use stays.
        """
        with self._switch_lock:
            if self._models.is_overridden:
                raise Conflict(
                    "MEMD_ENCODER names the encoder of the process that holds the store.",
                    "Unset it, then: memd daemon restart",
                )
            library = self._models.library
            encoder, before = library.load(name), library.chosen()
            library.choose(name)
            self._models.install(name, encoder)
            try:
                with self._store.writing() as db:
                    vectors.adopt(db, encoder.fingerprint, encoder.dimension)
                    journal.append(db, self._now_ms(), [("encoder", None, {"fingerprint": encoder.fingerprint})])
            except MemdError:
                library.choose(before)
                raise
        if self._worker:
            self._worker.nudge()
        return self.encoder_info()

    def reindex(self, *, every: bool = False) -> EncoderInfo:
        """See to it that every passage gets the current encoder's vector; a `"background"` thread begins at once.

        Args:
            every: also those that have it already; until it is made anew, what they have is used.

        Raises:
            EncoderUnavailable: there is none to make them.
        """
        encoder = self._models.need()
        with self._store.writing() as db:
            vectors.adopt(db, encoder.fingerprint, encoder.dimension)
            if every:
                vectors.requeue_all(db)
            journal.append(db, self._now_ms(), [("reindex", None, {"every": every})])
        if self._worker:
            self._worker.nudge()
        return self.encoder_info()

    def _write(self, drafts: Sequence[Draft], restate: bool) -> RememberedOnes:
        with self._store.writing() as db:
            writer = memories.Writer(db, self._make_id, self._now_ms())
            remembered = [writer.write(item, restate=restate) for item in drafts]
            writer.finish()
            record.restated(db, writer.restated, writer.now_ms)
        self._encode_after_write([*writer.written, *(seq for seq, _ in writer.restated)])
        return remembered

    def _encode_after_write(self, seqs: Sequence[int]) -> None:
        if self._checking:
            self._checking.nudge()
        if self._worker:
            self._worker.nudge()
        elif self._encode == "inline" and seqs and (encoder := self._models.encoder()):
            with self._drain_lock:
                drain = Drain(self._store, encoder)
                while drain.step(only=seqs):
                    pass

    def _ready_recaller(self) -> Recaller:
        with self._recaller_lock:
            by = self._models.encoder(), self._models.why_no_encoder
            if self._recaller is None or self._recalls_by != by:
                from memd.recall.recaller import Recaller

                # The one before answers what it was asked; it ends with the last who holds it.
                self._recaller, self._recalls_by = Recaller(self._store, *by, clock=self._clock), by
            return self._recaller

    def _draft(self, item: NewMemory, *, named: bool = True) -> Draft:
        return draft(item, self._offsets, self._models.most_words(), self._not_secret, named=named)

    @cached_property
    def _not_secret(self) -> frozenset[str]:
        """What looks like a secret and is none, by the settings of the data folder."""
        home = self._store.path.parent
        return Config.load(None if str(home) == data_home() else home).settings.redaction.allowed

    def _offsets(self, text: str) -> Sequence[tuple[int, int]]:
        return self._models.offsets(text)

    def _now_ms(self) -> int:
        return to_ms(self._clock())


class _Models:
    """The encoder and the tokenizer in use, each loaded once, when first needed, and anew when another is chosen.

    One that was replaced is dropped, not closed: whoever still works with it holds it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.RLock()
        self._stamp: Stamp | Literal["none yet"] = "none yet"
        self._name = ""
        self._encoder: Encoder | None = None
        self._tokenizer: Tokenizer | None = None
        self.why_no_encoder = ""
        self.fix = ""

    @cached_property
    def library(self) -> Encoders:
        """The encoders of the data folder."""
        from memd.encoder.library import Encoders

        return Encoders(self._home)

    @property
    def is_overridden(self) -> bool:
        """Whether MEMD_ENCODER goes before the data folder's choice."""
        return bool(self.library.override)

    def encoder(self) -> Encoder | None:
        """The encoder; None when it can't be had, with `why_no_encoder` telling why."""
        with self._lock:
            self._follow()
            if self._encoder is None and not self.why_no_encoder:
                try:
                    self._encoder = self.library.load_current()
                except (EncoderUnavailable, NotFound) as error:
                    self._miss(error)
            return self._encoder

    def need(self) -> Encoder:
        """The encoder. Raises EncoderUnavailable."""
        if (encoder := self.encoder()) is None:
            raise EncoderUnavailable(self.why_no_encoder, self.fix)
        return encoder

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        """Offsets of the text's tokens, estimated when there is no tokenizer."""
        tokenizer = self._load_tokenizer()
        return estimated_offsets(text) if tokenizer is None else tokenizer.offsets(text)

    def most_words(self) -> int:
        """Most tokens of a passage: what the store takes, or less where the encoder reads less."""
        tokenizer = self._load_tokenizer()
        return TOKENS if tokenizer is None else min(TOKENS, tokenizer.max_words)

    def described(self) -> tuple[str, Literal["default", "home", "MEMD_ENCODER"], EncoderFiles]:
        """The name of the one in use, by what it was chosen, and its files. Raises EncoderUnavailable."""
        from memd.encoder.library import BUILTIN

        with self._lock:
            if self.is_overridden:
                return self.library.override, "MEMD_ENCODER", self.library.current_files()
            by: Literal["default", "home"] = "default" if self._name == BUILTIN else "home"
            return self._name, by, self.library.files(self._name)

    def install(self, name: str, encoder: Encoder) -> None:
        """Use this encoder, which has just been chosen."""
        with self._lock:
            self._drop()
            self._stamp, self._name, self._encoder = self.library.stamp(), name, encoder

    def close(self) -> None:
        """Let go of the encoder's threads."""
        with self._lock:
            if self._encoder is not None:
                self._encoder.close()
                self._encoder = None

    def _follow(self) -> None:
        """Notice that another encoder was chosen, or the same one again after it had failed."""
        stamp = self.library.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        name = self.library.chosen()
        if name != self._name or self.why_no_encoder:
            self._name = name
            if not self.is_overridden:
                self._drop()

    def _drop(self) -> None:
        self._encoder = self._tokenizer = None
        self.why_no_encoder = self.fix = ""

    def _load_tokenizer(self) -> Tokenizer | None:
        with self._lock:
            self._follow()
            if self._tokenizer is None and not self.why_no_encoder:
                try:
                    self._tokenizer = self._encoder.tokenizer if self._encoder else self.library.current_tokenizer()
                except (EncoderUnavailable, NotFound) as error:
                    self._miss(error)
            return self._tokenizer

    def _miss(self, error: MemdError) -> None:
        self.why_no_encoder, self.fix = f"{error.message} {error.hint}".strip(), error.hint


def _superseded(new: StoredMemory, old: str, redacted: tuple[str, ...]) -> Superseded:
    return Superseded(id=new.id, old=old, again=True, passages=new.passages, redacted=redacted)


def _checked(wanted: Filters, limit: int = 1) -> Filters:
    """The same with the one spelling of its scope. Raises BadInput."""
    check_filters(wanted, limit, most=10_000)
    return msgspec.structs.replace(wanted, scope=plain_scope(wanted.scope))


def _conflict(found: kept_conflicts.Found, pair: Sequence[StoredMemory]) -> ConflictFound:
    from memd.truth import conflicts

    difference = conflicts.find(pair[0].text, pair[1].text)
    words = (difference.one, difference.other) if difference else ("", "")
    return ConflictFound(found.rule, words, (pair[0], pair[1]), from_ms(found.at))


def _build(struct: type[Any], **fields: Any) -> Any:
    """Make a struct from keyword arguments, lists taken for tuples."""
    try:
        return struct(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
    except TypeError as error:
        raise BadInput(f"{struct.__name__}: {error}.", f"Fields are: {', '.join(struct.__struct_fields__)}.") from None


def _groups(items: Sequence[NewMemory]) -> Iterator[list[NewMemory]]:
    """At most `GROUP` items, and about `GROUP_CHARACTERS`, each."""
    rest = iter(items)
    while group := list(islice(rest, 1)):
        size = len(group[0].text)
        while len(group) < GROUP and size < GROUP_CHARACTERS and (more := next(rest, None)):
            group.append(more)
            size += len(more.text)
        yield group
