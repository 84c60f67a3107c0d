"""A session's transcript as memories: its turns in order as an episode, what it taught, and what it made use of.

Reading goes on where it stopped. The last exchange (a user's prompt and all that follows) is only settled when the
next begins or the session ends, because the next prompt may take back what was said; until then it is read again.
Everything here can be done twice: turns are known by their text, lessons by their source, and a kill in the middle
costs nothing but the repetition.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from memd.agents import fixes, injected, lessons, together, tools
from memd.agents.lessons import Lesson, Turn
from memd.agents.transcripts import ASSISTANT, USER, Called, Item, Place, Returned, Said, agent_of, read
from memd.api import Memory
from memd.clock import from_ms, to_ms
from memd.model import NewMemory, Remembered, Source
from memd.store import sessions
from memd.store.drafts import source_json
from memd.store.sessions import Session
from memd.text.entities import extract

VIA = "hook"  # the door of all that sessions teach, however their transcripts came in: known again by its source
BATCH = 200  # turns a transaction
SKEW_MS = 2_000  # between the daemon's clock and the transcript's stamps
TURN = 200_000  # characters of a turn that are kept

_one_at_a_time = threading.Lock()  # two that digest one session could both find a lesson untold


@dataclass
class Gain:
    """What became of a session's words: new memories, those that were there already, and the passages of the new."""

    added: int = 0
    known: int = 0
    passages: int = 0

    def count(self, stored: Sequence[Remembered]) -> None:
        """Add up what a write came to."""
        for one in stored:
            self.added += not one.again
            self.known += one.again
            self.passages += 0 if one.again else one.passages


@dataclass
class Exchange:
    """A user's prompt and all that follows until the next."""

    said: list[Said] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    returns: list[Returned] = field(default_factory=list)
    begin: int = 0  # byte
    before: int = 0  # lines before it
    end: Place | None = None


def digest(memory: Memory, session: Session, *, settle: bool) -> Gain:
    """Take in what a session's transcript has beyond what was taken; what became of it.

    Args:
        memory: the open store.
        session: which one, as it stands in the store.
        settle: whether the last exchange counts as finished.
    """
    with _one_at_a_time:
        with memory.store.reading() as db:
            now = sessions.find(db, session.id)  # another may have read on while this one waited
        return _digest(memory, now, settle)


def _digest(memory: Memory, session: Session, settle: bool) -> Gain:
    work = _Digest(memory, session)
    try:
        readable = bool(session.transcript) and bool(agent_of(Path(session.transcript)))
    except OSError:
        readable = False
    taken, line = work.transcript(settle) if readable else (session.taken, session.line)
    work.hearsay(keep=not readable, settle=settle)
    work.happenings(settle)
    work.uses()
    with memory.store.writing() as db:
        sessions.took(db, session, taken, line)
    return work.gain


