"""`.gitignore` and `.memdignore` files, as git reads the former: the nearest file with an opinion decides."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

OWN = ".memdignore"
FILES = frozenset({".gitignore", OWN})
"""The names of files whose change changes what is a note."""


class Ignores:
    """The ignore rules in force under a folder: its own, those below, and the repository's above.

    Folders must be entered from the top down, as `os.walk` does, `folder` itself first.
    """

    def __init__(self, folder: Path) -> None:
        self._specs: dict[Path, GitIgnoreSpec] = {}
        above = _up_to_repository(folder)
        self._top = above[-1] if above else folder
        for parent in above[1:]:
            self.enter(parent)

    def enter(self, folder: Path) -> None:
        """Reads the folder's own rules, if it has some."""
        # memd's own rules come later, so that they win over git's beside them, by a `!` too.
        lines = _lines(folder / ".gitignore") + _lines(folder / OWN)
        if folder == self._top:  # the .gitignore wins over the file beside it, so it comes later
            lines = _lines(folder / ".git" / "info" / "exclude") + lines
        if lines:
            self._specs[folder] = _spec(lines)

    def excludes(self, path: Path, is_folder: bool) -> bool:
        """Whether the rules exclude `path`; O(its depth under the top)."""
        for folder in path.parents:
            if spec := self._specs.get(folder):
                name = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
                decision = spec.check_file(name).include
                if decision is not None:
                    return decision
            if folder == self._top:
                break
        return False


def _spec(lines: list[str]) -> GitIgnoreSpec:
    """The rules that are well formed; git too passes over the others."""
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines(line for line in lines if _is_well_formed(line))


def _is_well_formed(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _up_to_repository(folder: Path) -> list[Path]:
    """`folder` and its parents up to the repository's root; nothing when it lies in none."""
    chain: list[Path] = []
    for parent in (folder, *folder.parents):
        chain.append(parent)
        if os.path.lexists(parent / ".git"):
            return chain
    return []
