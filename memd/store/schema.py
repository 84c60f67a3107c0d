"""The store's tables, one string a migration. `migrations.py` applies them in order, once each.

Times are whole milliseconds since 1970, UTC. `seq` and passage ids are internal; people and agents
see `memory.id` alone.
"""

FORMAT = 3
APPLICATION_ID = 0x6D656D64  # "memd": tells a store from any other SQLite file

M001_TABLES = """
-- Where a memory applies: a project's root, or global. Row 1 is 'global'.
CREATE TABLE scope (
    id   INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO scope (id, path) VALUES (1, 'global');

-- An ordered group of memories (a session, a file, a chat); gives a passage its neighbours.
CREATE TABLE episode (
    id    INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL REFERENCES scope (id),
    key   TEXT NOT NULL,
    UNIQUE (scope, key)
) STRICT;

-- Who says memories: the name that a text begins with, else its source's; case-folded. Row 1 is nobody.
CREATE TABLE speaker (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO speaker (id, name) VALUES (1, '');

-- The texts, word for word. Immutable but for said/said_at (the same text given again) and forgotten_at.
-- `asks`: it ends in a question.
CREATE TABLE memory (
    seq          INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    text         TEXT NOT NULL,
    digest       BLOB NOT NULL,
    kind         TEXT NOT NULL,
    scope        INTEGER NOT NULL REFERENCES scope (id),
    source       TEXT NOT NULL,
    recorded_at  INTEGER NOT NULL,
    event_at     INTEGER,
    episode      INTEGER REFERENCES episode (id),
    position     INTEGER,
    speaker      INTEGER NOT NULL REFERENCES speaker (id),
    asks         INTEGER NOT NULL,
    said         INTEGER NOT NULL DEFAULT 1,
    said_at      INTEGER NOT NULL,
    forgotten_at INTEGER
) STRICT;
-- The same text twice in one scope is one memory: found by its digest (BLAKE2b, 16 bytes).
CREATE UNIQUE INDEX memory_digest ON memory (scope, digest) WHERE forgotten_at IS NULL;
-- What was forgotten stays forgotten when its file is read again.
CREATE INDEX memory_forgotten ON memory (scope, digest) WHERE forgotten_at IS NOT NULL;
-- Neighbours within an episode, in order.
CREATE INDEX memory_episode ON memory (episode, position) WHERE episode IS NOT NULL;

-- Every time a text was given again: when, and from where. The first time stands in memory itself.
CREATE TABLE saying (
    memory   INTEGER NOT NULL REFERENCES memory (seq),
    said_at  INTEGER NOT NULL,
    event_at INTEGER,
    source   TEXT NOT NULL
) STRICT;
-- The sayings of a memory.
CREATE INDEX saying_memory ON saying (memory);

-- Free words on memories, lower-case.
CREATE TABLE tag (
    name   TEXT NOT NULL,
    memory INTEGER NOT NULL REFERENCES memory (seq),
    PRIMARY KEY (name, memory)
) STRICT, WITHOUT ROWID;
-- The tags of a memory.
CREATE INDEX tag_memory ON tag (memory);

-- What is indexed: at most 256 encoder tokens of a memory, by character offsets into its text; the
-- passages of a memory cover all of it. `encoder` says whose vector it has: a passage with none, or
-- with another encoder's, is the encoding queue.
CREATE TABLE passage (
    id      INTEGER PRIMARY KEY,
    memory  INTEGER NOT NULL REFERENCES memory (seq),
    ordinal INTEGER NOT NULL,
    start   INTEGER NOT NULL,
    stop    INTEGER NOT NULL,
    encoder INTEGER REFERENCES encoder (id),
    UNIQUE (memory, ordinal)
) STRICT;
-- The queue is a range of this index.
CREATE INDEX passage_encoder ON passage (encoder);

-- Words. rowid = passage.id. `context` holds the text of the neighbouring passages (before and after,
-- in the episode or the same memory), weighted lower; `mark` one token 's<scope id>', so that a query
-- stays inside its scopes. Forgotten memories are taken out and put back by `restore`.
CREATE VIRTUAL TABLE passage_fts USING fts5 (
    text, context, mark,
    content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2'
);
-- Document frequencies of the words, for idf.
CREATE VIRTUAL TABLE passage_fts_vocab USING fts5vocab (passage_fts, col);

-- Who made a vector: the encoder's fingerprint (of its weights, graph and tokenizer).
CREATE TABLE encoder (
    id          INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    dimension   INTEGER NOT NULL
) STRICT;

-- The pooled vector of a passage at `bits` a coordinate (32: float32, little-endian).
CREATE TABLE vector (
    passage INTEGER PRIMARY KEY REFERENCES passage (id),
    encoder INTEGER NOT NULL REFERENCES encoder (id),
    bits    INTEGER NOT NULL,
    code    BLOB NOT NULL
) STRICT;

-- The passage's token vectors as signs, dimension/8 bytes a token, and the token ids (uint16,
-- little-endian), both in order; without the special tokens, and what else isn't kept.
CREATE TABLE token_code (
    passage INTEGER PRIMARY KEY REFERENCES passage (id),
    encoder INTEGER NOT NULL REFERENCES encoder (id),
    ids     BLOB NOT NULL,
    code    BLOB NOT NULL
) STRICT;

-- What memories name.
CREATE TABLE entity (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (name, kind)
) STRICT;
-- Which passage mentions which entity; the key finds the passages of an entity.
CREATE TABLE mention (
    entity  INTEGER NOT NULL REFERENCES entity (id),
    passage INTEGER NOT NULL REFERENCES passage (id),
    PRIMARY KEY (entity, passage)
) STRICT, WITHOUT ROWID;
-- The entities of a passage, for spreading.
CREATE INDEX mention_passage ON mention (passage);

-- Which memories changed, in order: a resident copy in another process catches up by reading the rows
-- after the last it saw. Trimmed; a reader that finds a gap loads afresh.
CREATE TABLE change (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    memory INTEGER NOT NULL
) STRICT;

-- Facts about the store itself (its own id, the seed of its rotation).
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

M002_LIFECYCLE = """
-- Evidence that a memory helped, or didn't: when, by whose word, through which door, in which session or
-- recall. Rows older than a year are folded into life.past, which keeps what scores are made of.
CREATE TABLE use (
    id      INTEGER PRIMARY KEY,
    memory  INTEGER NOT NULL REFERENCES memory (seq),
    at      INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    who     TEXT NOT NULL DEFAULT '',
    via     TEXT NOT NULL DEFAULT '',
    session TEXT NOT NULL DEFAULT '',
    recall  TEXT NOT NULL DEFAULT ''
) STRICT;
-- The uses of a memory, in order.
CREATE INDEX use_memory ON use (memory, at);
-- The uses that are old enough to be folded.
CREATE INDEX use_at ON use (at);
-- A restatement is a use.
INSERT INTO use (memory, at, verdict, who, via, session)
    SELECT memory, said_at, 'restated', coalesce(source ->> 'who', ''), coalesce(source ->> 'via', ''),
        coalesce(source ->> 'session', '')
    FROM saying ORDER BY said_at;