class _Digest:
    """One pass over one session."""

    def __init__(self, memory: Memory, session: Session) -> None:
        self._memory = memory
        self._session = session
        self._asked: list[str] = []
        self._done: list[tuple[int | None, str]] = []  # what the assistant said and gave to tools, with its time
        self.gain = Gain()
        with memory.store.reading() as db:
            shown = sessions.shown(db, session.id)
            texts = [row[0] for seq in shown for row in db.execute("SELECT text FROM memory WHERE seq = ?", (seq,))]
        self._injected = [injected.flat(text) for text in texts]

    # --- the transcript -----------------------------------------------------------------------------

    def transcript(self, settle: bool) -> tuple[int, int]:
        """Read on; the byte and line from which to read next time."""
        session = self._session
        path = Path(session.transcript)
        start, line = (session.taken, session.line) if session.taken <= path.stat().st_size else (0, 0)
        exchange = Exchange(begin=start, before=line)
        for item in read(path, start, line):
            if isinstance(item, Said) and item.who == USER and any(said.who == ASSISTANT for said in exchange.said):
                self._settled(exchange, item.text)
                exchange = Exchange(begin=item.place.begin, before=item.place.line - 1)
            self._take(exchange, item)
        if settle:
            self._settled(exchange, None)
        else:
            self._store(self._unsettled(exchange))
            self._note(exchange)
        if settle and exchange.end:
            return exchange.end.end, exchange.end.line
        return exchange.begin, exchange.before

    def _take(self, exchange: Exchange, item: Item) -> None:
        exchange.end = item.place
        if isinstance(item, Said):
            exchange.said.append(item)
            if item.who == USER:
                self._asked.append(item.text)
            else:
                self._done.append((item.place.at, item.text))
        elif isinstance(item, Called):
            exchange.calls.append(item)
            if not _is_ours(item):
                self._done.append((item.place.at, item.given))
        elif isinstance(item, Returned):
            exchange.returns.append(item)

    def _settled(self, exchange: Exchange, reply: str | None) -> None:
        """Store an exchange that is over: its turns, then its lessons."""
        self._note(exchange)
        spoken = [_turn(said) for said in exchange.said if not self._repeats(said.text)]
        found = lessons.statements(spoken, reply)
        self._store(self._told_apart(spoken, found))  # first, so that a lesson's neighbours are there
        self._tell(found, spoken)

    def _unsettled(self, exchange: Exchange) -> list[NewMemory]:
        """The turns of an exchange that goes on; one that as a whole may be a lesson waits until that is settled."""
        spoken = [_turn(said) for said in exchange.said if not self._repeats(said.text)]
        return [self._memory_of("turn", turn, in_episode=True) for turn in spoken if not lessons.whole(turn)]

    def _told_apart(self, spoken: Sequence[Turn], found: Sequence[Lesson]) -> list[NewMemory]:
        """Turns as memories, but for those that are a lesson as a whole: the same text is one memory, of one kind."""
        taken = {(lesson.span, lesson.text) for lesson in found}
        return [
            self._memory_of("turn", turn, in_episode=True)
            for turn in spoken
            if (_span(turn), turn.text.strip()) not in taken
        ]

    def _note(self, exchange: Exchange) -> None:
        """Keep what tools did, beside what hooks told of it."""
        results = {result.call: result for result in exchange.returns}
        now = to_ms(self._memory.clock())
        clean = self._memory.without_secrets
        with self._memory.store.writing() as db:
            for call in exchange.calls:
                result = results.get(call.call)
                failed = result.failed if result else None
                outcome = None if result is None or (failed is None and call.command) else int(not failed)
                told: dict[str, Any] = {
                    "at": call.place.at or now,
                    "outcome": outcome,
                    "first_line": call.place.line,
                    "last_line": result.place.line if result else None,
                }
                for edit in call.edits:
                    path = self._absolute(edit.path)
                    sessions.note(db, self._session.id, call.call, "edit", path, detail=clean(edit.change), **told)
                if (command := clean(call.command)).strip():
                    errors = clean(tools.error_lines(result.output)) if result and outcome == 0 else ""
                    sessions.note(db, self._session.id, call.call, "command", command, detail=errors, **told)
                elif result and _is_ours(call):
                    ids = sorted(set(_ID.findall(result.output)))
                    sessions.show(db, self._session.id, sessions.seqs(db, ids), call.place.at or now)
            sessions.trim(db)

    def _absolute(self, path: str) -> str:
        base = "" if self._session.scope == "global" else self._session.scope
        return os.path.normpath(os.path.join(base, path))

    # --- agents without a transcript that can be read -------------------------------------------------

    def hearsay(self, *, keep: bool, settle: bool) -> None:
        """Turns that hooks told of: stored where the transcript doesn't have them, and let go in both cases."""
        with self._memory.store.reading() as db:
            told = sessions.events(db, self._session.id, ("said",))
        if not told:
            return
        if not settle and keep and all(event.what == USER for event in told):
            return
        if keep:
            spoken = [Turn(e.what, injected.without_injected(e.detail).strip(), 0, e.at) for e in told]
            spoken = [turn for turn in spoken if turn.text and not self._repeats(turn.text)]
            self._asked += [turn.text for turn in spoken if turn.who == USER]
            self._done += [(turn.at, turn.text) for turn in spoken if turn.who == ASSISTANT]
            found = lessons.statements(spoken, None)
            self._store(self._told_apart(spoken, found))
            self._tell(found, spoken)
        with self._memory.store.writing() as db:
            for event in told:
                sessions.drop_event(db, event.seq)

    # --- what it taught -------------------------------------------------------------------------------

    def happenings(self, settle: bool) -> None:
        """Commands that failed and then passed; at the end also files that go together."""
        with self._memory.store.reading() as db:
            events = sessions.events(db, self._session.id)
        self._tell(fixes.found(events, self._session.scope))
        if settle:
            with self._memory.store.reading() as db:
                pairs = together.found(db, self._session)
            self._tell(pairs)

    def _tell(self, found: Sequence[Lesson], spoken: Sequence[Turn] = ()) -> None:
        """Store lessons, each once from one place; the same from another place counts as said again.

        Args:
            found: the lessons.
            spoken: the turns that they are from; a lesson that is one of them takes its place in the episode.
        """
        turns = {(_span(turn), turn.text.strip()) for turn in spoken}
        for lesson in found:
            text = self._memory.without_secrets(lesson.text)  # as it is stored, so that it is known again
            if not text.strip() or self._repeats(text):
                continue
            turn = Turn(lesson.who, text, 0, lesson.at)
            item = self._memory_of(
                lesson.kind, turn, lesson.span, in_episode=(lesson.span, lesson.text) in turns, tags=lesson.tags
            )
            digest = hashlib.blake2b(item.text.encode(), digest_size=16).digest()
            with self._memory.store.reading() as db:
                told = sessions.is_told(db, digest, self._session.scope, source_json(item.source))
            if not told:
                self.gain.count(self._memory.remember_many([item]))

    # --- what it made use of --------------------------------------------------------------------------

    def uses(self) -> None:
        """Credit memories that were shown and then cited, whose files were edited, or whose values appear."""
        with self._memory.store.reading() as db:
            waiting = sessions.unused(db, self._session.id)
            edits = [event for event in sessions.events(db, self._session.id, ("edit",)) if event.outcome != 0]
        asked = "\n".join(self._asked).casefold()
        used: dict[str, list[tuple[int, str]]] = {"cited": [], "useful": []}
        for seq, id_, text, at in waiting:
            done = "\n".join(words for when, words in self._done if when is None or when >= at - SKEW_MS)
            edited = [event.what for event in edits if event.at >= at - SKEW_MS]
            if id_ in done:
                used["cited"].append((seq, id_))
            elif _names_a_file(text, edited) or _values(text) & _tokens(done, asked):
                used["useful"].append((seq, id_))
        for verdict, ones in used.items():
            if not ones:
                continue
            self._memory.use(
                [id_ for _, id_ in ones],
                verdict=verdict,  # type: ignore[arg-type]  # both are verdicts
                who=self._session.agent,
                via=VIA,
                session=self._session.key,
            )
            with self._memory.store.writing() as db:
                sessions.use(db, self._session.id, [seq for seq, _ in ones], to_ms(self._memory.clock()))

    # --- making memories ------------------------------------------------------------------------------

    def _repeats(self, text: str) -> bool:
        return injected.repeats(text, self._injected)

    def _memory_of(
        self,
        kind: str,
        turn: Turn,
        span: tuple[int, int] | None = None,
        *,
        in_episode: bool = False,
        tags: tuple[str, ...] = (),
    ) -> NewMemory:
        session, span = self._session, span or _span(turn)
        return NewMemory(
            text=turn.text[:TURN],
            kind=kind,
            scope=session.scope,
            tags=tags,
            source=Source(
                who=session.agent if turn.who == ASSISTANT else turn.who,
                via=VIA,
                path=session.transcript if span else "",
                span=span,
                session=session.key,
            ),
            event_at=None if turn.at is None else from_ms(turn.at),
            episode=f"{session.agent}:{session.key}" if in_episode else None,
            position=span[0] if in_episode and span else None,
        )

    def _store(self, turns: list[NewMemory]) -> None:
        public = [turn for turn in turns if turn.text.strip()]
        for begin in range(0, len(public), BATCH):
            self.gain.count(self._memory.remember_many(public[begin : begin + BATCH], restate=False))


