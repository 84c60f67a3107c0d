"""The nouns: what a memory, a query, a hit and a trace are. Plain structs, no I/O.

These are also the public JSON formats: `schemas/` is generated from this file. Times are aware UTC
datetimes here (RFC 3339 in JSON) and whole milliseconds since 1970 in the store.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

GLOBAL_SCOPE = "global"
ALL_SCOPES = "all"
ID_LENGTH = 13  # characters

KINDS = (
    "note",
    "decision",
    "fact",
    "preference",
    "convention",
    "procedure",
    "fix",
    "task",
    "turn",
    "commit",
    "document",
)

Channel = Literal["lexical", "semantic", "entity", "temporal", "spreading"]
CHANNELS: tuple[Channel, ...] = ("lexical", "semantic", "entity", "temporal", "spreading")


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a memory came from.

    Attributes:
        who: the person or agent that said it (`"simon"`, `"claude-code"`).
        via: the door it came through (`"cli"`, `"api"`, `"ingest"`, `"git"`, `"mcp"`, `"hook"`).
        path: the file it was read from, absolute.
        span: first and last line in that file, counted from 1, both included.
        session: the agent session or commit it belongs to.
    """

    who: str = ""
    via: str = ""
    path: str = ""
    span: tuple[int, int] | None = None
    session: str = ""