-- How alive a memory is. `used_at`: its last use, NULL while it has none since it was recorded; `stability`
-- (days) is that after its last use, NULL until the lifecycle looked at it; `tier` the bits a coordinate at which
-- its vectors are kept (32, 8, 4, 1; 0: none), since `tier_at`; `due` when that will change (NULL: never, as it
-- stands; 0: not looked at yet). `past`: times and verdicts of folded uses.
CREATE TABLE life (
    memory     INTEGER PRIMARY KEY REFERENCES memory (seq),
    importance REAL NOT NULL DEFAULT 0.5,
    pinned     INTEGER NOT NULL DEFAULT 0,
    used_at    INTEGER,
    stability  REAL,
    tier       INTEGER NOT NULL DEFAULT 32,
    tier_at    INTEGER,
    due        INTEGER DEFAULT 0,
    past       BLOB NOT NULL DEFAULT x''
) STRICT;
-- What a maintenance pass has to look at is a range of this index.
CREATE INDEX life_due ON life (due);
INSERT INTO life (memory, used_at)
    SELECT seq, (SELECT max(said_at) FROM saying WHERE memory = seq) FROM memory ORDER BY seq;

-- What the lifecycle forecast, every 30 days, and what came of it: how many of the memories were needed within the
-- next 30 days (NULL until those are over). By this a store's own forecast is corrected.
CREATE TABLE forecast (
    at       INTEGER PRIMARY KEY,
    memories INTEGER NOT NULL,
    expected REAL NOT NULL,
    needed   INTEGER
) STRICT;
"""

M006_SESSIONS = """
-- A session of a coding agent, by the agent's own name for it. Of its transcript, the first `taken` bytes
-- (`line` lines) are in the store for good; what follows is read again next time. `due` counts how often
-- reading was asked for since it was last done: all rows above 0 are the queue.
CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    agent      TEXT NOT NULL,
    key        TEXT NOT NULL,
    scope      TEXT NOT NULL,
    transcript TEXT NOT NULL DEFAULT '',
    taken      INTEGER NOT NULL DEFAULT 0,
    line       INTEGER NOT NULL DEFAULT 0,
    due        INTEGER NOT NULL DEFAULT 0,
    begun_at   INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    ended_at   INTEGER,
    UNIQUE (agent, key)
) STRICT;
-- The queue.
CREATE INDEX session_due ON session (due) WHERE due > 0;
-- The latest of a scope, for its context.
CREATE INDEX session_scope ON session (scope, seen_at);

