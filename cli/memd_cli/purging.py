"""forget --purge: what becomes of it, place by place."""

from __future__ import annotations

import sys
from typing import Any

from memd.errors import BadInput
from memd_cli import human
from memd_cli.plain import record
from memd_cli.session import Session, is_terminal, write
from memd_cli.verbs import Outcome, ids

Data = dict[str, Any]


def purge(session: Session) -> Outcome:
    """Erase memories for good, asking first unless told not to; without ids, go on with earlier purges."""
    options = session.options
    if not options["words"]:
        return _finish(session)
    wanted = ids(session)
    if options["dry_run"] or not options["yes"]:
        plan = session.door.call("purge", {"ids": wanted, "dry_run": True})
        if options["dry_run"]:
            return _outcome(plan)
        if not _agreed(session, plan):
            return Outcome({"memories": [], "places": [], "quoted": [], "files": [], "dry_run": False})
        wanted = plan["memories"]  # what was shown, whatever came since
    return _outcome(session.door.call("purge", {"ids": wanted}))


def _finish(session: Session) -> Outcome:
    if session.options["dry_run"]:
        raise BadInput("--dry-run needs ids", "Without ids, --purge goes on with what earlier purges left.")
    return _outcome(session.door.call("purge", {"ids": []}))


def _outcome(data: Data) -> Outcome:
    """Exits with 3 where something of the text may still be there."""
    left = not data["dry_run"] and any(place["left"] for place in data["places"])
    return Outcome(data, exit_code=3 if left else 0)


def _agreed(session: Session, plan: Data) -> bool:
    """Ask the person at the terminal. Raises BadInput where there is none."""
    if session.json or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise BadInput(
            "There is nobody to ask", "Say --yes to purge without a question, or --dry-run to see what would go."
        )
    from memd_cli.render import console, table

    shown = console(stderr=True)
    shown.print(table(session.door.call("show", {"ids": plan["memories"]})["memories"]))
    _tell_of_others(shown, plan)
    copies = sum(place["place"].startswith("/") for place in plan["places"])
    what = "this memory" if len(plan["memories"]) == 1 else f"these {len(plan['memories'])} memories"
    where = f" and {human.count(copies, 'copy', 'copies')} of it" if copies else ""
    shown.print(
        f"\nPurge {what}, in the store{where}? [bold]Nothing brings it back.[/] \\[y/N] ",
        end="",
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def show(session: Session, outcome: Outcome) -> None:
    """What went, and what is left: sentences at a terminal; place, what was done, what is left in a pipe."""
    data = outcome.data
    if not session.pretty:
        lines = [record("purged", id_) for id_ in data["memories"]]
        lines += [record("place", place["place"], place["done"], place["left"]) for place in data["places"]]
        lines += [record("quoted", id_) for id_ in data["quoted"]] + [record("file", path) for path in data["files"]]
        write("".join(line + "\n" for line in lines))
        return
    from memd_cli.render import console

    shown = console()
    for place in data["places"]:
        name = human.path(place["place"]) if place["place"].startswith("/") else place["place"]
        done = place["done"] or "nothing there"
        mark, told = ("[red]✗[/]", place["left"]) if place["left"] else ("[green]✓[/]", done)
        shown.print(f"{mark} [dim]{name}:[/] {told}", highlight=False)
    count = len(data["memories"])
    if data["dry_run"]:
        shown.print(f"\nWould be purged: {human.count(count, 'memory', 'memories')}")
    elif count:
        shown.print(f"\n[green]✓[/] Purged: {human.count(count, 'memory', 'memories')}")
    elif not data["places"]:
        shown.print("[dim]Nothing was purged.[/]" if session.options["words"] else "[dim]Nothing is left to purge.[/]")
    _tell_of_others(shown, data)


def _tell_of_others(shown: Any, data: Data) -> None:
    if data["quoted"]:
        shown.print(
            f"[yellow]The text, or part of it, stands in {len(data['quoted'])} more, which memd leaves alone:[/] "
            + " ".join(data["quoted"])
        )
    for path in data["files"]:
        shown.print(f"[yellow]The file may still have it:[/] {human.path(path)} [dim](it isn't taken in again)[/]")
