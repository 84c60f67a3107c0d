"""claude-mem's database (`~/.claude-mem/claude-mem.db`), and the JSON files of its `export-memories` script.

As of thedotmack/claude-mem at 0e7117f (schema 35: `src/services/sqlite/schema.sql`) and 04edca9 (schemas 1 to 20:
`migrations.ts`, `migrations/runner.ts`), the export as of 07c899a (`scripts/export-memories.ts`); tried with what
claude-mem 13.25.3 writes (schema 52). Until schema 16 the
columns of session ids were named otherwise; schemas 1 to 3 had `memories` and `overviews` instead of `observations` and
`session_summaries`, which later ones left where they were. What a schema adds is passed over, what it lacks is said.

claude-mem knows a project by the name of its folder. Where that lies is told by the files that its observations name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from memd.exchange.foreign import databases, files
from memd.exchange.foreign.databases import Database
from memd.exchange.foreign.faults import Refuse, bad, not_of, shown
from memd.exchange.foreign.shaping import Roots, digest, grouped, key, kind_of, moment, name, strings, tags, text
from memd.exchange.records import Origin, Record
from memd.model import GLOBAL_SCOPE, Source

TOOL = "claude-mem"
_FILE = "claude-mem.db"
_EPOCH = "created_at_epoch"

_MEMORY_SESSION = ("memory_session_id", "sdk_session_id")
_CONTENT_SESSION = ("content_session_id", "claude_session_id")
_WHEN = (_EPOCH, "created_at")
_COLUMNS = {
    "observations": (
        *("id", *_MEMORY_SESSION, "project", "merged_into_project", "text", "type", "title", "subtitle", "facts"),
        *("narrative", "concepts", "files_read", "files_modified", *_WHEN),
    ),
    "session_summaries": (
        *("id", *_MEMORY_SESSION, "project", "merged_into_project", "request", "investigated", "learned", "completed"),
        *("next_steps", "notes", "files_read", "files_edited", *_WHEN),
    ),
    "user_prompts": ("id", *_CONTENT_SESSION, "prompt_number", "prompt_text", *_WHEN),
    "directives": ("id", "scope", "project", "content", "status", *_WHEN),
    "memories": (
        *("id", "session_id", "project", "text", "title", "subtitle", "facts", "concepts", "files_touched", *_WHEN),
    ),
    "overviews": ("id", "session_id", "project", "content", *_WHEN),
}
_SESSIONS = (
    *("id", *_MEMORY_SESSION, *_CONTENT_SESSION, "project", "platform_source", "user_prompt"),
    *("started_at_epoch", "started_at"),
)
_WORKED = "SELECT cwd FROM tool_uses WHERE project = ? AND cwd <> '' LIMIT ?"
_CALLS = 20  # of a project, that are looked at: what tools answered lies in the same rows
_EXPORTED = {"observations": "observations", "summaries": "session_summaries", "prompts": "user_prompts"}
_SUMMARY = ("request", "investigated", "learned", "completed", "next_steps", "notes")
_NAMED = ("files_read", "files_modified", "files_edited", "files_touched")
_AGENTS = {"": "claude-code", "claude": "claude-code"}


def fits(path: Path) -> bool:
    """Whether it is claude-mem's database or an export of it, or the folder with the database."""
    file = files.given(path, _FILE)
    if file is None:
        return False
    if not databases.is_sqlite(file):
        start = files.begins(file)
        return '"exportedAt"' in start and '"totalObservations"' in start
    return databases.looks_like(file, _is_own)


def origin(path: Path) -> Origin:
    """The file. Raises BadInput where it is none of claude-mem's."""
    file = files.given(path, _FILE)
    if file is None or not fits(path):
        raise not_of(path, TOOL, f"it is neither {_FILE}, nor a file that export-memories wrote")
    return Origin(f"{TOOL}:{shown(file.absolute())}", TOOL, databases.digest(file))


