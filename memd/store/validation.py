"""What can be taken in, and the error that says why not. Pure; nothing is stored before all of it passed."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memd.errors import BadInput
from memd.model import ALL_SCOPES, CHANNELS, GLOBAL_SCOPE, KINDS, NewMemory, Query, Source

if TYPE_CHECKING:
    from memd.store.filters import Filters

TEXT_BYTES = 64 << 20
NAME_LENGTH = 4096
BUDGET_LIMIT = 100_000  # tokens
QUERY_LENGTH = 1 << 16
TAG_LENGTH = 100
TAGS = 64
POSITION_LIMIT = 1 << 53
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Times from here to there: what is reckoned from one of them stays within the calendar of every time zone."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def build(struct: type[Any], **fields: Any) -> Any:
    """Make a struct from keyword arguments, lists taken for tuples. Raises BadInput naming the fields it has."""
    try:
        return struct(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
    except TypeError as error:
        raise BadInput(f"{struct.__name__}: {error}.", f"Fields are: {', '.join(struct.__struct_fields__)}.") from None


def check_new(item: NewMemory) -> None:
    """Raise BadInput naming the first field of `item` that can't be taken."""
    if not isinstance(item, NewMemory):
        raise BadInput(f"A memory must be given as NewMemory, not {type(item).__name__}.")
    check_text(item.text)
    check_kind(item.kind)
    if item.scope is not None:
        check_scope(item.scope)
    check_tags(item.tags)
    _check_source(item.source)
    check_time(item.event_at, "event_at")
    _check_place(item)
    _check_life(item)


def _check_life(item: NewMemory) -> None:
    number = isinstance(item.importance, int | float) and not isinstance(item.importance, bool)
    if not (number and 0 <= item.importance <= 1):
        raise BadInput(f"The importance can't be {item.importance!r}.", "It is a number from 0 to 1.")
    if not isinstance(item.pinned, bool):
        raise BadInput(f"pinned can't be {item.pinned!r}.", "It is true or false.")


def check_text(text: object) -> None:
    """A text to store: not empty, no NUL, valid Unicode, at most `TEXT_BYTES`."""
    _check_string(text, "The text")
    assert isinstance(text, str)
    if not text or text.isspace():
        raise BadInput(
            "The text is empty.", "Give the text to remember as an argument, on standard input or with --file."
        )
    if 4 * len(text) > TEXT_BYTES and len(text.encode()) > TEXT_BYTES:
        raise BadInput(
            f"The text is over {TEXT_BYTES >> 20} MiB.", "Split it, or 'memd ingest' the file by its headings."
        )


def check_kind(kind: object) -> None:
    """One of `KINDS`."""
    if kind not in KINDS:
        raise BadInput(f"There is no kind {kind!r}.", f"Kinds are: {', '.join(KINDS)}.")


def check_scope(scope: object, *, reading: bool = False) -> None:
    """`global` or an absolute path; when reading also `all`."""
    _check_string(scope, "The scope", NAME_LENGTH)
    assert isinstance(scope, str)
    if scope == GLOBAL_SCOPE or (reading and scope == ALL_SCOPES) or _is_path(scope):
        return
    raise BadInput(
        f"{scope!r} is not a scope.",
        "Give 'global' or the absolute path of a project" + (", or 'all'." if reading else "."),
    )


def check_path(path: object) -> None:
    """An absolute path, as a file or folder of notes is named by."""
    _check_string(path, "The path", NAME_LENGTH)
    assert isinstance(path, str)
    if not _is_path(path):
        raise BadInput(f"{path!r} is no absolute path.", "Give the whole path.")


def plain_scope(scope: str) -> str:
    """The one spelling of a scope: a path without a trailing slash, doubled slashes or dots."""
    return os.path.normpath(scope) if _is_path(scope) else scope


def _is_path(scope: str) -> bool:
    return Path(scope).is_absolute()


def check_tags(tags: object) -> None:
    """Words: no white space or comma, at most `TAG_LENGTH` characters each, at most `TAGS` of them."""
    if not isinstance(tags, tuple | list):
        raise BadInput("Tags must be given as a list of words.")
    if len(tags) > TAGS:
        raise BadInput(f"A memory takes at most {TAGS} tags.")
    for tag in tags:
        _check_string(tag, "A tag", TAG_LENGTH)
        if not tag or any(c.isspace() or c == "," or unicodedata.category(c) == "Cc" for c in tag):
            raise BadInput(f"{tag!r} is not a tag.", "A tag is one word, without spaces or commas.")


