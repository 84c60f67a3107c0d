"""Time expressions in English text, resolved against the moment at which it is read.

`parse` finds them in running text ("the crash in March 2024", "two weekends ago", "since last Tuesday",
"between March and June", "2023-05-07"); `parse_moment` reads one that stands for itself, as a
command's option does.

What a text leaves open is settled towards the past, since memories are asked for: "in May" and
"Tuesday" are the last ones that have begun. Weeks start on Monday, seasons are those of the northern
hemisphere in whole months, `3/4/2023` is month first and `3.4.2023` day first (as git reads them).
"""

from memd.text.times.asking import asks_for_time
from memd.text.times.moment import parse_moment
from memd.text.times.parser import parse
from memd.text.times.span import Grain, TimeSpan

__all__ = ["Grain", "TimeSpan", "asks_for_time", "parse", "parse_moment"]
