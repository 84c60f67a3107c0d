"""What memd did to other programs' files, and how they were before: the folder ``agents/`` of the data folder.

For each file there is a record: where the copy of it lies that was made before memd's first edit, what it was after
the last one, and what was made for it. While a file is still what memd left, uninstalling gives the copy back, byte
for byte; after other edits, memd's parts are taken out of it as it is.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from memd.agents.install.files import Snapshot
from memd.clock import Clock, system_clock
from memd.disk import sync
from memd.errors import FileUnusable

_COPIES = "copies"


class Record(msgspec.Struct, frozen=True):
    """What is known of one file.

    Attributes:
        path: the file, links followed.
        agent, scope: for whom it was edited.
        after: the digest of what memd left in it.
        created: whether memd made the file.
        known: whether the file had nothing of memd's before, so that `copy` (none: no file) is how it was.
        copy: the name of its copy.
        made: the containers that were made in it, as paths of names.
        folders: the folders that were made for it.
    """

    path: str
    agent: str
    scope: str
    after: str
    created: bool = False
    known: bool = False
    copy: str | None = None
    made: list[list[str]] = []
    folders: list[str] = []


def digest(data: bytes) -> str:
    """What a file's content is known by."""
    return hashlib.sha256(data).hexdigest()


class Ledger:
    """The records and copies under one data folder. Nothing is made before something is written."""

    def __init__(self, home: Path, clock: Clock = system_clock) -> None:
        self.folder = home / "agents"
        self.clock = clock

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One edit of agents' files at a time."""
        self._make(self.folder)
        try:
            file = (self.folder / "lock").open("a")
        except OSError as error:
            raise FileUnusable(f"{self.folder} can't be written: {error.strerror}", "Check the data folder.") from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def find(self, place: Path) -> Record | None:
        """The record of a file; None where there is none that can be read."""
        try:
            return msgspec.json.decode(self._name(place).read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, record: Record) -> None:
        """Keep a record, in place of an older one of the same file."""
        self._write(self._name(Path(record.path)), msgspec.json.format(msgspec.json.encode(record), indent=1))

    def drop(self, place: Path) -> None:
        """Forget a file; its copies stay."""
        self._name(place).unlink(missing_ok=True)

    def copy(self, snapshot: Snapshot) -> str | None:
        """Keep a copy of a file as it was read; its name, None where there is no file."""
        if snapshot.data is None:
            return None
        moment = self.clock().strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"{moment}-{self._name(snapshot.place).stem}-{snapshot.path.name.lstrip('.')}"
        self._write(self.folder / _COPIES / name, snapshot.data)
        return name

    def place_of(self, copy: str) -> Path:
        """Where a copy lies."""
        return self.folder / _COPIES / copy

    def before(self, record: Record) -> tuple[bool, bytes | None]:
        """Whether it is known how a file was before memd, and what it was (None: no file)."""
        if not record.known or record.copy is None:
            return record.known, None
        try:
            return True, self.place_of(record.copy).read_bytes()
        except OSError:
            return False, None

    def _name(self, place: Path) -> Path:
        return self.folder / f"{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}.json"

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise FileUnusable(f"{folder} can't be made: {error.strerror}", "Check the data folder.") from None

    def _write(self, path: Path, data: bytes) -> None:
        self._make(path.parent)
        temporary = path.with_name(f".{path.name}.new")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync(path.parent)
        except OSError as error:
            raise FileUnusable(f"{path} can't be written: {error.strerror}", "Nothing was changed.") from None
