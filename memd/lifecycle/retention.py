"""Retention: Ebbinghaus' curve R = e^(−t/S), with a stability S that grows as repetition is spaced.

t is the time since the last use and S in days. A use after a long gap makes S grow more, one that is crammed hardly
(the spacing effect; Cepeda et al., "Distributed practice in verbal recall tasks", Psychological Bulletin 132, 2006;
the form of the growth as in SM-2's successors: a gain, damped as S grows). The numbers were fitted on the use trace
of one repository, each checked by halves of it and on made traces, and chosen on wide plateaus.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

BASE = 60.0  # days: S of an ordinary memory that was just recorded
KIND = {
    "decision": 2.0,
    "convention": 2.0,
    "preference": 2.0,
    "fact": 1.5,
    "procedure": 1.5,
    "fix": 1.5,
    "task": 0.75,
    "turn": 0.75,
}  # how many times longer than other kinds they last
IMPORTANCE = 4.0  # importance 1 lasts that many times longer than 0.5, importance 0 as many times shorter
GAIN = 0.5  # share by which a spaced use lets S grow at first
CRAMMED = 1 / 200  # of S: a gap of that length counts 63 %, one far shorter nothing
LAPSE = 0.5  # what a verdict of "useless" leaves of S
LEAST = 1.0  # days


def head_start(kind: str, importance: float) -> float:
    """How many times slower than an ordinary memory one of this kind and importance (0 to 1) fades."""
    return KIND.get(kind, 1.0) * float(IMPORTANCE ** (2 * importance - 1))


def initial(kind: str, importance: float) -> float:
    """S, in days, of a memory that was just recorded."""
    return BASE * head_start(kind, importance)


def grown(stability: float, start: float, gap: float) -> float:
    """S after a use.

    Args:
        stability: S before it, days.
        start: S when the memory was recorded; growth is damped by √(start/S).
        gap: days since the use before.

    Returns:
        Between S and S + GAIN·√(start·S); the longer the gap, the more.
    """
    return stability + GAIN * math.sqrt(start * stability) * -math.expm1(-max(0.0, gap) / (CRAMMED * stability))


def lapsed(stability: float) -> float:
    """S after a verdict that the memory didn't help."""
    return max(min(stability, LEAST), LAPSE * stability)


def stability(start: float, born: float, events: Iterable[tuple[float, bool]]) -> tuple[float, float]:
    """S after a history, and when the last use was.

    Args:
        start: S when it was recorded.
        born: the day it was recorded.
        events: day and whether it helped, in order of time.
    """
    now, last = start, born
    for at, helped in events:
        if helped:
            now, last = grown(now, start, at - last), max(last, at)
        else:
            now = lapsed(now)
    return now, last


def retention(age: float, stability: float) -> float:
    """R = e^(−t/S), `age` days after the last use; 1 for what is still to come."""
    return math.exp(-max(0.0, age) / stability)
