"""export and import."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli.commands.options import Json, Kinds, NoDaemon, Since, Source, Tags, Until
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")


@app.command(
    rich_help_panel="Look after it",
    epilog=examples(
        "memd export --to memories.jsonl",
        "memd export --scope . --tag howto --sign --to howto.jsonl  # to pass on",
        "memd export | gzip > memories.jsonl.gz",
    ),
)
def export(
    to: Annotated[
        str | None, typer.Option("--to", metavar="FILE", help="Where to; - or nothing for standard output.")
    ] = None,
    scope: Annotated[
        list[str],
        typer.Option("--scope", "-s", metavar="SCOPE", help="Only of this folder or [cyan]global[/]. Repeatable."),
    ] = [],  # noqa: B006
    kind: Kinds = [],  # noqa: B006
    tag: Tags = [],  # noqa: B006
    source: Source = None,
    since: Since = None,
    until: Until = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            help="Of what is selected also what was forgotten or replaced, all versions, and agents' sessions.",
        ),
    ] = False,
    sign: Annotated[bool, typer.Option("--sign", help="Sign it, so that it can't be changed unnoticed.")] = False,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Write memories to a file: texts, times, versions, links, uses, provenance, tasks.

    Without a selection all there is, as [cyan]memd import[/] puts it into another store to the letter. A selection has
    what holds, as recall finds it, for others to read. JSON lines; vectors are left out, for they are made again.
    """
    options = locals()
    from memd_cli import exchange

    return perform(Session("export", options), exchange.export, exchange.show_export)


@app.command(
    "import",
    rich_help_panel="Feed it",
    epilog=examples(
        "memd import memories.jsonl --dry-run",
        "memd import memories.jsonl",
        "memd import howto.jsonl --scope .  # into this project",
        "memd import memories.jsonl --scope /home/ann/app=~/src/app",
        "memd import --from claude-mem ~/.claude-mem",
    ),
)
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The file, or another tool's folder; - for standard input.")
    ],
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="KIND",
            help="Whose it is: memd, mcp-memory, claude-mem, mcp-memory-service, basic-memory or mempalace."
            " By default memd looks.",
        ),
    ] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            "-s",
            metavar="[OLD=]NEW",
            help="Put it into this scope, or only what is of the scope OLD. Repeatable.",
        ),
    ] = [],  # noqa: B006
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on after lines that can't be read.")] = False,
    json: Json = False,
    no_daemon: NoDaemon = False,
) -> int:
    """Take in what [cyan]memd export[/] wrote, or what another tool has kept.

    The whole file is checked before anything is changed. What is here already is added to and never overwritten: the
    same text in the same scope is one memory, uses are united, chains of versions joined, and what the file has
    otherwise is told. Run again, it changes nothing. Secrets are taken out as at every other door.
    """
    options = locals()
    from memd_cli import exchange

    return perform(Session("import", options), exchange.import_, exchange.show_import)