-- What memd showed in a session: never shown twice, never stored as the session's own words. `used_at`: when the
-- session made use of it.
CREATE TABLE injection (
    session INTEGER NOT NULL REFERENCES session (id),
    memory  INTEGER NOT NULL REFERENCES memory (seq),
    at      INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (session, memory)
) STRICT, WITHOUT ROWID;

-- What an agent's tools did, by hook and by transcript, which meet in the agent's id of the call. kind `edit`: `what`
-- is the path, `detail` the change; `command`: the command line and what it printed of errors; `said`: who, and the
-- words, of agents whose transcripts can't be read. outcome 1 went well, 0 failed, null not known. Lines of the
-- transcript.
CREATE TABLE session_event (
    seq        INTEGER PRIMARY KEY,
    session    INTEGER NOT NULL REFERENCES session (id),
    call       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    what       TEXT NOT NULL,
    detail     TEXT NOT NULL DEFAULT '',
    outcome    INTEGER,
    at         INTEGER NOT NULL,
    first_line INTEGER,
    last_line  INTEGER,
    UNIQUE (session, call, kind, what)
) STRICT;
-- Which sessions touched a file, or ran a command.
CREATE INDEX session_event_what ON session_event (what, kind);
"""

M003_VERSIONS = """
-- Which memory replaced which: when that was learned, until when the old one was true, and why.
CREATE TABLE version (
    old   INTEGER NOT NULL REFERENCES memory (seq),
    new   INTEGER NOT NULL REFERENCES memory (seq),
    at    INTEGER NOT NULL,
    until INTEGER NOT NULL,
    why   TEXT NOT NULL,
    PRIMARY KEY (old, new)
) STRICT, WITHOUT ROWID;
-- What a memory replaced.
CREATE INDEX version_new ON version (new);

-- Since when a living memory stands in its place; NULL while this one holds. Worked out from `version` and
-- `memory.forgotten_at` by `memd.store.versions`, which keeps it true.
ALTER TABLE memory ADD COLUMN superseded_at INTEGER;
DROP INDEX memory_digest;
-- The same text twice in one scope is one memory, unless the former no longer holds.
CREATE UNIQUE INDEX memory_digest ON memory (scope, digest) WHERE forgotten_at IS NULL AND superseded_at IS NULL;
DROP INDEX memory_forgotten;
-- What was forgotten or superseded stays so when its file is read again.
CREATE INDEX memory_past ON memory (scope, digest) WHERE forgotten_at IS NOT NULL OR superseded_at IS NOT NULL;
-- Those that don't hold, for what looks at them alone.
CREATE INDEX memory_superseded ON memory (superseded_at) WHERE superseded_at IS NOT NULL;
"""

M007_JOURNAL = """
-- Every change to a memory (by seq; NULL: to the store as a whole), in order. `payload` is JSON without texts, NULL
-- once its memory is purged; `sum` is its hash, `link` that of the entry and the link before. See memd.store.journal.
CREATE TABLE journal (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    op      TEXT NOT NULL,
    memory  INTEGER,
    payload TEXT,
    sum     BLOB NOT NULL,
    link    BLOB NOT NULL
) STRICT;
-- The entries about a memory.
CREATE INDEX journal_memory ON journal (memory);
-- When memories went out of sight and came back, for what is asked as of a time.
CREATE INDEX journal_sight ON journal (memory, at) WHERE op IN ('forget', 'restore');
-- Nothing leaves the journal,
CREATE TRIGGER journal_stays BEFORE DELETE ON journal
BEGIN
    SELECT raise(ABORT, 'the journal is append-only');
