"""Out of a store and into an empty one: nothing is lost, nothing is added, to the byte."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings

from memd.api import Memory
from tests.exchange.played import BEGUN, Step, Stores, check_sound, exported, imported, play, steps


def known(memory: Memory, then: datetime) -> list[str]:
    found = memory.recall("server port deploy upload MAX_SIZE", as_of=then, scope="all", min_relevance=0, limit=100)
    return sorted(hit.memory.id for hit in found.hits)


@settings(max_examples=40)
@given(steps)
def test_export_import_export_is_identical(history: list[Step]) -> None:
    with Stores() as stores:
        first, second = stores.new(), stores.new()
        play(first, stores.clock, history, stores.folder())
        content = exported(first)
        stores.clock.now = stores.clock.now.replace(year=2030)
        tried = imported(second, content, stores.folder(), dry_run=True)
        report = imported(second, content, stores.folder())
        assert exported(second, name="another") == content or not report.read
        assert tried.added == report.added and tried.troubles == report.troubles == ()
        check_sound(second)
        for hours in (0, 1, 30 * 24, 800 * 24):  # what was known then, forgotten since or not
            then = BEGUN + timedelta(hours=hours, milliseconds=1)
            assert known(second, then) == known(first, then)
        again = imported(second, content, stores.folder())
        assert not again.added and not again.merged and not again.troubles
        assert exported(second) == content or not report.read
        back = imported(first, content, stores.folder())
        assert not back.added and not back.merged and not back.troubles
