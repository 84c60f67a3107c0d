"""Readers of public data formats, one a file; each turns a file into collections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from memd.bench.collection import Collection
from memd.bench.formats import beir, commits, locomo, longmemeval
from memd.bench.metrics import FIGURES, HIT_FIGURES
from memd.errors import BadInput


class Format(NamedTuple):
    """A layout: what reads it, and the figures that its reports show."""

    read: Callable[[Path], list[Collection]]
    figures: tuple[str, ...] = FIGURES


FORMATS = {
    "locomo": Format(locomo.read),
    "commits": Format(commits.read),
    "longmemeval": Format(longmemeval.read, (*FIGURES, *HIT_FIGURES)),
    "beir": Format(beir.read),
}


def read(name: str, path: Path) -> list[Collection]:
    """The collections of a file.

    Raises:
        BadInput: the format is unknown, or the file can't be read as it.
    """
    if name not in FORMATS:
        raise BadInput(f"There is no format {name!r}.", f"Formats: {', '.join(FORMATS)}.")
    try:
        return FORMATS[name].read(path)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}.", "Give the path of the data.") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadInput(f"{path} is not {name} data: {error!r}.", "Check --format and the path.") from error
