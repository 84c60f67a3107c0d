"""Expressions that belong together: ranges, and dates said in two pieces."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from memd.text.times import periods
from memd.text.times.atoms import Atom, Now
from memd.text.times.context import Placed, applied, counts, is_weekday, narrowed, years_counted
from memd.text.times.periods import DAY, Period

LONGEST_GAP = 32  # characters between two pieces
_TO = re.compile(
    r"[ ,\r\n]{0,3}(?P<to>to|until|till|through|thru|and|up to|[-–—/])[ \r\n]{0,3}(?:the )?"
    r"(?:(?:early|mid|late)[ -]|(?:beginning|start|middle|end) of )?\Z",
    re.I,
)
_OR = re.compile(r"(?:,|,? (?:or|and))[ ]", re.I)
_NOW = re.compile(r"[ ]{0,2}(?:[-–—]|to|until|till)[ ]{0,2}(?:now|present)\b", re.I)
_ORDINAL = re.compile(r"\b(first|second|third|fourth|last)[ ]\Z", re.I)
_APPOSED = re.compile(r"(?:,? (?:of |in |on |the )?)\Z", re.I)


def joined(text: str, placed: list[Placed], now: Now) -> Iterator[tuple[Placed, Period]]:
    """What counts, each with its period; ranges and pieces as one."""
    at = 0
    listed = False  # the one before counts, and this one continues its list
    while at < len(placed):
        first = placed[at]
        second = placed[at + 1] if at + 1 < len(placed) else None
        if second is not None and second.atom.begin - first.atom.stop <= LONGEST_GAP:
            gap = text[first.atom.stop : second.atom.begin]
            one = _one_date(text, first, second, gap)
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
                listed = False
                continue
        if counts(text, first) or (listed and not any(first.hanging)):
            yield _to_now(text, first, now)
            listed = second is not None and _lists(text, first.atom, second.atom)
        else:
            listed = False
        at += 1


def _lists(text: str, first: Atom, second: Atom) -> bool:
    """`in March or April`, `on Mon, Tue`."""
    same = first.period.grain == second.period.grain and first.word and second.word
    return same and _OR.fullmatch(text, first.stop, second.begin) is not None


def _to_now(text: str, placed: Placed, now: Now) -> tuple[Placed, Period]:
    """The period as its preposition has it; with "to now" after it, from its start on."""
    period = applied(placed, now)
    open_end = _NOW.match(text, placed.atom.stop)
    tomorrow = periods.midnight(now.today) + DAY
    if open_end is None or period.start >= tomorrow or placed.op in ("before", "until"):
        return placed, period
    atom = replace(placed.atom, stop=open_end.end())
    return replace(placed, atom=atom), Period(period.start, tomorrow, "range")


def _one_date(text: str, first: Placed, second: Placed, gap: str) -> Placed | None:
    """`Tuesday, 7 May 2023`, `Tuesday two weeks ago`, `May last year`, `last year in May`."""
    period = _apposed(first.atom, second.atom) if _APPOSED.match(gap) else None
    if period is None and is_weekday(first.atom):
        period = _weekday_by(text, first, second, gap.strip().lower())
    if period is None:
        return None
    relative = first.atom.relative or second.atom.relative
    dated = is_weekday(first.atom) and not second.atom.relative
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


def _apposed(first: Atom, second: Atom) -> Period | None:
    """The one period that both name, if they do."""
    if is_weekday(first) and second.period.grain in ("day", "hour") and not second.relative and not second.year:
        return second.period
    if first.verb and first.period.grain == "day" and second.period.grain == "month" and first.recur:
        return _inside(first, second)  # the 15th of this month
    for open_one, other in ((first, second), (second, first)):
        if open_one.recur is None or not other.relative or other.recur is not None:
            continue
        weekly = is_weekday(open_one)
        if other.period.grain != ("week" if weekly else "year"):
            continue
        period = _inside(open_one, other)
        if period is not None:
            return period
    return None


def _inside(open_one: Atom, other: Atom) -> Period | None:
    """The last one of `open_one` that lies in `other`."""
    period = open_one.recur(other.period.end - timedelta(seconds=1)) if open_one.recur else None
    return period if period is not None and period.start >= other.period.start else None


def _weekday_by(text: str, first: Placed, second: Placed, gap: str) -> Period | None:
    """`the Sunday before Christmas`, `the second Tuesday of March`."""
    weekday, other = first.atom, second.atom
    if weekday.recur is None or other.year:
        return None
    if gap in ("before", "after") and other.period.grain != "hour":
        limit = other.period.start - DAY if gap == "before" else other.period.end + 6 * DAY
        return weekday.recur(limit)
    ordinal = _ORDINAL.search(text, max(0, weekday.begin - 8), weekday.begin)
    if ordinal is None or gap not in ("of", "in") or other.period.grain != "month":
        return None
    number = ("first", "second", "third", "fourth", "last").index(ordinal[1].lower())
    if number == 4:
        return weekday.recur(other.period.end - DAY)
    return weekday.recur(other.period.start + (6 + 7 * number) * DAY)


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
