"""Everything that writes, with less and less room: run in a mount namespace of its own, in an empty folder.

python full.py FOLDER ROOMS: mounts a small file system there, fills it again and again but for so many kilobytes (a
list, split by commas), tries each act, and says as JSON lines what became of it. What was acknowledged must be there
after each, and the store agree with itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memd.api import Memory
from memd.clock import system_clock
from memd.errors import MemdError, StoreFull
from memd.ingest import read_notes
from memd.model import NewMemory
from memd.store import backups

SIZE = 48 << 20


class Disk:
    """A small file system, and a file that takes up what is to be taken."""

    def __init__(self, folder: Path) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
        self.home = folder / "home"
        self.filler = folder / "filler"

    def fill(self, free: int) -> None:
        """Leave so many bytes."""
        with self.filler.open("ab", buffering=0) as file:
            for block in (1 << 16, 1 << 12):
                try:
                    while True:
                        file.write(bytes(block))
                except OSError:
                    pass
            os.truncate(self.filler, max(0, self.filler.stat().st_size - free))

    def empty(self) -> None:
        self.filler.unlink(missing_ok=True)


def ingest(memory: Memory, folder: Path) -> None:
    memory.notes.take(list(read_notes(folder)), str(folder))


def acts(memory: Memory, home: Path, notes: Path, number: int) -> dict[str, Callable[[], object]]:
    """What writes, by name."""
    later = system_clock() + timedelta(days=60 * number)
    return {
        "remember": lambda: memory.remember(f"short {number}"),
        "remember a long text": lambda: memory.remember(f"long {number} " + "words of a text " * 4000),
        "remember many": lambda: memory.remember_many([NewMemory(f"one of many {number} {n}") for n in range(60)]),
        "ingest": lambda: ingest(memory, notes),
        "use": lambda: memory.use([memory.list(limit=1)[0].id]),
        "maintain": lambda: memory.lifecycle.run(now=later),
        "encode": memory.encode_pending,
        "backup": lambda: backups.make(home / "memd.db", home / backups.FOLDER / backups.name(datetime.now(UTC))),
    }


def attempt(act: Callable[[], object]) -> str:
    try:
        act()
    except StoreFull as error:
        assert error.hint
        return "full"
    except MemdError as error:
        return f"{type(error).__name__}: {error.message}"
    return "done"


def main(folder: Path, rooms: list[int]) -> None:
    disk = Disk(folder)
    notes = folder / "notes"
    notes.mkdir()
    texts: dict[str, str] = {}
    number = 0
    with Memory.open(disk.home, encode="off") as memory:
        for one in memory.remember_many([NewMemory(f"there from the start {n}") for n in range(40)]):
            texts[one.id] = memory.show(one.id).text
    for name in acts(memory, disk.home, notes, 0):
        for room in rooms:
            number += 1
            (notes / "note.md").write_text(f"# Note {number}\n\n" + "what it says\n" * 300)
            with Memory.open(disk.home, encode="off") as memory:
                disk.fill(room << 10)
                came_to = attempt(acts(memory, disk.home, notes, number)[name])
                readable = len(memory.list(limit=10_000)) >= len(texts)
                disk.empty()
                again = attempt(acts(memory, disk.home, notes, number)[name])
                found = {one.id: one.text for one in memory.list(limit=10_000)}
            with Memory.open(disk.home, encode="off") as memory:
                troubles = [trouble.what for trouble in memory.check().troubles]
                lost = [id_ for id_, text in texts.items() if memory.show(id_).text != text]
            litter = [path.name for path in (disk.home / backups.FOLDER).glob("*") if path.suffix != ".db"]
            texts.update(found)
            told = {"act": name, "room": room, "came_to": came_to, "again": again, "readable": readable}
            print(json.dumps({**told, "troubles": troubles, "lost": lost, "litter": litter}), flush=True)
            for copy in (disk.home / backups.FOLDER).glob("*.db"):
                copy.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(room) for room in sys.argv[2].split(",")])
