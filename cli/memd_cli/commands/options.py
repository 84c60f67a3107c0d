"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
NoDaemon = Annotated[bool, typer.Option("--no-daemon", help="Do it in this process, without the daemon.")]

_SCOPE_HELP = "A project's folder, [cyan]global[/], or [cyan]all[/]. Default: the repository you are in, else global."
Scope = Annotated[str | None, typer.Option("--scope", "-s", metavar="SCOPE", help=_SCOPE_HELP)]
OwnScope = Annotated[
    str | None,
    typer.Option(
        "--scope",
        "-s",
        metavar="SCOPE",
        help="Where it applies: a folder or [cyan]global[/]. Default: the repository you are in, else global.",
    ),
]


def _complete_kind(incomplete: str) -> list[str]:
    from memd.model import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


def _complete_channel(incomplete: str) -> list[str]:
    from memd.model import CHANNELS

    return [channel for channel in CHANNELS if channel.startswith(incomplete)]


Kinds = Annotated[
    list[str],
    typer.Option("--kind", "-k", metavar="KIND", autocompletion=_complete_kind, help="Only this kind. Repeatable."),
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        "-k",
        metavar="KIND",
        autocompletion=_complete_kind,
        help="note (default), decision, fact, preference, convention, procedure, fix, task, turn, commit or document.",
    ),
]
Tags = Annotated[list[str], typer.Option("--tag", "-t", metavar="TAG", help="Only with this tag. Repeatable.")]
NewTags = Annotated[list[str], typer.Option("--tag", "-t", metavar="TAG", help="A word to find it by. Repeatable.")]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="TEXT", help="Only where who, door, path or session contains this."),
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help='Only from this time on: 2024-05-07, yesterday, "last week".'),
]
Until = Annotated[str | None, typer.Option("--until", metavar="WHEN", help="Only before this time.")]
Without = Annotated[
    list[str],
    typer.Option(
        "--without",
        metavar="CHANNEL",
        autocompletion=_complete_channel,
        help="Leave out lexical, semantic, entity, temporal or spreading. Repeatable.",
    ),
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Ids, or beginnings that fit one memory only.", show_default=False),
]
