"""Copies of the store: made, listed, put back."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from memd.config import Config
from memd.daemon import process
from memd.errors import BadInput, Conflict, NotFound
from memd.store import backups, copies
from memd_cli import human
from memd_cli.plain import record
from memd_cli.session import Session, write
from memd_cli.verbs import Outcome


def make(session: Session) -> Outcome:
    """Copy the store while it is in use, and let old copies go where that was asked for."""
    to, keep = session.options["to"], session.options["keep"]
    config = Config.load()
    folder = config.home / backups.FOLDER if to is None else _absolute(to)
    is_file = to is not None and not folder.is_dir() and not to.endswith(os.sep)
    if is_file and keep is not None:
        raise BadInput("--keep counts the copies of a folder.", "Give a folder with --to, or leave --keep out.")
    made = backups.make(config.store, folder if is_file else folder / backups.name(datetime.now(UTC)))
    gone = [] if keep is None else [str(path) for path in backups.prune(folder, keep)]
    for path in gone:
        copies.leave_out(config.home, Path(path))
    return Outcome({"backup": _plain(made), "deleted": gone})


def listed(session: Session) -> Outcome:
    """The copies in the data folder, or another one."""
    to = session.options["to"]
    folder = Config.load().home / backups.FOLDER if to is None else _absolute(to)
    found = backups.listed(folder)
    return Outcome({"backups": [_plain(each) for each in found]}, exit_code=0 if found else 1)


def put_back(session: Session) -> Outcome:
    """Put a copy in the store's place. The daemon is stopped meanwhile, and runs again if it ran."""
    if session.options["words"]:
        raise BadInput("Ids and --from don't go together.", "Ids bring back what was forgotten, --from a whole store.")
    config = Config.load()
    backup = _chosen(session.options["from_"], config)
    found = backups.verify(backup)
    ran = process.stop(config)
    process.prepare(config.home)
    with process.locked(config) as mine:
        if not mine:
            raise Conflict("Another daemon has started meanwhile.", "Run it again.")
        aside = config.home / backups.FOLDER / backups.name(datetime.now(UTC), "replaced")
        replaced = backups.put_back(backup, config.store, aside)
    if ran:
        process.start(config)
    return Outcome({"backup": _plain(found), "replaced": str(aside) if replaced else None})


def show(session: Session, outcome: Outcome) -> None:
    """Say it: sentences at a terminal; path, time, bytes, memories and format in a pipe."""
    data = outcome.data
    copies = data["backups"] if "backups" in data else [data["backup"]]
    if not session.pretty:
        fields = ("path", "made_at", "bytes", "memories", "format")
        write("".join(record(*("" if copy[name] is None else copy[name] for name in fields)) + "\n" for copy in copies))
        return
    from memd_cli.render import console

    shown = console()
    if session.command == "backup list":
        for copy in copies:
            shown.print(f"  {_facts(copy)}")
        if not copies:
            shown.print("[dim]There is no backup yet:[/] memd backup")
    elif session.command == "restore":
        shown.print(f"[green]✓[/] The store is that of {_facts(data['backup'])}")
        if data["replaced"]:
            shown.print(f"  [dim]what was there before is[/] {human.path(data['replaced'])}")
    else:
        shown.print(f"[green]✓[/] Copied and verified: {_facts(data['backup'])}")
        if data["deleted"]:
            shown.print(f"  [dim]{human.count(len(data['deleted']), 'older copy', 'older copies')} deleted[/]")


def _facts(copy: dict[str, Any]) -> str:
    held = "locked" if copy["memories"] is None else human.count(copy["memories"], "memory", "memories")
    about = f"{held} · {human.size(copy['bytes'])}{' · encrypted' if copy['encrypted'] else ''}"
    return f"{human.path(copy['path'])} [dim]· {human.ago(copy['made_at'])} · {about}[/]"


def _chosen(given: str, config: Config) -> Path:
    if given != "latest":
        return _absolute(given)
    found = backups.listed(config.home / backups.FOLDER)
    if not found:
        raise NotFound(f"There is no backup in {config.home / backups.FOLDER}.", "Give its path with --from.")
    return Path(found[0].path)


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()


def _plain(backup: backups.Backup) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(backup)
    return plain
