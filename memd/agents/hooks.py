"""Hooks, as the daemon answers them: what to show at a session's start and at a prompt, and what happened meanwhile.

Whatever needs the transcript is only put into a queue here (`session.due`), durable before the answer, and worked off
by `SessionReader`'s thread.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from memd.agents import context, fence, injected, payloads, tools
from memd.agents.digest import Gain, digest
from memd.agents.payloads import Happening
from memd.agents.transcripts import ASSISTANT, USER, Opened, agent_of, end_of, read
from memd.api import Memory
from memd.clock import to_ms
from memd.errors import BadInput, MemdError, StoreUnusable
from memd.home import HOOK_SPOOL
from memd.model import GLOBAL_SCOPE, Hit, Query
from memd.store import sessions
from memd.store.sessions import Session
from memd.text.words import STOP_WORDS

SHOWN = 4  # memories at a prompt at most
CHARACTERS = 700  # of each
LOOKED_AT = 12  # hits from which they are chosen
ANSWERABLE = 0.9  # how sure it must be that the store answers the prompt at all, for anything to be shown unasked
RELEVANCE = 0.12  # of a memory; the probability is shared among those that say the same
ASKED = 2_000  # characters of a prompt that are looked at: a longer one quotes something
FEWEST_WORDS = 2  # beside stop words; "go on" and "yes, do it" ask for nothing
SETTLED_MS = 30 * 60_000  # a session that was silent for so long won't take back what it said last
CATCH_UP_MS = 7 * 86_400_000  # at a start, sessions of the last week are looked at
POLL_S = 60.0
FOLDER = 4096  # characters; a longer one is none

log = logging.getLogger(__name__)


class Hooks:
    """Answers hooks over one open store. Safe for many threads.

    Args:
        memory: the store.
        nudge: called when there is a transcript to read.
    """

    def __init__(self, memory: Memory, nudge: Callable[[], None]) -> None:
        self._memory = memory
        self._nudge = nudge

    def handle(self, agent: str, event: str, payload: str, folder: str) -> str:
        """Take in one call of a hook; what the hook is to print.

        Args:
            agent, event, payload, folder: as `payloads.read` takes them.

        Raises:
            BadInput: the payload can't be understood.
            StoreUnusable: it couldn't be noted.
        """
        happening = payloads.read(agent, event, payload, folder)
        match happening.event:
            case "SessionStart":
                return self._start(happening)
            case "UserPromptSubmit":
                return self._prompt(happening)
            case "PostToolUse" | "PostToolUseFailure":
                self._tool(happening)
            case _:
                self._queue(happening)
        return ""

    def _start(self, happening: Happening) -> str:
        session = self._meet(happening)
        block = context.build(self._memory, session.scope, session=session.key)
        if not block.text:
            return ""
        self._note_shown(session, block.ids)
        return payloads.answer(happening, injected.wrapped(block.text.rstrip()))

    def _prompt(self, happening: Happening) -> str:
        session = self._meet(happening)
        self._note_said(session, happening, USER, happening.prompt)
        hits = self._recalled(session, happening.prompt) if payloads.takes_context(happening) else []
        if not hits:
            return ""
        self._note_shown(session, [hit.memory.id for hit in hits])
        return payloads.answer(happening, injected.wrapped(_shown(hits)))

    def _recalled(self, session: Session, prompt: str) -> list[Hit]:
        """What answers the prompt well enough, less what the session has seen or said itself."""
        asked = injected.without_injected(prompt)[:ASKED].strip()
        words = {word.strip("?!.,:;'\"").casefold() for word in asked.split()} - STOP_WORDS - {""}
        if len(words) < FEWEST_WORDS or asked.startswith("/"):
            return []
        answer = self._memory.ask(Query(asked, limit=LOOKED_AT, scope=session.scope))
        if answer.answerable is None or answer.answerable < ANSWERABLE:
            return []
        with self._memory.store.reading() as db:
            seen = set(sessions.shown(db, session.id).values())
        fresh = [hit for hit in answer.hits if hit.memory.id not in seen and hit.memory.source.session != session.key]
        return _telling(fresh)[:SHOWN]

    def _tool(self, happening: Happening) -> None:
        edits = tools.edits(happening.tool, happening.given)
        command = self._memory.without_secrets(tools.command(happening.tool, happening.given))
        if not edits and not command.strip():
            return
        output = tools.output_text(happening.output)
        outcome = _outcome(happening, output)
        now = self._now()
        call = happening.call or _digest(happening.tool, str(happening.given), str(now))
        session = self._meet(happening)
        changes = {edit.path: self._memory.without_secrets(edit.change) for edit in edits}
        errors = self._memory.without_secrets(tools.error_lines(output)) if command and outcome == 0 else ""
        with self._memory.store.writing() as db:
            for edit in edits:
                path = os.path.normpath(os.path.join(happening.folder, edit.path))
                sessions.note(db, session.id, call, "edit", path, at=now, detail=changes[edit.path], outcome=outcome)
            if command.strip():
                sessions.note(db, session.id, call, "command", command, at=now, detail=errors, outcome=outcome)
            sessions.trim(db)

    def _queue(self, happening: Happening) -> None:
        session = self._meet(happening)
        if happening.event == "Stop":
            self._note_said(session, happening, ASSISTANT, happening.said)
        ended = self._now() if happening.event == "SessionEnd" else None
        with self._memory.store.writing() as db:
            sessions.ask_to_read(db, session.id, ended)
        self._nudge()

    def _meet(self, happening: Happening) -> Session:
        scope = scope_of(happening.folder)
        with self._memory.store.writing() as db:
            known = (happening.agent, happening.session, scope, happening.transcript, self._now())
            return sessions.meet(db, *known)

    def _note_shown(self, session: Session, ids: Sequence[str]) -> None:
        with self._memory.store.writing() as db:
            sessions.show(db, session.id, sessions.seqs(db, ids), self._now())

    def _note_said(self, session: Session, happening: Happening, who: str, text: str) -> None:
        """Keep the words of an agent whose transcript may be of no known form."""
        if happening.agent in ("claude-code", "codex") or not (text := self._memory.without_secrets(text)).strip():
            return
        now = self._now()
        with self._memory.store.writing() as db:
            call = _digest(who, text, str(now))
            sessions.note(db, session.id, call, "said", who, at=now, detail=text)

    def _now(self) -> int:
        return to_ms(self._memory.clock())


class SessionReader:
    """The hooks with the thread that reads transcripts behind them.

    Args:
        memory: the open store.
        home: the data folder, in which hooks that found no daemon leave word.
    """

    def __init__(self, memory: Memory, home: Path) -> None:
        self._memory = memory
        self._spool = home / HOOK_SPOOL
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._hooks = Hooks(memory, self._wake.set)
        self._thread = threading.Thread(target=self._run, name="memd-sessions", daemon=True)

    def start(self) -> None:
        """Begin: first with what was left undone."""
        self._wake.set()
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """End after the session in hand; what is left stays in the queue."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def handle(self, agent: str, event: str, payload: str, folder: str) -> str:
        """As `Hooks.handle`."""
        return self._hooks.handle(agent, event, payload, folder)

    def _run(self) -> None:
        first = True
        while not self._stop.is_set():
            self._wake.wait(POLL_S)
            self._wake.clear()
            if self._stop.is_set():
                return
            try:
                self._take_spool()
                self._revive(first)
                first = False
                self._work_off()
            except Exception as error:  # the next round tries again; the daemon goes on
                log.error("reading sessions failed", exc_info=error)

    def _take_spool(self) -> None:
        """Hooks that found no daemon left their words in files."""
        if not self._spool.is_dir():
            return
        for path in sorted(self._spool.glob("*.json")):
            try:
                left = path.read_text(encoding="utf-8", errors="replace").split("\n", 3)
                self._hooks.handle(left[0], left[1], left[3], left[2])
            except (MemdError, OSError, IndexError) as error:
                if isinstance(error, MemdError) and error.exit_code == 3:
                    raise  # the store can't be written: keep it for later
                log.warning("a hook's word was dropped", exc_info=error)
            path.unlink(missing_ok=True)

    def _revive(self, first: bool) -> None:
        """Put sessions into the queue that went on without a word, or stopped without one."""
        now = to_ms(self._memory.clock())
        with self._memory.store.reading() as db:
            candidates = sessions.latest(db, now - CATCH_UP_MS)
        for session in candidates:
            silent = now - session.seen_at > SETTLED_MS
            if session.due == 0 and (first or silent) and _grown(session):
                with self._memory.store.writing() as db:
                    sessions.ask_to_read(db, session.id, now if silent else None)

    def _work_off(self) -> None:
        with self._memory.store.reading() as db:
            queue = sessions.due(db)
        for session in queue:
            if self._stop.is_set():
                return
            settle = session.ended_at is not None or to_ms(self._memory.clock()) - session.seen_at > SETTLED_MS
            try:
                digest(self._memory, session, settle=settle)
            except StoreUnusable:
                raise  # later, then
            except Exception as error:  # the transcript is gone, or not what it should be: others wait behind it
                log.warning("a transcript can't be read", exc_info=error)
                with self._memory.store.writing() as db:
                    sessions.took(db, session, session.taken, session.line)


