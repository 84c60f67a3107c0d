"""Install and uninstall: what is to be done to which file, shown first, then done to all of them or to none."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from memd.agents.install import files
from memd.agents.install.files import Snapshot
from memd.agents.install.ledger import Ledger, Record, digest
from memd.agents.install.parts import Command, Made, Part, Whole
from memd.errors import FileChanged, FileUnusable, MalformedFile

MADE, CHANGED, REMOVED, SAME = "made", "changed", "removed", "unchanged"


@dataclass(frozen=True)
class Target:
    """A file of an agent and what memd puts there. `blank` is what a file that memd makes begins as."""

    path: Path
    parts: tuple[Part, ...]
    blank: str = ""

    def commands(self) -> list[Command]:
        """memd's commands as they stand in the file. Raises as `planned_install` does."""
        text = files.read(self.path).text
        with _naming(self.path):
            return [command for part in self.parts for command in part.commands(text)]


@dataclass(frozen=True)
class Change:
    """What is to become of one file.

    Attributes:
        before: as it is.
        after: its new content; None where it is to be removed.
        installs: whether memd is put in, or taken out.
        made: the containers made in it.
        fresh: whether it had nothing of memd's.
    """

    before: Snapshot
    after: bytes | None
    installs: bool
    made: Made = field(default_factory=list)
    fresh: bool = True

    @property
    def action(self) -> str:
        """``made``, ``changed``, ``removed`` or ``unchanged``."""
        if self.after == self.before.data:
            return SAME
        return REMOVED if self.after is None else MADE if self.before.data is None else CHANGED

    @property
    def difference(self) -> list[str]:
        """A unified diff, a line each, without line ends."""
        old, new = self.before.data, self.after
        names = ["/dev/null" if side is None else str(self.before.path) for side in (old, new)]
        found = difflib.unified_diff(_lines(old), _lines(new), names[0], names[1], n=2)
        return [line.rstrip("\n") for line in found]


def _lines(data: bytes | None) -> list[str]:
    if not data:
        return []
    lines = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    last = lines.pop()
    return [*(f"{line}\n" for line in lines), *([last, "\\ No newline at end of file\n"] if last else [])]


def planned_install(targets: Sequence[Target]) -> list[Change]:
    """What installing would do to each file.

    Raises:
        MalformedFile, FileUnusable: naming the file.
    """
    return [_install(target) for target in targets]


def planned_uninstall(targets: Sequence[Target], ledger: Ledger) -> list[Change]:
    """What uninstalling would do to each file. Raises as `planned_install` does."""
    return [_uninstall(target, ledger) for target in targets]


def apply(changes: Sequence[Change], ledger: Ledger, agent: str, scope: str) -> list[str | None]:
    """Do it: copy every file that changes, then write them all, or none.

    Returns:
        For each change the path of the copy of how the file was; None where none was needed.

    Raises:
        FileChanged: a file isn't any more what the change was made from.
        FileUnusable: one can't be written; those before it are as they were.
    """
    wanted = [change for change in changes if change.action != SAME]
    for change in wanted:
        files.check_writable(change.before)
    copies = {change.before.path: ledger.copy(change.before) for change in wanted}
    done: list[tuple[Change, list[Path]]] = []
    try:
        for change in wanted:
            done.append((change, _write(change)))
    except FileUnusable:
        for change, folders in reversed(done):
            _undo(change, folders)
        raise
    emptied = []
    for change, folders in done:
        emptied += _record(change, folders, copies[change.before.path], ledger, agent, scope)
    files.remove_folders(emptied)
    return [str(ledger.place_of(copy)) if (copy := copies.get(change.before.path)) else None for change in changes]


def _install(target: Target) -> Change:
    before = files.read(target.path)
    text = before.text
    new = text if text.strip("\ufeff \t\r\n") else text + target.blank
    made: Made = []
    with _naming(target.path):
        fresh = not any(part.commands(text) for part in target.parts)
        for part in target.parts:
            new, more = part.put(new)
            made += more
        if not all(part.commands(new) for part in target.parts):  # read back before anything is written
            raise FileUnusable("memd can't be put into it", "Report this with the file.")
    return Change(before, new.encode(), True, made, fresh)


def _uninstall(target: Target, ledger: Ledger) -> Change:
    before = files.read(target.path)
    if before.data is None:
        return Change(before, None, False)
    record = ledger.find(before.place)
    text = new = before.text
    with _naming(target.path):
        for part in reversed(target.parts):
            new = part.take(new, record.made if record else None)
    if new == text:
        return Change(before, before.data, False)
    if record is not None and digest(before.data) == record.after:
        known, earlier = ledger.before(record)
        if known:
            return Change(before, earlier, False)
    bare = {"".join(nothing.split()) for nothing in ("", "{}", target.blank)}
    ours = all(isinstance(part, Whole) for part in target.parts) or (record is not None and record.created)
    emptied = ours and "".join(new.split()) in bare and not before.path.is_symlink()
    return Change(before, None if emptied else new.encode(), False)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """What is raised inside names the file."""
    try:
        yield
    except MalformedFile as error:
        raise MalformedFile.at(str(path), error.what, error.line, error.column) from None
    except FileUnusable as error:
        raise FileUnusable(f"{path}: {error.message}", error.hint) from None


def _write(change: Change) -> list[Path]:
    if change.after is None:
        files.remove(change.before)
        return []
    return files.write(change.before, change.after)


def _undo(change: Change, folders: list[Path]) -> None:
    """Put back what was there, unless somebody has changed it since."""
    now = Snapshot(change.before.path, change.before.place, change.after, change.before.mode)
    try:
        if change.before.data is None:
            files.remove(now)
            files.remove_folders(folders)
        else:
            files.write(now, change.before.data)
    except FileChanged:
        pass


def _record(
    change: Change, folders: list[Path], copy: str | None, ledger: Ledger, agent: str, scope: str
) -> list[Path]:
    """Keep what uninstalling will need, or, after uninstalling, nothing; the folders that a removed file leaves."""
    old = ledger.find(change.before.place)
    if not change.installs or change.after is None:
        ledger.drop(change.before.place)
        return [Path(folder) for folder in old.folders] if old is not None and change.after is None else []
    record = Record(
        path=str(change.before.place),
        agent=agent,
        scope=scope,
        after=digest(change.after),
        created=change.before.data is None,
        known=change.fresh,
        copy=copy,
        made=change.made,
        folders=[str(folder) for folder in folders],
    )
    ledger.write(record if change.fresh else _continued(record, old, change.before.data))
    return []


def _continued(record: Record, old: Record | None, before: bytes | None) -> Record:
    """The record of a file that had something of memd's before, by what an older record knows of it."""
    if old is None:
        return msgspec.structs.replace(record, known=False)
    same = before is not None and digest(before) == old.after
    return msgspec.structs.replace(
        record,
        created=old.created,
        known=same and old.known,
        copy=old.copy if same else record.copy,
        made=[*old.made, *record.made],
        folders=[*old.folders, *record.folders],
    )
