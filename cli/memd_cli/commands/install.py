"""install and uninstall: memd in coding agents."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import install as installing
from memd_cli.commands.options import Json
from memd_cli.help import examples
from memd_cli.session import Session, perform

AGENTS = "Join it to coding agents"

app = typer.Typer(rich_markup_mode="rich")


def _complete_agent(incomplete: str) -> list[str]:
    from memd.agents.install.registry import AGENTS as known

    return [name for name in known if name.startswith(incomplete)]


_NAMES = "claude-code, codex, cursor, gemini-cli, vscode or opencode."
Scope = Annotated[
    str,
    typer.Option(
        "--scope", metavar="SCOPE", help="[cyan]user[/]: in all your projects; [cyan]project[/]: in this one."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be written.")]


@app.command(
    rich_help_panel=AGENTS,
    epilog=examples(
        "memd install  # which agents are there",
        "memd install claude-code",
        "memd install cursor --dry-run",
        "memd install codex --scope project",
    ),
)
def install(
    agent: Annotated[
        str | None,
        typer.Argument(metavar="[AGENT]", help=_NAMES, show_default=False, autocompletion=_complete_agent),
    ] = None,
    scope: Scope = "user",
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Put memd into a coding agent's settings: its server and its hooks.

    Everything else in the files stays as it is, byte for byte, and a copy of each is kept in the data folder. A file
    that can't be read is refused and left alone. Doing it again changes nothing. Without a name it lists the agents.
    """
    return perform(Session("install", locals()), installing.install, installing.show)


@app.command(
    rich_help_panel=AGENTS,
    epilog=examples("memd uninstall claude-code", "memd uninstall codex --scope project --dry-run"),
)
def uninstall(
    agent: Annotated[
        str, typer.Argument(metavar="AGENT", help=_NAMES, show_default=False, autocompletion=_complete_agent)
    ],
    scope: Scope = "user",
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Take memd out of a coding agent's settings. The memories stay.

    A file that is still as memd left it becomes what it was before, byte for byte; of one that was edited since, only
    memd's parts go.
    """
    return perform(Session("uninstall", locals()), installing.uninstall, installing.show)