def check_time(moment: object, name: str) -> None:
    """A datetime with a time zone, or None."""
    if moment is None:
        return
    if not isinstance(moment, datetime):
        raise BadInput(f"{name} must be a date and time, not {moment!r}.")
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise BadInput(f"{name} has no time zone.", "Write it as in 2026-03-01T12:00:00Z.")
    if not EARLIEST <= moment < LATEST:
        raise BadInput(f"{name} is outside of memd's calendar.", f"It goes from year {EARLIEST.year} to {LATEST.year}.")


def check_query(query: Query) -> None:
    """Raise BadInput naming the first field of `query` that can't be taken."""
    _check_string(query.text, "The query", QUERY_LENGTH)
    if not query.text or query.text.isspace():
        raise BadInput("The query is empty.", "Say what to look for.")
    check_filters(query, query.limit)
    check_time(query.now, "now")
    check_time(query.as_of, "as_of")
    _check_share(query.min_relevance)
    if query.budget is not None:
        check_budget(query.budget)
    _check_few(query.without, "channels")
    for channel in query.without:
        if channel not in CHANNELS:
            raise BadInput(f"There is no channel {channel!r}.", f"Channels are: {', '.join(CHANNELS)}.")


def check_budget(tokens: object) -> None:
    """A number of tokens that a block of text may have."""
    if isinstance(tokens, bool) or not isinstance(tokens, int) or not 1 <= tokens <= BUDGET_LIMIT:
        raise BadInput(f"A budget of {tokens} tokens can't be kept.", f"Give 1 to {BUDGET_LIMIT:,}.")


def check_filters(wanted: Filters | Query, limit: int = 1, most: int = 1000) -> None:
    """The conditions of a query or a list; `limit` is to lie in 1 to `most`."""
    check_scope(wanted.scope, reading=True)
    _check_few(wanted.kinds, "kinds")
    for kind in wanted.kinds:
        check_kind(kind)
    check_tags(wanted.tags)
    _check_string(wanted.source, "The source", NAME_LENGTH)
    check_time(wanted.since, "since")
    check_time(wanted.until, "until")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= most:
        raise BadInput(f"The limit can't be {limit!r}.", f"It is a whole number from 1 to {most}.")


def _check_few(names: Sequence[str], what: str) -> None:
    if len(names) > TAGS:
        raise BadInput(f"There aren't so many {what}.", "Name each once.")


def _check_share(share: object) -> None:
    if share is None:
        return
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise BadInput(f"The least relevance can't be {share!r}.", "It is a number from 0 to 1.")


def _check_source(source: object) -> None:
    if not isinstance(source, Source):
        raise BadInput("The source must be given as a Source.")
    for name in ("who", "via", "path", "session"):
        _check_string(getattr(source, name), f"The source's {name}", NAME_LENGTH)
    span = source.span
    if span is None:
        return
    if not (isinstance(span, tuple | list) and len(span) == 2 and all(isinstance(line, int) for line in span)):
        raise BadInput("The source's span must be its first and last line.")
    if not 1 <= span[0] <= span[1] < POSITION_LIMIT:
        raise BadInput(f"The source's span {span[0]}-{span[1]} is no range of lines.", "Lines count from 1.")


def _check_place(item: NewMemory) -> None:
    if item.episode is not None:
        _check_string(item.episode, "The episode", NAME_LENGTH)
        if not item.episode or item.episode.isspace():
            raise BadInput("The episode's key is empty.")
    if item.position is None:
        return
    if item.episode is None:
        raise BadInput("A position needs an episode.")
    if not isinstance(item.position, int) or not 0 <= item.position < POSITION_LIMIT:
        raise BadInput(f"{item.position!r} is not a position.", "Positions are whole numbers from 0.")


def _check_string(value: object, name: str, limit: int | None = None) -> None:
    if not isinstance(value, str):
        raise BadInput(f"{name} must be a string, not {type(value).__name__}.")
    if "\0" in value:
        raise BadInput(f"{name} contains a NUL byte.", "memd stores text; is this a binary file?")
    if _SURROGATE.search(value):
        raise BadInput(
            f"{name} is not valid Unicode (it holds half a surrogate pair).", "Save it as UTF-8 and try again."
        )
    if limit is not None and len(value) > limit:
        raise BadInput(f"{name} is longer than {limit} characters.")