class Taken(NamedTuple):
    """A past session that was taken in: whose (agent empty: the file is no transcript), and what became of it."""

    agent: str
    session: str
    scope: str
    gain: Gain


def take(memory: Memory, path: Path) -> Taken:
    """Take in the transcript of a past session, as far as it isn't in the store yet.

    Raises:
        BadInput: it can't be read.
        StoreUnusable: the store can't be written.
    """
    try:
        agent = agent_of(path)
        opened = (
            next((item for item in read(path) if isinstance(item, Opened) and item.session), None) if agent else None
        )
    except OSError as error:
        raise BadInput(f"{path} can't be read ({error.strerror})", "check the path and its permissions") from None
    if opened is None:
        return Taken("", "", "", Gain())
    # A project that is gone keeps its memories to itself.
    folder = opened.folder if os.path.isabs(opened.folder) and len(opened.folder) <= FOLDER else ""
    scope = scope_of(folder) if not folder or os.path.isdir(folder) else folder
    with memory.store.writing() as db:
        session = sessions.meet(db, agent, opened.session[:400], scope, str(path), to_ms(memory.clock()))
    return Taken(agent, opened.session[:400], session.scope, digest(memory, session, settle=True))


def scope_of(folder: str) -> str:
    """The root of the repository around a folder; global outside of one."""
    if not folder:
        return GLOBAL_SCOPE
    place = os.path.realpath(folder)
    while not os.path.exists(os.path.join(place, ".git")):
        parent = os.path.dirname(place)
        if parent == place:
            return GLOBAL_SCOPE
        place = parent
    return place


