"""basic-memory's notes: a folder of Markdown files with front matter, observations and relations.

As of basicmachines-co/basic-memory at 32235b7 (`markdown/plugins.py`) and 01e12d4 (`markdown/entity_parser.py`); held
against the parser of 0.24.1, from which it differs in that `#12` is no tag, and that only list items are looked at.
A list item `[category] text #tag (context)` is an observation, one `relation_type [[Target]] (context)` a relation; of
a note with `bm_parse_semantics: false` neither is. Its own database (`~/.basic-memory/memory.db`) is an index of these
files.

Each observation and relation is a memory with the note's title before it; what else the note says is cut by headings,
word for word. To keep up with the folder, have it watched instead (`memd watch add`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from memd.errors import FileUnusable
from memd.exchange.foreign import files
from memd.exchange.foreign.faults import Refuse, bad, not_of, shown, unreadable
from memd.exchange.foreign.shaping import digest, grouped, key, kind_of, moment, name, tags, text
from memd.exchange.records import Origin, Record
from memd.ingest import files as notes
from memd.ingest import frontmatter, markdown
from memd.ingest.lines import split
from memd.model import Source
from memd.store.conflicts import RELATION

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TOOL = "basic-memory"
_SUFFIX = ".md"
_LOOK = 200  # files, for one with front matter that tells whose it is
_LOOK_IN = 1000  # folders, for files
_PERMALINK = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?:[^\n]*\n){0,60}?permalink:", re.IGNORECASE)

_CATEGORY = re.compile(r"\[([^\[\]()\n]+)\]\s+\S")
_CLOCK = re.compile(r"\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?(?:\s+-\s+\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?)?")
_LABEL = re.compile(r"(?:\"([^\"\n]+)\"|'([^'\n]+)'|([^\s\"'\[]+))\s*\[\[([^\[\]\n]+)\]\]\s*(\([^()]*\))?")
_HASHTAG = re.compile(r"(?<!\S)#([^\W\d_][\w/-]*)")


def fits(path: Path) -> bool:
    """Whether the file, or one of the first in the folder, is a note with a permalink."""
    try:
        return any(_PERMALINK.match(files.begins(file)) for file in islice(_notes(path, _LOOK_IN), _LOOK))
    except FileUnusable:
        return False


def origin(path: Path) -> Origin:
    """The folder. Raises BadInput where it has no Markdown files."""
    if not any(True for _ in _notes(path)):
        raise not_of(path, TOOL, "it is neither a Markdown file nor a folder with some")
    return Origin(f"{TOOL}:{shown(path.absolute())}", TOOL, files.digest(_notes(path)))


def read(path: Path, refuse: Refuse) -> Iterator[Record]:
    """What its notes say, note by note in the order of their paths. Keeps one note in memory."""
    root = path.absolute() if path.is_dir() else path.absolute().parent
    for file in _notes(path.absolute()):
        yield from _of_note(file, shown(file.relative_to(root)), refuse)


def _notes(path: Path, most: int | None = None) -> Iterator[Path]:
    """The Markdown files in order, of at most so many folders.

    Hidden ones and links are left alone, so that nothing outside the folder is read.
    """
    if path.is_file() and path.suffix.lower() == _SUFFIX:
        yield path
    if not path.is_dir():
        return

    def stop(error: OSError) -> None:
        raise unreadable(error.filename or path, error) from None

    for folder, inner, names in islice(os.walk(path, onerror=stop), most):
        inner[:] = sorted(one for one in inner if not one.startswith("."))
        for one in sorted(names):
            file = Path(folder, one)
            if one.lower().endswith(_SUFFIX) and not one.startswith(".") and not file.is_symlink():
                yield file


class Item(NamedTuple):
    """A list item that says something by its form: its lines [first, last), from 0, and its text."""

    first: int
    last: int
    text: str
    kind: str
    tags: tuple[str, ...]
    relation: bool


def _of_note(file: Path, relative: str, refuse: Refuse) -> Iterator[Record]:
    try:
        loaded = notes.load_whole(file)
    except notes.Unreadable as error:
        refuse(bad(f"{relative} can't be taken: {error}."))
        return
    words = text(loaded.text)
    lines = split(words)
    skipped = frontmatter.line_count(lines)
    fields = frontmatter.fields(words)
    title = name(fields.get("title")) or name(shown(file.stem))
    written = _Written(file, relative, fields, loaded.state.st_mtime)
    items = [] if _is_plain(fields) else list(_items(lines, skipped))
    records: dict[str, Record] = {}
    for item in items:
        said = f"{title} {item.text}" if item.relation else f"{title}\n{item.text}"
        written.add(records, said, item.kind, item.tags, item.first + 1, item.last)
    taken = {line for item in items for line in range(item.first, item.last)}
    for section in markdown.sections(words):
        kept = [index for index in range(section.first - 1, section.last) if index >= skipped and index not in taken]
        rest = "".join(lines[index] for index in kept).strip("\r\n")
        if _says_something(rest):
            written.add(records, rest, kind_of(fields.get("type"), "document"), (), kept[0] + 1, kept[-1] + 1)
    yield from sorted(records.values(), key=lambda record: record.line)


class _Written:
    """Makes records of one note."""

    def __init__(self, file: Path, relative: str, fields: Mapping[str, Any], mtime: float) -> None:
        self._path = shown(file)
        self._relative = relative
        self._tags = tags(fields.get("tags"))
        self._at = moment(fields.get("created"), None) or datetime.fromtimestamp(int(mtime), UTC)

    def add(
        self, records: dict[str, Record], words: str, kind: str, labels: tuple[str, ...], first: int, last: int
    ) -> None:
        """One record, of the lines from `first` to `last`, counted from 1, unless the note said it before."""
        known = key(self._relative, digest(words))
        if known in records:
            return
        records[known] = Record(
            key=known,
            text=words,
            kind=kind,
            tags=tags(list(labels), list(self._tags)),
            source=Source(path=self._path, span=(first, last)),
            recorded_at=self._at,
            episode=grouped(TOOL, self._relative),
            position=first,
            line=first,
        )


def _items(lines: list[str], skipped: int) -> Iterator[Item]:
    """The observations and relations, which are list items outside of quotes and code."""
    tokens = _parser().parse("".join(lines[skipped:]))
    quotes = 0
    for before, paragraph, token in zip(tokens, tokens[1:], tokens[2:], strict=False):
        quotes += (before.type == "blockquote_open") - (before.type == "blockquote_close")
        opened = before.type == "list_item_open" and paragraph.type == "paragraph_open"
        if not (opened and token.type == "inline" and token.map) or quotes:
            continue
        content = token.content.strip()
        if found := _relation(content) or _observation(content):
            kind, labels, relation = found
            first, last = (line + skipped for line in token.map)
            yield Item(first, last, content, kind, labels, relation)


def _relation(content: str) -> tuple[str, tuple[str, ...], bool] | None:
    match = _LABEL.fullmatch(content)
    if not match:
        return None
    return "fact", tags(RELATION, match[1] or match[2] or match[3]), True


def _observation(content: str) -> tuple[str, tuple[str, ...], bool] | None:
    labels = _HASHTAG.findall(content)
    match = _CATEGORY.match(content)
    if match and not (_CLOCK.fullmatch(match[1].strip()) or _is_box(match[1])):
        category = match[1].strip()
        return kind_of(category, "note"), tags(category, labels), False
    if match or not labels or content.startswith("["):
        return None
    return "note", tags(labels), False


def _is_box(category: str) -> bool:
    """Whether it is the box of a task, in one of the forms that editors know."""
    return len(category) == 1 and (category in "xX" or not category.isalnum())


def _is_plain(fields: Mapping[str, Any]) -> bool:
    return text(fields.get("bm_parse_semantics")).lower() == "false"


def _says_something(words: str) -> bool:
    """Whether anything but headings is left."""
    return any(token.type in _TELLING for token in _parser().parse(words))


_TELLING = frozenset({"paragraph_open", "fence", "code_block", "html_block", "list_item_open"})


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable("inline")
