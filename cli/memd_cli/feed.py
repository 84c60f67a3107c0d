"""ingest: notes and histories, read here, stored by the daemon in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memd.errors import BadInput
from memd_cli import inputs
from memd_cli.session import Session, complain, write
from memd_cli.verbs import BATCH_CHARACTERS, BATCH_ITEMS, Outcome

if TYPE_CHECKING:
    from memd.model import NewMemory


def ingest(session: Session) -> Outcome:
    """Store what the sources hold and isn't stored yet."""
    paths = _paths(session.options)
    scope = inputs.own_scope(session.options["scope"])
    skipped: list[dict[str, str]] = []
    counts = {"added": 0, "known": 0, "passages": 0}
    for path in paths:
        _take(session, path, scope, counts, skipped)
    return Outcome({"sources": [str(path) for path in paths], **counts, "skipped": skipped}, session.degraded)


def _paths(options: dict[str, Any]) -> list[Path]:
    if options["range"] and not options["git"]:
        raise BadInput("--range goes with --git", "See: memd ingest --help")
    if not options["paths"] and not options["git"]:
        raise BadInput("There is nothing to ingest", "Name files or folders, or use --git for the commit messages.")
    return [Path(path) for path in options["paths"] or ["."]]


def _take(session: Session, path: Path, scope: str, counts: dict[str, int], skipped: list[dict[str, str]]) -> None:
    title = f"{path.absolute().name or path} {'commits' if session.options['git'] else 'files'}"
    with session.tracked(title) as track:
        for batch in _batches(_memories(session, path, scope, skipped, track)):
            answer = session.door.call("remember", {"items": batch, "restate": False})
            session.degraded = answer.get("degraded", [])
            for memory in answer["remembered"]:
                counts["known" if memory["again"] else "added"] += 1
                counts["passages"] += 0 if memory["again"] else memory["passages"]


def _memories(
    session: Session, path: Path, scope: str, skipped: list[dict[str, str]], track: Callable[[int, int], None]
) -> Iterator[NewMemory]:
    if session.options["git"]:
        from memd.ingest import git

        return git.read(path, scope=scope, rev_range=session.options["range"], on_progress=track)
    from memd.ingest import read

    def skip(file: Path, why: str) -> None:
        skipped.append({"path": str(file), "why": why})

    return read(path, scope=scope, on_skip=skip, on_progress=track)


def _batches(memories: Iterator[NewMemory]) -> Iterator[list[Any]]:
    """Plain values, as many as go well into one transaction."""
    import msgspec

    batch: list[Any] = []
    characters = 0
    for memory in memories:
        batch.append(msgspec.to_builtins(memory))
        characters += len(memory.text)
        if len(batch) >= BATCH_ITEMS or characters > BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def show(session: Session, outcome: Outcome) -> None:
    """Say what was taken in; what was skipped goes to standard error."""
    data = outcome.data
    if session.pretty:
        from memd_cli.render import ingested

        ingested(data)
        return
    write("".join([f"{name}\t{data[name]}\n" for name in ("added", "known", "passages")]))
    for file in data["skipped"]:
        complain("skipped", f"{file['path']}: {file['why']}")
