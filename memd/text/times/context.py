"""What the words around an expression say: its preposition, the part of it that is meant, and whether it
is a time at all."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from memd.text.times import periods
from memd.text.times.atoms import FULL_WEAK_MONTHS, Atom, Now, count_of
from memd.text.times.periods import DAY, EARLIEST, LATEST, Period
from memd.text.words import listed

REACH = 48  # characters looked back
_LEAD = re.compile(
    r"""(?<![\w'’.-])
    (?P<shift> (?: (?P<count> the | \d{1,3} | an? | one | two | three | four | five | six | seven )[ ]
                   (?P<unit> day | week | weekend | month | year )s? [ ] (?=(?:before|after)\b) )? )
    (?P<op> (?: ever[ ]since | since | starting(?:[ ](?:in|on|from))? | after | before | prior[ ]to | until | till
              | up[ ]to | through | between | from | by | back[ ]in | in | on | at | during | of | over | around | about
              | for | as[ ]of | throughout | within | circa | post(?=-) | pre(?=-) | all ) (?: [ ,\r\n]{1,2} | - ) )?
    (?:the[ ])?
    (?P<part> (?: (?:very|sometime|somewhere)[ ] )?
        (?: (?:early|earlier|mid|middle|late|later)(?:[ ](?:in|of|on))?
          | (?: beginning | start | middle | end | (?:first|second)[ ]half | (?:first|second|third|fourth|last)[ ]week
              | (?:first|last)[ ](?:day|weekend) | week ) [ ]of ) [ -] )?
    (?: the[ ] | of[ ] )?
    \Z""",
    re.X | re.I,
)
_FROM_IT_ON = ("since", "ever since", "as of")
_UP_TO_IT = ("until", "till", "up to")
_BEFORE_IT = ("before", "prior to", "pre")
_AFTER_IT = ("after", "post")
# Prepositions that an expression's own span begins with; "in" and "on" stay outside.
_PART_OF_SPAN = frozenset((*_FROM_IT_ON, *_UP_TO_IT, *_BEFORE_IT, *_AFTER_IT, "between", "from"))
_LICENCE = _PART_OF_SPAN | listed(
    "starting,starting in,starting on,starting from,back in,in,on,during,of,over,around,throughout,within,circa,all",
    ",",
)
# Those that say a date follows, whatever else the word may be.
_DATE_LICENCE = frozenset(
    ("on", "since", "ever since", "until", "till", "before", "after", "prior to", "starting on", "starting")
)
_HOLIDAY_LICENCE = frozenset(("at", "for", "by", "about"))
_YEAR_LICENCE = (_LICENCE | {"by", "through"}) - {"between", "of", "over", "around", "on", "up to", "within", "all"}
# A bare year may also stand after these words.
_BEFORE_YEAR = listed("the our my his her their its your this that year fiscal fy late early mid")
# A number before one of these is a quantity ("2022 rows", "2000 ms").
_QUANTITIES = listed("""
    s ms us ns m b k kb mb gb kib mib gib px pt km kg percent usd eur people memories children entries retries queries
    batches indices vertices matches sec second min minute hour day week month year byte bit row line file test item
    time token char character record request word commit step iteration user point call error warning message case
    example page column dimension vector passage thread core node key value dollar euro mile attempt pixel sample doc
    document batch object element query result hit event run process connection entry retry character
    """)
_NEXT_WORD = re.compile(r"[ -]{1,2}([a-z]{1,24})\b", re.I)
_COUNTED = re.compile(
    r"(?:ports?|lines?|rows?|pages?|ids?|issues?|rfcs?|peps?|bytes|steps?|items?|chars|characters|positions?|indices"
    r"|index|code|number)[ ]\Z",
    re.I,
)
_DETERMINER = re.compile(r"\b(?:the|our|my|his|her|their|its|your|that)[ ]\Z", re.I)
_NOUN = re.compile(r" (?!(?:of|is|was|and|or|to|in|on|at|for|has|had|does|did|who|that|which)\b)[a-z]{3}")
# "Black Friday", "the second Tuesday".
_NO_WEEKDAY = re.compile(
    r"\b(?:black|good|ruby|casual|cyber|super|palm|easter|ash|fat|bloody|throwback|freaky"
    r"|first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th)[ ]\Z",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Placed:
    """An atom where it stands.

    Attributes:
        op: its preposition, lower-case; "" for none.
        part: what it is a part of it ("early", "end of"); "" for all.
        article: whether "the" stands before it.
        begin: where the whole expression begins, prepositions that change its meaning included.
        hanging: glued to a word by a hyphen or slash on its left, on its right.
    """

    atom: Atom
    op: str
    part: str
    article: bool
    begin: int
    hanging: tuple[bool, bool]


def place(text: str, atom: Atom, now: Now, floor: int) -> Placed:
    """Read what stands before the atom, back to `floor` at most."""
    reach = max(floor, atom.begin - REACH)
    lead = _LEAD.search(text[reach : atom.begin])
    op = part = ""
    article, begin = False, atom.begin
    if lead:
        op, part = (re.sub(r"[\s,-]+", " ", lead[group] or "").strip().lower() for group in ("op", "part"))
        article = text[max(floor, atom.begin - 4) : atom.begin].lower() == "the "
        if op in _PART_OF_SPAN or op.startswith("starting"):
            begin = reach + lead.start("op")
        elif part:
            begin = reach + lead.start("part")
        if lead["shift"] and not part:
            begin, op = reach + lead.start("shift"), ""
            atom = _shifted(atom, lead, now)
    left = text[atom.begin - 1 : atom.begin]
    right = text[atom.stop : atom.stop + 2]
    return Placed(
        atom=atom,
        op=op,
        part=part,
        article=article,
        begin=begin,
        hanging=(
            left in ("-", "/") and begin == atom.begin,
            len(right) == 2 and right[0] in "-/" and right[1].isalnum(),
        ),
    )


def _shifted(atom: Atom, lead: "re.Match[str]", now: Now) -> Atom:
    """`two days before` it, `the week after` it."""
    count = 1 if lead["count"].lower() == "the" else count_of(lead["count"])
    unit, before = lead["unit"].lower(), lead["op"].lower().startswith("before")
    if atom.weak and not atom.recur:
        return atom
    edge = atom.period.start if before else atom.period.end - DAY
    sign = -1 if before else 1
    if unit in ("month", "year"):
        target = periods.shift_months(edge, sign * count * (12 if unit == "year" else 1)).date()
        period = periods.month(target.year, target.month) if unit == "month" else periods.year(target.year)
    elif unit == "day":
        period = periods.day((edge + sign * count * DAY).date())
    elif unit == "weekend":
        period = periods.weekend((edge + sign * timedelta(weeks=count)).date())
    elif count == 1:
        period = periods.days((edge - 7 * DAY if before else edge + DAY).date(), 7, "week")
    else:
        period = periods.days((edge + sign * timedelta(weeks=count)).date() - 3 * DAY, 7, "week")
    return replace(atom, period=period, recur=None, weak=False)


def counts(text: str, placed: Placed) -> bool:
    """Whether the expression, alone, means a time where it stands."""
    atom, op = placed.atom, placed.op
    if any(placed.hanging):
        return False
    if atom.year:
        return _year_counts(text, placed)
    if is_weekday(atom) and _NO_WEEKDAY.search(text, max(0, atom.begin - 12), atom.begin):
        return False
    if not atom.weak or (placed.part and not atom.verb):
        return True
    if atom.verb:
        return op in _DATE_LICENCE or (atom.period.grain == "range" and op in ("over",))
    if not atom.word:
        return op in _LICENCE or op in _HOLIDAY_LICENCE
    return (op in _LICENCE and _word_counts(text, placed)) or _modifies(text, atom)


def _modifies(text: str, atom: Atom) -> bool:
    """`the March meeting`, `our May release`: a capitalised month between a determiner and a noun."""
    written = text[atom.begin : atom.stop]
    return (
        written.lower() in FULL_WEAK_MONTHS
        and written[0].isupper()
        and _DETERMINER.search(text, max(0, atom.begin - 7), atom.begin) is not None
        and _NOUN.match(text, atom.stop) is not None
    )


def is_weekday(atom: Atom) -> bool:
    return atom.relative and atom.recur is not None and atom.period.grain == "day"


def _word_counts(text: str, placed: Placed) -> bool:
    """A month, weekday or season that is also a name or a word, after a preposition."""
    atom = placed.atom
    written = text[atom.begin : atom.stop].removesuffix("'s").removesuffix("’s")
    word = written.lower()
    if atom.period.grain == "season":
        return placed.article or written != "Spring"  # "in Spring" is the framework's
    if word in FULL_WEAK_MONTHS:
        return (
            not placed.article and placed.op != "of" and (placed.op not in ("over", "around", "all") or word == "march")
        )
    if placed.article:
        return False  # "on the sun"
    return written[0].isupper() or placed.op in _DATE_LICENCE


def _year_counts(text: str, placed: Placed) -> bool:
    """A bare number between 1900 and 2099 is a year after a preposition, or alone in its text."""
    atom = placed.atom
    if _is_quantity(text, atom.stop):
        return False
    if placed.part:
        return True
    if placed.op in _YEAR_LICENCE:
        return placed.op in ("in", "since", "back in", "during") or not _is_plural(text, atom.stop)
    before = text[max(0, atom.begin - 16) : atom.begin].split()
    if before:
        return before[-1].lower() in _BEFORE_YEAR
    return not text[atom.stop : atom.stop + 8].strip(" ?.!\n")


def _is_quantity(text: str, stop: int) -> bool:
    following = _NEXT_WORD.match(text, stop)
    return following is not None and (
        following[1].lower() in _QUANTITIES or following[1].lower().removesuffix("s") in _QUANTITIES
    )


def _is_plural(text: str, stop: int) -> bool:
    following = _NEXT_WORD.match(text, stop)
    return (
        following is not None
        and len(following[1]) > 3
        and following[1].endswith("s")
        and not following[1].endswith("ss")
    )


def years_counted(text: str, first: Placed, second: Placed) -> bool:
    """Whether `2000-2010`, `from 1990 to 2022` are quantities."""
    before = _COUNTED.search(text, max(0, first.atom.begin - 14), first.atom.begin)
    return before is not None or _is_quantity(text, second.atom.stop)


def narrowed(period: Period, part: str) -> Period:
    """The part of the period that "early", "the end of", "the second week of" say."""
    part = part.removeprefix("very ").removeprefix("sometime ").removeprefix("somewhere ")
    if not part or (period.end - period.start <= DAY and part != "week of"):
        return period
    if part.endswith("week of"):
        number = {"week": -1, "first": 0, "second": 1, "third": 2, "fourth": 3, "last": 4}[part.split()[0]]
        if number < 0:
            return periods.week(period.start.date())
        start = period.end - 7 * DAY if number == 4 else period.start + 7 * number * DAY
        return Period(start, start + 7 * DAY, "week")
    if part.endswith("weekend of"):
        return periods.weekend(period.start.date() if part[0] == "f" else (period.end - 7 * DAY).date())
    if part.endswith("day of"):
        return periods.day(period.start.date() if part[0] == "f" else (period.end - DAY).date())
    if "half" in part:
        return periods.part_of(period, part.split()[0])
    third = {"beg": "early", "sta": "early", "ear": "early", "mid": "mid", "end": "late", "lat": "late"}[part[:3]]
    return periods.part_of(period, third)


def applied(placed: Placed, now: Now) -> Period:
    """The period after its part and its preposition have had their say."""
    period, op, part = placed.atom.period, placed.op, placed.part
    tomorrow = periods.midnight(now.today) + DAY
    if part.startswith("earlier"):
        period = Period(period.start, min(period.end, now.moment), "range") if period.start < now.moment else period
    elif part.startswith("later"):
        period = Period(max(period.start, now.moment), period.end, "range") if now.moment < period.end else period
    else:
        period = narrowed(period, part)
    if op in _FROM_IT_ON or op.startswith("starting"):
        return Period(period.start, max(tomorrow, period.end), "range")
    if op in _AFTER_IT:
        return Period(period.end, tomorrow if period.end < tomorrow else LATEST, "range")
    if op in _BEFORE_IT:
        return Period(EARLIEST, period.start, "range")
    if op in _UP_TO_IT:
        return Period(EARLIEST, period.end, "range")
    return period