def read(path: Path, refuse: Refuse) -> Iterator[Record]:
    """Its observations, summaries, prompts and directives. Keeps the sessions in memory, and folders of projects."""
    file = files.given(path, _FILE)
    if file is None:
        raise not_of(path, TOOL, f"it has no {_FILE}")
    if databases.is_sqlite(file):
        with databases.snapshot(file) as database:
            yield from _of_database(database, refuse)
    else:
        yield from _of_export(file, refuse)


class Session(NamedTuple):
    """A session: the agent's own id of it, its project, the agent."""

    id: str
    project: str
    agent: str


def _of_database(database: Database, refuse: Refuse) -> Iterator[Record]:
    if not _is_own(database):
        raise not_of(database.path, TOOL, "it has neither observations and sdk_sessions, nor memories and overviews")
    shaper = _Shaper(shown(database.path.absolute()), refuse)
    if "observations" in database.tables:
        database.need(TOOL, "observations", "id", "type", _EPOCH)
        database.need(TOOL, "sdk_sessions", "project")
    for row in database.rows("sdk_sessions", _SESSIONS, order="rowid"):
        shaper.know(row)
    for table in ("observations", "session_summaries", "memories"):
        for row in database.rows(table, ("project", "merged_into_project", *_NAMED), order="rowid"):
            shaper.see(row)
    for row in database.rows("pending_messages", (*_CONTENT_SESSION, "cwd"), order="rowid"):
        shaper.see_folder(row)
    if {"project", "cwd"} <= set(database.columns("tool_uses")):
        for project in shaper.untold():
            shaper.see_work(project, database.query("table tool_uses", _WORKED, (project, _CALLS)))
    for table in ("memories", "overviews", "observations", "session_summaries", "user_prompts", "directives"):
        for row in database.rows(table, _COLUMNS[table], order="rowid"):
            yield from shaper.record(table, row, f"table {table}, row {row.get('id')}")
    if "user_prompts" not in database.tables:  # before schema 10, of each session the first prompt alone
        for row in database.rows("sdk_sessions", _SESSIONS, order="rowid"):
            yield from shaper.record("sdk_sessions", _prompted(row), f"table sdk_sessions, row {row.get('id')}")


def _is_own(database: Database) -> bool:
    if {"observations", "sdk_sessions"} <= database.tables:
        return True
    return {"memories", "overviews", "sessions"} <= database.tables and "document_id" in database.columns("memories")


def _of_export(file: Path, refuse: Refuse) -> Iterator[Record]:
    shaper = _Shaper(shown(file.absolute()), refuse)
    for member in files.members(file):
        if not isinstance(member.value, dict):
            continue
        if member.key == "sessions":
            shaper.know(member.value)
        elif member.key in _EXPORTED:
            shaper.see(member.value)
    for member in files.members(file):
        if (table := _EXPORTED.get(member.key)) is None:
            continue
        if isinstance(member.value, dict):
            yield from shaper.record(table, member.value, f"{member.key}[{member.number}]", member.line)
        else:
            refuse(bad(f"{member.place} is not an object.", member.line))


