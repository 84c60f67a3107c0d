"""What a query asks for, read off its words: terms, entities, times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from memd.model import Query
from memd.text import entities, times
from memd.text.entities import Entity
from memd.text.times import TimeSpan
from memd.text.words import STOP_WORDS, terms

MOST_TERMS = 64


class Analysis(NamedTuple):
    """A query taken apart.

    Attributes:
        text: as asked.
        terms: distinct words without stop words (with them, when there is nothing else), at most `MOST_TERMS`.
        entities: distinct names of what it mentions, in order.
        times: [start, end) in milliseconds since 1970, in order.
        named: what it mentions, as it is spelt.
        spans: its times, as they are spelt.
        asks_for_time: it asks when.
    """

    text: str
    terms: tuple[str, ...]
    entities: tuple[str, ...]
    times: tuple[tuple[int, int], ...]
    named: tuple[Entity, ...]
    spans: tuple[TimeSpan, ...]
    asks_for_time: bool

    def things(self) -> frozenset[str]:
        """Those of its entities that are spelt as no word of a language is."""
        return frozenset(one.name for one in self.named if _is_code(one, self.text[one.begin : one.stop]))

    def rest(self) -> tuple[str, ...]:
        """The terms beside its times and its people's names: what it asks about them."""
        people = [(one.begin, one.stop) for one in self.named if one.kind == "person"]
        beside = frozenset(terms(_without(self.text, [*people, *((span.begin, span.stop) for span in self.spans)])))
        return tuple(word for word in self.terms if word in beside and word not in STOP_WORDS)


def analyse(query: Query, now: datetime) -> Analysis:
    """Take a query that `check` let pass apart. `now` resolves relative times unless the query brings its own."""
    words = terms(query.text)
    kept = [word for word in words if word not in STOP_WORDS] or words
    moment = query.now or now
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    named = tuple(entities.extract(query.text))
    spans = tuple(times.parse(query.text, moment))
    return Analysis(
        text=query.text,
        terms=tuple(kept[:MOST_TERMS]),
        entities=tuple(dict.fromkeys(entity.name for entity in named)),
        times=tuple((_ms(span.start), _ms(span.end)) for span in spans),
        named=named,
        spans=spans,
        asks_for_time=times.asks_for_time(query.text),
    )


def _is_code(entity: Entity, spelling: str) -> bool:
    """Whether it is spelt as only code is: a lone word means many things, also the last one of `table.transform`."""
    whole = [*filter(str.isalnum, spelling.lower())] == [*filter(str.isalnum, entity.name)]
    plain = spelling.strip("`\"'()")
    shaped = not plain.isalpha() or plain[1:] not in (plain[1:].lower(), plain[1:].upper())
    return entity.kind != "person" and whole and shaped


def _without(text: str, cuts: Iterable[tuple[int, int]]) -> str:
    """The text with blanks at [begin, stop) of each cut."""
    for begin, stop in cuts:
        text = text[:begin] + " " * (stop - begin) + text[stop:]
    return text


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
