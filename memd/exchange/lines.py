"""memd's own exchange format: JSON lines, one struct a line, told apart by `type`. Plain structs, no I/O.

A file is a header, the stores that its memories came from, the memories in the order of writing, what ties them
together, where they stand (notes, tasks, sessions, watches), an end with counts and a digest, and, if it is signed,
a signature. Nothing in it depends on when or where it was written out: the same memories give the same bytes.

Times are RFC 3339 with milliseconds, in UTC. Fields that have their default are left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from memd.model import Source

FORMAT = 1
HEADER = "memd-export"

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Number = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
Count = Annotated[int, msgspec.Meta(ge=1, lt=1 << 53)]
Hex = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$", max_length=128)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Verdict = Literal["useful", "cited", "restated", "useless"]

NO_SOURCE = Source()  # a field that holds the very object that is its default is left out


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class _Line(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class Store(_Part, frozen=True):
    """A store: its id, and what people call it."""

    id: Name
    name: str = ""


class Selection(_Part, frozen=True):
    """What was asked for; empty: all there is.

    Attributes:
        scopes, kinds: of any of these.
        tags: with all of these.
        source: who, via, path or session contains this.
        since, until: event time, else recorded time, lies in [since, until).
        everything: also what was forgotten or replaced, with all versions; otherwise a selection has what holds.
    """

    scopes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    source: str = ""
    since: Moment | None = None
    until: Moment | None = None
    everything: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return not (self.scopes or self.picks)

    @property
    def picks(self) -> bool:
        """Whether it looks at each memory, not only at its scope."""
        return bool(self.kinds or self.tags or self.source or self.since or self.until)


class Header(_Line, frozen=True, tag=HEADER):
    """The first line.

    Attributes:
        version: of the format; a reader refuses what is newer than it knows.
        made_by: the program and its version.
        origin: the store that all memories come from, or else the one that wrote the file.
        latest: when the newest of them was stored, said again or forgotten.
        selection: what was asked for.
        counts: lines to come, by type.
    """

    version: Count
    made_by: str
    origin: Store
    latest: Moment | None = None
    selection: Selection = Selection()
    counts: dict[str, Number] = {}


class StoreLine(_Line, frozen=True, tag="store"):
    """Another store that something in the file comes from."""

    id: Name
    name: str = ""


class Use(_Part, frozen=True):
    """A memory helped, or didn't (`useless`): as `memd use` notes it."""

    at: Moment
    verdict: Verdict = "useful"
    who: str = ""
    via: str = ""
    session: str = ""
    recall: str = ""


class Saying(_Part, frozen=True):
    """A text was given again."""

    at: Moment
    source: Source = NO_SOURCE
    event_at: Moment | None = None


class Entry(_Part, frozen=True):
    """An entry of the journal about a memory: what was done in a word, what else was noted, and in which store (empty:
    the memory's own)."""

    at: Moment
    op: str
    said: dict[str, Any] = {}
    store: str = ""


class Life(_Part, frozen=True):
    """How alive a memory is, less what follows from its uses. `tier`: the bits at which its vectors are kept."""

    importance: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    pinned: bool = False
    tier: Literal[32, 8, 4, 1, 0] = 32
    tier_at: Moment | None = None


UNTOUCHED = Life()


class Noted(_Part, frozen=True):
    """A memory was made from notes: the tags that they gave it; when and why it was put out of sight with them."""

    tags: tuple[str, ...] = ()
    retired_at: Moment | None = None
    why: str = ""


class MemoryLine(_Line, frozen=True, tag="memory"):
    """A memory with all that is its own.

    Attributes:
        id: its id; of another tool's memory a key, which has a colon.
        text: word for word.
        said: how often the text was given, `sayings` all times but the first that are known.
        superseded_at: since when another one stands in its place.
        store: where it was stored first; empty: the header's origin.
        uses: when it helped, or didn't; `past` the same of over a year ago, by time and verdict alone.
        history: the journal's entries about it, in order.
    """

    id: Name
    text: str
    kind: Name
    scope: Name
    recorded_at: Moment
    said_at: Moment
    said: Count = 1
    tags: tuple[str, ...] = ()
    source: Source = NO_SOURCE
    event_at: Moment | None = None
    episode: str | None = None
    position: Number | None = None
    forgotten_at: Moment | None = None
    superseded_at: Moment | None = None
    store: str = ""
    sayings: tuple[Saying, ...] = ()
    life: Life = UNTOUCHED
    uses: tuple[Use, ...] = ()
    past: tuple[tuple[Moment, Verdict], ...] = ()
    noted: Noted | None = None
    history: tuple[Entry, ...] = ()


class PurgedLine(_Line, frozen=True, tag="purged"):
    """A memory of which nothing is left but its place, so that the versions before and after it hang together."""

    id: Name
    scope: Name
    recorded_at: Moment
    purged_at: Moment
    forgotten_at: Moment | None = None
    superseded_at: Moment | None = None
    store: str = ""


