"""One time that stands for itself, as an option's value."""

import re
from datetime import UTC, datetime, timedelta

from memd.errors import BadInput
from memd.text.times import periods
from memd.text.times.parser import parse

_SHORT = re.compile(r"(?P<count>\d{1,6}) ?(?P<unit>min|m|h|d|w|mo|y)(?: ago)?", re.I)
_LEADING = re.compile(r"(?:(?:in|on|at) )?(?:in |on |at )?(?:the )?", re.I)
HINT = "Give a date (2023-05-07, 2023-05-07T10:30), an age (3d, 2w, 12h) or words (yesterday, last week, in May 2023)."


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment that `text` alone says: an ISO date or time, `now`, an age (`90min`, `12h`, `3d`, `2w`, `6mo`, `1y`),
    or a time expression, which means the start of its span.

    Args:
        text: the whole text must be one expression.
        now: the moment of asking; what names no zone is in its time zone (UTC where it has none).

    Returns:
        An aware datetime.

    Raises:
        BadInput: the text is no time, or lies outside the calendar.
    """
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    wanted = text.strip()
    try:
        moment = _exact(wanted, now) or _age(wanted, now) or _expression(wanted, now)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise BadInput(f"Not a time: {text[:80]!r}.", HINT)
    return moment


def _exact(text: str, now: datetime) -> datetime | None:
    if text.lower() == "now":
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def _age(text: str, now: datetime) -> datetime | None:
    match = _SHORT.fullmatch(text)
    if match is None:
        return None
    count, unit = int(match["count"]), match["unit"].lower()
    if unit in ("mo", "y"):
        return periods.shift_months(now, -count * (12 if unit == "y" else 1))
    name = {"min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[unit]
    return now - timedelta(**{name: count})


def _expression(text: str, now: datetime) -> datetime | None:
    for candidate in (text, f"in {text}", f"on {text}"):
        spans = parse(candidate, now)
        if len(spans) == 1 and spans[0].stop == len(candidate) and _LEADING.fullmatch(candidate, 0, spans[0].begin):
            return spans[0].start
    return None