class NewMemory(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What `remember` takes: a text and what is known about it. One line of `remember --jsonl`.

    Attributes:
        text: stored exactly as given.
        kind: one of `KINDS`.
        scope: a project's root (absolute path) or `"global"`; None means the caller's scope.
        tags: free words, stored lower-case.
        source: where it came from.
        event_at: when it was true or happened, if that is not now.
        episode: key of the ordered group it belongs to (a session, a file); memories of one episode
            are each other's neighbours.
        position: its place in the episode; None appends.
        importance: from 0 to 1, how slowly it fades; 0.5 is an ordinary memory's.
        pinned: it doesn't fade at all.
    """

    text: str
    kind: str = "note"
    scope: str | None = None
    tags: tuple[str, ...] = ()
    source: Source = Source()
    event_at: datetime | None = None
    episode: str | None = None
    position: int | None = None
    importance: float = 0.5
    pinned: bool = False


class StoredMemory(msgspec.Struct, frozen=True):
    """A memory as it stands in the store. `said` counts how often the same text was given.

    Where another memory replaced it, `superseded_by` is that one's id (the nearest that isn't forgotten) and
    `until` says until when it was true; it holds where both are null. `supersedes` has the ids it replaced itself,
    `conflicts` those of the memories that can't hold beside it. Of one that was purged nothing is left but its place
    in a history: `text` is empty and `purged_at` says since when. A gist (kind `gist`) has the ids of its `members`.
    """

    id: str
    text: str
    kind: str
    scope: str
    tags: tuple[str, ...]
    source: Source
    recorded_at: datetime
    event_at: datetime | None
    episode: str | None
    position: int | None
    said: int
    said_at: datetime
    forgotten_at: datetime | None
    passages: int
    encoded: int
    superseded_by: str | None = None
    until: datetime | None = None
    supersedes: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    purged_at: datetime | None = None
    members: tuple[str, ...] = ()


class Remembered(msgspec.Struct, frozen=True):
    """The reply to `remember`: durable on disk. `again` is true when the same text was there already.

    `redacted` names the kinds of secrets and private parts that were taken out of the text, in their order.
    """

    id: str
    again: bool
    passages: int
    redacted: tuple[str, ...] = ()


class Superseded(msgspec.Struct, frozen=True):
    """The reply to `supersede`: `id` now stands in the place of `old`.

    `again` is true when the scope had the new text already. Where it is the old one's own text nothing is replaced,
    and `id` is `old`. `redacted` is as in `Remembered`.
    """

    id: str
    old: str
    again: bool
    passages: int
    redacted: tuple[str, ...] = ()


class Replacement(msgspec.Struct, frozen=True):
    """One memory in the place of another: when memd learned it, until when the old one was true, and why."""

    old: str
    new: str
    at: datetime
    until: datetime
    why: str


class Change(msgspec.Struct, frozen=True):
    """An entry of the journal about a memory.

    `what` is found (it was there when the journal began), remember, ingest, again, forget, restore, tag, supersede or
    another verb; `source` says who did it and from where, as far as that is known.
    """

    number: int
    at: datetime
    what: str
    id: str
    source: Source
    details: dict[str, str]


class History(msgspec.Struct, frozen=True):
    """What became of a memory: all that it replaced and that replaced it, the older first, each replacement, and
    every change to any of them."""

    id: str
    versions: tuple[StoredMemory, ...]
    replacements: tuple[Replacement, ...]
    changes: tuple[Change, ...]


class ConflictFound(msgspec.Struct, frozen=True):
    """Two memories that can't both hold, the one recorded first ahead.

    `rule` says in what they differ: number, version, path, date, flag, name, negation, moved, replaced or removed;
    `differing` has the differing words of each, `found_at` when memd noticed.
    """

    rule: str
    differing: tuple[str, str]
    memories: tuple[StoredMemory, StoredMemory]
    found_at: datetime


class ConflictsFound(msgspec.Struct, frozen=True):
    """The open conflicts, the latest found first; `waiting` counts memories that nobody compared yet."""

    conflicts: tuple[ConflictFound, ...]
    waiting: int


class Quote(msgspec.Struct, frozen=True):
    """A sentence of a memory, word for word: its characters [start, end)."""

    id: str
    start: int
    end: int
    text: str


class Gist(msgspec.Struct, frozen=True):
    """A few sentences that stand for memories about the same.

    Attributes:
        quotes: what it says: sentences of its members, in the order in which those were recorded.
        members: ids of the memories that it stands for, those stored first ahead. All of them hold.
    """

    id: str
    scope: str
    made_at: datetime
    quotes: tuple[Quote, ...]
    members: tuple[str, ...]


class GistsFound(msgspec.Struct, frozen=True):
    """Gists, the latest made first; `waiting` counts memories that nobody looked at yet for them."""

    gists: tuple[Gist, ...]
    waiting: int


class Audit(msgspec.Struct, frozen=True):
    """Whether the journal is whole and the memories are as it says.

    `entries` and `link` (hex) are of its last entry: kept elsewhere, they show later that nothing before was changed.
    `troubles` begins with the first broken link; `more` counts those that aren't listed. `gaps` says which entries were
    lost in a damage that `memd repair` mended: the chain is whole between them.
    """

    sound: bool
    entries: int
    link: str
    troubles: tuple[str, ...] = ()
    more: int = 0
    gaps: tuple[str, ...] = ()


class PurgedPlace(msgspec.Struct, frozen=True):
    """What was done of a purge in one place (`tables`, `words`, `pages`, `log`, or a file), in words.

    `left` says what hindered it where something of the text may still be there, and what to do; empty else.
    """

    place: str
    done: str
    left: str = ""


class Purge(msgspec.Struct, frozen=True):
    """What became of a purge, place by place.

    `quoted` are ids of other memories that have the text too, `files` those on the disk: memd leaves both alone.
    """

    memories: tuple[str, ...]
    places: tuple[PurgedPlace, ...]
    quoted: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return not any(place.left for place in self.places)


class RepairedTable(msgspec.Struct, frozen=True):
    """What could be read of a table: rows, and how many pages and single records could not.

    `from_backup` rows came from a backup, `refused` were read and are of no use: what they speak of is lost.
    """

    name: str
    rows: int
    pages_lost: int = 0
    records_lost: int = 0
    refused: int = 0
    from_backup: int = 0


class LostMemory(msgspec.Struct, frozen=True):
    """A memory that was there and couldn't be read: its id and when it was recorded, as far as that is known."""

    id: str
    recorded_at: datetime | None = None


