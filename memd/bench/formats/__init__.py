"""Readers of public data formats, one a file; each turns a file into collections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from memd.bench.collection import Collection
from memd.bench.formats import commits, locomo
from memd.errors import BadInput

READERS: dict[str, Callable[[Path], list[Collection]]] = {"locomo": locomo.read, "commits": commits.read}


def read(name: str, path: Path) -> list[Collection]:
    """The collections of a file.

    Raises:
        BadInput: the format is unknown, or the file can't be read as it.
    """
    if name not in READERS:
        raise BadInput(f"There is no format {name!r}.", f"Formats: {', '.join(sorted(READERS))}.")
    try:
        return READERS[name](path)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}.", "Give the path of the data file.") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadInput(f"{path} is not a {name} file: {error!r}.", "Check --format and the file.") from error
