"""bench recall: how well the real recall answers questions whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memd.errors import BadInput
from memd_cli.plain import record
from memd_cli.session import Session, write
from memd_cli.verbs import Outcome

COLUMNS = ("R@5", "R@10", "MRR")


def recall(session: Session) -> Outcome:
    """Run the protocol of a format over a file; rows of percentages by ranking."""
    from memd import bench

    options = session.options
    file = Path(options["file"]).expanduser()
    if not file.is_file():
        raise BadInput(f"There is no file {file}", "See: memd bench recall --help")
    with session.tracked(f"Asking {file.name}") as track:
        data: dict[str, Any] = bench.recall(
            options["format"], file, without=tuple(options["without"]), on_progress=track
        )
    return Outcome(data)


def show(session: Session, outcome: Outcome) -> None:
    """A table of the rows."""
    rows = outcome.data["rows"]
    if session.pretty:
        _table(rows, outcome.data)
        return
    write(record("ranking", *COLUMNS) + "\n")
    for name, row in rows.items():
        write(record(name, *(f"{row[column]:.2f}" for column in COLUMNS)) + "\n")


def _table(rows: dict[str, dict[str, float]], data: dict[str, Any]) -> None:
    from rich.table import Table

    from memd_cli.render import console

    shown = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    shown.add_column("ranking", style="cyan")
    for column in COLUMNS:
        shown.add_column(column, justify="right")
    for name, row in rows.items():
        shown.add_row(name, *(f"{row[column]:.1f}" for column in COLUMNS))
    console().print(shown)
