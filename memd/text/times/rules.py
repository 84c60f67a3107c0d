"""One rule a form: a pattern, tried where its first word stands, and what period it means.

Patterns have bounded repetitions only, so a rule costs O(1) wherever it is tried.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from memd.text.times import periods
from memd.text.times.periods import DAY, Period

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",), ("june", "jun"),
            ("july", "jul"), ("august", "aug"), ("september", "sep", "sept"), ("october", "oct"), ("november", "nov"),
            ("december", "dec"),
        ),  # fmt: skip
        1,
    )
    for name in names
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            ("monday", "mon"), ("tuesday", "tue", "tues"), ("wednesday", "wed"), ("thursday", "thu", "thur", "thurs"),
            ("friday", "fri"), ("saturday", "sat"), ("sunday", "sun"),
        )  # fmt: skip
    )
    for name in names
}
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "couple": 2, "few": 3, "several": 4,
}  # fmt: skip
# Also names or everyday words: alone they mean a time only where the words around say so.
WEAK_MONTHS = frozenset("march april may june august jan feb mar apr jun jul aug sep sept oct nov dec".split())
WEAK_WEEKDAYS = frozenset("mon tue tues wed thu thur thurs fri sat sun".split())


@dataclass(frozen=True, slots=True)
class Now:
    """The moment of reading, in naive local time."""

    moment: datetime

    @property
    def today(self) -> date:
        return self.moment.date()


@dataclass(frozen=True, slots=True)
class Atom:
    """An expression without its preposition.

    Attributes:
        recur: for an expression that leaves its year or week open: its last period that starts at or
            before a limit.
        weak: counts only beside a preposition or another expression.
        bare_year: a number that could be anything else.
    """

    begin: int
    stop: int
    period: Period
    relative: bool = False
    recur: Callable[[datetime], Period | None] | None = None
    weak: bool = False
    name: bool = False
    bare_year: bool = False


Maker = Callable[["re.Match[str]", Now], Atom | None]


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: "re.Pattern[str]"
    make: Maker


_S = r"[ \t\r\n]{1,4}"
_DASH = r"(?:[ ]{0,2}[-–—][ ]{0,2})"
_MONTH = r"(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")"
_WEEKDAY = r"(?:" + "|".join(sorted(WEEKDAYS, key=len, reverse=True)) + r")"
_SEASON = r"(?:spring|summer|autumn|fall|winter)"
_YEAR = r"(?:1[5-9]\d\d|20\d\d)"
_NUMBER = r"(?:\d{1,4}|" + "|".join(NUMBERS) + r")"
_COUNT = rf"(?:a{_S}(?:couple|few)(?:{_S}of)?|(?:couple|few){_S}of|{_NUMBER})"
_UNIT = r"(?:minute|min|hour|hr|day|night|week|fortnight|weekend|month|quarter|year|decade)"
_PART = r"(?:morning|noon|afternoon|evening|night)"
_CLOCK = rf"(?P<clock>{_S}(?:at|around|about){_S}(?P<hour>\d{{1,2}})(?::(?P<minute>\d\d))?[ ]?(?P<half>[ap]\.?m\b\.?)?)"
_ORDINAL = r"(?:st|nd|rd|th)"


def _rule(pattern: str, make: Maker, flags: re.RegexFlag = re.I) -> Rule:
    return Rule(re.compile(pattern, flags), make)


def _atom(match: "re.Match[str]", period: Period | None, **more: object) -> Atom | None:
    if period is None:
        return None
    return replace(Atom(match.start(), match.end(), period), **more)  # type: ignore[arg-type]


def count_of(words: str) -> int:
    """The number that "3", "three", "a", "a couple of" means."""
    last = [word for word in words.lower().split() if word != "of"][-1]
    return int(last) if last.isdigit() else NUMBERS[last]


# --- dates ----------------------------------------------------------------------------------------------


def _iso(match: "re.Match[str]", now: Now) -> Atom | None:
    year, month = int(match["y"]), int(match["m"])
    if not match["d"]:
        return _atom(match, periods.month(year, month))
    day = date(year, month, int(match["d"]))
    if not match["h"]:
        return _atom(match, periods.day(day))
    start = datetime(day.year, day.month, day.day, int(match["h"]), int(match["min"]), int(match["s"] or 0))
    return _atom(match, periods.hour(start))


def _iso_week(match: "re.Match[str]", now: Now) -> Atom | None:
    return _atom(match, periods.week(date.fromisocalendar(int(match["y"]), int(match["w"]), 1)))


def _slashed(match: "re.Match[str]", now: Now) -> Atom | None:
    first, second, year = int(match["a"]), int(match["b"]), int(match["y"])
    month_first = match["sep"] == "/"
    if (first > 12) == month_first and (first > 12 or second > 12):
        month_first = not month_first
    month, day = (first, second) if month_first else (second, first)
    return _atom(match, periods.day(date(year, month, day)))


def _dated(match: "re.Match[str]", now: Now) -> Atom | None:
    """A month with a day, a stretch of days, a year, or any of them."""
    groups = match.groupdict()
    word = match["month"].lower()
    month = MONTHS[word]
    first, last = groups.get("day"), groups.get("last")
    ordinal = bool(groups.get("ordinal")) or bool(groups.get("of"))

    def of_year(year: int) -> Period | None:
        if first is None:
            return periods.month(year, month)
        try:
            start = date(year, month, int(first))
            if last is None:
                return periods.day(start)
            end = date(year, month, int(last))
        except ValueError:
            return None
        return periods.days(start, (end - start).days + 1, "range") if end > start else None

    if groups.get("year"):
        return _with_clock(match, _atom(match, of_year(int(match["year"]))))
    capital = match["month"][0].isupper()
    weak = word in WEAK_MONTHS if first is None else (word in ("may", "march", "mar", "dec", "oct", "sep", "jan") and not capital and not ordinal)
    recur = partial(periods.latest, of_year)
    atom = _atom(match, recur(now.moment), recur=recur, weak=weak, name=first is None)
    return _with_clock(match, atom)


def _of_month(match: "re.Match[str]", now: Now) -> Atom | None:
    """`the 5th`: the last one that has begun."""

    def recur(limit: datetime) -> Period | None:
        for back in range(12):
            start = periods.shift_months(limit.replace(day=1), -back)
            try:
                period = periods.day(start.replace(day=int(match["day"])).date())
            except ValueError:
                continue
            if period.start <= limit:
                return period
        return None

    return _atom(match, recur(now.moment), recur=recur, weak=True)


def _year(match: "re.Match[str]", now: Now) -> Atom | None:
    return _atom(match, periods.year(int(match["year"])), weak=True, bare_year=True)


def _quarter(match: "re.Match[str]", now: Now) -> Atom | None:
    number = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}.get(match["q"].lower()) or int(match["q"][0])
    if match["year"]:
        return _atom(match, periods.quarter(_full_year(match["year"]), number))
    recur = partial(periods.latest, lambda year: periods.quarter(year, number))
    return _atom(match, recur(now.moment), recur=recur)


def _half(match: "re.Match[str]", now: Now) -> Atom | None:
    return _atom(match, periods.months(_full_year(match["year"]), 1 if match["half"] == "1" else 7, 6, "range"))


def _full_year(digits: str) -> int:
    number = int(digits.lstrip("'’"))
    return number if number > 99 else 2000 + number


def _decade(match: "re.Match[str]", now: Now) -> Atom | None:
    digits = int(match["decade"])
    if digits < 100:
        digits += 1900 if digits > 20 else 2000
    return _atom(match, periods.decade(digits)) if digits % 10 == 0 else None


def _season(match: "re.Match[str]", now: Now) -> Atom | None:
    name = match["season"].lower()
    which = (match["which"] or "").lower()
    if match["year"]:
        return _atom(match, periods.season(int(match["year"]), name))
    recur = partial(periods.latest, lambda year: periods.season(year, name))
    if which in ("last", "this past", "past", "previous"):
        return _atom(match, _last_ended(recur, now), relative=True)
    if which == "this":
        return _atom(match, periods.season(now.today.year, name), relative=True)
    if which == "next":
        return _atom(match, _next(recur, now), relative=True)
    return _atom(match, recur(now.moment), recur=recur, weak=True, name=match["season"] == "Spring")


def _last_ended(recur: Callable[[datetime], Period | None], now: Now) -> Period | None:
    period = recur(now.moment)
    if period is not None and period.end > now.moment:
        period = recur(period.start - DAY)
    return period


def _next(recur: Callable[[datetime], Period | None], now: Now) -> Period | None:
    """The first that starts after now, for what comes back within a year."""
    following = recur(now.moment + timedelta(days=366))
    earlier = recur(following.start - DAY) if following else None
    return earlier if earlier and earlier.start > now.moment else following


def _holiday(match: "re.Match[str]", now: Now) -> Atom | None:
    words = re.sub(r"[^a-z]", "", match["holiday"].lower())

    def of_year(year: int) -> Period | None:
        if words.startswith("newyears"):
            return periods.day(date(year, 12, 31) if words.endswith("eve") else date(year, 1, 1))
        if words.startswith("christmas") or words.startswith("xmas"):
            return periods.day(date(year, 12, 24 if words.endswith("eve") else 25))
        if words.startswith("halloween"):
            return periods.day(date(year, 10, 31))
        if words.startswith("valentine"):
            return periods.day(date(year, 2, 14))
        if words.startswith("thanksgiving"):
            first = date(year, 11, 1)
            return periods.day(first + timedelta(days=(3 - first.weekday()) % 7 + 21))
        return periods.day(periods.easter(year))

    if match["year"]:
        return _atom(match, of_year(int(match["year"])))
    recur = partial(periods.latest, of_year)
    if (match["which"] or "").lower() == "last":
        return _atom(match, _last_ended(recur, now), relative=True)
    return _atom(match, recur(now.moment), recur=recur, weak=True)


# --- relative to now ------------------------------------------------------------------------------------


def _named_day(match: "re.Match[str]", now: Now) -> Atom | None:
    shift = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1}.get(match["named"].lower())
    if shift is None:
        shift = -2 if "yesterday" in match["named"].lower() else 2
    day = now.today + timedelta(days=shift)
    part = "night" if match["named"].lower() == "tonight" else (match["part"] or "").lower()
    atom = _atom(match, periods.day_part(day, part) if part else periods.day(day), relative=True)
    return _with_clock(match, atom)


def _with_clock(match: "re.Match[str]", atom: Atom | None) -> Atom | None:
    """Narrow a day to the hour that follows it (`at 3pm`, `at 14:30`)."""
    groups = match.groupdict()
    if atom is None or not groups.get("hour") or atom.period.grain != "day":
        return atom
    number, half = int(match["hour"]), (match["half"] or "").lower()[:1]
    if not half and not match["minute"]:
        return replace(atom, stop=match.start("clock"))
    if half:
        number = number % 12 + (12 if half == "p" else 0)
    clock = timedelta(hours=number, minutes=int(match["minute"] or 0))
    if clock >= DAY or int(match["minute"] or 0) > 59:
        return replace(atom, stop=match.start("clock"))
    return replace(atom, period=periods.hour(atom.period.start + clock))


def _weekday(match: "re.Match[str]", now: Now) -> Atom | None:
    word = match["weekday"].lower()
    number = WEEKDAYS[word]
    which = (match["which"] or "").lower()
    back = (now.today.weekday() - number - 1) % 7 + 1  # 1..7 days ago

    def recur(limit: datetime) -> Period:
        return periods.day(limit.date() - timedelta(days=(limit.weekday() - number) % 7))

    if which == "this":
        day = now.today + timedelta(days=number - now.today.weekday())
    elif which in ("next", "coming", "this coming"):
        day = now.today + timedelta(days=(number - now.today.weekday() - 1) % 7 + 1)
    else:
        day = now.today - timedelta(days=back)
    period = periods.day_part(day, match["part"].lower()) if match["part"] else periods.day(day)
    open_week = not which and not match["part"]
    weak = not which and word in WEAK_WEEKDAYS
    atom = _atom(match, period, relative=True, recur=recur if open_week else None, weak=weak, name=weak)
    return _with_clock(match, atom)


def _weekday_of_week(match: "re.Match[str]", now: Now) -> Atom | None:
    shift = {"last": -7, "this": 0, "next": 7}[match["which"].lower()]
    monday = now.today - timedelta(days=now.today.weekday()) + timedelta(days=shift)
    return _atom(match, periods.day(monday + timedelta(days=WEEKDAYS[match["weekday"].lower()])), relative=True)


def _this_unit(match: "re.Match[str]", now: Now) -> Atom | None:
    """`last week`, `this month`, `next year`, `the week before last`, `this morning`, `last night`."""
    which, unit = match["which"].lower(), match["unit"].lower()
    if unit in periods.DAY_PARTS:
        if which == "last":
            return _atom(match, periods.day_part(now.today - DAY, unit), relative=True)
        return _atom(match, periods.day_part(now.today, unit), relative=True) if which == "this" else None
    if which in ("past", "this past") and unit != "weekend":
        return _trailing(match, now, 1, unit)
    step = {"this": 0, "current": 0, "next": 1, "coming": 1, "this coming": 1}.get(which, -1)
    return _atom(match, _unit_at(now, unit, step), relative=True)


def _before_last(match: "re.Match[str]", now: Now) -> Atom | None:
    return _atom(match, _unit_at(now, match["unit"].lower(), -2), relative=True)


def _unit_at(now: Now, unit: str, step: int) -> Period | None:
    """The calendar unit `step` units from the one that now lies in."""
    today = now.today
    if unit == "hour":
        return periods.hour(now.moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=step))
    if unit == "day":
        return periods.day(today + step * DAY)
    if unit == "week":
        return periods.week(today + timedelta(weeks=step))
    if unit == "fortnight":
        return periods.days(today + timedelta(weeks=2 * step), 14, "range")
    if unit == "weekend":
        return periods.weekend(today + timedelta(weeks=step))
    if unit == "month":
        return periods.month(today.year, today.month + step)
    if unit == "quarter":
        return periods.quarter(today.year, (today.month - 1) // 3 + 1 + step)
    if unit == "year":
        return periods.year(today.year + step)
    if unit == "decade":
        return periods.decade(today.year // 10 * 10 + 10 * step)
    return None


def _last_count(match: "re.Match[str]", now: Now) -> Atom | None:
    """`the last three days`, `past two weeks`: up to now."""
    return _trailing(match, now, count_of(match["count"]), match["unit"].lower())


def _trailing(match: "re.Match[str]", now: Now, count: int, unit: str) -> Atom | None:
    if unit in ("minute", "min", "hour", "hr"):
        start = now.moment - timedelta(**{"hours" if unit[0] == "h" else "minutes": count})
        return _atom(match, Period(start, now.moment + timedelta(minutes=1), "range"), relative=True)
    start = periods.midnight(_back(now, unit, count).date())
    return _atom(match, Period(start, periods.midnight(now.today) + DAY, "range"), relative=True)


def _back(now: Now, unit: str, count: int) -> datetime:
    if unit in ("day", "night"):
        return now.moment - count * DAY
    if unit in ("week", "fortnight", "weekend"):
        return now.moment - timedelta(weeks=count * (2 if unit == "fortnight" else 1))
    return periods.shift_months(now.moment, -count * {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit])


def _ago(match: "re.Match[str]", now: Now) -> Atom | None:
    """`three days ago` is that day, `two weeks ago` the seven days around it, months and years the calendar's."""
    count, unit = count_of(match["count"]), match["unit"].lower()
    vague = match["count"].lower().split()[-1] in ("few", "several") or "few" in match["count"].lower()
    if unit in ("minute", "min", "hour", "hr"):
        width = timedelta(minutes=30) if unit[0] == "h" else timedelta(minutes=max(5, count // 4))
        middle = now.moment - timedelta(**{"hours" if unit[0] == "h" else "minutes": count})
        return _atom(match, Period(middle - width, middle + width, "hour"), relative=True)
    if vague:
        return _atom(match, _some_ago(now, unit, count), relative=True)
    if unit == "weekend":
        last = periods.weekend(now.today)
        weekend = last if last.end <= periods.midnight(now.today) else periods.weekend(now.today - timedelta(weeks=1))
        return _atom(match, periods.weekend(weekend.start.date() - timedelta(weeks=count - 1)), relative=True)
    day = _back(now, unit, count).date()
    if unit in ("week", "fortnight"):
        return _atom(match, periods.days(day - 3 * DAY, 7, "week"), relative=True)
    if unit == "night":
        return _atom(match, periods.day_part(day, "night"), relative=True)
    if unit == "month":
        return _atom(match, periods.month(day.year, day.month), relative=True)
    if unit == "quarter":
        return _atom(match, periods.quarter(day.year, (day.month - 1) // 3 + 1), relative=True)
    if unit == "year":
        return _atom(match, periods.year(day.year), relative=True)
    return _atom(match, periods.day(day) if unit == "day" else periods.decade(day.year // 10 * 10), relative=True)


def _some_ago(now: Now, unit: str, count: int) -> Period:
    """From 2 to count + 2 units ago."""
    start, end = _back(now, unit, count + 2), _back(now, unit, 2)
    return Period(periods.midnight(start.date()), periods.midnight(end.date()) + DAY, "range")


def _weekdays_ago(match: "re.Match[str]", now: Now) -> Atom | None:
    count, number = count_of(match["count"]), WEEKDAYS[match["weekday"].lower()]
    back = (now.today.weekday() - number - 1) % 7 + 1 + 7 * (count - 1)
    return _atom(match, periods.day(now.today - back * DAY), relative=True)


def _seasons_ago(match: "re.Match[str]", now: Now) -> Atom | None:
    name = match["season"].lower()
    last = _last_ended(partial(periods.latest, lambda year: periods.season(year, name)), now)
    return _atom(match, periods.season(last.start.year - count_of(match["count"]) + 1, name), relative=True) if last else None


def _weekend(match: "re.Match[str]", now: Now) -> Atom | None:
    """`the weekend`: the last one that has begun; `last weekend`: the last one that has ended."""
    which = (match["which"] or "").lower()
    current = periods.weekend(now.today)
    if which in ("this", "next", "this coming", "coming"):
        return _atom(match, _unit_at(now, "weekend", 1 if which == "next" else 0), relative=True)
    over = current.end <= now.moment if which else current.start <= now.moment
    return _atom(match, current if over else _unit_at(now, "weekend", -1), relative=True, weak=not which)


def _month_named(match: "re.Match[str]", now: Now) -> Atom | None:
    """`last May`, `this June`, `next March`."""
    which, word = match["which"].lower(), match["month"].lower()
    if word in WEAK_MONTHS and which == "this" and not match["month"][0].isupper():
        return None  # "this may break"
    number = MONTHS[word]
    recur = partial(periods.latest, lambda year: periods.month(year, number))
    if which == "this":
        return _atom(match, periods.month(now.today.year, number), relative=True)
    return _atom(match, _next(recur, now) if which == "next" else _last_ended(recur, now), relative=True)


_LAST = r"(?P<which>last|this[ ]past|this[ ]coming|this|next|past|previous|coming|current)"
_OPEN_YEAR = rf"(?:(?:,?{_S}|,|{_S}of{_S}|{_S}in{_S})(?P<year>{_YEAR})(?![\w:]|\.\d|-\d))?"

_MONTH_RULES = (
    _rule(rf"(?P<month>{_MONTH})\.?{_S}(?P<day>\d{{1,2}})(?P<ordinal>{_ORDINAL})?{_DASH}(?P<last>\d{{1,2}}){_ORDINAL}?(?![\w:/]|\.\d|-\d){_OPEN_YEAR}", _dated),
    _rule(rf"(?P<month>{_MONTH})\.?{_S}(?:the{_S})?(?P<day>\d{{1,2}})(?P<ordinal>{_ORDINAL})?(?![\w/%]|[.:]\d){_OPEN_YEAR}{_CLOCK}?", _dated),
    _rule(rf"(?P<month>{_MONTH})\.?(?:,?{_S}|{_S}of{_S}|-)(?P<year>{_YEAR})(?![\w:]|\.\d|-\d)", _dated),
    _rule(rf"(?P<month>{_MONTH})(?P<year>)(?![\w(=])", _dated),
)  # fmt: skip
_DIGIT_RULES = (
    _rule(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:[T ](?P<h>\d\d):(?P<min>\d\d)(?::(?P<s>\d\d)(?:[.,]\d{1,9})?)?(?P<zone>Z|[ ]?[+-]\d\d:?\d\d)?)?(?!\d)", _iso),
    _rule(r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})(?P<h>)(?!\d)", _iso),
    _rule(r"(?P<y>\d{4})-W(?P<w>\d\d)(?!\d)", _iso_week),
    _rule(r"(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])(?P<d>)(?P<h>)(?![\d-])", _iso),
    _rule(r"(?P<a>\d{1,2})(?P<sep>[/.])(?P<b>\d{1,2})(?P=sep)(?P<y>(?:19|20)\d\d)(?!\d)", _slashed),
    _rule(rf"(?P<day>\d{{1,2}})(?P<ordinal>{_ORDINAL})?{_DASH}(?P<last>\d{{1,2}}){_ORDINAL}?{_S}(?P<of>of{_S})?(?P<month>{_MONTH})\b\.?{_OPEN_YEAR}", _dated),
    _rule(rf"(?P<day>\d{{1,2}})(?P<ordinal>{_ORDINAL})?{_S}(?P<of>of{_S})?(?P<month>{_MONTH})\b\.?{_OPEN_YEAR}{_CLOCK}?", _dated),
    _rule(r"(?P<decade>(?:1[5-9]|20)\d0)['’]?s\b", _decade),
    _rule(r"(?P<day>\d{1,2})(?:st|nd|rd|th)\b", _of_month),
    _rule(r"(?P<year>(?:19|20)\d\d)(?![\w:%]|[.,]\d)", _year),
)  # fmt: skip
_COUNT_RULES = (
    _rule(rf"(?P<count>{_COUNT}){_S}(?P<unit>{_UNIT})s?{_S}(?:ago|back)\b", _ago),
    _rule(rf"(?P<count>{_NUMBER}){_S}(?P<weekday>{_WEEKDAY})s{_S}ago\b", _weekdays_ago),
    _rule(rf"(?P<count>{_NUMBER}){_S}(?P<season>{_SEASON})s{_S}ago\b", _seasons_ago),
)
_SEASON_NOT = r"(?![\w(=-]|[ ](?:boot|framework|mvc|cloud|security|bean|beans|batch|context|back|through|apart|cleaning|into|in|for|on|to)\b)"
_SEASON_RULES = (
    _rule(rf"(?P<which>)(?P<season>{_SEASON})(?:{_S}of|,)?{_S}(?:of{_S})?(?P<year>{_YEAR})(?!\w)", _season),
    _rule(rf"(?P<which>)(?P<season>{_SEASON})(?P<year>){_SEASON_NOT}", _season),
)
_WEEKDAY_RULES = (
    _rule(rf"(?P<weekday>{_WEEKDAY})(?:{_S}of)?{_S}(?P<which>last|this|next){_S}week\b", _weekday_of_week),
    _rule(rf"(?P<which>)(?P<weekday>{_WEEKDAY})(?:{_S}(?P<part>{_PART})\b)?(?![\w(=]){_CLOCK}?", _weekday),
)
_HOLIDAY = r"(?P<holiday>christmas(?:[ ](?:eve|day))?|xmas|new[ ]year['’]?s(?:[ ](?:eve|day))?|halloween|valentine['’]?s[ ]day|thanksgiving|easter)"
_HOLIDAY_RULES = (
    _rule(rf"(?P<which>){_HOLIDAY}(?:{_S}(?:of{_S}|in{_S})?(?P<year>{_YEAR}))?\b", _holiday),
)
_DAY_RULES = (
    _rule(rf"(?P<named>today|tonight|yesterday|tomorrow)(?:['’]s)?(?:{_S}(?P<part>{_PART})\b)?{_CLOCK}?", _named_day),
)
_LAST_RULES = (
    _rule(rf"(?P<which>last|this|next){_S}week(?:{_S}on|,)?{_S}(?P<weekday>{_WEEKDAY})\b", _weekday_of_week),
    _rule(rf"(?:last|past|previous|preceding){_S}(?P<count>{_COUNT}){_S}(?P<unit>{_UNIT})s?\b", _last_count),
    _rule(rf"{_LAST}{_S}weekend\b", _weekend),
    _rule(rf"{_LAST}{_S}(?P<unit>hour|day|week|fortnight|month|quarter|year|decade|{_PART})\b", _this_unit),
    _rule(rf"{_LAST}{_S}(?P<weekday>{_WEEKDAY})\b(?:{_S}(?P<part>{_PART})\b)?{_CLOCK}?", _weekday),
    _rule(rf"{_LAST}{_S}(?P<season>{_SEASON})(?:{_S}(?P<year>{_YEAR}))?\b", _season),
    _rule(rf"{_LAST}{_S}(?P<month>{_MONTH})\b", _month_named),
    _rule(rf"{_LAST}{_S}{_HOLIDAY}(?P<year>)\b", _holiday),
    _rule(rf"(?P<q>last){_S}quarter{_S}of{_S}(?P<year>{_YEAR})\b", _quarter),
)
_ORDINAL_RULES = (
    _rule(rf"(?P<q>first|second|third|fourth|1st|2nd|3rd|4th){_S}quarter(?:{_S}of)?{_S}(?P<year>{_YEAR})\b", _quarter),
)

# The rules to try where a word stands. A word that is no key begins no expression.
BY_WORD: dict[str, tuple[Rule, ...]] = {
    **{word: _MONTH_RULES for word in MONTHS},
    **{word: _WEEKDAY_RULES for word in WEEKDAYS},
    **{word: _COUNT_RULES for word in NUMBERS},
    **{word: _SEASON_RULES for word in periods.SEASON_MONTH},
    **{word: _HOLIDAY_RULES for word in ("christmas", "xmas", "new", "halloween", "valentine", "thanksgiving", "easter")},
    **{word: _DAY_RULES for word in ("today", "tonight", "yesterday", "tomorrow")},
    **{word: _LAST_RULES for word in ("last", "this", "next", "past", "previous", "preceding", "coming", "current")},
    **{word: _ORDINAL_RULES for word in ("first", "second", "third", "fourth")},
    "day": (_rule(rf"(?P<named>day{_S}before{_S}yesterday|day{_S}after{_S}tomorrow)(?P<part>)\b", _named_day),),
    **{unit: (_rule(rf"(?P<unit>{unit}){_S}before{_S}last\b", _before_last),) for unit in ("week", "month", "year", "quarter")},
    "weekend": (
        _rule(rf"(?P<unit>weekend){_S}before{_S}last\b", _before_last),
        _rule(r"(?P<which>)weekend\b", _weekend),
    ),
    "q": (_rule(rf"q(?P<q>[1-4])(?:[ ]{{0,2}}|{_S}of{_S})(?P<year>{_YEAR}|['’]\d\d)?\b", _quarter),),
    "h": (_rule(rf"h(?P<half>[12])[ ]{{0,2}}(?P<year>{_YEAR})\b", _half),),
}
BY_DIGIT: tuple[Rule, ...] = (*_COUNT_RULES, *_ORDINAL_RULES, *_DIGIT_RULES)
