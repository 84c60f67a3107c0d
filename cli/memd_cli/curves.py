"""Curves of forgetting at a terminal: how retention falls for kinds of memories, and where the store's memories are."""

from __future__ import annotations

from collections.abc import Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from memd.lifecycle import retention, tiers
from memd_cli.render import console

_LEVELS = " ▁▂▃▄▅▆▇█"
_WIDTH = 36
_DAYS = 360.0
_STYLES = {"active": "green", "warm": "yellow", "cool": "cyan", "cold": "blue", "dormant": "dim"}


def show(tenths: Sequence[int]) -> None:
    """Draw them.

    Args:
        tenths: how many memories lie in each tenth of retention.
    """
    shown = console()
    shown.print(f"\n[dim]Retention over {_DAYS:.0f} days without a use; the colour is the tier[/]")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(style="dim", no_wrap=True)
    for label, stability in _examples():
        grid.add_row(label, _curve(stability), f"S {stability:,.0f} d")
    shown.print(Padding(grid, (0, 0, 0, 2)))
    legend = Text("  ")
    for tier, bits in ((name, bits) for bits, name in tiers.NAMES.items()):
        legend.append(f"█ {tier} ", style=_STYLES[tier]).append(f"{bits} bit  ", style="dim")
    shown.print(legend)
    shown.print("\n[dim]Memories by retention, 0 to 1[/]")
    most = max([*tenths, 1])
    bars = Table.grid(padding=(0, 2))
    for place in reversed(range(len(tenths))):
        bar = Text("▇" * round(_WIDTH * tenths[place] / most), style="blue")
        bars.add_row(f"{place / 10:.1f}", Text(f"{tenths[place]:,}", justify="right"), bar)
    shown.print(Padding(bars, (0, 0, 0, 2)))


def _examples() -> list[tuple[str, float]]:
    """A few memories: by kind, and by how often they were used."""
    note = retention.initial("note", 0.5)
    monthly = [(30.0 * month, True) for month in range(1, 13)]
    crammed = [(0.01 * use, True) for use in range(1, 13)]
    return [
        ("a note", note),
        ("a decision", retention.initial("decision", 0.5)),
        ("used 12 times at once", retention.stability(note, 0, crammed)[0]),
        ("used monthly for a year", retention.stability(note, 0, monthly)[0]),
    ]


def _curve(stability: float) -> Text:
    text = Text()
    tier = tiers.ACTIVE
    for place in range(_WIDTH):
        age = _DAYS * place / _WIDTH
        tier = tiers.tier_at(age, stability, tier)
        height = retention.retention(age, stability)
        text.append(_LEVELS[round(height * (len(_LEVELS) - 1))] if height >= 0.06 else "▁", _STYLES[tiers.NAMES[tier]])
    return text
