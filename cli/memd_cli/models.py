"""model and reindex: which encoder makes the vectors, and how far it has come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from memd.errors import EncoderUnavailable
from memd_cli.plain import flat, record
from memd_cli.session import Session, complain, visible, write
from memd_cli.verbs import Outcome

if TYPE_CHECKING:
    from memd.encoder.library import Encoders

Data = dict[str, Any]

POLL_S = 1.0  # how often who waits for the daemon is told how far it is


def info(session: Session) -> Outcome:
    """The encoder in use, and how many passages have its vectors."""
    return Outcome(session.door.call("encoder", {}))


def list_(session: Session) -> Outcome:
    """Every encoder of this data folder."""
    encoders = _library()
    reasons = [_overridden(encoders.override)] if encoders.override else []
    return Outcome({"encoders": [_listed(encoders, name) for name in encoders.names()]}, reasons)


def use(session: Session) -> Outcome:
    """Put another encoder to use."""
    return Outcome(session.door.call("use_encoder", {"name": session.options["name"]}))


def add(session: Session) -> Outcome:
    """Take an encoder into the library, once it has passed its trial."""
    from memd.encoder.intake import take

    encoders = _library()
    with session.progress("Trying it out"):
        taken = take(encoders, Path(session.options["folder"]), session.options["name"])
    return Outcome({"encoder": _listed(encoders, taken.name), "known": taken.known})


def reindex(session: Session) -> Outcome:
    """Have vectors made where they are missing, or all of them anew; exit code 3 when who waits must give up."""
    every = session.options["every"]
    if session.options["no_daemon"]:
        return _reindex_here(session, every)
    found = session.door.call("reindex", {"every": every})
    if not session.options["wait"]:
        return Outcome(found)
    trouble = _wait(session, found["pending"])
    found = session.door.call("encoder", {})
    return Outcome(found, trouble, exit_code=3 if found["pending"] else 0)


def _reindex_here(session: Session, every: bool) -> Outcome:
    import msgspec

    from memd.api import Memory

    with Memory.open(encode="off") as memory:
        memory.reindex(every=every)
        with session.tracked("Encoding") as track:
            memory.encode_pending(track)
        found = msgspec.to_builtins(memory.encoder_info())
    return Outcome(found, exit_code=3 if found["pending"] else 0)


def _wait(session: Session, total: int) -> list[str]:
    """Wait for the daemon to empty its queue, showing how far it is; what keeps it from that, if anything does."""
    left = total
    with session.tracked("Encoding") as track:
        while left:
            track(max(total - left, 0), max(total, left))
            before, left = left, session.door.call("wait_encoded", {"timeout_s": POLL_S})["pending"]
            if left >= before and (reasons := session.door.call("status", {})["degraded"]):
                return list(reasons)
    return []


def _library() -> Encoders:
    from memd.config import Config
    from memd.encoder.library import Encoders

    return Encoders(Config.load().home)


def _overridden(folder: str) -> str:
    return f"MEMD_ENCODER goes before all of these: {folder}"


def _listed(encoders: Encoders, name: str) -> Data:
    """An encoder as a line of the list."""
    place, files, trouble = encoders.place(name), None, ""
    try:
        files = encoders.files(name)
    except EncoderUnavailable as error:
        trouble = error.message
    return {
        "name": name,
        "in_use": not encoders.override and name == encoders.chosen(),
        "fingerprint": files.fingerprint if files else "",
        "dimension": files.dimension if files else 0,
        "tokens": files.tokens if files else False,
        "max_tokens": files.max_tokens if files else 0,
        "bytes": files.size if files else 0,
        "folder": str(place),
        "trouble": trouble,
    }


# --- showing ----------------------------------------------------------------------------------------


def show(session: Session, outcome: Outcome) -> None:
    """Say it: tables and sentences at a terminal, fields split by tabs in a pipe."""
    data = outcome.data
    if not session.pretty:
        write("".join([line + "\n" for line in _plain(session.command, data)]))
    elif session.command == "model list":
        _show_list(data["encoders"])
    elif session.command == "model add":
        _show_added(data)
    else:
        _show_info(session.command, data)
    if outcome.exit_code:
        complain("memd", f"{data['pending']:,} passages still wait for a vector", "See: memd daemon logs")


def _plain(command: str, data: Data) -> list[str]:
    if command == "model list":
        return [_line(encoder) for encoder in data["encoders"]]
    if command == "model add":
        return [_line(data["encoder"])]
    return [record(name, {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value)
            for name, value in flat(data)]  # fmt: skip


def _line(encoder: Data) -> str:
    """Name, whether in use, fingerprint, dimension, whether with token vectors, bytes, folder, trouble."""
    return record(
        encoder["name"],
        "in use" if encoder["in_use"] else "",
        encoder["fingerprint"],
        encoder["dimension"],
        "tokens" if encoder["tokens"] else "pooled",
        encoder["bytes"],
        encoder["folder"],
        encoder["trouble"],
    )


def _gives(data: Data) -> str:
    """What an encoder gives, in words."""
    kind = "pooled and token vectors" if data["tokens"] else "pooled vectors alone"
    return f"{kind} of {data['dimension']:,} dimensions, {data['max_tokens']} tokens at once"


def _show_list(encoders: list[Data]) -> None:
    from rich.table import Table
    from rich.text import Text

    from memd_cli import human
    from memd_cli.render import console

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column("")
    shown.add_column("name", style="cyan", overflow="fold")
    shown.add_column("fingerprint", style="dim")
    shown.add_column("dimension", justify="right")
    shown.add_column("vectors")
    shown.add_column("size", justify="right")
    for encoder in encoders:
        mark, name = "[green]●[/]" if encoder["in_use"] else "", Text(encoder["name"])
        if encoder["trouble"]:
            shown.add_row(mark, name, Text("unusable", style="red"))
        else:
            vectors = "pooled, tokens" if encoder["tokens"] else "pooled"
            size = human.size(encoder["bytes"])
            shown.add_row(mark, name, encoder["fingerprint"], f"{encoder['dimension']:,}", vectors, size)
    console().print(shown)
    for encoder in encoders:
        if encoder["trouble"]:
            complain("memd", encoder["trouble"], "Remove its folder, and add it again.")


def _show_added(data: Data) -> None:
    from memd_cli.render import console, next_steps

    shown, encoder = console(), data["encoder"]
    word = "It was there already:" if data["known"] else "Added"
    shown.print(f"[green]✓[/] {word} [cyan]{encoder['name']}[/] [dim]· {_gives(encoder)}[/]")
    next_steps(shown, (f"memd model use {encoder['name']}", "make it the one that vectors are made with"))


def _show_info(command: str, data: Data) -> None:
    from rich.table import Table
    from rich.text import Text

    from memd_cli import human
    from memd_cli.render import console, next_steps

    shown = console()
    if command == "model use":
        shown.print(f"[green]✓[/] In use: [cyan]{data['name']}[/]")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    if command == "model info":
        named = f" ({data['model']})" if data["model"] != data["name"] else ""
        grid.add_row("encoder", Text(visible(data["name"]), style="cyan").append(named, style="dim"))
        grid.add_row("fingerprint", data["fingerprint"])
        grid.add_row("gives", _gives(data))
        grid.add_row("folder", Text(f"{visible(human.path(data['folder']))}, {human.size(data['bytes'])}"))
        if data["chosen_by"] == "MEMD_ENCODER":
            grid.add_row("chosen by", "MEMD_ENCODER")
    waiting = f"  [yellow]{data['pending']:,} wait for theirs[/]" if data["pending"] else "  [dim]all of them[/]"
    grid.add_row("encoded", f"{data['encoded']:,} of {human.count(data['passages'], 'passage')}{waiting}")
    shown.print(grid)
    if data["pending"]:
        shown.print("[dim]The daemon goes on with them; until then they are found by words alone.[/]")
        next_steps(shown, ("memd reindex --wait", "wait for it"))
