"""Front matter: the YAML or TOML block at the head of a note. Its date and tags are used, its text kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from memd.ingest.lines import split

MAX_LINES = 200
"""A longer block is taken for text: no note has so much front matter."""

MAX_CHARACTERS = 20_000
"""A larger block is kept as front matter, but not parsed: YAML takes a minute for a megabyte."""

_CLOSERS = {"---": ("---", "..."), "+++": ("+++",)}


class Facts(NamedTuple):
    """What a note says of itself. `status` is that of a decision (`accepted`, `superseded by …`)."""

    date: datetime | None = None
    tags: tuple[str, ...] = ()
    status: str = ""


def line_count(lines: Sequence[str]) -> int:
    """How many lines, from the first, are front matter with its fences; 0 for none."""
    closers = _CLOSERS.get(lines[0].rstrip()) if lines else None
    if closers is None:
        return 0
    for index, line in enumerate(islice(lines, 1, MAX_LINES), 1):
        if line.rstrip() in closers:
            return index + 1
    return 0


def facts(text: str) -> Facts:
    """The date and tags in the front matter of `text`; none where there is none or it is malformed."""
    known = fields(text)
    found = facts_of(known.get("date"), known.get("tags"))
    status = known.get("status")
    return found._replace(status=status.strip()) if isinstance(status, str) else found


def fields(text: str) -> Mapping[str, Any]:
    """What the front matter of `text` says, as YAML or TOML gives it; nothing where it is malformed or missing."""
    if not text.startswith(tuple(_CLOSERS)):
        return {}
    lines = split(text)
    block = "".join(lines[1 : line_count(lines) - 1])
    return _fields(lines[0].rstrip(), block) if 0 < len(block) <= MAX_CHARACTERS else {}


def facts_of(date: object, tags: object) -> Facts:
    """The facts in two fields of a header, of whatever form; what can't be understood is left out."""
    return Facts(_date(date), _tags(tags))


def _fields(fence: str, block: str) -> Mapping[str, Any]:
    fields: Any = None
    if fence == "+++":
        import tomllib

        try:
            fields = tomllib.loads(block)
        except (ValueError, RecursionError):  # a TOMLDecodeError is one; a number of 5,000 digits another
            return {}
    else:
        import yaml  # type: ignore[import-untyped]

        try:
            fields = yaml.load(block, Loader=_yaml_loader())
        except Exception:  # its constructors let through what they meet: ValueError, KeyError, AttributeError, …
            return {}
    return fields if isinstance(fields, dict) else {}


@cache
def _yaml_loader() -> type[Any]:
    """PyYAML's safe loader, which leaves merge keys (`<<`) out: a few lines of them could grow without bound."""
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def flatten_mapping(self, node: Any) -> None:
            node.value = [pair for pair in node.value if pair[0].tag != "tag:yaml.org,2002:merge"]

    return Loader


def _date(value: object) -> datetime | None:
    """A date or time as an aware UTC datetime; one without a zone is taken as UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        return None


def _tags(value: object) -> tuple[str, ...]:
    """Tags from a list, or from a string with commas or spaces between them, as note tools write both.

    A tag of several words gets hyphens; what the store wouldn't take is left out.
    """
    from memd.store.validation import TAGS

    if isinstance(value, str):
        value = value.split(",") if "," in value else value.split()
    if not isinstance(value, list):
        return ()
    words = (_written(item).lower().replace(",", " ").split() for item in value)
    tags = ("-".join(parts).lstrip("#") for parts in words)
    return tuple(dict.fromkeys(tag for tag in tags if _is_tag(tag)))[:TAGS]


def _written(item: object) -> str:
    """A tag as it is written; a number too, but for one that is as long as a text."""
    if isinstance(item, int):
        return str(item) if item.bit_length() <= 64 else ""
    return item if isinstance(item, str) else ""


def _is_tag(tag: str) -> bool:
    from memd.errors import BadInput
    from memd.store.validation import check_tags

    try:
        check_tags((tag,))
    except BadInput:
        return False
    return True
