"""watch add, remove, list, status."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import watch as verbs
from memd_cli.commands.options import Json
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")
watch = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Keep up with folders of notes, and with the commits of repositories.\n\n"
    "The daemon sees what changes and takes it in: an edited section supersedes what it said before, a file that was "
    "renamed keeps its memories, what was deleted is put out of sight until it is back. What changed while the "
    "daemon was down is caught up with when it starts.",
    epilog=examples(
        "memd watch add ~/notes",
        "memd watch add --git  # the commits of the repository you are in",
        "memd watch status",
    ),
)

Git = Annotated[bool, typer.Option("--git", help="The commits of a repository, not its notes.")]
Path = Annotated[str, typer.Argument(metavar="PATH", help="A folder or file; with --git a repository.")]


@watch.command(
    epilog=examples(
        "memd watch add ~/notes --scope global",
        "memd watch add docs --exclude drafts/",
        "memd watch add ~/logbook --include '*.log' --include '*.md'",
        "memd watch add --git  # HEAD of the repository you are in",
    )
)
def add(
    path: Path = ".",
    include: Annotated[
        list[str] | None,
        typer.Option(
            "--include", metavar="GLOB", help="Only files like this are notes. Repeatable.", show_default=False
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="GLOB", help="Leave out files like this. Repeatable."),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope",
            "-s",
            metavar="SCOPE",
            help="Where it applies: a folder or [cyan]global[/]. Default: the repository around PATH, else global.",
        ),
    ] = None,
    git: Git = False,
    poll: Annotated[
        bool, typer.Option("--poll", help="Look again and again; for mounts that bring no events, unasked if known.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Come back when all of it is taken in.")] = True,
    json: Json = False,
) -> int:
    """Watch a folder, a file, or with [cyan]--git[/] a repository's commits.

    Notes are Markdown, reStructuredText, AsciiDoc, Org and plain text; a file that is named itself is taken whatever
    it is called. Globs are as in .gitignore. What .gitignore and .memdignore files leave out is left out. Adding a
    path again changes its options. Of watches inside each other the inner one has its files.
    """
    options = {"path": path, "include": include or [], "exclude": exclude or [], "scope": scope, "git": git}
    return perform(Session("watch add", {**options, "poll": poll, "wait": wait, "json": json}), verbs.add, verbs.show)


@watch.command(epilog=examples("memd watch remove ~/notes", "memd watch remove docs --forget"))
def remove(
    path: Path = ".",
    git: Git = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Also put out of sight what was taken from it, until it is watched again.")
    ] = False,
    json: Json = False,
) -> int:
    """Watch it no longer. What was taken from it stays as it is."""
    return perform(Session("watch remove", locals()), verbs.remove, verbs.show)


@watch.command("list", epilog=examples("memd watch list", "memd watch list --json | jq -r '.data.watches[].path'"))
def list_(json: Json = False) -> int:
    """List what is watched."""
    return perform(Session("watch list", locals()), verbs.list_, verbs.show)


@watch.command(epilog=examples("memd watch status", "memd watch status --json | jq '.data.watches[].skipped'"))
def status(json: Json = False) -> int:
    """Say how each watch is doing, and which files couldn't be taken in."""
    return perform(Session("watch status", locals()), verbs.status, verbs.show)


app.add_typer(watch, name="watch", rich_help_panel="Feed it")
