"""Taking a folder in again and again: the store ends as if it had seen the last state alone."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import rule

from memd import Memory
from tests.ingest.notebook import Notebook, differences, flags, take_in


class Ingesting(Notebook):
    """`memd ingest` of the folder, from time to time."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory.open(self.base / "home", encode="off")

    @rule()
    def ingest(self) -> None:
        take_in(self.memory, self.folder)

    def teardown(self) -> None:
        try:
            take_in(self.memory, self.folder)
            assert differences(self.memory, self.folder) == ""
            assert flags(self.memory) == []
            assert self.memory.audit().troubles == ()
        finally:
            self.memory.close()
            super().teardown()


TestIngesting = Ingesting.TestCase
TestIngesting.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
