"""From text to time spans: find the expressions, read their surroundings, join what belongs together."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from memd.text.times.atoms import Atom, Now, Rule
from memd.text.times.context import Placed, place
from memd.text.times.joining import joined
from memd.text.times.periods import EARLIEST, LATEST
from memd.text.times.rules import BY_DIGIT, BY_WORD
from memd.text.times.span import TimeSpan

_WORD = re.compile(r"[^\W\d_]+|\d+")
LONGEST = 100_000  # characters read: a question is short, and what follows in a pasted log would only blur it

# A word or number glued to these is a piece of something else: a path, a version, an option, a sum.
_GLUE_LEFT = frozenset("._\\@#$+~^&%=*<")
_GLUE_RIGHT = re.compile(r"[\w\\@=(]|[.:+]\w")


def parse(text: str, now: datetime) -> list[TimeSpan]:
    """All times that `text` speaks of, in order, never overlapping, resolved against `now`.

    Args:
        text: any text; O(len(text)), and of a very long one the first `LONGEST` characters alone.
        now: the moment of asking. Days are those of its time zone; without one it is taken as UTC.

    Returns:
        Spans in the time zone of `now`; an empty list where the text names no time. Never raises.
    """
    zone = now.tzinfo or UTC
    here = Now(min(max(now.replace(tzinfo=None), EARLIEST), LATEST), zone)
    text = text[:LONGEST]
    spans = []
    for placed, period in joined(text, list(_placed(text, here)), here):
        if EARLIEST <= period.start < period.end <= LATEST:
            spans.append(
                TimeSpan(
                    start=period.start.replace(tzinfo=zone),
                    end=period.end.replace(tzinfo=zone),
                    begin=placed.begin,
                    stop=placed.atom.stop,
                    grain=period.grain,
                    relative=placed.atom.relative,
                    partial=placed.atom.recur is not None,
                )
            )
    return spans


def _placed(text: str, now: Now) -> Iterator[Placed]:
    """Every expression with its surroundings, those that may turn out to be none too."""
    resume = 0
    for word in _WORD.finditer(text):
        begin = word.start()
        if begin < resume:
            continue
        rules = BY_DIGIT if word[0][0].isdigit() else BY_WORD.get(word[0].lower())
        if not rules or (begin and (text[begin - 1] in _GLUE_LEFT or text[begin - 1].isalnum())):
            continue
        atom = _read(text, begin, rules, now)
        if atom is None:
            continue
        try:
            yield place(text, atom, now, resume)
        except (ValueError, OverflowError):
            continue
        resume = atom.stop


def _read(text: str, begin: int, rules: tuple[Rule, ...], now: Now) -> Atom | None:
    """What the first rule that fits here makes of it."""
    for rule in rules:
        match = rule.pattern.match(text, begin)
        if match is None:
            continue
        try:
            atom = rule.make(match, now)
        except (ValueError, OverflowError):
            continue
        if atom is None:
            continue
        if text.startswith(("'s", "’s"), atom.stop):
            atom = replace(atom, stop=atom.stop + 2)
        if not _GLUE_RIGHT.match(text, atom.stop):
            return atom
    return None
