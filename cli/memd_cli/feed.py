"""ingest: notes and histories, read here, stored by the daemon in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from memd.errors import BadInput
from memd_cli import inputs
from memd_cli.session import Session, complain, write
from memd_cli.verbs import BATCH_CHARACTERS, BATCH_ITEMS, Outcome

T = TypeVar("T")


COUNTS = ("added", "known", "superseded", "restored", "retired", "passages")


def ingest(session: Session) -> Outcome:
    """Store what the sources hold and isn't stored yet; of notes, keep up with what changed."""
    if session.options["transcripts"]:
        return _ingest_transcripts(session)
    paths = _paths(session.options)
    scope = inputs.own_scope(session.options["scope"])
    skipped: list[dict[str, str]] = []
    counts = dict.fromkeys(COUNTS, 0)
    for path in paths:
        if session.options["git"]:
            _take_commits(session, path, scope, counts)
        else:
            _take_notes(session, path, scope, counts, skipped)
    return Outcome({"sources": [str(path) for path in paths], **counts, "skipped": skipped}, session.degraded)


def _paths(options: dict[str, Any]) -> list[Path]:
    if options["range"] and not options["git"]:
        raise BadInput("--range goes with --git", "See: memd ingest --help")
    if not options["paths"] and not options["git"]:
        raise BadInput("There is nothing to ingest", "Name files or folders, or use --git or --transcripts.")
    return [Path(path) for path in options["paths"] or ["."]]


def _ingest_transcripts(session: Session) -> Outcome:
    """Take in past sessions of agents: those named, else all that Claude Code and Codex have left."""
    from memd.agents import transcripts

    options = session.options
    if options["git"] or options["range"] or options["scope"]:
        raise BadInput("--transcripts goes with paths alone", "Sessions belong to the project that they worked in.")
    named = [Path(path).expanduser().absolute() for path in options["paths"]]
    if named:
        found = [file for path in named for file in (transcripts.in_folder(path) if path.is_dir() else [path])]
    else:
        found = [file for agent in transcripts.READABLE for file in transcripts.find(agent, Path.home())]
    skipped: list[dict[str, str]] = []
    counts = dict.fromkeys(COUNTS, 0)
    with session.tracked("sessions") as track:
        for done, path in enumerate(found):
            track(done, len(found))
            try:
                answer = session.door.call("transcript_take", {"path": str(path)})
            except BadInput as error:
                skipped.append({"path": str(path), "why": error.message})
                continue
            session.degraded = answer.get("degraded", [])
            if not answer["agent"]:
                skipped.append({"path": str(path), "why": "no transcript that memd can read"})
            for name in ("added", "known", "passages"):
                counts[name] += answer[name]
        track(len(found), len(found))
    sources = [str(path) for path in named or found]
    return Outcome({"sources": sources, **counts, "skipped": skipped}, session.degraded)


def _take_commits(session: Session, path: Path, scope: str, counts: dict[str, int]) -> None:
    from memd.ingest import git

    with session.tracked(f"{path.absolute().name or path} commits") as track:
        commits = git.read(path, scope=scope, rev_range=session.options["range"], on_progress=track)
        for batch in _batches(commits, lambda memory: len(memory.text), lambda _: 1):
            answer = session.door.call("remember", {"items": batch, "restate": False})
            session.degraded = answer.get("degraded", [])
            for memory in answer["remembered"]:
                counts["known" if memory["again"] else "added"] += 1
                counts["passages"] += 0 if memory["again"] else memory["passages"]


def _take_notes(
    session: Session, path: Path, scope: str, counts: dict[str, int], skipped: list[dict[str, str]]
) -> None:
    """Read the notes here, have them taken in, and let go of what a folder no longer holds."""
    from memd.ingest import read_notes

    found: list[str] = []
    unknown: list[str] = []
    top = path.expanduser().resolve()
    with session.tracked(f"{path.absolute().name or path} files") as track:
        notes = read_notes(
            top,
            on_skip=lambda file, why: skipped.append({"path": str(file), "why": why}),
            on_progress=track,
            on_kept=lambda file: unknown.append(str(file)),
        )
        for batch in _batches(notes, lambda note: note.size, lambda note: len(note.sections)):
            found += [note["path"] for note in batch]
            _count(session, session.door.call("notes_take", {"notes": batch, "scope": scope}), counts)
        if top.is_dir():
            params = {"root": str(top), "found": found, "unknown": unknown, "scope": scope}
            _count(session, session.door.call("notes_sweep", params), counts)


def _count(session: Session, answer: Any, counts: dict[str, int]) -> None:
    session.degraded = answer.get("degraded", [])
    for name in counts:
        counts[name] += answer["taken"][name]


def _batches(items: Iterator[T], size: Callable[[T], int], parts: Callable[[T], int]) -> Iterator[list[Any]]:
    """Plain values, as many as go well into one request, which is one transaction or a few."""
    import msgspec

    batch: list[Any] = []
    characters = count = 0
    for item in items:
        batch.append(msgspec.to_builtins(item))
        characters += size(item)
        count += parts(item)
        if count >= BATCH_ITEMS or characters > BATCH_CHARACTERS:
            yield batch
            batch, characters, count = [], 0, 0
    if batch:
        yield batch


def show(session: Session, outcome: Outcome) -> None:
    """Say what was taken in; what was skipped goes to standard error."""
    data = outcome.data
    if session.pretty:
        from memd_cli.render import ingested

        ingested(data)
        return
    write("".join([f"{name}\t{data[name]}\n" for name in COUNTS]))
    for file in data["skipped"]:
        complain("skipped", f"{file['path']}: {file['why']}")
