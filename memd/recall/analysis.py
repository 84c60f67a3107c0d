"""What a query asks for, read off its words: terms, entities, times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from memd.errors import BadInput
from memd.model import Query
from memd.text import entities, times
from memd.text.words import STOP_WORDS, terms

LONGEST_QUERY = 100_000  # characters; more is a document, not a question
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


def check(query: Query) -> None:
    """Refuse what is no question.

    Raises:
        BadInput: the text is empty, too long, or not text, or the limit is out of range.
    """
    if not query.text.strip():
        raise BadInput("The query is empty.", "Give some words to look for.")
    if "\0" in query.text:
        raise BadInput("The query holds a NUL byte.", "Give text.")
    try:
        query.text.encode()
    except UnicodeEncodeError as error:
        raise BadInput("The query is not valid Unicode text.", "Give it in UTF-8.") from error
    if len(query.text) > LONGEST_QUERY:
        raise BadInput(f"The query is longer than {LONGEST_QUERY:,} characters.", "Ask with fewer words.")
    if not 1 <= query.limit <= 1000:
        raise BadInput(f"The limit {query.limit} is not in 1 to 1000.", "Give a limit from 1 to 1000.")


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
