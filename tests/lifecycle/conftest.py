"""A store in a travelling clock."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memd.api import Memory


class Travel:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, days: float) -> datetime:
        self.now += timedelta(days=days)
        return self.now


@pytest.fixture
def clock() -> Travel:
    return Travel()


@pytest.fixture
def memory(tmp_path: Path, clock: Travel) -> Iterator[Memory]:
    with Memory.open(tmp_path, clock=clock) as opened:
        yield opened


@pytest.fixture
def tiers(memory: Memory) -> Callable[[], dict[str, int]]:
    """How many memories are at each tier that has any."""
    return lambda: {share.tier: share.memories for share in memory.lifecycle.status().tiers if share.memories}
