"""Expressions that belong together: ranges, and dates said in two pieces."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from memd.text.times.atoms import Atom, Now
from memd.text.times.context import Placed, applied, counts, narrowed, years_counted
from memd.text.times.periods import DAY, Period

LONGEST_GAP = 32  # characters between two pieces
_TO = re.compile(
    r"[ ,\r\n]{0,3}(?P<to>to|until|till|through|thru|and|up to|[-–—/])[ \r\n]{0,3}(?:the )?"
    r"(?:(?:early|mid|late)[ -]|(?:beginning|start|middle|end) of )?\Z",
    re.I,
)
_APPOSED = re.compile(r"(?:,? (?:of |in |on |the )?)\Z", re.I)


def joined(text: str, placed: list[Placed], now: Now) -> Iterator[tuple[Placed, Period]]:
    """What counts, each with its period; ranges and pieces as one."""
    at = 0
    while at < len(placed):
        first = placed[at]
        second = placed[at + 1] if at + 1 < len(placed) else None
        if second is not None and second.atom.begin - first.atom.stop <= LONGEST_GAP:
            gap = text[first.atom.stop : second.atom.begin]
            one = _one_date(first, second, gap)
            if one is not None:
                placed[at + 1] = one
                at += 1
                continue
            if _are_quantities(text, first, second, gap):
                at += 2
                continue
            span = _range(text, first, second, gap)
            if span is not None:
                yield span
                at += 2
                continue
        if counts(text, first):
            yield first, applied(first, now)
        at += 1


def _one_date(first: Placed, second: Placed, gap: str) -> Placed | None:
    """`Tuesday, 7 May 2023`, `Tuesday two weeks ago`, `May last year`, `last year in May`."""
    if not _APPOSED.match(gap):
        return None
    period = _apposed(first.atom, second.atom)
    if period is None:
        return None
    relative = first.atom.relative or second.atom.relative
    dated = _is_weekday(first.atom) and not second.atom.relative
    atom = replace(
        second.atom if dated else first.atom,
        begin=first.atom.begin,
        stop=second.atom.stop,
        period=period,
        relative=second.atom.relative if dated else relative,
        recur=second.atom.recur if dated else None,
        weak=False,
        word=False,
        verb=False,
    )
    return replace(first, atom=atom, hanging=(first.hanging[0], second.hanging[1]))


def _is_weekday(atom: Atom) -> bool:
    return atom.relative and atom.recur is not None and atom.period.grain == "day"


def _apposed(first: Atom, second: Atom) -> Period | None:
    """The one period that both name, if they do."""
    if _is_weekday(first) and second.period.grain in ("day", "hour") and not second.relative and not second.year:
        return second.period
    for open_one, other in ((first, second), (second, first)):
        if open_one.recur is None or not other.relative or other.recur is not None:
            continue
        weekly = _is_weekday(open_one)
        if other.period.grain != ("week" if weekly else "year"):
            continue
        period = open_one.recur(other.period.end - timedelta(seconds=1))
        if period is not None and period.start >= other.period.start:
            return period
    return None


def _range(text: str, first: Placed, second: Placed, gap: str) -> tuple[Placed, Period] | None:
    """`between A and B`, `from A to B`, `A - B`: from the start of A to the end of B."""
    to = _TO.match(gap)
    if to is None or not _makes_range(text, first, second, to["to"].lower()):
        return None
    start, end = narrowed(first.atom.period, first.part), narrowed(second.atom.period, second.part)
    if first.atom.recur and (not second.atom.recur or start.start > end.start):
        start = first.atom.recur(end.start) or start
    elif second.atom.recur and not first.atom.recur:
        end = second.atom.recur(start.start + 364 * DAY) or end
    if start.start > end.start:
        return None
    atom = replace(
        first.atom,
        stop=second.atom.stop,
        relative=first.atom.relative or second.atom.relative,
        recur=first.atom.recur if second.atom.recur else None,
    )
    return replace(first, atom=atom), Period(start.start, max(start.end, end.end), "range")


def _are_quantities(text: str, first: Placed, second: Placed, gap: str) -> bool:
    """`lines 2000-2010`, `from 1990 to 2022 tokens`."""
    return first.atom.year and second.atom.year and bool(_TO.match(gap)) and years_counted(text, first, second)


def _makes_range(text: str, first: Placed, second: Placed, to: str) -> bool:
    if first.hanging[0] or second.hanging[1] or (to == "and") != (first.op == "between" and to == "and"):
        return False
    a, b = first.atom, second.atom
    if a.year or b.year:
        return a.year and b.year and (first.op in ("between", "from", "in", "during") or to in "-–—/")
    if first.op in ("between", "from"):
        return True
    if a.word and b.word:  # "May-June", "in April/May", not "Sun-Sat" and "March to May"
        months = a.period.grain == b.period.grain == "month"
        return months and (to in "-–—/" or first.op in ("in", "during"))
    if to == "/":
        return a.period.grain == "month"
    return not (a.verb or b.verb)
