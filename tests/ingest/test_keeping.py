"""Taking a folder in again and again: the store ends as if it had seen the last state alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
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


# The texts of two files, one word a section; None is a file that is gone. So few that texts come back all the time.
STATE = st.tuples(*2 * [st.none() | st.lists(st.sampled_from(("anvil", "copper", "ledger")), max_size=3, unique=True)])


@given(states=st.lists(STATE, min_size=2, max_size=6))
@example([(["anvil"], None), (["copper"], None), (["copper"], ["anvil"])])
@settings(max_examples=60, deadline=None)
def test_texts_that_come_and_go_between_two_files_leave_no_words_behind(
    states: Sequence[Sequence[Sequence[str] | None]],
) -> None:
    with tempfile.TemporaryDirectory() as base, Memory.open(f"{base}/home", encode="off") as memory:
        folder = Path(base) / "notes"
        folder.mkdir()
        for state in states:
            for name, texts in zip(("a.md", "b.md"), state, strict=True):
                if texts is None:
                    (folder / name).unlink(missing_ok=True)
                else:
                    (folder / name).write_text("".join(f"# {text}\n" for text in texts))
            take_in(memory, folder)
            assert flags(memory) == []
        assert differences(memory, folder) == ""
