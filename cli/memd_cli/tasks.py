"""The task tree: start, step, done, drop, block, open, list."""

from __future__ import annotations

from typing import Any

from memd.errors import BadInput, NotFound
from memd_cli import inputs
from memd_cli.plain import record
from memd_cli.session import Session, complain, visible, write
from memd_cli.verbs import Outcome

Data = dict[str, Any]

_MARKS = {"open": "○", "blocked": "◼", "done": "✓", "dropped": "✗"}
_STYLES = {"open": "", "blocked": "red", "done": "green", "dropped": "dim"}


def start(session: Session) -> Outcome:
    """Begin a goal, or a sub-goal."""
    return _add(session, "task_start")


def step(session: Session) -> Outcome:
    """Add a step."""
    return _add(session, "task_step")


def _add(session: Session, method: str) -> Outcome:
    options = session.options
    if not options["words"]:
        raise BadInput("There is no title", f'Try: memd {session.command} "write the changelog"')
    params = {"title": inputs.joined(options["words"]), "needs": options["needs"], **_common(session)}
    if options["under"] is not None:
        params["under"] = options["under"]
    return Outcome(session.door.call(method, params))


def done(session: Session) -> Outcome:
    """Finish a task."""
    options = session.options
    params = {"number": _number(session), "note": options["note"] or "", "all": options["every"], **_common(session)}
    return Outcome(session.door.call("task_done", params))


def drop(session: Session) -> Outcome:
    """Give a task up."""
    params = {"number": session.options["number"], "note": session.options["note"] or "", **_common(session)}
    return Outcome(session.door.call("task_drop", params))


def block(session: Session) -> Outcome:
    """Say that a task can't go on."""
    options = session.options
    params = {"number": _number(session), "on": options["on"], "note": options["note"] or "", **_common(session)}
    return Outcome(session.door.call("task_block", params))


def open_(session: Session) -> Outcome:
    """Take a task up again."""
    return Outcome(session.door.call("task_open", {"number": session.options["number"], "scope": _scope(session)}))


def list_(session: Session) -> Outcome:
    """The tree."""
    data = session.door.call("task_list", {"scope": _scope(session), "all": session.options["every"]})
    return Outcome(data, exit_code=0 if data["tasks"] else 1)


def _number(session: Session) -> int:
    """The number that was given, else that of the task at work: asked for first, so that the request names it.

    A request without a number that has to be sent twice would finish two tasks.
    """
    given: int | None = session.options["number"]
    if given is not None:
        return given
    scope = _scope(session)
    current: int | None = session.door.call("task_list", {"scope": scope})["current"]
    if current is None:
        raise NotFound(
            f"No task is being worked on in {scope}",
            "Begin one: memd task start TITLE; or name one by its number: memd task list",
        )
    return current


def _scope(session: Session) -> str:
    return inputs.own_scope(session.options["scope"])


def _common(session: Session) -> Data:
    source = {"via": "cli"}
    if session.options["who"] is not None:
        source["who"] = session.options["who"]
    return {"scope": _scope(session), "source": source}


def show(session: Session, outcome: Outcome) -> None:
    """A task, or the tree: a line each. Piped: number, state, depth, parent, title, what it waits for, note."""
    data = outcome.data
    tasks = data.get("tasks", [data] if "number" in data else [])
    if session.pretty:
        _pretty(session, tasks)
    else:
        write("".join([_plain(task) + "\n" for task in tasks]))
    if outcome.exit_code == 1:
        complain("memd", "nothing found", 'Begin a task: memd task start "release 2.0"')


def _plain(task: Data) -> str:
    return record(
        task["number"], task["state"], task["depth"], "" if task["parent"] is None else task["parent"], task["title"],
        "current" if task["current"] else "", ",".join(map(str, task["waits_for"])), task["note"],
        f"{task['finished']}/{task['steps']}",
    )  # fmt: skip


def _pretty(session: Session, tasks: list[Data]) -> None:
    from rich.text import Text

    from memd_cli.render import console

    shown = console()
    for task in tasks:
        line = Text("  " * (task["depth"] if len(tasks) > 1 else 0))
        line.append(_MARKS[task["state"]] + " ", style=_STYLES[task["state"]])
        line.append(f"#{task['number']} ", style="yellow")
        line.append(visible(task["title"]), style="bold" if task["current"] else _STYLES[task["state"]])
        for note in _notes(task):
            line.append(f" · {visible(note)}", style="dim")
        shown.print(line)


def _notes(task: Data) -> list[str]:
    notes = ["being worked on"] if task["current"] else []
    if task["waits_for"]:
        notes.append("waits for " + ", ".join(f"#{number}" for number in task["waits_for"]))
    if task["state"] in ("blocked", "dropped"):
        notes.append(task["state"])
    if task["steps"]:
        notes.append(f"{task['finished']} of {task['steps']} steps finished")
    return [*notes, *([task["note"]] if task["note"] else [])]
