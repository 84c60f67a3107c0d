"""Which files belong to a watch: by its folder, its globs, the ignore files, and the watches inside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from memd.ingest import files
from memd.ingest.ignore import FILES as RULE_FILES
from memd.ingest.ignore import Ignores
from memd.ingest.keeping import Seen, is_under
from memd.model import Watch


class Differences(NamedTuple):
    """What a look at the disk came to, against what was taken in.

    Attributes:
        changed: files to be read.
        gone: paths that are no notes any more.
        present: how many notes there are.
        skipped: what was passed over, by path, and why.
    """

    changed: list[Path]
    gone: list[str]
    present: int
    skipped: dict[str, str]


class Territory:
    """The files of one watch.

    Args:
        watch: of kind `notes`.
        inner: the other watches whose folder or file lies in it: what lies there is theirs.
    """

    def __init__(self, watch: Watch, inner: Iterable[Watch]) -> None:
        from pathspec import GitIgnoreSpec

        self.watch = watch
        self._root = Path(watch.path)
        self._inner = {one.path: one for one in inner}
        self._include = GitIgnoreSpec.from_lines(watch.include) if watch.include else None
        self._exclude = GitIgnoreSpec.from_lines(watch.exclude)

    def look(self, seen: Mapping[str, Seen], part: str | None = None, fresh_ns: int = 0) -> Differences:
        """Compare the disk with what was taken in, at and under `part` (None: all of the watch).

        Args:
            seen: what was taken in there.
            part: a path at or under the watch's.
            fresh_ns: files changed since this time are read in any case: their time may not tell two states apart.
        """
        skipped: dict[str, str] = {}
        found, unlisted = self._find(Path(part) if part else self._root, skipped)
        mine = {path: one for path, one in seen.items() if not self._is_others(path)}
        changed = [path for path in found if _is_changed(path, mine.get(str(path)), fresh_ns)]
        there = {str(path) for path in found}
        gone = [path for path in mine if path not in there and not any(is_under(path, one) for one in unlisted)]
        return Differences(changed, gone, len(found), skipped)

    def concerns(self, path: str, folder: bool) -> bool:
        """Whether what happens at `path` may change what this watch holds; told by the path alone."""
        place = Path(path)
        if place == self._root:
            return True
        if not is_under(path, self.watch.path) or not all(
            files.may_enter(name) for name in place.parent.relative_to(self._root).parts
        ):
            return False
        if folder:
            return files.may_enter(place.name)
        return place.name in RULE_FILES or self._wants(place)

    def _find(self, part: Path, skipped: dict[str, str]) -> tuple[list[Path], list[str]]:
        def skip(path: Path, why: str) -> None:
            skipped[str(path)] = why

        if self._root.is_dir():
            if part.is_dir() and not part.is_symlink():
                without = frozenset(Path(path) for path in self._inner)
                found = files.walk(part, skip, top=self._root, wanted=self._wants, without=without)
                return found.paths, [str(path) for path in found.unlisted]
            return ([part] if self._has(part, skip) else []), []
        return ([self._root] if os.path.lexists(self._root) else []), []

    def _has(self, path: Path, skip: Callable[[Path, str], None]) -> bool:
        """Whether the file at `path` is a note of this watch."""
        if not self._wants(path) or not exists(path):
            return False
        ignores = Ignores(self._root)
        if not files.comes_to(self._root, path.parent, ignores):
            return False
        ignores.enter(path.parent)
        if ignores.excludes(path, False):
            return False
        if path.is_symlink():
            skip(files.printable(path), "a symbolic link")
            return False
        return True

    def _wants(self, path: Path) -> bool:
        if path == self._root:  # a file that is watched itself, whatever it is called
            return True
        name = path.relative_to(self._root).as_posix()
        chosen = files.is_note(path) if self._include is None else self._include.match_file(name)
        return chosen and not self._exclude.match_file(name) and str(path) not in self._inner

    def _is_others(self, path: str) -> bool:
        """Whether a file that was taken in belongs to a watch inside this one, and is of the same scope.

        Of another scope it is nobody's: taken in before that watch was there.
        """
        return any(one.scope == self.watch.scope and is_under(path, inner) for inner, one in self._inner.items())


def owner(watches: Iterable[Watch], path: str) -> Watch | None:
    """The watch of notes that a path belongs to: the innermost around it."""
    around = [watch for watch in watches if watch.kind == "notes" and is_under(path, watch.path)]
    return max(around, key=lambda watch: len(watch.path), default=None)


def inside(watches: Iterable[Watch], watch: Watch) -> list[Watch]:
    """The watches of notes that lie in another."""
    return [one for one in watches if one.kind == "notes" and one.path != watch.path and is_under(one.path, watch.path)]


def exists(path: Path) -> bool:
    """Whether there is something at `path`, spelled like this.

    Where file systems take upper and lower case for the same, a file renamed from one to the other is still found
    by its former name; its folder's list has the one it bears.
    """
    if not os.path.lexists(path):
        return False
    other = path.with_name(path.name.swapcase())
    if other == path or not os.path.lexists(other):
        return True
    try:
        return path.name in os.listdir(path.parent)
    except OSError:
        return True


def _is_changed(path: Path, seen: Seen | None, fresh_ns: int) -> bool:
    if seen is None or not seen.current:
        return True
    try:
        state = path.stat()
    except OSError:
        return True  # reading it will tell
    return files.same_state(state) != seen.state or state.st_mtime_ns >= fresh_ns > 0
