"""watch add, remove, list, status: what the daemon keeps up with."""

from __future__ import annotations

import os
import time
from typing import Any

from memd.errors import BadInput
from memd_cli import inputs
from memd_cli.plain import record
from memd_cli.session import Session, complain, visible, write
from memd_cli.verbs import Outcome

Data = dict[str, Any]

POLL_S = 0.2  # how often who waits is told how far it is
SKIPPED_SHOWN = 10


def add(session: Session) -> Outcome:
    """Watch a path, and wait until what it holds is taken in."""
    options = session.options
    path = _path(options["path"])
    scope = options["scope"]
    params = {
        "path": path,
        "kind": "git" if options["git"] else "notes",
        "scope": _scope_around(path) if scope is None else inputs.own_scope(scope),
        "include": options["include"],
        "exclude": options["exclude"],
        "poll": options["poll"],
    }
    if options["git"] and (options["include"] or options["exclude"] or options["poll"]):
        raise BadInput("--include, --exclude and --poll are for notes", "See: memd watch add --help")
    found = session.door.call("watch_add", params)["watch"]
    if options["wait"]:
        found = _wait(session, found)
    return Outcome({"watch": found}, [found["why"]] if found["state"] == "failed" else [])


def remove(session: Session) -> Outcome:
    """Watch a path no longer."""
    options = session.options
    params = {
        "path": _path(options["path"]),
        "kind": "git" if options["git"] else "notes",
        "forget": options["forget"],
    }
    return Outcome(session.door.call("watch_remove", params))


def list_(session: Session) -> Outcome:
    """What is watched."""
    return Outcome(session.door.call("watch_list", {}))


def status(session: Session) -> Outcome:
    """How each watch is doing."""
    found = session.door.call("watch_status", {})
    return Outcome(found, [f"{one['watch']['path']}: {one['why']}" for one in found["watches"]
                           if one["state"] == "failed"])  # fmt: skip


def _path(given: str) -> str:
    """As the daemon needs it, whose working folder is another; links are resolved there."""
    if not given.strip() or "\0" in given:
        raise BadInput("The path is empty" if not given.strip() else "The path has a NUL", "Name a folder or file.")
    return os.path.abspath(os.path.expanduser(inputs.joined([given])))


def _scope_around(path: str) -> str:
    """The repository that a path lies in; ``global`` outside of one."""
    folder = os.path.realpath(path)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return inputs.GLOBAL_SCOPE
        folder = parent
    return folder


def _wait(session: Session, found: Data) -> Data:
    """Until it has caught up, or can't."""
    watch = found["watch"]
    with session.tracked(f"{os.path.basename(watch['path']) or watch['path']}") as track:
        while found["state"] == "catching up":
            track(found["done"], max(found["total"], found["done"]))
            time.sleep(POLL_S)
            states = session.door.call("watch_status", {})["watches"]
            mine = [one for one in states if one["watch"] == watch]
            if not mine:  # removed meanwhile, or added again with other options
                break
            found = mine[0]
    return found


# --- showing ----------------------------------------------------------------------------------------


def show(session: Session, outcome: Outcome) -> None:
    """Say it: sentences and tables at a terminal, fields split by tabs in a pipe."""
    data = outcome.data
    if session.pretty:
        _SHOWN[session.command](data)
    else:
        write("".join([line + "\n" for line in _PLAIN[session.command](data)]))


def _line(watch: Data) -> str:
    """Kind, path, scope, included, excluded globs (by commas), since."""
    return record(
        watch["kind"],
        watch["path"],
        watch["scope"],
        ",".join(watch["include"]),
        ",".join(watch["exclude"]),
        watch["added_at"],
    )


def _state_lines(state: Data) -> list[str]:
    """State, kind, path, scope, by what, files, sections, changes that wait, why; then a line a skipped file."""
    watch = state["watch"]
    counts = (state["files"], state["sections"], state["pending"])
    head = (state["state"], watch["kind"], watch["path"], watch["scope"], state["by"], *counts, state["why"])
    return [record(*head), *(record("skipped", file["path"], file["why"]) for file in state["skipped"])]


