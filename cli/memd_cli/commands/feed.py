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
        "memd ingest --transcripts  # past sessions of Claude Code and Codex",
    ),
)
def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Files and folders; with --git, repositories; with --transcripts, transcripts.",
            show_default=False,
        ),
    ] = None,
    git: Annotated[
        bool,
        typer.Option("--git", help="Read commit messages, of the repository you are in unless one is named."),
    ] = False,
    range_: Annotated[
        str | None,
        typer.Option("--range", metavar="REVISIONS", help="With --git: only these commits."),
    ] = None,
    transcripts: Annotated[
        bool,
        typer.Option(
            "--transcripts",
            help="Read past sessions of coding agents: all of Claude Code's and Codex's unless some are named.",
        ),
    ] = False,
    scope: OwnScope = None,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Take in notes, the history of a repository, and past sessions of coding agents.

    Markdown, reStructuredText, AsciiDoc and Org by heading, plain text by paragraph, with [cyan]--git[/] the commit
    messages, and with [cyan]--transcripts[/] what agents' sessions said and taught, in the scope of the project that
    each worked in. Texts are stored word for word. Run again, it keeps up: edited sections supersede what they said
    before, and what is gone from a folder is put out of sight until it is back; [cyan]memd watch[/] does so by itself.
    Folders are read for notes, less what .gitignore and .memdignore leave out.
    """
    options = {"paths": paths or [], "git": git, "range": range_, "transcripts": transcripts, "scope": scope}
    options |= {"json": json, "no_daemon": no_daemon}
    return perform(Session("ingest", options), feed.ingest, feed.show)
