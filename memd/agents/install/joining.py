"""The whole way: an agent's files, what becomes of them, and what memd knows of them afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memd.agents.install.agent import SCOPES, Agent, Place
from memd.agents.install.ledger import Ledger
from memd.agents.install.registry import AGENTS
from memd.agents.install.work import Change, Target, apply, planned_install, planned_uninstall
from memd.errors import MemdError


@dataclass(frozen=True)
class Done:
    """What was done, or would be, to one file.

    Attributes:
        change: what.
        copy: where the copy of how it was lies; None where none was needed or nothing was done yet.
    """

    change: Change
    copy: str | None = None


def install(
    agent: Agent, scope: str, place: Place, program: Sequence[str], ledger: Ledger, dry_run: bool = False
) -> list[Done]:
    """Put memd into an agent's files.

    Args:
        agent: which.
        scope: ``user`` or ``project``.
        place: where its files are looked for.
        program: the words that start memd.
        ledger: keeps copies and what was done.
        dry_run: only say what would be done.

    Raises:
        MalformedFile, FileUnusable, FileChanged: every file is as it was.
    """
    targets = agent.files(place, scope, program)
    if dry_run:
        return [Done(change) for change in planned_install(targets)]
    with ledger.locked():
        changes = planned_install(targets)
        copies = apply(changes, ledger, agent.name, scope)
    return [Done(change, copy) for change, copy in zip(changes, copies, strict=True)]


def uninstall(
    agent: Agent, scope: str, place: Place, program: Sequence[str], ledger: Ledger, dry_run: bool = False
) -> list[Done]:
    """Take memd out of an agent's files, those too that it uses only under other circumstances. As `install`."""
    targets = _merged([*agent.files(place, scope, program), *agent.former(place, scope, program)])
    if dry_run:
        return [Done(change) for change in planned_uninstall(targets, ledger)]
    with ledger.locked():
        changes = planned_uninstall(targets, ledger)
        copies = apply(changes, ledger, agent.name, scope)
    return [Done(change, copy) for change, copy in zip(changes, copies, strict=True)]


def _merged(targets: Sequence[Target]) -> list[Target]:
    """One target a file, with the parts of all."""
    found: dict[Path, Target] = {}
    for target in targets:
        one = found.setdefault(target.path, target)
        parts = (*one.parts, *(part for part in target.parts if part not in one.parts))
        found[target.path] = Target(target.path, parts, one.blank)
    return list(found.values())


@dataclass(frozen=True)
class Survey:
    """One agent on this machine. `joined` are the scopes that have memd; `trouble` says what can't be read."""

    agent: Agent
    there: bool
    joined: tuple[str, ...]
    trouble: str = ""


def survey(place: Place, program: Sequence[str]) -> list[Survey]:
    """Every agent that memd knows: whether it is there, and whether memd stands in its files."""
    return [_looked_at(agent, place, program) for agent in AGENTS.values()]


def _looked_at(agent: Agent, place: Place, program: Sequence[str]) -> Survey:
    joined: list[str] = []
    seen: set[Path] = set()
    try:
        for scope in SCOPES:  # in the home folder itself some agents have the same files for both
            targets = [target for target in agent.files(place, scope, program) if target.path not in seen]
            seen |= {target.path for target in targets}
            joined += [scope] if any(target.commands() for target in targets) else []
    except MemdError as error:
        return Survey(agent, agent.is_there(place), (), error.message)
    return Survey(agent, agent.is_there(place), tuple(joined))