END;
-- and nothing in it changes, but that a payload is blanked.
CREATE TRIGGER journal_is_true BEFORE UPDATE ON journal
WHEN new.payload IS NOT NULL OR (new.seq, new.at, new.op, new.memory, new.sum, new.link)
    IS NOT (old.seq, old.at, old.op, old.memory, old.sum, old.link)
BEGIN
    SELECT raise(ABORT, 'the journal is append-only');
END;
"""

M004_NOTES = """
-- What the daemon keeps up with: a folder or file of notes, or (kind `git`) a repository's commits. include, exclude:
-- lists of globs, as JSON. `poll`: look again and again rather than wait for the system's word. `head`: the last
-- commit that was taken in.
CREATE TABLE watch (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    path     TEXT NOT NULL,
    scope    INTEGER NOT NULL REFERENCES scope (id),
    include  TEXT NOT NULL DEFAULT '[]',
    exclude  TEXT NOT NULL DEFAULT '[]',
    poll     INTEGER NOT NULL DEFAULT 0,
    head     TEXT NOT NULL DEFAULT '',
    added_at INTEGER NOT NULL,
    UNIQUE (kind, path)
) STRICT;

-- A file as it was last taken in: by device, inode, time and size one sees that it is the same, by its digest that
-- it says the same. `stem`: its name without suffix, case-folded, as wiki links give it. `reader`: the rules that
-- cut it.
CREATE TABLE note_file (
    id       INTEGER PRIMARY KEY,
    scope    INTEGER NOT NULL REFERENCES scope (id),
    path     TEXT NOT NULL,
    stem     TEXT NOT NULL,
    device   INTEGER NOT NULL,
    inode    INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    reader   INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    tags     TEXT NOT NULL,
    event_at INTEGER,
    UNIQUE (scope, path)
) STRICT;
-- The files that a wiki link may mean.
CREATE INDEX note_file_stem ON note_file (stem);
-- The file that was renamed.
CREATE INDEX note_file_inode ON note_file (inode);

-- The sections of a file, in order: by its headings (JSON) and, where several have the same, its number among them,
-- an edited section is known again. Sections of the same text share a memory. `anchor`: the last heading as links
-- write it; `body`: digest of what follows the headings.
CREATE TABLE section (
    id         INTEGER PRIMARY KEY,
    file       INTEGER NOT NULL REFERENCES note_file (id),
    position   INTEGER NOT NULL,
    headings   TEXT NOT NULL,
    number     INTEGER NOT NULL,
    anchor     TEXT NOT NULL,
    body       BLOB NOT NULL,
    first_line INTEGER NOT NULL,
    last_line  INTEGER NOT NULL,
    memory     INTEGER NOT NULL REFERENCES memory (seq),
    UNIQUE (file, position)
) STRICT;
-- Where a memory's text stands.
CREATE INDEX section_memory ON section (memory);

-- Where a section leads: to a file by its path, or by its stem (and the folders written before it, in `path`), and
-- there to a heading.
CREATE TABLE note_link (
    section INTEGER NOT NULL REFERENCES section (id),
    path    TEXT NOT NULL,
    stem    TEXT NOT NULL,
    anchor  TEXT NOT NULL,
    PRIMARY KEY (section, path, stem, anchor)
) STRICT, WITHOUT ROWID;
-- What leads to a file.
CREATE INDEX note_link_path ON note_link (path);
-- The same, by its stem.
CREATE INDEX note_link_stem ON note_link (stem);