def _telling(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that are relevant enough, the best first; of a lesson and the turn it is from, the lesson."""
    chosen: list[tuple[float, Hit]] = []
    turns = [(injected.flat(hit.memory.text), hit) for hit in hits if hit.memory.kind == "turn"]
    stand_ins: set[str] = set()
    for hit in hits:
        relevance = hit.relevance or 0.0
        if hit.memory.kind != "turn":
            words = injected.flat(hit.memory.text)
            around = [turn for text, turn in turns if words in text]
            relevance = max([relevance, *((turn.relevance or 0.0) for turn in around)])
            stand_ins.update(turn.memory.id for turn in around)
        chosen.append((relevance, hit))
    kept = [(relevance, hit) for relevance, hit in chosen if relevance >= RELEVANCE and hit.memory.id not in stand_ins]
    return [hit for _, hit in sorted(kept, key=lambda pair: -pair[0])]


def _shown(hits: Sequence[Hit]) -> str:
    """Memories for a prompt: what is quoted, and from when and where."""
    parts = [f"memd remembers, for this prompt. {fence.NOTICE}"]
    for hit in hits:
        memory = hit.memory
        day = (memory.event_at or memory.recorded_at).date().isoformat()
        text = memory.text if len(memory.text) <= CHARACTERS else hit.excerpt.text[:CHARACTERS]
        parts.append(f"{memory.kind} {memory.id}, {day}:\n{fence.fenced(text)}")
    return "\n".join(parts)


def _outcome(happening: Happening, output: str) -> int | None:
    """1 where the call went well, 0 where it failed, None where that isn't told.

    Codex, Gemini CLI and VS Code have one event for both; of Codex's calls the transcript tells where the output
    doesn't.
    """
    if happening.event == "PostToolUseFailure":
        failed = tools.failed(output, happening.failed)
    elif happening.agent == "vscode":  # tells of failures alone
        failed = tools.failed(output) is True
    elif happening.agent in ("codex", "gemini-cli"):
        failed = tools.failed(output)
        if failed is None and happening.agent == "gemini-cli":
            failed = isinstance(happening.output, dict) and bool(happening.output.get("error"))
    else:
        failed = False
    return None if failed is None else int(not failed)


def _grown(session: Session) -> bool:
    try:
        return end_of(Path(session.transcript)) > session.taken
    except OSError:
        return False


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()
