"""From text to time spans: find the expressions, decide which of them count, join what belongs together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from memd.text.times import periods
from memd.text.times.periods import DAY, EARLIEST, LATEST, Period
from memd.text.times.rules import BY_DIGIT, BY_WORD, Atom, Now
from memd.text.times.span import TimeSpan

_WORD = re.compile(r"[^\W\d_]+|\d+")
_GLUE_LEFT = frozenset("._/\\@#$+~^&%=-*")
_GLUE_RIGHT = re.compile(r"[\w/\\@=(]|[.:+][\w]|-(?=\w)")
_HYPHEN = re.compile(r"-\w")

# What stands before an expression: its preposition, and the part of the period that is meant.
_LEAD_REACH = 44  # characters looked back
_LEAD = re.compile(
    r"""(?<![\w'’.-])
    (?P<op> (?:ever[ ]since|since|starting(?:[ ](?:in|on|from))?|after|before|prior[ ]to|until|till|up[ ]to|through|between|from|by
            |back[ ]in|in|on|at|during|of|over|around|about|for|as[ ]of|throughout|within|into|circa|post-?|pre-?|all) [ ,\r\n]{0,2})?
    (?:the[ ])?
    (?P<part> (?:(?:very|sometime|somewhere)[ ])?
        (?: (?:early|earlier|mid|middle|late|later)(?:[ ](?:in|of|on))?
          | (?:beginning|start|middle|end|first[ ]half|second[ ]half|first[ ]week|last[ ]week|first[ ]days|last[ ]days|week)[ ]of ) [ -])?
    (?:the[ ]|of[ ])?
    \Z""",
    re.X | re.I,
)
_LICENCE = frozenset(
    "since,ever since,starting,starting in,starting on,starting from,after,before,prior to,until,till,up to,between,from,"
    "back in,in,on,during,of,over,around,throughout,within,circa,post,pre,as of,all".split(",")
)
_NOT_A_YEAR_AFTER = re.compile(
    r"""[ ]{1,2}(?:ms|s|secs?|seconds?|mins?|minutes?|hours?|days?|weeks?|months?|years?|bytes?|[kmg]i?b|px|rows?|lines?|files?|tests?|items?|times|tokens?
    |char(?:acter)?s|records?|requests?|words?|commits?|steps?|iterations?|people|users?|points?|calls?|errors?|warnings?|messages?|entries|cases?
    |examples?|pages?|columns?|dimensions?|vectors?|memories|passages?|threads?|cores?|percent|dollars|euros|usd|eur|miles|km|kg|[a-z]{3,}ed)\b""",
    re.X | re.I,
)
# A year by itself is one after these words, or alone in its line.
_YEAR_AFTER = frozenset("the our my his her their its your this that year fiscal fy late early mid summer spring autumn winter fall".split())
_BETWEEN = re.compile(r"[ ,\r\n]{0,3}(?:to|until|till|through|thru|and|up to|[-–—])[ \r\n]{0,3}(?:the )?(?:(?:early|mid|late)[ -]|(?:beginning|start|end) of )?\Z", re.I)
_SHIFT = re.compile(r"(?<![\w-])(?P<count>\d{1,3}|an?|one|two|three|four|five|six|seven)[ ](?P<unit>day|week|month|year)s?[ ](?P<way>before|after)[ ](?:the[ ])?\Z", re.I)


@dataclass(frozen=True, slots=True)
class _Found:
    """An atom with what stands around it."""

    atom: Atom
    op: str
    part: str
    begin: int
    glued_left: bool
    glued_right: bool


def parse(text: str, now: datetime) -> list[TimeSpan]:
    """All times that `text` speaks of, in order, never overlapping, resolved against `now`.

    Args:
        text: any text; O(len(text)) and usually well under 100 µs for a question.
        now: the moment of asking. Days are those of its time zone; without one it is taken as UTC.

    Returns:
        Spans in the time zone of `now`; an empty list where the text names no time. Never raises.
    """
    zone = now.tzinfo or UTC
    here = Now(now.replace(tzinfo=None))
    spans = []
    for found, period in _joined(text, list(_found(text, here, zone_of=now if now.tzinfo else now.replace(tzinfo=UTC))), here):
        if period is None or period.start >= period.end:
            continue
        if not (EARLIEST <= period.start and period.end <= LATEST):
            continue
        spans.append(
            TimeSpan(
                period.start.replace(tzinfo=zone),
                period.end.replace(tzinfo=zone),
                found.begin,
                found.atom.stop,
                period.grain,
                found.atom.relative,
                found.atom.recur is not None,
            )
        )
    return spans


def _found(text: str, now: Now, zone_of: datetime) -> Iterator[_Found]:
    """Every expression with its surroundings, weak ones too."""
    resume = 0
    for word in _WORD.finditer(text):
        begin = word.start()
        if begin < resume:
            continue
        rules = BY_DIGIT if word[0][0].isdigit() else BY_WORD.get(word[0].lower())
        if not rules:
            continue
        before = text[begin - 1] if begin else " "
        if before.isalnum() or before == "_" or (before in _GLUE_LEFT and before != "-"):
            continue
        for rule in rules:
            match = rule.pattern.match(text, begin)
            if match is None:
                continue
            try:
                atom = rule.make(match, now)
            except (ValueError, OverflowError):
                atom = None
            if atom is None:
                continue
            atom = _possessive(text, atom)
            after = _GLUE_RIGHT.match(text, atom.stop)
            hyphen = bool(after) and text[atom.stop] == "-"
            if after and not hyphen:
                continue
            found = _surround(text, atom, before == "-", hyphen, resume)
            resume = atom.stop
            yield found
            break


def _possessive(text: str, atom: Atom) -> Atom:
    return replace(atom, stop=atom.stop + 2) if text.startswith(("'s", "’s"), atom.stop) else atom


def _surround(text: str, atom: Atom, hyphen_left: bool, hyphen_right: bool, floor: int) -> _Found:
    reach = max(floor, atom.begin - _LEAD_REACH)
    lead = _LEAD.search(text[reach : atom.begin])
    op = part = ""
    begin = atom.begin
    if lead:
        op, part = (re.sub(r"[\s,-]+", " ", lead[group] or "").strip().lower() for group in ("op", "part"))
        if op in ("since", "ever since", "after", "before", "prior to", "until", "till", "up to", "between", "from", "post", "pre") or op.startswith("starting"):
            begin = reach + lead.start("op")
        elif part:
            begin = reach + lead.start("part")
    glued = hyphen_left and not (part or op in ("post", "pre"))
    return _Found(atom, op, part, begin, glued, hyphen_right)


def _joined(text: str, found: list[_Found], now: Now) -> Iterator[tuple[_Found, Period | None]]:
    """Ranges become one span; what is weak and stands alone is dropped."""
    at = 0
    while at < len(found):
        first = found[at]
        second = found[at + 1] if at + 1 < len(found) else None
        if second is not None:
            gap = text[first.atom.stop : second.atom.begin]
            if len(gap) <= 24 and gap.strip(" ,") == "" and _same_day(first.atom, second.atom):
                # "Tuesday, 7 May 2023": the date says more than the weekday.
                merged = replace(second.atom, begin=first.atom.begin)
                found[at + 1] = replace(first, atom=merged, glued_right=second.glued_right)
                at += 1
                continue
            if _is_range(first, second, gap):
                yield _range(first, second, now)
                at += 2
                continue
        if _counts(text, first):
            yield first, _applied(text, first, now)
        at += 1


def _same_day(first: Atom, second: Atom) -> bool:
    """A weekday and then a date."""
    return first.relative and first.recur is not None and first.period.grain == "day" and second.period.grain in ("day", "hour") and not second.relative


def _is_range(first: _Found, second: _Found, gap: str) -> bool:
    if len(gap) > 24 or not _BETWEEN.match(gap):
        return False
    if "and" in gap.lower().split() and first.op != "between":
        return False
    if first.glued_left or second.glued_right:
        return False
    if first.atom.bare_year != second.atom.bare_year and first.atom.weak and second.atom.weak:
        return False
    # Two weak ones need the words of a range around them: "from March to May", "May-June".
    strong = not first.atom.weak or not second.atom.weak
    if first.atom.bare_year and second.atom.bare_year and first.op not in ("between", "from", *_LICENCE):
        return gap.strip() in "-–—" and first.atom.period.start < second.atom.period.start
    return strong or first.op in ("between", "from", "in", "during", "of") or (first.atom.name and second.atom.name and gap.strip() in "-–—")


def _range(first: _Found, second: _Found, now: Now) -> tuple[_Found, Period | None]:
    start, end = _part(first.atom.period, first.part), _part(second.atom.period, second.part)
    if first.atom.recur and (not second.atom.recur or start.start > end.start):
        start = first.atom.recur(end.start) or start
    elif second.atom.recur and not first.atom.recur:
        end = second.atom.recur(start.start + 364 * DAY) or end
    atom = replace(
        first.atom,
        stop=second.atom.stop,
        relative=first.atom.relative or second.atom.relative,
        recur=first.atom.recur if first.atom.recur and second.atom.recur else None,
    )
    begin = first.begin
    return replace(first, atom=atom, begin=begin), Period(start.start, max(start.end, end.end) if start.start <= end.start else start.start, "range")


def _counts(text: str, found: _Found) -> bool:
    """Whether the expression means a time where it stands."""
    atom = found.atom
    if found.glued_left or found.glued_right:
        return False
    if atom.bare_year:
        return _year_counts(text, found)
    if not atom.weak:
        return True
    if found.part and found.part not in ("week of",):
        return True
    if found.op not in _LICENCE:
        return False
    if atom.name:
        return _named_counts(text, found)
    return True


def _named_counts(text: str, found: _Found) -> bool:
    """A month or weekday that is also a name or a word, after a preposition."""
    word = text[found.atom.begin : found.atom.stop].lower()
    if word in ("spring",):
        return " the " in text[max(0, found.atom.begin - 5) : found.atom.begin]
    if found.op in ("of", "from", "over", "around", "all") and word in ("april", "may", "june", "august", "jan", "mar", "sun", "sat"):
        return found.op == "from" and False
    if len(word) <= 4 and word not in ("may", "june", "july"):
        return text[found.atom.begin].isupper() or found.op in ("on", "since", "until", "till", "before", "after")
    return True


def _year_counts(text: str, found: _Found) -> bool:
    atom = found.atom
    if _NOT_A_YEAR_AFTER.match(text, atom.stop):
        return False
    if found.part or found.op in _LICENCE and found.op not in ("of", "over", "around", "on", "all", "up to", "within"):
        return True
    before = text[max(0, atom.begin - 16) : atom.begin].split()
    if before:
        return before[-1].lower() in _YEAR_AFTER
    return not text[atom.stop :atom.stop + 8].strip(" ?.!\n")


def _part(period: Period, part: str) -> Period:
    """The part of the period that "early", "the end of", … say."""
    part = part.removeprefix("very ").removeprefix("sometime ").removeprefix("somewhere ")
    if not part or part == "week of":
        return periods.week(period.start.date()) if part else period
    length = period.end - period.start
    if length <= DAY:
        return period
    if part in ("first week of", "last week of"):
        return Period(period.start, min(period.end, period.start + 7 * DAY), "week") if part[0] == "f" else Period(max(period.start, period.end - 7 * DAY), period.end, "week")
    if "half" in part:
        return periods.part_of(period, part.split()[0])
    name = {"beg": "early", "sta": "early", "ear": "early", "mid": "mid", "end": "late", "lat": "late", "fir": "early", "las": "late"}[part[:3]]
    return periods.part_of(period, name)


def _applied(text: str, found: _Found, now: Now) -> Period | None:
    """The period after its preposition has had its say."""
    period, op, part = found.atom.period, found.op, found.part
    tomorrow = periods.midnight(now.today) + DAY
    if part.startswith("earlier"):
        return Period(period.start, min(period.end, now.moment), "range") if period.start < now.moment else period
    if part.startswith("later"):
        return Period(max(period.start, now.moment), period.end, "range") if now.moment < period.end else period
    period = _part(period, part)
    if op in ("since", "ever since", "as of") or op.startswith("starting"):
        return Period(period.start, max(tomorrow, period.end), "range")
    if op in ("after", "post"):
        return Period(period.end, tomorrow if period.end < tomorrow else LATEST, "range")
    if op in ("before", "prior to", "pre"):
        return Period(EARLIEST, period.start, "range")
    if op in ("until", "till", "up to"):
        return Period(EARLIEST, period.end, "range")
    return period