class Repair(msgspec.Struct, frozen=True):
    """What a repair made of a damaged store.

    Attributes:
        store: the damaged file, which is as it was.
        target: the new one.
        memories: in the new store, forgotten ones too.
        pages, damaged_pages: of the damaged file.
        tables: those of which something couldn't be read, or came from a backup.
        lost: memories that are known to be lost; the first of them.
        lost_count: how many that are in all.
        from_backup: how many came from the backup.
        journal: what became of the journal, in words; empty where it is whole.
        notes: what else is to be known, in words.
        replaced: where the damaged file lies, if the new one took its place.
    """

    store: str
    target: str
    memories: int
    pages: int
    damaged_pages: int
    tables: tuple[RepairedTable, ...] = ()
    lost: tuple[LostMemory, ...] = ()
    lost_count: int = 0
    from_backup: int = 0
    journal: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    replaced: str | None = None


class Trouble(msgspec.Struct, frozen=True):
    """What is wrong in a store: in the `file`, its `passages`, `words`, `vectors`, `versions` or `journal`."""

    part: str
    what: str


class Soundness(msgspec.Struct, frozen=True):
    """Whether the file is sound and its parts agree; `more` counts the troubles that aren't listed."""

    sound: bool
    memories: int
    passages: int
    troubles: tuple[Trouble, ...] = ()
    more: int = 0