_ID = re.compile(r"\b[0-9abcdefghjkmnpqrstvwxyz]{13}\b")
_VALUE = re.compile(r"\d")


def _turn(said: Said) -> Turn:
    return Turn(said.who, said.text, said.place.line, said.place.at)


def _span(turn: Turn) -> tuple[int, int] | None:
    return (turn.line, turn.line) if turn.line else None


def _is_ours(call: Called) -> bool:
    """Whether a tool of memd was called: what it returns was in the store already."""
    return call.tool.startswith("mcp__memd") or call.tool.startswith("memd")


def _names_a_file(text: str, edited: Sequence[str]) -> bool:
    """Whether the text names, with its folder, a file that was edited."""
    paths = [entity.name for entity in extract(text) if entity.kind == "path" and "/" in entity.name]
    return any(
        ("/" + what.casefold()).endswith("/" + path.casefold().lstrip("./")) for path in paths for what in edited
    )


def _values(text: str) -> set[str]:
    """Values that tell one memory from others: names and numbers with a digit in them, of three characters or more."""
    words = (word.strip(".,:;()[]{}\"'`*?!").casefold() for word in text.split())
    return {word for word in words if len(word) >= 3 and _VALUE.search(word)}


def _tokens(done: str, asked: str) -> set[str]:
    """Values in what was done that the user hadn't given."""
    return {value for value in _values(done.replace('"', " ").replace("\\n", " ")) if value not in asked}