class VersionLine(_Line, frozen=True, tag="version"):
    """One memory in the place of another: since when memd knows, until when the old one was true, why."""

    old: Name
    new: Name
    at: Moment
    until: Moment
    why: str = ""


class ConflictLine(_Line, frozen=True, tag="conflict"):
    """Two memories that can't both hold, the one stored first ahead; `settled_at` and `how`: what was decided."""

    one: Name
    other: Name
    at: Moment
    rule: str = ""
    settled_at: Moment | None = None
    how: str | None = None


class TwinLine(_Line, frozen=True, tag="twin"):
    """Two memories that say the same in other words."""

    one: Name
    other: Name
    at: Moment


class GistLine(_Line, frozen=True, tag="gist"):
    """A few sentences that stand for memories about the same: characters [start, stop) of members' texts."""

    id: Name
    scope: Name
    made_at: Moment
    members: tuple[str, ...]
    quotes: tuple[tuple[Name, Number, Number], ...]


class Section(_Part, frozen=True):
    """A section of a file of notes: its place and titles, and which memory it is. `body`: digest of what follows the
    titles; `links`: where it leads, as (path, stem, anchor)."""

    position: Number
    memory: Name
    lines: tuple[Count, Count]
    headings: tuple[str, ...] = ()
    number: Number = 0
    anchor: str = ""
    body: Hex = ""
    links: tuple[tuple[str, str, str], ...] = ()


class FileLine(_Line, frozen=True, tag="file"):
    """A file of notes as it was taken in, by the digest of its bytes (empty where not all of it is here)."""

    path: Name
    scope: Name
    stem: str
    digest: Hex = ""
    reader: Number = 0
    kind: str = "document"
    tags: tuple[str, ...] = ()
    event_at: Moment | None = None
    sections: tuple[Section, ...] = ()


class TaskPart(_Part, frozen=True):
    """A task; `parent` and `needs` are numbers, `memory` has its title, `note` why it is as it is."""

    number: Count
    memory: Name
    state: Literal["open", "blocked", "done", "dropped"]
    begun_at: Moment
    changed_at: Moment
    parent: Count | None = None
    note: str | None = None
    focus: Number = 0
    needs: tuple[Count, ...] = ()


class TasksLine(_Line, frozen=True, tag="tasks"):
    """The tasks of a scope, each after what it is a step of."""

    scope: Name
    tasks: tuple[TaskPart, ...]


class Shown(_Part, frozen=True):
    """A memory was shown in a session, and when that made use of it."""

    memory: Name
    at: Moment
    used_at: Moment | None = None


class EventPart(_Part, frozen=True):
    """What a tool of the agent's did; `outcome` 1 went well, 0 failed."""

    call: str
    kind: Name
    what: str
    at: Moment
    detail: str = ""
    outcome: Literal[0, 1] | None = None
    first_line: Number | None = None
    last_line: Number | None = None


class SessionLine(_Line, frozen=True, tag="session"):
    """A session of a coding agent, and how far its transcript was read (bytes, lines)."""

    agent: Name
    key: Name
    scope: Name
    begun_at: Moment
    seen_at: Moment
    ended_at: Moment | None = None
    transcript: str = ""
    taken: Number = 0
    line: Number = 0
    shown: tuple[Shown, ...] = ()
    events: tuple[EventPart, ...] = ()


class WatchLine(_Line, frozen=True, tag="watch"):
    """What the daemon keeps up with."""

    kind: Literal["notes", "git"]
    path: Name
    scope: Name
    added_at: Moment
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    poll: bool = False
    head: str = ""


class ForecastLine(_Line, frozen=True, tag="forecast"):
    """What the lifecycle forecast of the whole store, and what came of it."""

    at: Moment
    memories: Number
    expected: Annotated[float, msgspec.Meta(ge=0)]
    needed: Number | None = None


class End(_Line, frozen=True, tag="end"):
    """The last line but a signature: lines before it, by type, and the BLAKE2b-256 (hex) of their bytes."""

    counts: dict[str, Number]
    digest: str


class Signature(_Line, frozen=True, tag="signature"):
    """An Ed25519 signature of the digest, the signer's name and the time. `key` and `signature` in base64."""

    signer: str
    at: Moment
    key: Name
    signature: str


Line = (
    StoreLine
    | MemoryLine
    | PurgedLine
    | VersionLine
    | ConflictLine
    | TwinLine
    | GistLine
    | FileLine
    | TasksLine
    | SessionLine
    | WatchLine
    | ForecastLine
)
AnyLine = Header | Line | End | Signature

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AnyLine).decode


def type_of(line: msgspec.Struct) -> str:
    """The `type` of a line."""
    return str(line.__struct_config__.tag)