class Query(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A recall, as it is asked.

    Attributes:
        text: the question, words or error line.
        limit: how many memories to return at most, 1 to 1000.
        scope: the current scope; recall sees it and the global one. `"all"` sees everything.
        kinds, tags: keep memories of any of these kinds, and with all of these tags.
        source: keep memories whose source (who, via, path or session) contains this text.
        since, until: keep memories whose event time (else recorded time) lies in [since, until).
        now: the date the query is asked at; relative times resolve against it.
        explain: fill `Recollection.trace` and each hit's contributions.
        without: channels left out (for ablations).
        superseded: also find what another memory has replaced.
        as_of: answer as memd would have known it then: by what was recorded by that time, and what had replaced what.
            It is also `now` where that isn't given.
        min_relevance: leave out hits below this relevance. By default a recall that nothing stored is
            likely to answer has no hits at all; 0 shows whatever comes nearest.
        gists: let a gist stand for several of the memories found, where it has their sentences. Without effect where
            kinds, tags, source, times, `superseded` or `as_of` narrow what is asked for.
        budget: of the memories found, as many as have passages of so many tokens together; the best first.
    """

    text: str
    limit: int = 10
    scope: str = GLOBAL_SCOPE
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    now: datetime | None = None
    explain: bool = False
    without: tuple[Channel, ...] = ()
    min_relevance: float | None = None
    superseded: bool = False
    as_of: datetime | None = None
    gists: bool = False
    budget: int | None = None


class Contribution(msgspec.Struct, frozen=True):
    """One channel's part in a hit: its rank there (from 1), its score there, its share of the fused score."""

    channel: Channel
    rank: int
    score: float
    share: float


class Excerpt(msgspec.Struct, frozen=True):
    """The passage of a memory that was found: character offsets into its text, and that text."""

    start: int
    end: int
    text: str


class Hit(msgspec.Struct, frozen=True):
    """A recalled memory with its fused score and, when asked for, the reason.

    `relevance` is the probability that it answers the query; null where that isn't known (no vector yet, no
    encoder, or an encoder that recall wasn't calibrated with).
    """

    memory: StoredMemory
    excerpt: Excerpt
    score: float
    relevance: float | None
    contributions: tuple[Contribution, ...] = ()


class Candidate(msgspec.Struct, frozen=True):
    """A memory a channel proposed, or one that just missed, as the trace lists it."""

    id: str
    rank: int
    score: float
    snippet: str


class ChannelTrace(msgspec.Struct, frozen=True):
    """What one channel did: whether it opened, why, how long it took, its best candidates."""

    channel: Channel
    open: bool
    why: str
    weight: float
    took_ms: float
    candidates: tuple[Candidate, ...] = ()


class Trace(msgspec.Struct, frozen=True):
    """The whole story of one recall."""

    terms: tuple[str, ...]
    entities: tuple[str, ...]
    times: tuple[tuple[datetime, datetime], ...]
    channels: tuple[ChannelTrace, ...]
    missed: tuple[Candidate, ...]
    stages_ms: dict[str, float]


class Recollection(msgspec.Struct, frozen=True):
    """The answer to a query.

    `degraded` says in words what could not take part; empty when all did. `answerable` is the probability that
    the store answers the query, null where that isn't known; `withheld` counts what came near but was too weak
    to be shown.
    """

    query: str
    hits: tuple[Hit, ...]
    degraded: tuple[str, ...] = ()
    answerable: float | None = None
    withheld: int = 0
    trace: Trace | None = None


class EncoderInfo(msgspec.Struct, frozen=True):
    """The encoder in use, and how far the store has its vectors.

    Attributes:
        name: as `memd model list` has it; the folder where `$MEMD_ENCODER` names one.
        chosen_by: `default` (the built-in one), `home` (`memd model use`) or `MEMD_ENCODER`.
        model: what the encoder calls itself.
        fingerprint: of its weights, graph and tokenizer.
        dimension: of its vectors.
        tokens: whether it gives a vector for each token; without them late interaction is silent.
        max_tokens: how many it reads at once.
        bytes: of its files.
        folder: where they lie.
        passages: in living memories.
        encoded: passages that have its vector.
        pending: passages that wait for it, found by words alone until then.
    """

    name: str
    chosen_by: Literal["default", "home", "MEMD_ENCODER"]
    model: str
    fingerprint: str
    dimension: int
    tokens: bool
    max_tokens: int
    bytes: int
    folder: str
    passages: int
    encoded: int
    pending: int


class Stats(msgspec.Struct, frozen=True):
    """What the store holds and what is still to be done. Sizes in bytes.

    `memories` counts those that hold, as do `by_kind` and `by_scope`; `superseded` those that others replaced,
    `forgotten` those out of sight. `passages` are those of the first two, `pending` which of them wait to be encoded.
    """

    path: str
    memories: int
    superseded: int
    forgotten: int
    passages: int
    pending: int
    episodes: int
    entities: int
    by_kind: dict[str, int]
    by_scope: dict[str, int]
    store_bytes: int
    wal_bytes: int
    encoder: str
    format: int


TaskState = Literal["open", "blocked", "done", "dropped"]


class Task(msgspec.Struct, frozen=True):
    """A goal, or a step of one, with its place in the tree of its scope.

    Attributes:
        number: its name; counts within the scope.
        title: one line.
        memory: id of the memory with the title.
        parent: the task that it is a step of; null for a goal.
        depth: 0 for a goal, 1 for its steps, and so on.
        current: it is the one being worked on.
        needs: tasks that must be finished first; `waits_for` has those that aren't.
        note: why it is blocked or dropped, or what came of it.
        steps: how many there are below it; `finished` counts those done or dropped.
        folded: its steps aren't listed, for it is finished.
    """

    number: int
    title: str
    state: TaskState
    scope: str
    memory: str
    parent: int | None
    depth: int
    current: bool
    needs: tuple[int, ...]
    waits_for: tuple[int, ...]
    note: str
    steps: int
    finished: int
    folded: bool
    begun_at: datetime
    changed_at: datetime


class TaskTree(msgspec.Struct, frozen=True):
    """The tasks of a scope, each before its steps; `current` is the number of the one being worked on."""

    scope: str
    current: int | None
    tasks: tuple[Task, ...]


class ContextBlock(msgspec.Struct, frozen=True):
    """What matters in a scope, in words for an agent, and the memories it quotes, in order.

    `tokens` counts the text by memd's own tokenizer; it is never over the budget. `left_out` counts what would have
    been quoted but for the budget. All is empty where nothing matters yet.
    """

    scope: str
    text: str
    ids: tuple[str, ...]
    tokens: int
    left_out: int


Verdict = Literal["useful", "cited", "restated", "useless"]
TierName = Literal["active", "warm", "cool", "cold", "dormant"]


class NextTier(msgspec.Struct, frozen=True):
    """The tier that a memory falls to next if nobody uses it, and when."""

    tier: TierName
    at: datetime


class Vitality(msgspec.Struct, frozen=True):
    """How alive a memory is.

    Attributes:
        id: of the memory.
        activation: ACT-R's base level; 0 is "recorded or used just now, once".
        retention: e^(−t/S), t since the last use; 1 for a pinned one.
        stability_days: S.
        needed: the probability that it is needed within the next 30 days.
        tier: the precision its vectors are kept at; `tier_since` when it came to it.
        next: what comes if nobody uses it; null where nothing does.
        importance: 0 to 1; 0.5 is that of an ordinary memory.
        uses: times it helped; `useless` times it didn't.
        used_at: the last time it helped.
        why: in words, what all this follows from.
    """

    id: str
    activation: float
    retention: float
    stability_days: float
    needed: float
    tier: TierName
    tier_since: datetime
    next: NextTier | None
    pinned: bool
    importance: float
    uses: int
    useless: int
    used_at: datetime | None
    why: str


class Move(msgspec.Struct, frozen=True):
    """How many memories went from one tier to another."""

    before: TierName
    after: TierName
    memories: int


class Maintenance(msgspec.Struct, frozen=True):
    """What a maintenance pass did, or with `dry_run` would do.

    Attributes:
        at: the time it took as now.
        looked: memories whose time to be looked at had come.
        moved: how many changed their tier, by tiers.
        folded: use events of more than a year ago, packed.
        freed: bytes that the file gave back.
        gists: how many were made.
        finished: false where it was told to stop; the next one goes on.
        took_ms: as long as it took, waiting for recalls included.
    """

    at: datetime
    dry_run: bool
    looked: int
    moved: tuple[Move, ...]
    folded: int
    freed: int
    finished: bool
    took_ms: float
    gists: int = 0


class TierShare(msgspec.Struct, frozen=True):
    """What is kept at a tier: memories, their passages' vectors and the bytes of those."""

    tier: TierName
    bits: int
    memories: int
    vectors: int
    bytes: int


class LifecycleStatus(msgspec.Struct, frozen=True):
    """How alive the living memories are.

    Attributes:
        tiers: counts and bytes, by tier.
        float_bytes: what their vectors would take at 32 bits, those that wait to be encoded left out.
        pinned, used: how many are pinned, how many were ever used.
        uses: use events kept one by one; older ones are packed.
        due: how many a pass would look at now; `next_due` when the next one comes.
        correction: what the odds of need are multiplied by, learned from what came of the store's own forecasts.
        retention: how many memories lie in each tenth of retention, from 0 to 1.
        last: the last pass.
    """

    tiers: tuple[TierShare, ...]
    float_bytes: int
    pinned: int
    used: int
    uses: int
    due: int
    next_due: datetime | None
    correction: float
    retention: tuple[int, ...]
    last: Maintenance | None


class Watch(msgspec.Struct, frozen=True):
    """What the daemon keeps up with.

    Attributes:
        kind: `notes` (a folder or file) or `git` (a repository's commits).
        path: absolute, links resolved.
        scope: of the memories made from it.
        include: globs of the files that are notes there, instead of memd's own idea of it.
        exclude: globs of what is left out.
        poll: look again and again, instead of waiting for the system's word.
        added_at: since when.
    """

    kind: Literal["notes", "git"]
    path: str
    scope: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    poll: bool
    added_at: datetime


class PassedOver(msgspec.Struct, frozen=True):
    """A file that isn't taken in, and why."""

    path: str
    why: str


class WatchState(msgspec.Struct, frozen=True):
    """How a watch is doing.

    Attributes:
        watch: which.
        state: `catching up` (with what it found at the start), `watching`, `missing` (there is nothing at its path;
            what was taken from it is kept) or `failed`.
        by: how it learns of changes: `events`, `polling`.
        why: why it polls or failed; empty else.
        done, total: files looked at, of those to look at, while it catches up.
        files, sections: that were taken in.
        pending: changes that wait until the files are quiet.
        seen_at: when it last took something in; null before that.
        skipped: files that are not taken in, the first thousand of them.
        head: the last commit taken in, of a repository.
    """

    watch: Watch
    state: Literal["catching up", "watching", "missing", "failed"]
    by: Literal["events", "polling"]
    why: str = ""
    done: int = 0
    total: int = 0
    files: int = 0
    sections: int = 0
    pending: int = 0
    seen_at: datetime | None = None
    skipped: tuple[PassedOver, ...] = ()
    head: str = ""
