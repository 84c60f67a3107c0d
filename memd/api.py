"""`Memory`: every verb of memd, in this process. The daemon is this object behind a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from memd.answering import Answerer
from memd.clock import Clock, system_clock, to_ms
from memd.errors import BadInput, NotFound
from memd.home import STORE, data_home
from memd.lifecycle.keeper import Keeper
from memd.loading import Models
from memd.model import (
    GLOBAL_SCOPE,
    Audit,
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
from memd.queueing import Encode, EncodingQueue
from memd.store import Store, audits, filters, gists, histories, memories, statistics
from memd.store.drafts import plain_tags
from memd.store.filters import Filters
from memd.store.validation import build, check_filters, check_tags, plain_scope
from memd.switching import EncoderSwitch
from memd.tasks import Tasks
from memd.writing import Scribe

if TYPE_CHECKING:
    from memd.exchange.lines import Selection
    from memd.exchange.taking import Taker
    from memd.ingest.keeping import NoteKeeper
    from memd.store.purging import Purger
    from memd.truth.arbiter import Arbiter
    from memd.truth.checking import CheckingWorker

StoredMemories = list[StoredMemory]  # inside `Memory`, `list` is its method
RememberedOnes = list[Remembered]
Vitalities = list[Vitality]

TROUBLES_SHOWN = 20  # of an audit


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
        self._clock = clock
        self._models = Models(store.path.parent)
        self._queue = EncodingQueue(store, self._models, encode)
        self._switch = EncoderSwitch(store, self._models, self._queue, self._now_ms)
        self._scribe = Scribe(store, self._models, self._now_ms, self._after_write)
        self._answerer = Answerer(store, self._models, self._queue, clock)
        self._checking: CheckingWorker | None = None
        if encode == "background":
            from memd.truth.checking import CheckingWorker

            self._checking = CheckingWorker(store, self._now_ms, lambda: self._queue.recalling)
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
        self._queue.stop()
        if self._checking:
            self._checking.stop()
        with self._queue.draining:
            self._store.close()
        self._answerer.close()
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

        return NoteKeeper(self._store, self._scribe)

    @property
    def degraded(self) -> tuple[str, ...]:
        """In words, what can't take part at present; empty when all is well, or wasn't needed yet."""
        reasons = self._models.why_no_encoder, self._queue.trouble, self._queue.refused
        return tuple(reason for reason in reasons if reason)

    def remember(self, text: str, **fields: Any) -> Remembered:
        """Store a text, word for word. On return it is durable.

        Args:
            text: any text up to 64 MiB.
            **fields: the other fields of `NewMemory`.

        Raises:
            BadInput: something can't be taken; the store is as it was.
            StoreUnusable: it couldn't be written.
        """
        return self.remember_many([build(NewMemory, text=text, **fields)])[0]

    def remember_many(self, items: Iterable[NewMemory], *, restate: bool = True) -> RememberedOnes:
        """Store many, in their order. All are checked before any is written; then they go in groups of `writing.GROUP`.

        Args:
            items: what to store.
            restate: whether a text that is there already counts as said again; False leaves it untouched, so
                that the same files can be ingested any number of times.

        Raises:
            BadInput, StoreUnusable: as for `remember`.
        """
        return self._scribe.remember(items, restate=restate)

    def without_secrets(self, text: str) -> str:
        """The text as it would be stored: without secrets and private parts, blank where nothing is left."""
        return self._scribe.without_secrets(text)

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
        return self._arbiter.supersede(old_id, text, why, fields)

    def history(self, id: str) -> History:
        """What became of a memory: every version of it, and what replaced what.

        Raises:
            NotFound, Ambiguous: no memory, or several, have that id.
        """
        with self._store.reading() as db:
            return histories.read(db, memories.resolve(db, id, purged=True))

    def conflicts(self, *, scope: str = GLOBAL_SCOPE, limit: int = 50) -> ConflictsFound:
        """Memories that can't both hold, and that nobody decided on, the latest found first.

        What was stored just now is compared first, for `arbiter.COMPARING_S` at most.

        Args:
            scope: sees that scope and the global one; `"all"` sees every one.
            limit: how many at most, 1 to 1000.
        """
        return self._arbiter.conflicts(scope, limit)

    def compare(self, seconds: float | None = None) -> int:
        """Compare what nobody compared yet with the memories near it; return how many that were.

        Args:
            seconds: stop after so long; None: when all is done.
        """
        return self._arbiter.compare(seconds)

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
        return self._arbiter.resolve(keep, other, both=both, why=why)

    @cached_property
    def _arbiter(self) -> Arbiter:
        from memd.truth.arbiter import Arbiter

        return Arbiter(self._store, self._scribe)

    def audit(self, number: int = 0, link: str = "") -> Audit:
        """Verify the journal: each entry, the chain, and that the memories are as it says. O(store).

        Args:
            number, link: of an entry, as an earlier audit gave them; the journal must still have it. 0: none.
        """
        with self._store.reading() as db:
            return audits.report(db, number, link, TROUBLES_SHOWN)

    def check(self) -> Soundness:
        """Read the whole store: whether the file is sound, and its words, vectors and journal agree with the texts.

        O(store): about half a millisecond a passage. Writers and readers go on meanwhile.
        """
        from memd.store import consistency

        return consistency.check(self._store, TROUBLES_SHOWN)

    def recall(self, text: str, **fields: Any) -> Recollection:
        """Find what helps with `text`. `fields` are the other fields of `Query`."""
        return self.ask(build(Query, text=text, **fields))

    def ask(self, query: Query) -> Recollection:
        """Answer a query.

        Raises:
            BadInput: the query can't be asked like this.
            StoreUnusable: the store can't be read.
        """
        return self._answerer.answer(query)

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
            end = None if before is None else memories.resolve(db, before)
            return memories.fetch(db, filters.newest(db, wanted, limit, end))

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
            return filters.count(db, wanted)

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
        self._after_write(seqs)
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
        return Tasks(self._store, self._scribe)

    @cached_property
    def lifecycle(self) -> Keeper:
        """How alive the memories are, and the maintenance pass."""
        return Keeper(self._store, self._clock, self._queue.stand_back_for_recalls, self._after_write)

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

        return Taker(self._store, self._scribe)

    def count_tokens(self, text: str) -> int:
        """How many tokens the text has by the encoder's tokenizer; estimated where there is none. O(length)."""
        return self._models.count_tokens(text)

    def stats(self) -> Stats:
        """What the store holds. O(memories)."""
        with self._store.reading() as db:
            return statistics.stats(db, self._store.path)

    def wait_encoded(self, timeout: float = 60.0) -> bool:
        """Wait until no passage waits for its vectors, at most `timeout` seconds; whether that came true.

        Returns at once when this process has no encoder to do it with.
        """
        return self._queue.wait(timeout)

    def pending(self) -> int:
        """How many passages wait for their vectors."""
        return self._queue.pending()

    def encode_pending(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Encode all that waits, here and now; return how many passages that were.

        Args:
            progress: called after each batch with passages done and passages to do.

        Raises:
            EncoderUnavailable: there is no encoder.
        """
        return self._queue.encode_all(self._models.need(), progress)

    def encoder_info(self) -> EncoderInfo:
        """Which encoder is in use, and how far the store has its vectors. O(passages).

        Raises:
            EncoderUnavailable: there is none to use.
        """
        return self._switch.info()

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
        self._switch.use(name)
        return self._switch.info()

    def reindex(self, *, every: bool = False) -> EncoderInfo:
        """See to it that every passage gets the current encoder's vector; a `"background"` thread begins at once.

        Args:
            every: also those that have it already; until it is made anew, what they have is used.

        Raises:
            EncoderUnavailable: there is none to make them.
        """
        self._switch.reindex(every=every)
        return self._switch.info()

    def _after_write(self, seqs: Sequence[int]) -> None:
        """Have what is durable now compared and encoded; the memories are named by seq."""
        if self._checking:
            self._checking.nudge()
        self._queue.take_up(seqs)

    def _now_ms(self) -> int:
        return to_ms(self._clock())


def _checked(wanted: Filters, limit: int = 1) -> Filters:
    """The same with the one spelling of its scope. Raises BadInput."""
    check_filters(wanted, limit, most=10_000)
    return msgspec.structs.replace(wanted, scope=plain_scope(wanted.scope))
