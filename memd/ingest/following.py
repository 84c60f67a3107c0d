"""Whether a repository has new commits, told by a few files' times; and which."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from memd.errors import BadInput
from memd.ingest import git
from memd.model import NewMemory

Stamp = tuple[tuple[int, int, int], ...]


class Follower:
    """The commits of one repository, as HEAD comes by them.

    Args:
        root: a folder in it, or a bare one.

    Raises:
        BadInput: it is no repository, or there is no git.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own = Path(git.output(root, "rev-parse", "--absolute-git-dir").rstrip("\n"))
        common = git.output(root, "rev-parse", "--git-common-dir").rstrip("\n")
        self._common = Path(os.path.normpath(root / common))

    def stamp(self) -> Stamp:
        """Times and sizes of the files that a new commit changes: HEAD, its log, its branch. Five looks, no process."""
        head = self._own / "HEAD"
        files = [head, self._own / "logs" / "HEAD", self._common / "packed-refs", self._common / "reftable"]
        try:
            branch = head.read_text(errors="surrogateescape").strip()
        except OSError:
            branch = ""
        if branch.startswith("ref: "):
            files.append(self._common / branch.removeprefix("ref: "))
        return tuple(_state(file) for file in files)

    def head(self) -> str:
        """The commit that HEAD is at; empty before the first."""
        try:
            return git.output(self._root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
        except BadInput:
            return ""

    def since(self, last: str, head: str, scope: str) -> Iterator[NewMemory]:
        """The commits that `head` has and `last` hasn't; all of them where `last` is empty or gone."""
        rev_range = f"{last}..{head}" if last and self._has(last) else head
        return git.read(self._root, scope=scope, rev_range=rev_range)

    def _has(self, commit: str) -> bool:
        try:
            git.output(self._root, "cat-file", "-e", f"{commit}^{{commit}}")
        except BadInput:
            return False
        return True


def _state(file: Path) -> tuple[int, int, int]:
    try:
        state = file.stat()
    except OSError:
        return (0, 0, 0)
    return state.st_ino, state.st_mtime_ns, state.st_size