class _Shaper:
    """Makes records of rows, whichever schema they come from."""

    def __init__(self, path: str, refuse: Refuse) -> None:
        self._path = path
        self._refuse = refuse
        self._sessions: dict[str, Session] = {}
        self._roots = Roots()

    def know(self, row: Mapping[str, Any]) -> None:
        """A session, by both of its ids."""
        own = _first(row, _CONTENT_SESSION)
        platform = name(row.get("platform_source")).casefold()
        session = Session(own, name(row.get("project")), _AGENTS.get(platform, platform))
        for id in (own, _first(row, _MEMORY_SESSION)):
            if id:
                self._sessions[id] = session

    def see(self, row: Mapping[str, Any]) -> None:
        """The files that a row names, for its project's folder."""
        self._roots.see(_project(row), (path for column in _NAMED for path in strings(row.get(column))))

    def see_folder(self, row: Mapping[str, Any]) -> None:
        """The folder that a session worked in."""
        if session := self._sessions.get(_first(row, _CONTENT_SESSION)):
            self._roots.see(session.project, [text(row.get("cwd"))])

    def untold(self) -> list[str]:
        """The projects of which no file tells where they lie."""
        projects = {session.project for session in self._sessions.values()}
        return sorted(project for project in projects if project and not self._roots.told(project))

    def see_work(self, project: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """The folders in which its tools were called."""
        self._roots.see(project, (text(folder) for (folder,) in rows))

    def record(self, table: str, row: Mapping[str, Any], place: str, line: int = 0) -> Iterator[Record]:
        """The record of a row; none where it says nothing or doesn't apply any more."""
        if table == "directives" and row.get("status") not in (None, "active"):
            return
        words = _WORDS[table](row)
        if not words.strip():
            return
        said = _first(row, (*_MEMORY_SESSION, *_CONTENT_SESSION, "session_id"))
        session = self._sessions.get(said, Session(said, "", _AGENTS[""]))
        project = _project(row) or session.project
        if (id := row.get("id")) is None or id == "":
            id = digest(words)
        elif isinstance(id, bool) or not isinstance(id, int | str):
            self._refuse(bad(f"{place}: its id is neither a number nor a text.", line))
            return
        at = moment(row.get(_EPOCH)) or moment(row.get("created_at"))
        yield Record(
            key=key(table, id),
            text=words,
            kind=_kind(table, row),
            tags=tags(_LABELS[table] or text(row.get("type")), project, strings(row.get("concepts"))),
            scope=GLOBAL_SCOPE if row.get("scope") == GLOBAL_SCOPE else self._roots.of(project),
            source=Source(who="user" if table in _SAID else session.agent, path=self._path, session=session.id or said),
            recorded_at=at,
            episode=grouped(TOOL, session.id or said),
            position=int(at.timestamp() * 1000) if at and (session.id or said) else None,
            line=line,
        )


_SAID = frozenset({"user_prompts", "sdk_sessions", "directives"})
_LABELS = {
    "observations": "",
    "session_summaries": "summary",
    "user_prompts": "prompt",
    "sdk_sessions": "prompt",
    "directives": "directive",
    "memories": "memory",
    "overviews": "overview",
}


def _kind(table: str, row: Mapping[str, Any]) -> str:
    if table == "directives":
        return "convention"
    return "turn" if table in _SAID else kind_of(row.get("type"), "note")


def _observed(row: Mapping[str, Any]) -> str:
    facts = "\n".join(f"- {fact}" for fact in strings(row.get("facts")))
    head = "\n".join(_filled(row.get("title"), row.get("subtitle")))
    labels = {
        "files_read": "Files read",
        "files_modified": "Files modified",
        "files_touched": "Files touched",
    }
    named = "\n".join(
        f"{label}: {', '.join(paths)}" for column, label in labels.items() if (paths := strings(row.get(column)))
    )
    return "\n\n".join(_filled(head, row.get("narrative"), row.get("text"), facts, named))


def _summed_up(row: Mapping[str, Any]) -> str:
    said = ((part, text(row.get(part)).strip()) for part in _SUMMARY)
    parts = [f"{part.replace('_', ' ').capitalize()}: {words}" for part, words in said if words]
    if edited := strings(row.get("files_edited")):
        parts.append(f"Files edited: {', '.join(edited)}")
    return "\n".join(parts)


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "observations": _observed,
    "memories": _observed,
    "session_summaries": _summed_up,
    "user_prompts": lambda row: text(row.get("prompt_text")),
    "sdk_sessions": lambda row: text(row.get("prompt_text")),
    "directives": lambda row: text(row.get("content")),
    "overviews": lambda row: text(row.get("content")),
}


def _prompted(row: Mapping[str, Any]) -> dict[str, Any]:
    """A session as its first prompt."""
    return {
        **row,
        "prompt_text": row.get("user_prompt"),
        _EPOCH: row.get("started_at_epoch"),
        "created_at": row.get("started_at"),
    }


def _filled(*parts: object) -> Iterator[str]:
    return (words for part in parts if (words := text(part).strip()))


def _first(row: Mapping[str, Any], columns: Iterable[str]) -> str:
    return next((word for column in columns if (word := name(row.get(column)))), "")


def _project(row: Mapping[str, Any]) -> str:
    return _first(row, ("merged_into_project", "project"))
