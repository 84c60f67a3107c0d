"""Tables of figures: with rich at a terminal, aligned plain text elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from memd_cli.session import Session, visible, write

if TYPE_CHECKING:
    from rich.text import Text


class Cell(NamedTuple):
    """A value, what is said of it in a smaller voice (an interval), and a style for terminals."""

    value: str
    note: str = ""
    style: str = ""


class Sheet(NamedTuple):
    """A table: its title, the heads of its columns, its rows. The first column is left-aligned, the rest right."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Line(NamedTuple):
    """A labelled line of text: the label, the text and its style, a note."""

    label: str
    text: str
    style: str
    note: str = ""


LABEL = 8  # width of the labels


def show_lines(session: Session, lines: Iterable[Line]) -> None:
    """Print lines after an empty one, each kept to one: cut to the width at a terminal, whole elsewhere."""
    if not session.pretty:
        told = [f"{line.label:<{LABEL if line.label else 0}}{_one_line(line.text)}{line.note}" for line in lines]
        write("\n" + "\n".join(told) + "\n")
        return
    from rich.text import Text

    from memd_cli.render import console

    out = console()
    out.print()
    for line in lines:
        label = f"{line.label:<{LABEL}}" if line.label else ""
        text = Text.assemble((label, "cyan"), (_one_line(line.text), line.style), (line.note, "dim"))
        out.print(text, no_wrap=True, overflow="ellipsis")


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))


def show(session: Session, sheets: Sequence[Sheet], foot: str = "") -> None:
    """Print the tables, an empty line between them, and a last line."""
    if session.pretty:
        _rich(sheets, foot)
        return
    parts = [_plain(sheet) for sheet in sheets] + ([foot + "\n"] if foot else [])
    write("\n".join(parts))


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _lines(sheet: Sheet) -> list[list[str]]:
    return [list(sheet.heads), *([f"{cell.value} {cell.note}".strip() for cell in row] for row in sheet.rows)]


def _plain(sheet: Sheet) -> str:
    lines = _lines(sheet)
    widths = _widths(lines)
    told = [
        "  ".join(
            text.rjust(width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*([sheet.title] if sheet.title else []), *told]) + "\n"


def _rich(sheets: Sequence[Sheet], foot: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from memd_cli.render import console

    out = console()
    for place, sheet in enumerate(sheets):
        shown = Table(
            title=sheet.title or None, title_justify="left", title_style="bold", box=None, pad_edge=False,
            padding=(0, 2, 0, 0), header_style="dim",
        )  # fmt: skip
        for number, head in enumerate(sheet.heads):
            shown.add_column(head, justify="right" if number else "left", no_wrap=True)
        widths = _widths(_lines(sheet))
        fits = sum(widths) + 2 * len(widths) <= out.width  # a narrow terminal gets the figures without the notes
        for row in sheet.rows:
            shown.add_row(*(_cell(cell, number == 0, fits) for number, cell in enumerate(row)))
        if place:
            out.print()
        out.print(shown)
    if foot:
        out.print()
        out.print(Text(foot, style="dim"))


def _cell(cell: Cell, first: bool, noted: bool) -> Text:
    from rich.text import Text

    text = Text(cell.value, style=cell.style or ("cyan" if first else ""))
    return text.append(f" {cell.note}", style="dim") if cell.note and noted else text
