"""context, mcp; task start, step, done, drop, block, open, list."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import mcp as server
from memd_cli import plain, tasks, verbs
from memd_cli.commands.install import AGENTS
from memd_cli.commands.options import Json, NoDaemon, OwnScope
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")
task = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Keep what is being worked on: goals, their steps, and what waits for what.\n\n"
    "Each project has a tree of its own. What is open comes back in `memd context`, and so at the start of an "
    "agent's next session; a finished branch folds into one line. A task's words are a memory of kind task, which "
    "recall finds, `memd supersede` rewords and `memd forget` takes away.",
    epilog=examples(
        'memd task start "release 2.0"',
        'memd task step "write the changelog"',
        'memd task step "tag it" --needs 2',
        "memd task done 2",
        "memd task list",
    ),
)

Title = Annotated[
    list[str] | None, typer.Argument(metavar="TITLE", help="What is to be done, in a line.", show_default=False)
]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="As in `memd task list`.", show_default=False)]
MaybeNumber = Annotated[
    int | None,
    typer.Argument(
        metavar="NUMBER", help="As in `memd task list`; by default the one being worked on.", show_default=False
    ),
]
Under = Annotated[int | None, typer.Option("--under", "-u", metavar="NUMBER", help="The task that it is a step of.")]
Needs = Annotated[
    list[int], typer.Option("--needs", metavar="NUMBER", help="A task that must be finished first. Repeatable.")
]
Who = Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who says so.")]

Why = Annotated[str | None, typer.Option("--note", "-m", metavar="TEXT", help="Why.")]


@app.command(
    rich_help_panel=AGENTS,
    epilog=examples(
        "memd context",
        "memd context --budget 400  # less of it",
        "memd context --json | jq .data.ids",
    ),
)
def context(
    budget: Annotated[int, typer.Option("--budget", "-b", metavar="TOKENS", help="At most so many tokens.")] = 1200,
    scope: OwnScope = None,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="ID", help="An agent's session; the files it edited count as touched last."),
    ] = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Print what an agent should know of this project before it begins.

    Pinned memories; conventions and preferences, the most confirmed first;
    open tasks; the latest decisions; known failures of the files touched
    lately. Quoted, with ids, and never over the budget.
    """
    return perform(Session("context", locals()), verbs.context, plain.show)


@app.command(
    rich_help_panel=AGENTS,
    epilog=examples("memd install claude-code  # has the agent start it", "claude mcp add memd -- memd mcp  # by hand"),
)
def mcp() -> int:
    """Serve memory to an agent over MCP, on standard input and output.

    Agents start this themselves, one for each session; all of them share the
    daemon, and the model in it. Its tools: remember, recall, context, show,
    forget, supersede, use.
    """
    return perform(Session("mcp", {}), server.serve)


@task.command(
    epilog=examples('memd task start "release 2.0"', 'memd task start "mend the CI" --under 1  # a goal within a goal')
)
def start(
    words: Title = None,
    under: Under = None,
    needs: Needs = [],  # noqa: B006 - Typer copies it
    scope: OwnScope = None,
    who: Who = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Begin a goal, and work on it from now on."""
    return perform(Session("task start", locals()), tasks.start, tasks.show)


@task.command(epilog=examples('memd task step "write the changelog"', 'memd task step "tag it" --needs 2 --under 1'))
def step(
    words: Title = None,
    under: Under = None,
    needs: Needs = [],  # noqa: B006
    scope: OwnScope = None,
    who: Who = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Add a step to the task being worked on, or to another."""
    return perform(Session("task step", locals()), tasks.step, tasks.show)


@task.command(epilog=examples("memd task done", 'memd task done 3 --note "was a race in the loader"'))
def done(
    number: MaybeNumber = None,
    note: Annotated[str | None, typer.Option("--note", "-m", metavar="TEXT", help="What came of it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Finish its steps with it.")] = False,
    scope: OwnScope = None,
    who: Who = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Finish a task. Work goes on with what it was a step of."""
    return perform(Session("task done", locals()), tasks.done, tasks.show)


@task.command(epilog=examples('memd task drop 4 --note "not needed after all"'))
def drop(
    number: Number,
    note: Why = None,
    scope: OwnScope = None,
    who: Who = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Give a task up, and its unfinished steps. What waits for it waits no longer."""
    return perform(Session("task drop", locals()), tasks.drop, tasks.show)


@task.command(epilog=examples("memd task block 5 --on 2", 'memd task block --note "waits for the key from Ada"'))
def block(
    number: MaybeNumber = None,
    on: Annotated[
        list[int], typer.Option("--on", metavar="NUMBER", help="The task that it waits for. Repeatable.")
    ] = [],  # noqa: B006
    note: Why = None,
    scope: OwnScope = None,
    who: Who = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Say that a task can't go on: until others are finished, or until it is opened again."""
    return perform(Session("task block", locals()), tasks.block, tasks.show)


@task.command("open", epilog=examples("memd task open 5"))
def open_(number: Number, scope: OwnScope = None, json: Json = False, no_daemon: NoDaemon = False) -> int:
    """Work on this task from now on; one that was blocked or finished is opened again."""
    return perform(Session("task open", locals()), tasks.open_, tasks.show)


@task.command("list", epilog=examples("memd task list", "memd task list --all  # with what is finished"))
def list_(
    every: Annotated[bool, typer.Option("--all", "-a", help="Unfold what is finished.")] = False,
    scope: OwnScope = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Show the tree of goals and steps.

    Piped, prints a line each: number, state, depth, parent, title, whether
    current, what it waits for, note, steps finished of all.
    """
    return perform(Session("task list", locals()), tasks.list_, tasks.show)


app.add_typer(task, name="task", rich_help_panel=AGENTS)