-- The memories that were made from notes, with the tags they have from there (JSON). `retired_at`: forgotten because
-- no note has the text any more, and to be restored when one has it again; not by the user's word.
CREATE TABLE noted (
    memory     INTEGER PRIMARY KEY REFERENCES memory (seq),
    tags       TEXT NOT NULL DEFAULT '[]',
    retired_at INTEGER,
    why        TEXT NOT NULL DEFAULT ''
) STRICT;
"""

M005_WORK = """
-- The working memory: goals (no parent) and their steps. Title and note are memories; `number` counts within a scope.
-- `focus`: when it was last taken up, in milliseconds, a little later where two would be at the same time; 0: never.
CREATE TABLE task (
    seq        INTEGER PRIMARY KEY,
    scope      INTEGER NOT NULL REFERENCES scope (id),
    number     INTEGER NOT NULL,
    parent     INTEGER REFERENCES task (seq),
    memory     INTEGER NOT NULL REFERENCES memory (seq),
    state      TEXT NOT NULL,
    note       INTEGER REFERENCES memory (seq),
    begun_at   INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    focus      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (scope, number)
) STRICT;

-- What must be finished before a task.
CREATE TABLE task_need (
    task  INTEGER NOT NULL REFERENCES task (seq),
    needs INTEGER NOT NULL REFERENCES task (seq),
    PRIMARY KEY (task, needs)
) STRICT, WITHOUT ROWID;