_PLAIN = {
    "watch add": lambda data: _state_lines(data["watch"]),
    "watch remove": lambda data: [_line(data["watch"])],
    "watch list": lambda data: [_line(watch) for watch in data["watches"]],
    "watch status": lambda data: [line for state in data["watches"] for line in _state_lines(state)],
}


def _show_added(data: Data) -> None:
    from memd_cli.render import console, next_steps

    state = data["watch"]
    console().print(f"[green]✓[/] Watching {_told(state)}")
    _show_skipped(state)
    next_steps(console(), ("memd watch status", "see how it is doing"))


def _show_removed(data: Data) -> None:
    from rich.markup import escape

    from memd_cli import human
    from memd_cli.render import console

    kept = f"{human.count(data['retired'], 'memory', 'memories')} put out of sight" if data["retired"] else ""
    shown = f"[green]✓[/] No longer watching {escape(visible(human.path(data['watch']['path'])))}"
    console().print(f"{shown} [dim]· {kept or 'what was taken from it stays'}[/]")


def _show_list(data: Data) -> None:
    from rich.table import Table
    from rich.text import Text

    from memd_cli import human
    from memd_cli.render import console

    if not data["watches"]:
        _show_nothing()
        return
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("kind", "path", "scope", "globs", "since"):
        shown.add_column(name, overflow="fold")
    for watch in data["watches"]:
        globs = [*watch["include"], *(f"not {glob}" for glob in watch["exclude"])]
        path, scope = (Text(visible(human.path(watch[name]))) for name in ("path", "scope"))
        shown.add_row(watch["kind"], path, scope, Text(visible(", ".join(globs))), human.ago(watch["added_at"]))
    console().print(shown)


def _show_status(data: Data) -> None:
    from memd_cli.render import console

    if not data["watches"]:
        _show_nothing()
    for state in data["watches"]:
        style = {"watching": "green", "catching up": "yellow"}.get(state["state"], "red")
        console().print(f"[{style}]●[/] {state['state']}  {_told(state)}")
        _show_skipped(state)


def _show_nothing() -> None:
    from memd_cli.render import console, next_steps

    console().print("[dim]Nothing is watched.[/]")
    next_steps(console(), ("memd watch add ~/notes", "keep up with a folder of notes"))


def _told(state: Data) -> str:
    """A watch in a line of rich's markup."""
    from rich.markup import escape

    from memd_cli import human

    watch = state["watch"]
    parts = []
    if watch["kind"] == "git":
        parts.append("commits" + (f" up to {state['head'][:10]}" if state["head"] else ""))
    else:
        parts.append(f"{human.count(state['sections'], 'section')} in {human.count(state['files'], 'file')}")
        parts.append(f"by {state['by']}" + (f": {state['why']}" if state["why"] and state["by"] == "polling" else ""))
    if state["state"] == "catching up" and state["total"]:
        parts.append(f"{state['done']:,} of {state['total']:,} files")
    if state["state"] == "missing":
        parts.append("nothing is there now; what was taken from it is kept")
    if state["pending"]:
        parts.append(f"{human.count(state['pending'], 'change')} to come")
    where = "global" if watch["scope"] == "global" else visible(human.path(watch["scope"]))
    parts.append(f"scope {where}")
    return f"{escape(visible(human.path(watch['path'])))} [dim]· {escape(' · '.join(parts))}[/]"


def _show_skipped(state: Data) -> None:
    from memd_cli import human

    for file in state["skipped"][:SKIPPED_SHOWN]:
        complain("skipped", f"{human.path(file['path'])}: {file['why']}")
    if len(state["skipped"]) > SKIPPED_SHOWN:
        complain("skipped", f"{len(state['skipped']) - SKIPPED_SHOWN} more, listed by --json")


_SHOWN = {
    "watch add": _show_added,
    "watch remove": _show_removed,
    "watch list": _show_list,
    "watch status": _show_status,
}
