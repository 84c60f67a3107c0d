"""Calendar arithmetic: periods as half-open stretches of local wall-clock time. Pure functions.

All raise ValueError or OverflowError outside the years 1 to 9999, which callers take as "no such time".
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from memd.text.times.span import Grain

EARLIEST = datetime(1000, 1, 1)
LATEST = datetime(9000, 1, 1)
DAY = timedelta(days=1)

SEASON_MONTH = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
# Hours of a day's parts, [from, to); past 24 reaches into the next day.
DAY_PARTS = {"morning": (5, 12), "noon": (11, 14), "afternoon": (12, 18), "evening": (17, 24), "night": (18, 29)}


class Period(NamedTuple):
    """[start, end) in naive local time."""

    start: datetime
    end: datetime
    grain: Grain


def midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def days(first: date, count: int, grain: Grain) -> Period:
    start = midnight(first)
    return Period(start, start + count * DAY, grain)


def day(of: date) -> Period:
    return days(of, 1, "day")


def hour(start: datetime) -> Period:
    return Period(start, start + timedelta(hours=1), "hour")


def day_part(of: date, part: str) -> Period:
    first, last = DAY_PARTS[part]
    return Period(midnight(of) + timedelta(hours=first), midnight(of) + timedelta(hours=last), "range")


def week(of: date) -> Period:
    """The week from Monday that contains the day."""
    return days(of - timedelta(days=of.weekday()), 7, "week")


def weekend(of: date) -> Period:
    """Saturday and Sunday of the week that contains the day."""
    return days(of + timedelta(days=5 - of.weekday()), 2, "range")


def months(year: int, month: int, count: int, grain: Grain) -> Period:
    """`count` whole months; `month` may lie outside 1..12 and carries into the year."""
    return Period(_month_start(year, month), _month_start(year, month + count), grain)


def _month_start(year: int, month: int) -> datetime:
    years, index = divmod(month - 1, 12)
    return datetime(year + years, index + 1, 1)


def month(year: int, number: int) -> Period:
    return months(year, number, 1, "month")


def quarter(year: int, number: int) -> Period:
    return months(year, 3 * number - 2, 3, "quarter")


def season(year: int, name: str) -> Period:
    """Whole months, named by the year they start in: winter 2022 is December 2022 to February 2023."""
    return months(year, SEASON_MONTH[name], 3, "season")


def year(number: int) -> Period:
    return months(number, 1, 12, "year")


def decade(first: int) -> Period:
    return months(first, 1, 120, "decade")


def shift_months(moment: datetime, count: int) -> datetime:
    """The same day `count` months on, or the last day of that month where it has no such day."""
    start = _month_start(moment.year, moment.month + count)
    length = (_month_start(start.year, start.month + 1) - start).days
    return moment.replace(year=start.year, month=start.month, day=min(moment.day, length))


def easter(number: int) -> date:
    """Easter Sunday, Gregorian (Meeus, Jones and Butcher's algorithm)."""
    a, (b, c) = number % 19, divmod(number, 100)
    (d, e), g = divmod(b, 4), (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month_number, offset = divmod(h + m - 7 * n + 114, 31)
    return date(number, month_number, offset + 1)


def latest(of_year: Callable[[int], Period | None], limit: datetime) -> Period | None:
    """The last yearly period that starts at or before `limit`; a year may have none (29 February)."""
    for number in range(limit.year, max(0, limit.year - 9), -1):
        period = of_year(number)
        if period is not None and period.start <= limit:
            return period
    return None


def part_of(period: Period, part: str) -> Period:
    """The early, mid or late third, or the first or second half, in whole days from two days on."""
    length = period.end - period.start
    first, last, of = {
        "early": (0, 1, 3),
        "mid": (1, 2, 3),
        "late": (2, 3, 3),
        "first": (0, 1, 2),
        "second": (1, 2, 2),
    }[part]
    start, end = period.start + length * first / of, period.start + length * last / of
    if length > 2 * DAY:
        start, end = midnight(start.date()), midnight(end.date())
    return Period(start, end, "range")
