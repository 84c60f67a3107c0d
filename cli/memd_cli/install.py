"""install and uninstall: memd in the files of coding agents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from memd.errors import BadInput, NotFound
from memd_cli.inputs import project_root
from memd_cli.plain import record
from memd_cli.session import Session, visible, write
from memd_cli.verbs import Outcome

if TYPE_CHECKING:
    from rich.text import Text

    from memd.agents.install.agent import Place
    from memd.agents.install.joining import Done
    from memd.agents.install.ledger import Ledger

Data = dict[str, Any]

LONGEST = 400  # characters of a line of the difference; some agents keep a whole file on one


def install(session: Session) -> Outcome:
    """Put memd into an agent's files; without a name, list the agents."""
    from memd.agents.install import joining
    from memd.agents.install.program import program
    from memd.agents.install.registry import agent

    place, words = here(), program()
    if session.options["agent"] is None:
        return Outcome({"agents": [_found(found) for found in joining.survey(place, words)]})
    chosen, scope, dry_run = agent(session.options["agent"]), session.options["scope"], session.options["dry_run"]
    done = joining.install(chosen, _scope(scope, place), place, words, ledger(), dry_run)
    return Outcome(_data(chosen.name, chosen.title, scope, dry_run, done, chosen.next(scope)))


def uninstall(session: Session) -> Outcome:
    """Take memd out of an agent's files."""
    from memd.agents.install import joining
    from memd.agents.install.program import program
    from memd.agents.install.registry import agent

    place, words = here(), program()
    chosen, scope, dry_run = agent(session.options["agent"]), session.options["scope"], session.options["dry_run"]
    done = joining.uninstall(chosen, _scope(scope, place), place, words, ledger(), dry_run)
    if all(one.change.action == "unchanged" for one in done):
        other = {"user": "project", "project": "user"}[scope]
        hint = "Nothing was to be done."
        if chosen.is_joined(place, other, words):
            hint = f"memd uninstall {chosen.name} --scope {other}"
        raise NotFound(f"memd isn't in the {scope}'s files of {chosen.title}", hint)
    return Outcome(_data(chosen.name, chosen.title, scope, dry_run, done, []))


def here() -> Place:
    """Where agents' files are looked for: the user's, and those of the repository or folder one stands in."""
    from memd.agents.install.agent import Place

    root = project_root()
    return Place.here(Path(root) if root != "global" else Path.cwd())


def ledger() -> Ledger:
    """What memd did to agents' files, kept in the data folder."""
    from memd.agents.install.ledger import Ledger
    from memd.home import data_home

    return Ledger(Path(data_home()))


def _scope(scope: str, place: Place) -> str:
    if scope not in ("user", "project"):
        raise BadInput(f"There is no scope {scope!r} here", "Scopes: user, project.")
    return scope


def _found(found: Any) -> Data:
    return {
        "name": found.agent.name,
        "title": found.agent.title,
        "there": found.there,
        "installed": list(found.joined),
        "trouble": found.trouble,
    }


def _data(name: str, title: str, scope: str, dry_run: bool, done: list[Done], after: list[str]) -> Data:
    files = [
        {
            "path": str(one.change.before.path),
            "action": one.change.action,
            "copy": one.copy,
            "difference": one.change.difference,
        }
        for one in done
        if one.change.action != "unchanged" or one.change.before.data is not None
    ]
    return {"agent": name, "title": title, "scope": scope, "dry_run": dry_run, "files": files, "next": after}


# --- showing ----------------------------------------------------------------------------------------


def show(session: Session, outcome: Outcome) -> None:
    """Say it: the difference and what to do next at a terminal, a line a file in a pipe."""
    data = outcome.data
    if "agents" in data:
        _show_agents(session, data["agents"])
    elif session.pretty:
        _show_files(session.command, data)
    else:
        lines = [record(file["action"], file["path"], file["copy"] or "") for file in data["files"]]
        write("".join([line + "\n" for line in lines]))


def _show_agents(session: Session, agents: list[Data]) -> None:
    if not session.pretty:
        lines = [
            record(a["name"], "there" if a["there"] else "", ",".join(a["installed"]), a["trouble"]) for a in agents
        ]
        write("".join([line + "\n" for line in lines]))
        return
    from rich.table import Table
    from rich.text import Text

    from memd_cli.render import console, next_steps

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("agent", "on this machine", "memd in it"):
        shown.add_column(title, overflow="fold")
    for agent in agents:
        name = Text(agent["name"], style="cyan" if agent["there"] else "dim")
        there = Text("yes" if agent["there"] else "not found", style="" if agent["there"] else "dim")
        joined = Text(", ".join(agent["installed"]) or "no", style="green" if agent["installed"] else "dim")
        shown.add_row(name, there, Text(visible(agent["trouble"]), style="red") if agent["trouble"] else joined)
    console().print(shown)
    missing = [agent["name"] for agent in agents if agent["there"] and not agent["installed"]]
    having = [agent["name"] for agent in agents if agent["installed"]]
    steps = [(f"memd install {name}", "join memd to it") for name in missing or ([] if having else ["AGENT"])]
    steps += [(f"memd doctor --agent {name}", "see that it works") for name in having]
    console().print()
    next_steps(console(), *steps)


def _show_files(command: str, data: Data) -> None:
    from rich.text import Text

    from memd_cli import human
    from memd_cli.render import console, next_steps

    shown, dry_run = console(), data["dry_run"]
    for file in data["files"]:
        shown.print(Text.assemble(*_sign(file["action"], dry_run), " ", (visible(human.path(file["path"])), "bold")))
        for line in file["difference"][2:]:
            shown.print(_coloured(line), soft_wrap=True)
        if file["copy"]:
            shown.print(Text(f"  as it was: {visible(human.path(file['copy']))}", style="dim"), soft_wrap=True)
    changed = any(file["action"] != "unchanged" for file in data["files"])
    if dry_run:
        shown.print("[dim]Nothing was written.[/]")
        return
    word = "is in" if command == "install" else "is out of"
    again = "" if changed else ", as it was before"
    shown.print(f"[green]✓[/] memd {word} {data['title']}{again}.")
    for sentence in data["next"]:
        shown.print(Text(f"  {sentence}"))
    if command == "install":
        next_steps(
            shown,
            (f"memd doctor --agent {data['agent']}", "see that it works"),
            (f"memd uninstall {data['agent']}", "take it out again"),
        )


_WORDS = {"made": "make", "changed": "change", "removed": "remove", "unchanged": "leave"}


def _sign(action: str, dry_run: bool) -> list[tuple[str, str]]:
    style = {"made": "green", "changed": "yellow", "removed": "red", "unchanged": "dim"}[action]
    return [(f"would {_WORDS[action]}" if dry_run else action, style)]


def _coloured(line: str) -> Text:
    """A line of a unified diff in the usual colours."""
    from rich.text import Text

    style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
    return Text(visible(line if len(line) <= LONGEST else line[:LONGEST] + "…"), style=style)
