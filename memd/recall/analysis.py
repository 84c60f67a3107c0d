"""What a query asks for, read off its words: terms, entities, times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from memd.model import Query
from memd.text import entities, times
from memd.text.words import STOP_WORDS, terms

MOST_TERMS = 64


class Analysis(NamedTuple):
    """A query taken apart.

    Attributes:
        text: as asked.
        terms: distinct words without stop words (with them, when there is nothing else), at most `MOST_TERMS`.
        entities: distinct names of what it mentions, in order.
        times: [start, end) in milliseconds since 1970, in order.
    """

    text: str
    terms: tuple[str, ...]
    entities: tuple[str, ...]
    times: tuple[tuple[int, int], ...]


def analyse(query: Query, now: datetime) -> Analysis:
    """Take a query that `check` let pass apart. `now` resolves relative times unless the query brings its own."""
    words = terms(query.text)
    kept = [word for word in words if word not in STOP_WORDS] or words
    moment = query.now or now
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Analysis(
        text=query.text,
        terms=tuple(kept[:MOST_TERMS]),
        entities=tuple(dict.fromkeys(entity.name for entity in entities.extract(query.text))),
        times=tuple((_ms(span.start), _ms(span.end)) for span in times.parse(query.text, moment)),
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
