"""bench forgetting: how well the lifecycle foretells what is needed, and a year lived through by a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memd_cli.human import size
from memd_cli.session import Session
from memd_cli.sheet import Cell, Sheet
from memd_cli.sheet import show as show_sheets
from memd_cli.verbs import Outcome

Data = dict[str, Any]


def measure(session: Session) -> Outcome:
    """Score a trace of use by every rule, and simulate a year on it."""
    from memd.bench import forgetting as bench

    options = session.options
    plan = bench.Plan(Path(options["file"]).expanduser(), options["year"], options["seed"])
    data = bench.measure(plan, session.tracked)
    return Outcome(data, data["year"].pop("degraded") if data["year"] else ())


def show(session: Session, outcome: Outcome) -> None:
    """The rules side by side, then the months of the year."""
    data = outcome.data
    sheets = [Sheet("", ("score", "AUC", "calibration error"), [_row(*row) for row in data["rows"].items()])]
    foot = (
        f"{data['items']:,} items, {data['uses']:,} uses, {data['checkpoints']:,} checkpoints. AUC: how often what is "
        "needed within 30 days stands above what isn't. Calibration error: over 10 bins of equal count."
    )
    if year := data["year"]:
        sheets.append(_months(year))
        hand = "nothing was needed" if year["needed_at_hand"] is None else f"{year['needed_at_hand']:.0%}"
        foot += (
            f"\nA year of the trace, from day {year['from_day']:,.0f} on, on a real store: at its end the vectors take "
            f"{year['bytes_share']:.1%} of full precision; of what was needed, active or warm: {hand}; texts there to "
            f"the letter: {year['texts_whole']:,} of {year['memories']:,}, found by their words: "
            f"{year['texts_found']:,}."
        )
    show_sheets(session, sheets, foot)


def _row(name: str, shown: Data) -> list[Cell]:
    error = shown["calibration_error"]
    cells = [Cell(f"{shown['auc']:.4f}"), Cell("–" if error is None else f"{error:.4f}")]
    return [Cell(name, style="bold" if name.startswith("memd") else ""), *cells]


def _months(year: Data) -> Sheet:
    tiers = ("active", "warm", "cool", "cold", "dormant")
    rows = [
        [
            Cell(f"{month['day']:.0f}"),
            Cell(f"{month['memories']:,}"),
            *(Cell(f"{month['tiers'][tier]:,}") for tier in tiers),
            Cell(size(month["bytes"])),
            Cell(f"{month['share']:.1%}"),
            Cell(f"{month['at_hand']:,} of {month['needed']:,}"),
        ]
        for month in year["months"]
    ]
    return Sheet("", ("day", "memories", *tiers, "vectors", "of float32", "needed at hand"), rows)
