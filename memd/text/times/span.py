"""The noun: a stretch of time that a text speaks of."""

from datetime import datetime
from typing import Literal, NamedTuple

Grain = Literal["hour", "day", "week", "month", "quarter", "season", "year", "decade", "range"]


class TimeSpan(NamedTuple):
    """`text[begin:stop]` speaks of [start, end).

    Attributes:
        start, end: aware, in the time zone of the `now` it was read at; `end` is exclusive. An open
            side ("before 2020") reaches to the year 1000 or 9000, safe to convert to any time zone.
        begin, stop: character offsets of the expression.
        grain: how fine the expression is; `"range"` for everything that is no calendar unit.
        relative: it moves with `now` ("last week"); false for "7 May 2023".
        partial: it left its year or week open ("in May", "on Tuesday") and the last one was taken.
    """

    start: datetime
    end: datetime
    begin: int
    stop: int
    grain: Grain
    relative: bool
    partial: bool = False
