"""repair: a new store out of a damaged one, beside it, and in its place when that is wanted."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

import msgspec

from memd.clock import system_clock, to_ms
from memd.config import Config
from memd.daemon import process
from memd.errors import BadInput, Conflict, EncoderUnavailable, MemdError, NotFound
from memd.model import Repair
from memd.store import backups, copies, repair
from memd_cli import human
from memd_cli.plain import record
from memd_cli.session import Session, is_terminal, write
from memd_cli.verbs import Outcome

Data = dict[str, Any]
_SHOWN = 10


def run(session: Session) -> Outcome:
    """Salvage what can be read into a new file; with --replace, or when that is agreed to, put it in place."""
    options = session.options
    config = Config.load()
    if not config.store.is_file():
        raise NotFound(f"There is no store at {config.store}.", "'memd restore --from latest' puts a backup there.")
    target = _target(options, config)
    ran = process.stop(config)
    with process.locked(config) as mine:
        if not mine:
            raise Conflict("Another daemon has started meanwhile.", "Run it again.")
        with session.tracked("Repairing") as step:
            done = repair.repair(
                config.store, target, to_ms(system_clock()), backup=_backup(options, config), tools=_tools(config),
                progress=step,
            )  # fmt: skip
        if target.parent != config.home:
            copies.note(config.home, target)
        if options["replace"] or _agreed(session, done):
            done = _replace(config, target, done)
    if ran:
        process.start(config)
    return Outcome(msgspec.to_builtins(done), exit_code=0)


def _target(options: Data, config: Config) -> Path:
    if options["to"] is not None:
        path = Path(options["to"]).expanduser().absolute()
        return path / config.store.name if path.is_dir() else path
    name = f"{copies.REPAIRED}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    names = chain((name,), (f"{name}-{number}" for number in count(2)))
    return next(path for each in names if not (path := config.home / f"{each}.db").exists())


def _backup(options: Data, config: Config) -> Path | None:
    given = options["with_"]
    if given is None:
        return None
    if given != "latest":
        return Path(given).expanduser().absolute()
    for path in backups.files(config.home / copies.FOLDER):
        try:
            return Path(backups.verify(path).path)
        except MemdError:  # it may be as damaged as the store
            continue
    raise NotFound(f"There is no whole backup in {config.home / copies.FOLDER}.", "Give its path with --with.")


def _tools(config: Config) -> repair.Tools:
    """What cuts passages as the encoder in use has it; without one they are cut by estimate."""
    from memd.encoder.library import Encoders

    try:
        tokenizer = Encoders(config.home).current_tokenizer()
    except (EncoderUnavailable, NotFound):
        return repair.Tools()
    return repair.Tools(tokenizer.offsets, min(repair.Tools().most, tokenizer.max_words))


def _agreed(session: Session, done: Repair) -> bool:
    """Ask, where there is somebody to ask and no place was named for the new store."""
    if session.json or session.options["to"] is not None or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return False
    from memd_cli.render import console

    shown = console(stderr=True)
    _tell(shown, msgspec.to_builtins(done))
    shown.print("\nPut it in the damaged store's place? [dim]That one is kept beside the backups.[/] \\[y/N] ", end="")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _replace(config: Config, target: Path, done: Repair) -> Repair:
    if target.parent == config.store.parent and target.name == config.store.name:
        raise BadInput("The new store can't be made where the damaged one is.", "Leave --to out.")
    aside = config.home / copies.FOLDER / backups.name(datetime.now(UTC), "damaged")
    repair.put_in_place(target, config.store, aside)
    copies.leave_out(config.home, target)
    return msgspec.structs.replace(done, target=str(config.store), replaced=str(aside))


def show(session: Session, outcome: Outcome) -> None:
    """What could be read and what not: sentences at a terminal, a line each in a pipe."""
    data = outcome.data
    if session.pretty:
        from memd_cli.render import console

        _tell(console(), data)
        return
    lines = [record(name, str(data[name])) for name in ("store", "target", "memories", "pages", "damaged_pages")]
    lines += [record("replaced", data["replaced"])] if data["replaced"] else []
    lines.append(record("lost", str(data["lost_count"])))
    lines += [record("lost memory", one["id"], one["recorded_at"] or "") for one in data["lost"]]
    lines += [
        record("table", *(str(table[name]) for name in ("name", "rows", "pages_lost", "records_lost", "from_backup")))
        for table in data["tables"]
    ]
    lines += [record("journal", told) for told in data["journal"]] + [record("note", told) for told in data["notes"]]
    write("".join(line + "\n" for line in lines))


def _tell(shown: Any, data: Data) -> None:
    whole = not data["lost_count"] and not data["damaged_pages"]
    mark = "[green]✓[/]" if not data["lost_count"] else "[yellow]![/]"
    shown.print(
        f"{mark} {human.count(data['memories'], 'memory', 'memories')} read out of {human.path(data['store'])}"
        f" [dim]· {data['damaged_pages']} of {data['pages']} pages can't be read[/]"
    )
    if whole:
        shown.print("  [dim]nothing in it was found damaged[/]")
    if data["lost_count"]:
        ids = " ".join(one["id"] or "(id unknown)" for one in data["lost"][:_SHOWN])
        more = " …" if data["lost_count"] > _SHOWN else ""
        shown.print(f"  [red]{human.count(data['lost_count'], 'memory', 'memories')} lost:[/] {ids}{more}")
    if data["from_backup"]:
        shown.print(f"  {human.count(data['from_backup'], 'memory', 'memories')} taken from the backup")
    for table in data["tables"]:
        told = [
            f"{table[name]} {what}"
            for name, what in (
                ("pages_lost", "pages lost"), ("records_lost", "records lost"), ("refused", "of no use any more"),
                ("from_backup", "from the backup"),
            )
            if table[name]
        ]  # fmt: skip
        shown.print(f"  [dim]{table['name']}: {table['rows']} rows read, {', '.join(told)}[/]")
    for line in [*data["journal"][:_SHOWN], *data["notes"]]:
        shown.print(f"  [dim]{line}[/]")
    if data["replaced"]:
        shown.print(f"[green]✓[/] It is in use now; the damaged one lies at {human.path(data['replaced'])}")
    else:
        shown.print(
            f"  The new store: {human.path(data['target'])}. In the damaged one's place: [cyan]memd repair --replace[/]"
        )
