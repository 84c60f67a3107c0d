"""Rules for what moves with now: "yesterday", "last week", "three days ago", weekdays."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from memd.text.times import periods
from memd.text.times.atoms import (
    CLOCK,
    COUNT,
    LAST,
    NUMBER,
    PART,
    SEASON,
    UNIT,
    WEAK_WEEKDAYS,
    WEEKDAY,
    WEEKDAYS,
    Atom,
    Now,
    S,
    atom,
    count_of,
    last_ended,
    rule,
    with_clock,
)
from memd.text.times.periods import DAY, Period

Match = re.Match[str]
_AHEAD = ("next", "coming", "this coming")
_SHORT_UNITS = {
    "min": "minute", "m": "minute", "h": "hour", "hr": "hour", "d": "day", "w": "week", "wk": "week", "mo": "month",
    "y": "year", "yr": "year",
}  # fmt: skip


def _named_day(match: Match, now: Now) -> Atom | None:
    """`today`, `yesterday morning`, `tonight`, `the day before yesterday`."""
    name = match["named"].lower()
    shift = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1}.get(
        name, -2 if name.endswith("yesterday") else 2
    )
    day = now.today + shift * DAY
    part = "night" if name == "tonight" else (match["part"] or "").lower()
    return with_clock(match, atom(match, periods.day_part(day, part) if part else periods.day(day), relative=True))


def _weekday(match: Match, now: Now) -> Atom | None:
    """`Tuesday`: the last one before today."""
    word = match["weekday"].lower()
    weak = word in WEAK_WEEKDAYS
    recur = partial(_weekday_until, WEEKDAYS[word])
    day = recur(now.moment - DAY).start.date()
    if match["part"]:
        return atom(match, periods.day_part(day, match["part"].lower()), relative=True, weak=weak)
    return with_clock(match, atom(match, periods.day(day), relative=True, recur=recur, weak=weak, word=weak))


def _weekday_until(number: int, limit: datetime) -> Period:
    return periods.day(limit.date() - timedelta(days=(limit.weekday() - number) % 7))


def _which_weekday(match: Match, now: Now) -> Atom | None:
    """`last Tuesday` before today, `this Tuesday` in this week, `next Tuesday` after today."""
    which, word = match["which"].lower(), match["weekday"]
    if word.islower() and word in WEAK_WEEKDAYS and which not in ("last", "next"):
        return None  # "this sun"
    number = WEEKDAYS[word.lower()]
    if which == "this":
        day = now.today + timedelta(days=number - now.today.weekday())
    elif which in _AHEAD:
        day = _weekday_until(number, now.moment + 7 * DAY).start.date()
    else:
        day = _weekday_until(number, now.moment - DAY).start.date()
    if match["part"]:
        return atom(match, periods.day_part(day, match["part"].lower()), relative=True)
    return with_clock(match, atom(match, periods.day(day), relative=True))


def _weekday_of_week(match: Match, now: Now) -> Atom | None:
    """`Tuesday last week`, `last week on Tuesday`."""
    shift = {"last": -1, "this": 0, "next": 1}[match["which"].lower()]
    monday = periods.week(now.today + timedelta(weeks=shift)).start.date()
    return atom(match, periods.day(monday + timedelta(days=WEEKDAYS[match["weekday"].lower()])), relative=True)


def _which_unit(match: Match, now: Now) -> Atom | None:
    """`last week`, `this month`, `next year`, `this morning`, `last night`; `the last week` reaches up to now.

    A story's own clock is left alone: "the last day of the trip", "the next day".
    """
    which, unit = match["which"].lower(), match["unit"].lower()
    article = re.search(r"\bthe\s{1,2}\Z", match.string[max(0, match.start() - 6) : match.start()], re.I)
    if unit in periods.DAY_PARTS:
        day = {"last": now.today - DAY, "this": now.today}.get(which)
        return atom(match, periods.day_part(day, unit), relative=True) if day and not article else None
    if which == "current" and unit not in ("week", "month", "quarter"):
        return None
    if unit in ("day", "hour"):
        over = which in ("last", "past") and _within(match)
        return _trailing(match, now, 1, unit) if over else None
    if article and which in _AHEAD:
        return None
    if which in ("past", "this past") or (article and which == "last"):
        return _trailing(match, now, 1, unit)
    step = {"this": 0, "current": 0, "next": 1, "coming": 1, "this coming": 1}.get(which, -1)
    return atom(match, _unit_at(now, unit, step), relative=True)


def _within(match: Match) -> bool:
    """Whether it is a stretch up to now: "in the last hour"."""
    before = match.string[max(0, match.start() - 11) : match.start()].lower().split()
    return before[-1:] == ["the"] and before[-2:-1] in (["in"], ["over"], ["within"], ["during"])


def _before_last(match: Match, now: Now) -> Atom | None:
    return atom(match, _unit_at(now, match["unit"].lower(), -2), relative=True)


def _start_of_the(match: Match, now: Now) -> Atom | None:
    """`the beginning of the year`: the current one's."""
    period = _unit_at(now, match["unit"].lower(), 0)
    return atom(match, periods.part_of(period, "early") if period else None, relative=True)


