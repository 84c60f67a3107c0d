"""How an agent is to start memd, and whether a command line in its file does."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

MODULE = "memd_cli"


def program(environ: Mapping[str, str] = os.environ, started_as: str = sys.argv[0]) -> tuple[str, ...]:
    """The words that start the memd that runs now: its name where every shell finds it, else its path.

    An environment of Python's or conda's is on the search path only while it is active, so its memd is named by its
    path.
    """
    running = _running(started_as)
    if running is None:
        return (sys.executable, "-m", MODULE)
    found = shutil.which("memd", path=environ.get("PATH", os.defpath))
    active = [environ[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if environ.get(name)]
    lasting = found is not None and not any(Path(found).is_relative_to(folder) for folder in active)
    if found is not None and lasting and os.path.realpath(found) == os.path.realpath(running):
        return ("memd",)
    return (running,)


def _running(started_as: str) -> str | None:
    """The path of the script that this process was started as; None where it was started as a module."""
    path = Path(os.path.abspath(started_as))
    if path.name == "memd" and path.is_file() and os.access(path, os.X_OK):
        return str(path)
    beside = Path(sys.executable).parent / "memd"
    return str(beside) if path.name != "__main__.py" and beside.is_file() else None


def line(words: Sequence[str]) -> str:
    """Words as a line for a POSIX shell."""
    return shlex.join(words)


def words_of(command: object) -> list[str]:
    """A command as words: a line for the shell, or the list itself; none where it is neither."""
    if isinstance(command, str):
        try:
            return shlex.split(command)
        except ValueError:  # no shell would take it
            return []
    if isinstance(command, (list, tuple)) and all(isinstance(word, str) for word in command):
        return list(command)
    return []


def starts_memd(command: object, verb: str) -> bool:
    """Whether a command runs ``memd VERB``, by name, by path, as a module, or behind another program."""
    words = words_of(command)
    return any(after == verb and os.path.basename(word) in ("memd", MODULE) for word, after in pairwise(words))
