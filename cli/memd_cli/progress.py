"""Progress bars, on standard error, for work a person waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from memd_cli.session import visible


@contextmanager
def bar(title: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; gives a function that moves it on.

    Args:
        title: what is done.
        total: how much there is; None shows that something moves.
        unit: ``"bytes"``, or what is counted.
    """
    console = Console(stderr=True)
    with Progress(*_columns(total, unit), console=console, transient=True) as progress:
        task = progress.add_task(escape(visible(title)), total=total)

        def step(amount: int) -> None:
            progress.advance(task, amount)

        yield step


@contextmanager
def tracker(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the block runs; gives a function that takes (done, in all)."""
    with Progress(*_columns(None, ""), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(visible(title)), total=None)

        def track(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield track


def _columns(total: int | None, unit: str) -> list[ProgressColumn]:
    count: ProgressColumn = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    shown: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), count]
    if unit and unit != "bytes":
        shown.append(TextColumn(f"[dim]{unit}[/]"))
    return [*shown, TimeElapsedColumn()]
