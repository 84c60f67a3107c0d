"""Rules for what a calendar names: dates, months, quarters, seasons, years, holidays."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial

from memd.text.times import periods
from memd.text.times.atoms import (
    CLOCK,
    DASH,
    LAST,
    MONTH,
    MONTHS,
    SEASON,
    SHORT_YEAR,
    VERB_MONTHS,
    WEAK_MONTHS,
    YEAR,
    Atom,
    Now,
    Recur,
    S,
    atom,
    last_ended,
    next_to_start,
    rule,
    with_clock,
    year_of,
)
from memd.text.times.periods import Period

Match = re.Match[str]
_VERSION = re.compile(r"\b(?:version|release|build|rev|v)[ ]\Z", re.I)


def _iso(match: Match, now: Now) -> Atom | None:
    groups = match.groupdict()
    year, month = int(match["y"]), int(match["m"])
    if not groups.get("d"):
        return atom(match, periods.month(year, month))
    day = date(year, month, int(match["d"]))
    if not groups.get("h"):
        return atom(match, periods.day(day))
    start = datetime(day.year, day.month, day.day, int(match["h"]), int(match["min"]), int(match["s"] or 0))
    if match["zone"]:
        start = now.local(start.replace(tzinfo=_zone(match["zone"])))
    return atom(match, periods.hour(start))


def _zone(text: str) -> timezone:
    digits = re.sub(r"\D", "", text)
    if not digits:
        return UTC
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if "-" in text else offset)


def _iso_week(match: Match, now: Now) -> Atom | None:
    return atom(match, periods.week(date.fromisocalendar(int(match["y"]), int(match["w"]), 1)))


def _numeric(match: Match, now: Now) -> Atom | None:
    """`3/4/2023` month first, `3.4.2023` day first, the other way where that is the only one."""
    if match["sep"] == "." and _VERSION.search(match.string, max(0, match.start() - 10), match.start()):
        return None
    first, second = int(match["a"]), int(match["b"])
    month_first = second > 12 if match["sep"] == "." else first <= 12
    month, day = (first, second) if month_first else (second, first)
    return atom(match, periods.day(date(int(match["y"]), month, day)))


def _stamped(match: Match, now: Now) -> Atom | None:
    """Log stamps: `May  7 10:22:01 2023`, `07/May/2023:10:22:01`."""
    start = datetime(int(match["year"]), MONTHS[match["month"].lower()], int(match["day"]))
    return atom(match, periods.hour(start + timedelta(hours=int(match["h"]), minutes=int(match["min"]))))


def _month_day(match: Match, now: Now) -> Atom | None:
    """A day or a stretch of days of a month: `May 7`, `7th of May 2023`, `3-5 May`."""
    month = MONTHS[match["month"].lower()]
    first, last = int(match["day"]), int(match.groupdict().get("last") or match["day"])

    def of_year(year: int) -> Period | None:
        try:
            start, end = date(year, month, first), date(year, month, last)
        except ValueError:
            return None
        if end < start:
            return None
        return periods.days(start, (end - start).days + 1, "range") if end > start else periods.day(start)

    if match["year"]:
        return _clocked(match, atom(match, of_year(year_of(match["year"]))))
    verb = match["month"] in VERB_MONTHS and not match["ordinal"]  # lower-case: "may 5 of them"
    recur = partial(periods.latest, of_year)
    return _clocked(match, atom(match, recur(now.moment), recur=recur, weak=verb, verb=verb))


def _clocked(match: Match, found: Atom | None) -> Atom | None:
    return with_clock(match, found) if "clock" in match.re.groupindex else found


def _month_year(match: Match, now: Now) -> Atom | None:
    return atom(match, periods.month(year_of(match["year"]), MONTHS[match["month"].lower()]))


def _month(match: Match, now: Now) -> Atom | None:
    word = match[0].lower()
    recur = partial(periods.latest, partial(_month_of, MONTHS[word]))
    weak = word in WEAK_MONTHS
    return atom(match, recur(now.moment), recur=recur, weak=weak, word=weak)


def _month_of(month: int, year: int) -> Period:
    return periods.month(year, month)


def _which_month(match: Match, now: Now) -> Atom | None:
    """`last May`, `this June`, `next March`; not "this may break", "in the past may"."""
    which, word = match["which"].lower(), match["month"]
    if word.islower() and word in WEAK_MONTHS and (which not in ("last", "next") or _after_the(match)):
        return None
    month = MONTHS[word.lower()]
    if which == "this":
        return atom(match, periods.month(now.today.year, month), relative=True)
    recur = partial(periods.latest, partial(_month_of, month))
    ahead = which in ("next", "coming", "this coming")
    return atom(match, next_to_start(recur, now) if ahead else last_ended(recur, now), relative=True)


def _after_the(match: Match) -> bool:
    return match.string[max(0, match.start() - 4) : match.start()].lower() == "the "


def _day_of_month(match: Match, now: Now) -> Atom | None:
    """`the 5th`: the last one that has begun."""
    day = int(match["day"])

    def recur(limit: datetime) -> Period | None:
        for back in range(3):  # a 31st is never further than two months back
            start = periods.shift_months(limit.replace(day=1), -back)
            try:
                period = periods.day(date(start.year, start.month, day))
            except ValueError:
                continue
            if period.start <= limit:
                return period
        return None

    return atom(match, recur(now.moment), recur=recur, weak=True, verb=True)


def _year(match: Match, now: Now) -> Atom | None:
    return atom(match, periods.year(int(match["year"])), weak=True, year=True)


def _decade(match: Match, now: Now) -> Atom | None:
    number = int(match["decade"])
    return atom(match, periods.decade(number + 1900 if number < 100 else number))


def _quarter(match: Match, now: Now) -> Atom | None:
    number = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}.get(match["q"].lower()) or int(match["q"][0])
    if match["year"]:
        return atom(match, periods.quarter(year_of(match["year"]), number))
    if match.string[match.end() : match.end() + 1] in (":", ")"):
        return None  # a numbered question
    recur = partial(periods.latest, lambda year: periods.quarter(year, number))
    return atom(match, recur(now.moment), recur=recur)


def _half(match: Match, now: Now) -> Atom | None:
    return atom(match, periods.months(year_of(match["year"]), 1 if match["half"] == "1" else 7, 6, "range"))


def _season_year(match: Match, now: Now) -> Atom | None:
    return atom(match, periods.season(year_of(match["year"]), match["season"].lower()))


def _season(match: Match, now: Now) -> Atom | None:
    recur = _seasons(match["season"])
    return atom(match, recur(now.moment), recur=recur, weak=True, word=True)


def _which_season(match: Match, now: Now) -> Atom | None:
    which, recur = match["which"].lower(), _seasons(match["season"])
    if which in ("next", "coming", "this coming"):
        return atom(match, next_to_start(recur, now), relative=True)
    if which == "this":
        return atom(match, _nearest(recur, now), relative=True)
    return atom(match, last_ended(recur, now), relative=True)


def _nearest(recur: Recur, now: Now) -> Period | None:
    """The current one, else whichever is closer of the last and the next."""
    last, following = recur(now.moment), next_to_start(recur, now)
    if last is None or following is None:
        return last or following
    return last if now.moment - last.end <= following.start - now.moment else following


def _seasons(name: str) -> "partial[Period | None]":
    return partial(periods.latest, lambda year: periods.season(year, name.lower()))


def _holiday(match: Match, now: Now) -> Atom | None:
    groups = match.groupdict()
    of_year = partial(_holiday_of, re.sub(r"[^a-z]", "", match["holiday"].lower()))
    if groups.get("year"):
        return atom(match, of_year(year_of(match["year"])))
    recur = partial(periods.latest, of_year)
    which = (groups.get("which") or "").lower()
    if which in ("next", "coming", "this coming"):
        return atom(match, next_to_start(recur, now), relative=True)
    if which == "this":
        return atom(match, of_year(now.today.year), relative=True)
    if which:
        return atom(match, last_ended(recur, now), relative=True)
    return atom(match, recur(now.moment), recur=recur, weak=True)


def _holiday_of(name: str, year: int) -> Period:
    if name.startswith("newyear"):
        return periods.day(date(year, 12, 31) if name.endswith("eve") else date(year, 1, 1))
    if name.startswith(("christmas", "xmas")):
        return periods.day(date(year, 12, 24 if name.endswith("eve") else 25))
    if name == "halloween":
        return periods.day(date(year, 10, 31))
    if name.startswith("valentine"):
        return periods.day(date(year, 2, 14))
    if name == "thanksgiving":  # the fourth Thursday of November
        first = date(year, 11, 1)
        return periods.day(first + timedelta(days=(3 - first.weekday()) % 7 + 21))
    return periods.day(periods.easter(year))


_ORDINAL = "(?P<ordinal>st|nd|rd|th)?"
_NO_TAIL = r"(?![\w:]|\.\d|-\d)"
_OF_YEAR = rf"(?:(?:,?{S}|,|{S}of{S}|{S}in{S})(?P<year>{SHORT_YEAR}){_NO_TAIL})?"
_HOLIDAY = (
    r"(?P<holiday>christmas(?:[ ](?:eve|day))?|xmas|new[ ]year['’]?s(?:[ ](?:eve|day))?|halloween"
    r"|valentine['’]?s[ ]day|thanksgiving|easter)"
)
# What makes a season's name something else: `spring.yml`, "Spring Boot", "fall back".
_NO_SEASON = (
    r"(?![\w(=]|[ ](?:boot|framework|mvc|cloud|security|data|beans?|batch|context|webflux|back|through|apart|off|over"
    r"|cleaning|into|for|to|water|break)\b)"
)

STAMP = rf"(?P<month>{MONTH})[ ]{{1,2}}(?P<day>\d{{1,2}})[ ](?P<h>\d\d):(?P<min>\d\d)(?::\d\d)?[ ](?P<year>{YEAR})\b"
MONTH_RULES = (
    rule(STAMP, _stamped),
    rule(
        rf"(?P<month>{MONTH})\.?{S}(?P<day>\d{{1,2}}){_ORDINAL}{DASH}(?P<last>\d{{1,2}})(?:st|nd|rd|th)?"
        rf"(?![\w/%]|[.:]\d|-\d|[ ]?[-–]){_OF_YEAR}",
        _month_day,
    ),
    rule(
        rf"(?P<month>{MONTH})\.?{S}(?P<day>\d{{1,2}}){_ORDINAL}{S}(?:to|until|through|and){S}(?:the{S})?"
        rf"(?P<last>\d{{1,2}})(?:st|nd|rd|th)\b{_OF_YEAR}",
        _month_day,
    ),
    rule(
        rf"(?P<month>{MONTH})\.?{S}(?:the{S})?(?P<day>\d{{1,2}}){_ORDINAL}(?![\w/%]|[.:]\d){_OF_YEAR}{CLOCK}?",
        _month_day,
    ),
    rule(rf"(?P<month>{MONTH})\.?(?:,?{S}|{S}of{S}|-)(?P<year>{SHORT_YEAR}){_NO_TAIL}", _month_year),
    rule(rf"{MONTH}(?![\w(=])", _month),
)
DIGIT_RULES = (
    rule(
        r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:[T ](?P<h>\d\d):(?P<min>\d\d)(?::(?P<s>\d\d)(?:[.,]\d{1,9})?)?"
        r"(?P<zone>Z|[ ]?[+-]\d\d:?\d\d)?)?(?![\d:])",
        _iso,
    ),
    rule(r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})(?P<h>)(?!\d)", _iso),
    rule(r"(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])(?![\d-])", _iso),
    rule(r"(?P<y>\d{4})-W(?P<w>\d\d)(?!\d)", _iso_week),
    rule(r"(?P<a>\d{1,2})(?P<sep>[/.-])(?P<b>\d{1,2})(?P=sep)(?P<y>(?:19|20)\d\d)(?!\d)", _numeric),
    rule(
        rf"(?P<day>\d\d)/(?P<month>{MONTH})/(?P<year>{YEAR}):(?P<h>\d\d):(?P<min>\d\d)(?::\d\d(?:[ ][+-]\d{{4}})?)?",
        _stamped,
    ),
    rule(
        rf"(?P<day>\d{{1,2}}){_ORDINAL}(?:{DASH}|{S}to{S})(?P<last>\d{{1,2}})(?:st|nd|rd|th)?{S}(?:of{S})?"
        rf"(?P<month>{MONTH})\b\.?{_OF_YEAR}",
        _month_day,
    ),
    rule(rf"(?P<day>\d{{1,2}}){_ORDINAL}(?:{S}of{S}|{S})(?P<month>{MONTH})\b\.?{_OF_YEAR}{CLOCK}?", _month_day),
    rule(rf"(?P<day>\d{{1,2}})-(?P<month>{MONTH})-(?P<year>{YEAR})\b", _month_day),
    rule(r"(?P<year>(?:19|20)\d\d)[ -]?q(?P<q>[1-4])\b", _quarter),
    rule(rf"(?P<q>1st|2nd|3rd|4th){S}quarter(?:{S}of)?{S}(?P<year>{YEAR})\b", _quarter),
    rule(r"(?P<decade>(?:1[5-9]|20)\d0)['’]?s\b", _decade),
    rule(r"(?:(?<=the )|(?<=the ['’])|(?<=(?:arly|late| mid)[ -]))(?P<decade>[2-9]0)['’]?s\b", _decade),
    rule(r"(?P<day>\d{1,2})(?:st|nd|rd|th)\b(?![ ]\w(?<!\bo)(?<!\ba)(?<!\bi))", _day_of_month),
    rule(r"(?P<year>(?:19|20)\d\d)(?![\w:%]|[.,]\d)", _year),
)
SEASON_RULES = (
    rule(
        rf"(?P<season>{SEASON})(?:{S}of|,|[-–](?=\d))?(?:{S})?(?P<year>{SHORT_YEAR})(?:[/–-]\d\d(?!\d))?(?!\w)",
        _season_year,
    ),
    rule(rf"(?P<season>{SEASON}){_NO_SEASON}", _season),
)
HOLIDAY_RULES = (
    rule(rf"{_HOLIDAY}{S}(?:of{S}|in{S})?(?P<year>{YEAR})\b", _holiday),
    rule(rf"{_HOLIDAY}\b", _holiday),
)
QUARTER_RULES = (
    rule(rf"q(?P<q>[1-4])(?:[ ]{{0,2}}|-|{S}of{S})(?P<year>{SHORT_YEAR})\b", _quarter),
    rule(r"q(?P<q>[1-4])(?P<year>)\b", _quarter),
)
HALF_RULES = (rule(rf"h(?P<half>[12])[ ]{{0,2}}(?P<year>{SHORT_YEAR})\b", _half),)
ORDINAL_RULES = (rule(rf"(?P<q>first|second|third|fourth){S}quarter(?:{S}of)?{S}(?P<year>{YEAR})\b", _quarter),)
LAST_RULES = (
    rule(rf"(?P<q>last){S}quarter{S}of{S}(?P<year>{YEAR})\b", _quarter),
    rule(rf"{LAST}{S}(?P<season>{SEASON})\b", _which_season),
    rule(rf"{LAST}{S}(?P<month>{MONTH})\b(?!{S}\d)", _which_month),
    rule(rf"{LAST}{S}{_HOLIDAY}\b", _holiday),
)
