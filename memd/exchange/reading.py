"""A file of the exchange format, read twice: once to see that all of it is sound, once to take it in.

Memory: O(the longest line); the ids of the file are kept in a temporary database of SQLite's.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO, NoReturn

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.errors import BadInput
from memd.exchange import checking
from memd.exchange import lines as x
from memd.exchange.desk import SHOWN
from memd.exchange.records import Origin, Trouble

LIMIT = 1000  # bad lines that are told
MEND = "Nothing was changed. Mend it, or take in what can be read: --skip-bad"


class Survey(msgspec.Struct, frozen=True):
    """What a whole reading found.

    Attributes:
        header: the first line.
        origin: of what is in it; its digest is that of the lines that were read.
        counts: sound lines, by type.
        bad: lines that can't be taken in, the first `SHOWN`; `more` counts the others.
        signature: of a signed file; it holds for `digest`, which was found to be the file's.
        scopes: that something in the file is of.
        bytes: of the file.
    """

    header: x.Header
    origin: Origin
    counts: dict[str, int]
    bad: tuple[Trouble, ...]
    more: int
    signature: x.Signature | None
    digest: str
    scopes: tuple[str, ...]
    bytes: int


def is_export(start: bytes) -> bool:
    """Whether a file that begins like this says that it is memd's own."""
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b'{"type":"memd-export"', b'{"type": "memd-export"'))


