"""bench recall."""

from __future__ import annotations

from typing import Annotated

import typer

from memd_cli import bench as benchmark
from memd_cli.commands.options import Json, Without
from memd_cli.commands.upkeep import CARE
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")
bench = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Measure recall on data with known answers.",
    epilog=examples("memd bench recall --format locomo conversations.json"),
)


@bench.command(
    epilog=examples(
        "memd bench recall --format locomo conversations.json",
        "memd bench recall --format commits history.json --json",
    )
)
def recall(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The data.", show_default=False)],
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="The file's layout: locomo or commits.")],
    without: Without = [],  # noqa: B006
    json: Json = False,
) -> int:
    """Ask every question of a data set, and print how well the answers were found.

    R@5 and R@10 are the shares of the right memories among the first five and ten, MRR the mean of
    one over the first right one's rank; all in percent. Uses a throw-away store.
    """
    options = {"file": file, "format": format_, "without": without, "json": json}
    return perform(Session("bench recall", options), benchmark.recall, benchmark.show)


app.add_typer(bench, name="bench", rich_help_panel=CARE)
