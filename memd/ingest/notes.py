"""A file of notes, read and cut: what `memd ingest` and the watcher alike hand to the store."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from memd.ingest import conventions, files, frontmatter
from memd.ingest.frontmatter import Facts
from memd.ingest.lines import Section, split
from memd.ingest.linking import Link, anchor, links
from memd.text.redaction import private_parts, redact

READER = 1
"""Of the rules by which files are cut; a file that was read by others is read again."""


Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
Stored = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]  # what SQLite takes


class ReadSection(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A section of a note.

    Attributes:
        text: word for word.
        first, last: its lines, counted from 1, both included.
        headings: the titles above it, its own last; empty where it has none.
        number: which one it is of the file's sections with these headings, from 0.
        body: where in `text` begins what follows its own heading.
        links: where it leads, as (path, stem, anchor).
    """

    text: str
    first: Count
    last: Count
    headings: tuple[str, ...] = ()
    number: Count = 0
    body: Count = 0
    links: tuple[tuple[str, str, str], ...] = ()

    @property
    def anchor(self) -> str:
        """Its heading as links write it."""
        return anchor(self.headings[-1]) if self.headings else ""

    @property
    def body_digest(self) -> bytes:
        """Of what follows its heading, blank lines aside; empty where nothing does."""
        body = self.text[self.body :].strip()
        return hashlib.blake2b(body.encode(), digest_size=16).digest() if body else b""


class ReadNote(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A file of notes as it was read.

    Attributes:
        path: absolute.
        device, inode, mtime_ns, size: by which one sees that it is the same.
        digest: of its bytes, in hexadecimal.
        kind: of memory that its sections are.
        tags: that it gives its sections.
        dated: the date that it says it is of.
        modified: when it was last written.
        sections: in their order.
    """

    path: str
    device: Stored
    inode: Stored
    mtime_ns: Stored
    size: Stored
    digest: Annotated[str, msgspec.Meta(pattern="^(?:[0-9a-f]{2}){1,64}$")]
    kind: str = "document"
    tags: tuple[str, ...] = ()
    dated: datetime | None = None
    modified: datetime | None = None
    sections: tuple[ReadSection, ...] = ()

    @property
    def state(self) -> tuple[int, int, int, int]:
        """As `files.same_state` gives it."""
        return self.device, self.inode, self.mtime_ns, self.size


def without_secrets(note: ReadNote, allowed: frozenset[str] = frozenset()) -> ReadNote:
    """The note as it may be stored; a section that is all private is left out."""
    sections = [_without_secrets(section, allowed) for section in note.sections]
    return msgspec.structs.replace(note, sections=tuple(section for section in sections if section.text.strip()))


def _without_secrets(section: ReadSection, allowed: frozenset[str]) -> ReadSection:
    headings = tuple(redact(heading, allowed).text for heading in section.headings)
    if headings == section.headings and not redact(section.text, allowed).kinds:
        return section
    head = redact(section.text[: section.body], allowed).text
    return msgspec.structs.replace(
        section,
        text=head + redact(section.text[section.body :], allowed).text,
        headings=headings,
        body=len(head),
    )


def _public(text: str) -> str:
    """The text without its private parts, each line where it was: they may go over several sections."""
    if "<private>" not in text.lower():
        return text
    parts, end = [], 0
    for span in private_parts(text):
        parts += [text[end : span.start], "\n" * (len(split(text[span.start : span.stop] + ".")) - 1)]
        end = span.stop
    return "".join((*parts, text[end:]))


def read_note(path: Path) -> ReadNote:
    """Reads and cuts a file.

    Raises:
        Unreadable: its text can't be had.
    """
    loaded = files.load_whole(path)
    device, inode, mtime_ns, size = files.same_state(loaded.state)
    kind, text = conventions.kind(path), _public(loaded.text)
    facts = _facts(path, text)
    if kind == "decision":
        facts = conventions.decided(text, facts)
    return ReadNote(
        path=str(path),
        device=device,
        inode=inode,
        mtime_ns=mtime_ns,
        size=size,
        digest=loaded.digest.hex(),
        kind=kind,
        tags=facts.tags,
        dated=facts.date,
        modified=_moment(loaded.state.st_mtime),
        sections=tuple(_read(path, _sections(path, text))),
    )


def _read(path: Path, sections: Iterator[Section]) -> Iterator[ReadSection]:
    numbers: Counter[tuple[str, ...]] = Counter()
    for section in sections:
        yield ReadSection(
            text=section.text,
            first=section.first,
            last=section.last,
            headings=section.headings,
            number=numbers[section.headings],
            body=section.body,
            links=tuple(_plain(link) for link in links(path, section.text)),
        )
        numbers[section.headings] += 1


def _plain(link: Link) -> tuple[str, str, str]:
    return link.path, link.stem, link.anchor


def _sections(path: Path, text: str) -> Iterator[Section]:
    from memd.ingest import asciidoc, markdown, org, plain, restructuredtext

    suffix = path.suffix.lower()
    if files.is_markdown(path):
        return markdown.sections(text)
    if suffix == ".rst":
        return restructuredtext.sections(text)
    if suffix in files.ASCIIDOC:
        return asciidoc.sections(text)
    return org.sections(text) if suffix == ".org" else plain.sections(text)


def _facts(path: Path, text: str) -> Facts:
    suffix = path.suffix.lower()
    if suffix in files.ASCIIDOC:
        from memd.ingest import asciidoc

        return asciidoc.facts(text)
    if suffix == ".org":
        from memd.ingest import org

        return org.facts(text)
    return frontmatter.facts(text)


def _moment(seconds: float) -> datetime | None:
    """When the file was last written: the nearest thing to a date that a file without one has."""
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)
    except (OSError, OverflowError, ValueError):
        return None
