"""A folder of notes over a thousand changes, while the daemon that watches it is killed again and again.

`make soak` runs these; each runs in `make test` too, with a share of its steps that takes seconds.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, rendezvous
from memd.errors import MemdError
from tests.ingest.notebook import FOLDERS, NAMES, SPOILT, TITLES, WORDS, Notebook, differences, flags
from tests.ingest.test_watching import Watching
from tests.waiting import eventually


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh data folder; its daemons have no encoder, which takes no part in this."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MEMD_HOME", str(folder))
    monkeypatch.setenv("MEMD_ENCODER", str(tmp_path / "none"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    yield folder
    process.stop(Config.load(folder), timeout=60)


@pytest.mark.parametrize(("steps", "examples"), [(60, 2), pytest.param(1000, 5, marks=pytest.mark.soak)])
@pytest.mark.timeout(1800)
def test_changes_at_random_end_as_a_fresh_ingest(steps: int, examples: int) -> None:
    """Hypothesis chooses the seed and not each step: a thousand steps are more choices than it takes."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(seed=st.integers(0, 2**32))
    def run(seed: int) -> None:
        notebook = Watching()
        try:
            by_chance = Steps(notebook, seed, notebook.settle, notebook.restart)
            for _ in range(steps):
                by_chance.step()
        finally:
            notebook.teardown()  # which also compares

    run()


class Steps:
    """Carries out steps of a `Notebook` by chance, and now and then another."""

    def __init__(self, notebook: Notebook, seed: int, *others: Callable[[], None]) -> None:
        self.notebook = notebook
        self.others = others
        self.chance = random.Random(seed)

    def sections(self) -> list[tuple[str, list[str]]]:
        return [
            (self.chance.choice(("", *TITLES)), self.chance.choices(WORDS, k=self.chance.randint(1, 3)))
            for _ in range(self.chance.randint(0, 4))
        ]

    def step(self) -> None:
        notebook, chance = self.notebook, self.chance
        which, folder, name = chance.randrange(100), chance.choice(FOLDERS), chance.choice(NAMES)
        chance.choices(
            (
                lambda: notebook.create(folder, name, self.sections()),
                lambda: notebook.edit(which, chance.randrange(10), chance.choice(WORDS), "\n"),
                lambda: notebook.save_by_renaming(which, self.sections()),
                lambda: notebook.move(which, folder, name),
                lambda: notebook.move_folder(which, chance.choice(("moved", "docs", "adr", "node_modules"))),
                lambda: notebook.delete(which),
                lambda: notebook.delete_folder(which),
                lambda: notebook.spoil(which, chance.choice(SPOILT)),
                lambda: notebook.ignore(chance.choice(("", "docs/\n", "*.txt\n")), chance.random() < 0.5),
                *self.others,
            ),
            (8, 8, 4, 4, 1, 2, 1, 1, 1, *(1 for _ in self.others)),
        )[0]()


@pytest.mark.parametrize(("steps", "kills"), [(120, 3), pytest.param(1000, 25, marks=pytest.mark.soak)])
@pytest.mark.timeout(1800)
def test_kill_nine_in_the_middle_of_it_loses_no_change(home: Path, steps: int, kills: int) -> None:
    notebook = Notebook()
    try:
        with Door(timeout=240) as door:
            door.call("watch_add", {"path": str(notebook.folder.resolve()), "scope": str(notebook.folder)})
        by_chance = Steps(notebook, steps)
        fatal = set(by_chance.chance.sample(range(steps), kills))
        for step in range(steps):
            by_chance.step()
            if step % 10 == 0:
                wake(home)
            if step in fatal:
                kill(home)
        wake(home)
        with Memory.open(home, encode="off") as memory:
            last = [""]

            def same() -> bool:
                last[0] = differences(memory, notebook.folder)
                return not last[0]

            assert eventually(same), last[0]
            process.stop(Config.load(home))
            assert flags(memory) == []
            assert differences(memory, notebook.folder) == ""
    finally:
        notebook.teardown()


def wake(home: Path) -> None:
    """See to it that a daemon runs, and took something in if there was something."""
    with Door(timeout=240) as door:
        assert eventually(lambda: door.call("watch_status", {})["watches"][0]["state"] != "catching up")


def kill(home: Path) -> None:
    found = rendezvous(str(home))
    assert found is not None
    try:
        os.kill(found[0], signal.SIGKILL)
    except (ProcessLookupError, MemdError):
        return
