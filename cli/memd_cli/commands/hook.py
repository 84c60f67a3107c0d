"""hook."""

from __future__ import annotations

from typing import Annotated

import typer

from memd.errors import BadInput
from memd_cli.commands.install import AGENTS
from memd_cli.help import examples
from memd_cli.session import Session, fail

app = typer.Typer(rich_markup_mode="rich")


@app.command(
    rich_help_panel=AGENTS,
    epilog=examples("memd hook SessionStart --agent claude-code < payload.json", "memd hook Stop < payload.json"),
)
def hook(
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT",
            help="SessionStart, UserPromptSubmit, PostToolUse, PostToolUseFailure, PreCompact, Stop or SessionEnd; "
            "or what the agent calls it.",
            show_default=False,
        ),
    ],
    agent: Annotated[
        str, typer.Option("--agent", metavar="NAME", help="Which agent. Default: as its payload tells.")
    ] = "",
) -> int:
    """Tell memd what happens in a coding agent's session. Agents run this; `memd install` sees to it.

    Reads the agent's JSON on standard input and prints what the agent should know: at a session's start the context,
    at a prompt the memories that answer it, else nothing. From what the session did and said, memd keeps the turns,
    decisions, preferences, conventions, causes and fixes.
    It never stands in the way: in any trouble it ends with 0 and without a word within half a second, and leaves a
    line in hooks.log in the data folder.
    """
    hint = "Join memd to an agent, which then runs its hooks: memd install"
    return fail(Session("hook", {}), BadInput(f"{event} needs the agent's JSON on standard input", hint))
