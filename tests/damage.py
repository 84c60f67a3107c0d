"""Harm done to a store's file, as a failing disk does it."""

from __future__ import annotations

from pathlib import Path

PAGE = 4096


def overwrite_pages(store: Path) -> None:
    """Every fifth page from the eighth on loses its beginning: the file opens, and can't be read through."""
    data = bytearray(store.read_bytes())
    for page in range(8, len(data) // PAGE, 5):
        data[page * PAGE : page * PAGE + 64] = b"\xff" * 64
    store.write_bytes(bytes(data))
