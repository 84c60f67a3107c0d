"""A purge that is killed at any moment is finished by the next process, the daemon by itself."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door
from memd.model import NewMemory
from memd.store import backups
from tests.purge import killed
from tests.purge.test_purge import SECRET, WORDS
from tests.purge.traces import found, print_of
from tests.waiting import eventually


def filled(home: Path) -> list[str]:
    """A store with a few hundred memories, two of them to be purged, and two copies of it."""
    with Memory.open(home, encode="off") as memory:
        memory.remember_many([NewMemory(f"note {n}: the build of part {n} takes {n} minutes") for n in range(300)])
        ids = [memory.remember(SECRET).id, memory.remember(f"{SECRET}, again", episode="e").id]
        for number in (1, 2):
            backups.make(memory.store.path, home / backups.FOLDER / f"memd-{number}.db")
    return ids


def killed_after(home: Path, ids: list[str], seconds: float) -> bool:
    """Purge in a process that is killed so long after it opened the store; whether it was done before."""
    child = subprocess.Popen([sys.executable, killed.__file__, str(home), *ids], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"open\n"
    time.sleep(seconds)  # the moment is the point
    child.kill()
    return child.communicate()[0] == b"done\n"


def check_purged(home: Path, ids: list[str], at: float) -> bool:
    """Kill a purge, look at the store, finish it, look again; whether the kill came before its end."""
    with Memory.open(home, encode="off") as memory:
        prints = print_of(memory, ids, WORDS)
    cut_short = not killed_after(home, ids, at)
    with Memory.open(home, encode="off") as memory:
        assert memory.audit().troubles == () and memory.store.check() == []
        if {one.id for one in memory.list(scope="all", limit=1000)} >= set(ids):  # killed before it was acknowledged
            memory.purge(ids)
        else:
            assert memory.purges.finish().complete
        assert not memory.purges.waits() and memory.audit().troubles == () and memory.store.check() == []
        assert memory.count(scope="all") == 300
    assert found(prints, home) == []
    for copy in backups.files(home / backups.FOLDER):
        assert backups.verify(copy).memories == 300
    return cut_short


@pytest.mark.parametrize("at", [0.01, 0.06, 0.15])
def test_a_purge_killed_at_any_moment_is_finished(tmp_path: Path, at: float) -> None:
    check_purged(tmp_path, filled(tmp_path), at)


@pytest.mark.soak
def test_sixty_purges_killed_at_random(tmp_path: Path) -> None:
    chance = random.Random(7)
    short = 0
    for number in range(60):
        home = tmp_path / str(number)
        short += check_purged(home, filled(home), chance.uniform(0, 0.15))
    assert short > 15, "most kills came too late to say anything"


def test_the_daemon_finishes_what_was_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    ids = filled(home)
    with Memory.open(home, encode="off") as memory:
        prints = print_of(memory, ids, WORDS)
        memory.purge(ids)
        with memory.store.writing() as db:  # as it stands right after the erasing
            db.executemany("INSERT INTO purging (place, since) VALUES (?, 0)", [("words",), ("pages",), ("log",)])
    left = home / backups.FOLDER / "memd-3.db.part"
    left.write_text(SECRET)
    monkeypatch.setenv("MEMD_HOME", str(home))
    monkeypatch.setenv("MEMD_ENCODER", str(tmp_path / "none"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    try:
        with Door(timeout=240) as door:
            door.call("stats", {})
            assert eventually(lambda: not left.exists())
        with Memory.open(home, encode="off") as memory:
            assert eventually(lambda: not memory.purges.waits())
    finally:
        process.stop(Config.load(home, dict(os.environ)))
    assert found(prints, home) == []
