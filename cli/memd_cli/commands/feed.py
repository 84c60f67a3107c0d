"""ingest."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import feed
from memd_cli.commands.options import Json, NoDaemon, OwnScope
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")


@app.command(
    rich_help_panel="Feed it",
    epilog=examples(
        "memd ingest README.md docs/",
        "memd ingest --git  # the history of the repository you are in",
        "memd ingest --git --range v1.0..main ~/src/project",
        "memd ingest --scope global ~/notes",
    ),
)
def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Files and folders; with --git, repositories.", show_default=False),
    ] = None,
    git: Annotated[
        bool,
        typer.Option("--git", help="Read commit messages, of the repository you are in unless one is named."),
    ] = False,
    range_: Annotated[
        str | None,
        typer.Option("--range", metavar="REVISIONS", help="With --git: only these commits."),
    ] = None,
    scope: OwnScope = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Take in notes, and the history of a repository.

    Markdown by heading, plain text by paragraph, and with [cyan]--git[/] the commit messages.
    Texts are stored word for word; what is there already is left alone, so it can be run again.
    Folders are read for notes, less what .gitignore leaves out.
    """
    options = {"paths": paths or [], "git": git, "range": range_, "scope": scope, "json": json, "no_daemon": no_daemon}
    return perform(Session("ingest", options), feed.ingest, feed.show)
