"""What the rules share: the vocabulary, the pieces of their patterns, and the atom each of them makes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from memd.text.times import periods
from memd.text.times.periods import DAY, Period


def _numbered(first: int, names: str) -> dict[str, int]:
    return {name: number for number, group in enumerate(names.split(","), first) for name in group.split()}


MONTHS = _numbered(
    1,
    "january jan,february feb,march mar,april apr,may,june jun,july jul,august aug,september sep sept,october oct,"
    "november nov,december dec",
)
WEEKDAYS = _numbered(
    0,
    "monday mon,tuesday tue tues,wednesday wed,thursday thu thur thurs,friday fri,saturday sat,sunday sun",
)
NUMBERS = _numbered(
    1,
    "a an one,two couple,three few,four several,five,six,seven,eight,nine,ten,eleven,twelve,thirteen,fourteen,fifteen,"
    "sixteen,seventeen,eighteen,nineteen,twenty",
)
# Also names or everyday words: alone they mean a time only where the words around say so.
FULL_WEAK_MONTHS = frozenset(("march", "april", "may", "june", "august"))
WEAK_MONTHS = FULL_WEAK_MONTHS | frozenset(name for name in MONTHS if len(name) <= 4 and name != "july")
WEAK_WEEKDAYS = frozenset(name for name in WEEKDAYS if not name.endswith("day"))
# Months that are verbs, other words or people even before a number ("5 may fail", "oct 10").
VERB_MONTHS = frozenset(("may", "march", "mar", "dec", "oct", "sep", "jan"))

# Pieces of patterns.
S = r"[ \t\r\n]{1,4}"
DASH = r"[ ]{0,2}[-–—][ ]{0,2}"
MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
WEEKDAY = "(?:" + "|".join(sorted(WEEKDAYS, key=len, reverse=True)) + ")"
SEASON = "(?:spring|summer|autumn|fall|winter)"
YEAR = r"(?:1[5-9]\d\d|20\d\d)"
SHORT_YEAR = rf"(?:{YEAR}|['’]\d\d)"
NUMBER = r"(?:\d{1,4}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + ")"
COUNT = rf"(?:a{S}(?:couple|few)(?:{S}of)?|(?:couple|few){S}of|{NUMBER})"
UNIT = "(?:minute|min|hour|hr|day|night|week|fortnight|weekend|month|quarter|year|decade)"
PART = "(?:morning|noon|afternoon|evening|night)"
CLOCK = rf"(?P<clock>{S}(?:at|around|about){S}(?P<hour>\d{{1,2}})(?::(?P<minute>\d\d))?[ ]?(?P<half>[ap]\.?m\b\.?)?)"
LAST = "(?P<which>last|this[ ]past|this[ ]coming|this|next|past|previous|coming|current)"


@dataclass(frozen=True, slots=True)
class Now:
    """The moment of reading in local time, and the zone it is local to."""

    moment: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        return self.moment.date()

    def local(self, moment: datetime) -> datetime:
        """An aware moment as naive local time."""
        return moment.astimezone(self.zone).replace(tzinfo=None)


Recur = Callable[[datetime], Period | None]


@dataclass(frozen=True, slots=True)
class Atom:
    """An expression without its preposition.

    Attributes:
        relative: it moves with now.
        recur: for one that leaves its year, month or week open: its last period that starts at or before
            a limit.
        weak: it counts only beside a preposition or another expression.
        verb: it is weak, and even a preposition that leads to other things ("of 5 may fail") is not enough.
        word: a single weak word, which may be somebody's name ("May", "sun").
        year: a bare number that may be anything else.
    """

    begin: int
    stop: int
    period: Period
    relative: bool = False
    recur: Recur | None = None
    weak: bool = False
    verb: bool = False
    word: bool = False
    year: bool = False


Maker = Callable[["re.Match[str]", Now], Atom | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A form: where `pattern` matches, `make` says what it means, or None (or raises ValueError) for nothing."""

    pattern: "re.Pattern[str]"
    make: Maker


def rule(pattern: str, make: Maker) -> Rule:
    return Rule(re.compile(pattern, re.I), make)


def atom(match: "re.Match[str]", period: Period | None, **traits: Any) -> Atom | None:
    """The match as an atom; None without a period."""
    return Atom(match.start(), match.end(), period, **traits) if period is not None else None


def count_of(words: str) -> int:
    """The number that "3", "three", "a", "a couple of" means."""
    last = [word for word in words.lower().split() if word != "of"][-1]
    return int(last) if last.isdigit() else NUMBERS[last]


def year_of(digits: str) -> int:
    """2023 for "2023" and "'23"."""
    number = int(digits.lstrip("'’"))
    return number if number > 99 else 2000 + number


def with_clock(match: "re.Match[str]", found: Atom | None) -> Atom | None:
    """Narrow a day to the hour said after it ("at 3pm", "at 14:30"); leave out what is no time of day."""
    if found is None or not match["clock"]:
        return found
    half = (match["half"] or "").lower()[:1]
    hours, minutes = int(match["hour"]), int(match["minute"] or 0)
    if half:
        hours = hours % 12 + (12 if half == "p" else 0)
    told = bool(half or match["minute"])
    if not told or hours > 23 or minutes > 59 or found.period.grain != "day":
        return replace(found, stop=match.start("clock"))
    return replace(found, recur=None, period=periods.hour(found.period.start + timedelta(hours=hours, minutes=minutes)))


def last_ended(recur: Recur, now: Now) -> Period | None:
    """The last one that is over."""
    period = recur(now.moment)
    if period is not None and period.end > now.moment:
        period = recur(period.start - DAY)
    return period


def next_to_start(recur: Recur, now: Now) -> Period | None:
    """The first that starts after now, of what comes back every year."""
    later = recur(now.moment + timedelta(days=366))
    earlier = recur(later.start - DAY) if later else None
    return earlier if earlier and earlier.start > now.moment else later