-- For the context of a scope: the kinds that it quotes, which are few among many turns, commits and notes.
CREATE INDEX memory_kind ON memory (kind, scope) WHERE kind NOT IN ('note', 'turn', 'commit', 'document');
-- What is pinned.
CREATE INDEX life_pinned ON life (memory) WHERE pinned <> 0;
"""

M008_TRUTH = """
-- Two memories (one < other) that can't both hold, by which rule, when that was found, and what came of it.
CREATE TABLE conflict (
    one        INTEGER NOT NULL REFERENCES memory (seq),
    other      INTEGER NOT NULL REFERENCES memory (seq),
    rule       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    settled_at INTEGER,
    how        TEXT,
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;
-- The conflicts of a memory, from the other side.
CREATE INDEX conflict_other ON conflict (other);

-- Two memories (one < other) that say the same in other words.
CREATE TABLE twin (
    one   INTEGER NOT NULL REFERENCES memory (seq),
    other INTEGER NOT NULL REFERENCES memory (seq),
    at    INTEGER NOT NULL,
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;
-- The near-duplicates of a memory, from the other side.
CREATE INDEX twin_other ON twin (other);

-- Memories that nobody compared yet with those near them: the queue of memd.truth.checking.
CREATE TABLE unchecked (
    memory INTEGER PRIMARY KEY REFERENCES memory (seq)
) STRICT;
-- What people and agents state joins it; what they only said in passing, or did once, does not.
CREATE TRIGGER memory_unchecked AFTER INSERT ON memory
WHEN new.kind NOT IN ('turn', 'commit', 'task', 'fix') AND length(new.text) <= 2000
BEGIN
    INSERT INTO unchecked (memory) VALUES (new.seq);
END;
INSERT INTO unchecked (memory) SELECT seq FROM memory
    WHERE kind NOT IN ('turn', 'commit', 'task', 'fix') AND length(text) <= 2000;
"""

M009_PURGING = """
-- Since when nothing is left of a memory but its place: id, times of recording and forgetting, what replaced what.
ALTER TABLE memory ADD COLUMN purged_at INTEGER;
-- Those, for what passes them over.
CREATE INDEX memory_purged ON memory (purged_at) WHERE purged_at IS NOT NULL;
-- An older memd purges copies of the store without that column: such a memory has no text.
UPDATE memory SET purged_at = forgotten_at WHERE text = '' AND forgotten_at IS NOT NULL;

-- Purged texts that a file still has which memd reads by itself, so that they aren't taken in again: by a hash with a
-- key that only this store has. `memory` is what is left of the purged one, `path` the file.
CREATE TABLE shunned (
    scope  INTEGER NOT NULL REFERENCES scope (id),
    mark   BLOB NOT NULL,
    memory INTEGER NOT NULL REFERENCES memory (seq),
    path   TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (scope, mark)
) STRICT, WITHOUT ROWID;
-- The marks of a file.
CREATE INDEX shunned_path ON shunned (path);

-- What is still to be done of purges: in the word index (`words`), the file's pages (`pages`), the write-ahead log
-- (`log`), or a copy of the store (its path); since when, and what hindered it the last time.
CREATE TABLE purging (
    place   TEXT PRIMARY KEY,
    since   INTEGER NOT NULL,
    trouble TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
"""

M010_ORIGINS = """
-- Stores that memories were imported from, by their own ids.
CREATE TABLE origin (
    id    INTEGER PRIMARY KEY,
    store TEXT NOT NULL UNIQUE,
    name  TEXT NOT NULL
) STRICT;

-- The memories that were stored elsewhere first.
CREATE TABLE came (
    memory INTEGER PRIMARY KEY REFERENCES memory (seq),
    origin INTEGER NOT NULL REFERENCES origin (id)
) STRICT;
-- Whether any came from a store.
CREATE INDEX came_origin ON came (origin);

-- Ids by which memories are known in other stores, where they aren't those they have here.
CREATE TABLE elsewhere (
    origin INTEGER NOT NULL REFERENCES origin (id),
    id     TEXT NOT NULL,
    memory INTEGER NOT NULL REFERENCES memory (seq),
    PRIMARY KEY (origin, id)
) STRICT, WITHOUT ROWID;
-- The other ids of a memory.
CREATE INDEX elsewhere_memory ON elsewhere (memory);
"""

M011_GISTS = """
-- A few sentences that stand for memories about the same. Its words are its members': see memd.store.gists.
CREATE TABLE gist (
    seq     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    scope   INTEGER NOT NULL REFERENCES scope (id),
    made_at INTEGER NOT NULL
) STRICT;

-- What it stands for; a memory is in one gist at most.
CREATE TABLE gist_member (
    memory INTEGER PRIMARY KEY REFERENCES memory (seq) ON DELETE CASCADE,
    gist   INTEGER NOT NULL REFERENCES gist (seq) ON DELETE CASCADE
) STRICT;
-- The members of a gist.
CREATE INDEX gist_member_gist ON gist_member (gist);
-- A gist doesn't outlive a member.
CREATE TRIGGER gist_member_gone AFTER DELETE ON gist_member
BEGIN
    DELETE FROM gist WHERE seq = old.gist;
END;

-- What it says, in order: characters [start, stop) of members' texts.
CREATE TABLE gist_quote (
    gist     INTEGER NOT NULL REFERENCES gist (seq) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    memory   INTEGER NOT NULL REFERENCES memory (seq) ON DELETE CASCADE,
    start    INTEGER NOT NULL,
    stop     INTEGER NOT NULL,
    PRIMARY KEY (gist, position)
) STRICT, WITHOUT ROWID;
-- What is quoted of a memory.
CREATE INDEX gist_quote_memory ON gist_quote (memory);

-- Memories that nobody looked at yet for gists: the queue of memd.gists.making. What is new joins it, what holds
-- again, and what is found to say the same as another.
CREATE TABLE ungisted (
    memory INTEGER PRIMARY KEY REFERENCES memory (seq) ON DELETE CASCADE
) STRICT;
-- What is new joins it,
CREATE TRIGGER memory_ungisted AFTER INSERT ON memory
WHEN new.kind NOT IN ('turn', 'commit', 'task', 'fix') AND length(new.text) <= 2000
BEGIN
    INSERT INTO ungisted (memory) VALUES (new.seq);
END;
-- what holds again,
CREATE TRIGGER memory_holds_again AFTER UPDATE OF forgotten_at, superseded_at ON memory
WHEN new.forgotten_at IS NULL AND new.superseded_at IS NULL AND new.kind NOT IN ('turn', 'commit', 'task', 'fix')
    AND (old.forgotten_at IS NOT NULL OR old.superseded_at IS NOT NULL) AND length(new.text) <= 2000
BEGIN
    INSERT OR IGNORE INTO ungisted (memory) VALUES (new.seq);
END;
-- and what is found to say the same as another.
CREATE TRIGGER twin_ungisted AFTER INSERT ON twin
BEGIN
    INSERT OR IGNORE INTO ungisted (memory) VALUES (new.one), (new.other);
END;
INSERT INTO ungisted (memory) SELECT seq FROM memory WHERE kind NOT IN ('turn', 'commit', 'task', 'fix')
    AND length(text) <= 2000 AND forgotten_at IS NULL AND superseded_at IS NULL;
"""

# One sign bit a dimension, for candidates. sqlite-vec; separate because its dimension is the encoder's.
PASSAGE_BITS = "CREATE VIRTUAL TABLE passage_bits USING vec0 (passage INTEGER PRIMARY KEY, bits bit[{dimension}])"