class ExportFile:
    """An open file of the exchange format.

    Args:
        file: can be read from its start twice.
        name: for messages.
        skip_bad: go on after what can't be read.
    """

    def __init__(self, file: BinaryIO, name: str, *, skip_bad: bool = False) -> None:
        self._file = file
        self._name = name
        self._skip_bad = skip_bad
        self._bad: dict[int, Trouble | None] = {}  # by line; None where it isn't told
        self._state: tuple[int, int] | None = None

    @property
    def size(self) -> int:
        """Its bytes."""
        return os.fstat(self._file.fileno()).st_size

    def survey(self, step: Callable[[int], None] = lambda _: None) -> Survey:
        """Read all of it.

        Args:
            step: told of bytes that were read.

        Raises:
            BadInput: it isn't such a file, is of a newer format, was cut short or changed, or has a bad line and
                bad ones aren't skipped; with the line's number.
        """
        self._state = self._stamp()
        digest, counts, ids = hashlib.blake2b(digest_size=32), Counter[str](), _Ids()
        scopes: set[str] = set()
        header: x.Header | None = None
        end: x.End | None = None
        signature: x.Signature | None = None
        for number, raw in self._raw(step):
            if header is None:
                header = self._header(raw)
                digest.update(raw)
                counts[x.HEADER] += 1
                continue
            line = self._read(number, raw)
            if signature is not None or (end is not None and not isinstance(line, x.Signature)):
                self._refuse(number, "it comes after the end")
                continue
            if isinstance(line, x.End):
                end = line
            elif isinstance(line, x.Signature):
                if end is None:
                    self._stop(f"{self._name} has a signature before its end.", "It was changed, or cut short.")
                signature = line
            else:
                digest.update(raw)
                if isinstance(line, x.Header):
                    self._refuse(number, "it is a second header")
                elif line is not None and (why := ids.clash(number, line)):
                    self._refuse(number, why)
                elif line is not None:
                    counts[x.type_of(line)] += 1
                    scopes.update([scope] if (scope := getattr(line, "scope", "")) else [])
        if header is None:
            self._stop(f"{self._name} is empty.", "See: memd export --help")
        for number, why in ids.loose():
            self._refuse(number, why)
        self._check_end(end, signature, counts, digest.hexdigest())
        found = digest.hexdigest()
        del counts[x.HEADER]
        told = (self._bad[number] for number in sorted(self._bad))
        bad = tuple(trouble for trouble in told if trouble is not None)
        origin = Origin(header.origin.id, header.origin.name, found)
        size = self._file.seek(0, os.SEEK_END)
        return Survey(
            header,
            origin,
            dict(sorted(counts.items())),
            bad,
            len(self._bad) - len(bad),
            signature,
            found,
            tuple(sorted(scopes)),
            size,
        )

    def records(self, step: Callable[[int], None] = lambda _: None) -> Iterator[tuple[int, bytes]]:
        """The lines between header and end that can be taken in, with their numbers, as they stand.

        Raises:
            BadInput: the file was changed since the survey.
        """
        for number, raw in self._raw(step):
            if number == 1 or number in self._bad:
                continue
            if raw.startswith((b'{"type":"end"', b'{"type": "end"')) and isinstance(checking.read(raw), x.End):
                break
            yield number, raw
        if self._stamp() != self._state:
            self._stop(f"{self._name} was changed while it was read.", "Run it again; what was taken in is known.")

    def _raw(self, step: Callable[[int], None]) -> Iterator[tuple[int, bytes]]:
        """Each line that isn't blank, with its number and line end."""
        self._file.seek(0)
        number = 0
        while raw := self._file.readline(checking.LONGEST):
            number += 1
            step(len(raw))
            if len(raw) >= checking.LONGEST:
                self._stop(f"Line {number} is too long.", "A memory holds at most 64 MiB.")
            if raw.strip():
                yield number, raw

    def _header(self, raw: bytes) -> x.Header:
        try:
            first = msgspec.json.decode(raw, type=dict)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            first = {}
        if first.get("type") != x.HEADER:
            self._stop(f"{self._name} is no export of memd's.", "For another tool's files: memd import --from KIND")
        version = first.get("version")
        if isinstance(version, int) and version > x.FORMAT:
            made = str(first.get("made_by", "a newer memd"))[:60]
            self._stop(
                f"{self._name} has format {version}, by {made}; this memd reads formats up to {x.FORMAT}.",
                "Update memd.",
            )
        try:
            line = checking.read(raw)
        except BadInput as error:
            self._stop(f"{self._name}, line 1: {error.message}.", "Without its header it can't be taken in.")
        assert isinstance(line, x.Header)
        return line

    def _read(self, number: int, raw: bytes) -> x.AnyLine | None:
        try:
            return checking.read(raw)
        except BadInput as error:
            self._refuse(number, error.message.rstrip(".") if raw.endswith(b"\n") else "it was cut short")
            return None

    def _check_end(self, end: x.End | None, signature: x.Signature | None, counts: Counter[str], digest: str) -> None:
        if end is None:
            self._complain(f"{self._name} was cut short: it has no end.")
        elif end.digest != digest:
            if signature is not None:
                self._stop(f"{self._name} was changed after it was signed.", "Ask for it again; nothing was changed.")
            self._complain(f"{self._name} was changed since it was written, or damaged: its digest is another.")
        elif not self._bad and Counter(end.counts) != counts:
            self._complain(f"{self._name} doesn't have the lines that its end counts.")

    def _complain(self, why: str) -> None:
        """About the file as a whole."""
        if not self._skip_bad:
            self._stop(why, MEND)
        self._bad[-1 - len(self._bad)] = Trouble("bad", why)

    def _refuse(self, number: int, why: str) -> None:
        if not self._skip_bad:
            self._stop(f"{self._name}, line {number}: {why}.", MEND)
        told = Trouble("bad", f"{why[:1].upper()}{why[1:]}.", number) if len(self._bad) < SHOWN else None
        self._bad.setdefault(number, told)

    def _stop(self, why: str, hint: str) -> NoReturn:
        raise BadInput(why, hint)

    def _stamp(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns


class _Ids:
    """Which memories a file has, in a temporary database: no id twice, no link into nothing."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE memory (id TEXT PRIMARY KEY, line INTEGER, hidden INTEGER) WITHOUT ROWID;"
            "CREATE TABLE wanted (id TEXT, line INTEGER, replaced INTEGER);"
            "BEGIN"
        )

    def clash(self, number: int, line: x.AnyLine) -> str:
        """Note what a line has and wants; what is wrong with that already, or nothing."""
        if isinstance(line, x.MemoryLine | x.PurgedLine):
            row = (line.id, number, line.superseded_at is not None)
            if self._db.execute("INSERT OR IGNORE INTO memory VALUES (?, ?, ?)", row).rowcount != 1:
                return f"the memory {line.id} is there twice"
        else:
            rows = [(id_, number, int(replaced)) for id_, replaced in _wanted(line)]
            self._db.executemany("INSERT INTO wanted VALUES (?, ?, ?)", rows)
        return ""

    def loose(self) -> Iterator[tuple[int, str]]:
        """Lines that lead to what isn't in the file, and memories that are said to be replaced by nothing."""
        yield from self._db.execute(
            "SELECT line, 'it leads to ' || id || ', which is not in the file' FROM wanted"
            " WHERE id NOT IN (SELECT id FROM memory) ORDER BY line"
        ).fetchmany(LIMIT)
        yield from self._db.execute(
            "SELECT line, id || ' is said to be replaced, and by nothing' FROM memory"
            " WHERE hidden AND id NOT IN (SELECT id FROM wanted WHERE replaced) ORDER BY line"
        ).fetchmany(LIMIT)


def _wanted(line: x.AnyLine) -> Iterator[tuple[str, bool]]:
    """The memories that a line leads to, and whether it replaces them."""
    if isinstance(line, x.VersionLine):
        yield from ((line.old, True), (line.new, False))
    elif isinstance(line, x.ConflictLine | x.TwinLine):
        yield from ((line.one, False), (line.other, False))
    elif isinstance(line, x.GistLine):
        yield from ((id_, False) for id_ in (*line.members, *(quote[0] for quote in line.quotes)))
    elif isinstance(line, x.FileLine):
        yield from ((section.memory, False) for section in line.sections)
    elif isinstance(line, x.TasksLine):
        for part in line.tasks:
            yield part.memory, False
            if part.note is not None:
                yield part.note, False
    elif isinstance(line, x.SessionLine):
        yield from ((shown.memory, False) for shown in line.shown)