def _unit_at(now: Now, unit: str, step: int) -> Period | None:
    """The calendar unit that lies `step` units from the current one."""
    today = now.today
    if unit == "week":
        return periods.week(today + timedelta(weeks=step))
    if unit == "fortnight":
        return periods.days(periods.week(today + timedelta(weeks=2 * step)).start.date(), 14, "range")
    if unit == "weekend":
        return periods.weekend(today + timedelta(weeks=step))
    if unit == "month":
        return periods.month(today.year, today.month + step)
    if unit == "quarter":
        return periods.quarter(today.year, (today.month - 1) // 3 + 1 + step)
    if unit == "year":
        return periods.year(today.year + step)
    return periods.decade(today.year // 10 * 10 + 10 * step)


def _last_count(match: Match, now: Now) -> Atom | None:
    """`the last three days`, `past two weeks`: up to now, in whole days."""
    return _trailing(match, now, count_of(match["count"]), match["unit"].lower())


def _trailing(match: Match, now: Now, count: int, unit: str) -> Atom | None:
    unit = _SHORT_UNITS.get(unit, unit)
    start = _back(now, unit, count)
    if unit in ("minute", "hour"):
        return atom(match, Period(start, now.moment + timedelta(minutes=1), "range"), relative=True)
    return atom(
        match, Period(periods.midnight(start.date()), periods.midnight(now.today) + DAY, "range"), relative=True
    )


def _back(now: Now, unit: str, count: int) -> datetime:
    if unit == "minute":
        return now.moment - timedelta(minutes=count)
    if unit == "hour":
        return now.moment - timedelta(hours=count)
    if unit in ("day", "night"):
        return now.moment - count * DAY
    if unit in ("week", "weekend", "fortnight"):
        return now.moment - timedelta(weeks=count * (2 if unit == "fortnight" else 1))
    return periods.shift_months(now.moment, -count * {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit])


def _ago(match: Match, now: Now) -> Atom | None:
    """`three days ago` is that day, `two weeks ago` the seven days around it, months and years the calendar's."""
    count, unit = count_of(match["count"]), match["unit"].lower()
    unit = _SHORT_UNITS.get(unit, unit)
    vague = match["count"].lower().removesuffix(" of").endswith(("few", "several"))
    return atom(match, _some_ago(now, unit, count) if vague else _exactly_ago(now, unit, count), relative=True)


def _exactly_ago(now: Now, unit: str, count: int) -> Period | None:
    moment = _back(now, unit, count)
    day = moment.date()
    if unit in ("minute", "hour"):
        width = timedelta(minutes=30 if unit == "hour" else max(5, count // 4))
        return Period(moment - width, moment + width, "hour")
    if unit == "day":
        return periods.day(day)
    if unit == "night":
        return periods.day_part(day, "night")
    if unit == "weekend":
        return periods.weekend(_last_weekend(now).start.date() - timedelta(weeks=count - 1))
    if unit in ("week", "fortnight"):
        return periods.days(day - 3 * DAY, 7, "week")
    if unit == "month":
        return periods.month(day.year, day.month)
    if unit == "quarter":
        return periods.quarter(day.year, (day.month - 1) // 3 + 1)
    return periods.year(day.year) if unit == "year" else periods.decade(day.year // 10 * 10)


def _some_ago(now: Now, unit: str, count: int) -> Period:
    """A few or several units ago: from 2 to `count` + 2 of them."""
    start, end = _back(now, unit, count + 2), _back(now, unit, 2)
    if unit in ("minute", "hour"):
        return Period(start, end, "range")
    return Period(periods.midnight(start.date()), periods.midnight(end.date()) + DAY, "range")


def _half_ago(match: Match, now: Now) -> Atom | None:
    """`half a year ago`, `half an hour ago`."""
    unit = match["unit"].lower()
    return atom(
        match, _exactly_ago(now, "month", 6) if unit == "year" else _exactly_ago(now, "minute", 30), relative=True
    )


def _year_and_half_ago(match: Match, now: Now) -> Atom | None:
    return atom(match, _exactly_ago(now, "month", 18), relative=True)


def _weekdays_ago(match: Match, now: Now) -> Atom | None:
    """`two Tuesdays ago`: the last Tuesday, and a week before."""
    last = _weekday_until(WEEKDAYS[match["weekday"].lower()], now.moment - DAY).start.date()
    return atom(match, periods.day(last - timedelta(weeks=count_of(match["count"]) - 1)), relative=True)


def _seasons_ago(match: Match, now: Now) -> Atom | None:
    name = match["season"].lower()
    last = last_ended(partial(periods.latest, lambda year: periods.season(year, name)), now)
    years = count_of(match["count"]) - 1
    return atom(match, periods.season(last.start.year - years, name), relative=True) if last else None


def _which_weekend(match: Match, now: Now) -> Atom | None:
    which = match["which"].lower()
    if which in ("this", "current", *_AHEAD):
        return atom(match, _unit_at(now, "weekend", 1 if which == "next" else 0), relative=True)
    return atom(match, _last_weekend(now), relative=True)


def _last_weekend(now: Now) -> Period:
    """The last one that is over; on its Sunday, the one before."""
    current = periods.weekend(now.today)
    return current if current.end <= now.moment else periods.weekend(now.today - timedelta(weeks=1))


def _weekend(match: Match, now: Now) -> Atom | None:
    """`over the weekend`: the last one that has begun."""
    current = periods.weekend(now.today)
    begun = current if current.start <= now.moment else periods.weekend(now.today - timedelta(weeks=1))
    found = atom(match, begun, relative=True, weak=True)
    return (
        replace(found, verb=not re.search(r"\bthe\s\Z", match.string[max(0, match.start() - 5) : match.start()], re.I))
        if found
        else None
    )


DAY_RULES = (
    rule(rf"(?P<named>today|tonight|yesterday|tomorrow)(?:['’]s)?(?:{S}(?P<part>{PART})\b)?{CLOCK}?", _named_day),
)
DAY_BEFORE_RULES = (
    rule(rf"(?P<named>day{S}(?:before{S}yesterday|after{S}tomorrow))\b(?:{S}(?P<part>{PART})\b)?{CLOCK}?", _named_day),
)
WEEKDAY_RULES = (
    rule(rf"(?P<weekday>{WEEKDAY})(?:{S}of)?{S}(?P<which>last|this|next){S}week\b", _weekday_of_week),
    rule(rf"(?P<weekday>{WEEKDAY})\b(?![(=])(?:{S}(?P<part>{PART})\b)?{CLOCK}?", _weekday),
)
COUNT_RULES = (
    rule(rf"(?P<count>{COUNT}){S}(?P<unit>{UNIT})s?{S}(?:ago|back)\b", _ago),
    rule(rf"(?:a|one){S}year{S}and{S}a{S}half{S}ago\b", _year_and_half_ago),
    rule(rf"(?P<count>{NUMBER}){S}(?P<weekday>{WEEKDAY})s{S}ago\b", _weekdays_ago),
    rule(rf"(?P<count>{NUMBER}){S}(?P<season>{SEASON})s{S}ago\b", _seasons_ago),
)
SHORT_RULES = (rule(rf"(?P<count>\d{{1,4}})(?P<unit>min|mo|hr|wk|yr|[mhdwy])s?{S}ago\b", _ago),)
HALF_RULES = (rule(rf"half{S}an?{S}(?P<unit>year|hour){S}ago\b", _half_ago),)
LAST_RULES = (
    rule(rf"(?P<which>last|this|next){S}week(?:{S}on|,)?{S}(?P<weekday>{WEEKDAY})\b", _weekday_of_week),
    rule(rf"(?:last|past|previous|preceding){S}(?P<count>{COUNT}){S}(?P<unit>{UNIT})s?\b", _last_count),
    rule(rf"{LAST}{S}weekend\b(?!{S}of\b)", _which_weekend),
    rule(rf"{LAST}{S}(?P<unit>hour|day|week|fortnight|month|quarter|year|decade|{PART})\b(?!{S}of\b|-)", _which_unit),
    rule(rf"{LAST}{S}(?P<weekday>{WEEKDAY})\b(?!{S}of\b)(?:{S}(?P<part>{PART})\b)?{CLOCK}?", _which_weekday),
)
UNIT_RULES = {
    unit: (rule(rf"(?P<unit>{unit}){S}before{S}last\b", _before_last),) for unit in ("week", "month", "quarter", "year")
}
WEEKEND_RULES = (rule(rf"(?P<unit>weekend){S}before{S}last\b", _before_last), rule(r"weekend\b", _weekend))
START_RULES = (
    rule(rf"(?:beginning|start){S}of{S}the{S}(?P<unit>week|month|quarter|year)\b(?!{S}of\b)", _start_of_the),
)
