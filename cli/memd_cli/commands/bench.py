"""bench recall."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from memd_cli import bench as benchmark
from memd_cli.commands.options import Json
from memd_cli.commands.upkeep import CARE
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")
bench = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Measure recall: what it finds on data with known answers, and how fast.",
    epilog=examples("memd bench recall --format locomo conversations.json"),
)


class Format(StrEnum):
    """Layouts that `memd.bench.formats` reads; a test holds the two lists together."""

    locomo = "locomo"
    commits = "commits"


class Level(StrEnum):
    """What is ranked."""

    turn = "turn"
    session = "session"


Home = Annotated[
    str | None,
    typer.Option("--home", metavar="DIR", help="Keep the stores here and use them again. Default: thrown away."),
]


@bench.command(
    epilog=examples(
        "memd bench recall --format locomo conversations.json",
        "memd bench recall --format locomo --level session conversations.json",
        "memd bench recall --format commits history.json --baselines --ablate --json",
    )
)
def recall(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The data: a file, or a folder.", show_default=False)],
    format_: Annotated[Format, typer.Option("--format", help="How the data is laid out.", show_default=False)],
    level: Annotated[
        Level, typer.Option("--level", help="Rank memories, or the sessions they belong to.")
    ] = Level.turn,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Ask N questions, spread over the data.")
    ] = None,
    ablate: Annotated[bool, typer.Option("--ablate", help="Also each channel alone, and memd without each.")] = False,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also random, word overlap, BM25, dense, late interaction, their RRF.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of what is random.")] = 1,
    out: Annotated[
        str | None, typer.Option("--out", metavar="DIR", help="Write every question's raw ranking here.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Ask every question of a data set, and print how well the answers were found.

    R@k is the share of the right memories among the first k, MRR the mean of one over the first right
    one's rank, nDCG@10 counts the early ranks more; all in percent, with 95 % bootstrap intervals over
    questions. Uses throw-away stores.
    """
    options = {
        "file": file, "format": format_.value, "level": level.value, "limit": limit, "ablate": ablate,
        "baselines": baselines, "seed": seed, "out": out, "home": home, "json": json,
    }  # fmt: skip
    return perform(Session("bench recall", options), benchmark.recall, benchmark.show_recall)


app.add_typer(bench, name="bench", rich_help_panel=CARE)
