"""check: whether the store is sound and its parts agree, read in this process so that the daemon goes on answering."""

from __future__ import annotations

from typing import Any

from memd.errors import NotFound
from memd_cli import human
from memd_cli.plain import record
from memd_cli.session import Session, write
from memd_cli.verbs import Outcome


def check(session: Session) -> Outcome:
    """Read all of it; exit code 3 where something is wrong."""
    import msgspec

    from memd.api import Memory
    from memd.config import Config

    config = Config.load()
    if not config.store.exists():
        raise NotFound(f"There is no store at {config.store}.", "'memd remember' makes it.")
    with Memory.open(config.home, encode="off") as memory:
        found = memory.check()
    data: dict[str, Any] = msgspec.to_builtins(found)
    return Outcome(data, exit_code=0 if found.sound else 3)


def show(session: Session, outcome: Outcome) -> None:
    """What is wrong, or how much was found well."""
    data = outcome.data
    if not session.pretty:
        for name in ("sound", "memories", "passages"):
            write(record(name, str(data[name]).lower()) + "\n")
        for trouble in data["troubles"]:
            write(record("trouble", trouble["part"], trouble["what"]) + "\n")
        return
    from rich.markup import escape

    from memd_cli.render import console

    shown = console()
    about = f"{human.count(data['memories'], 'memory', 'memories')}, {human.count(data['passages'], 'passage')}"
    if data["sound"]:
        shown.print(f"[green]✓[/] {about}: the file is sound, and all its parts agree with the texts.")
        return
    for trouble in data["troubles"]:
        shown.print(f"[red]✗[/] [dim]{trouble['part']}[/] {escape(trouble['what'])}", highlight=False)
    if data["more"]:
        shown.print(f"[dim]and {data['more']} more[/]")
