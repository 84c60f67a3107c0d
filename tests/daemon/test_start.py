"""Workers that can't start now start later, in their order, and say why they wait once."""

from __future__ import annotations

import logging

import pytest

from memd.daemon.process import Start
from memd.errors import StoreUnusable


class Slow:
    """Starts at the third try; fails for a reason, then for another."""

    def __init__(self, begun: list[object]) -> None:
        self.reasons: list[Exception] = [StoreUnusable("no descriptor", "wait"), RuntimeError("no thread")]
        self.begun = begun

    def start(self) -> None:
        if self.reasons:
            raise self.reasons.pop(0)
        self.begun.append(self)


def test_what_cant_start_now_starts_later_and_in_order() -> None:
    begun: list[object] = []
    workers = [Slow(begun), Slow(begun)]
    start = Start(workers)
    assert [start.go_on() for _ in range(6)] == [False, False, False, False, True, True]
    assert begun == workers


def test_a_reason_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    worker = Slow([])
    worker.reasons = [StoreUnusable("no descriptor", "wait") for _ in range(5)]
    start = Start([worker])
    with caplog.at_level(logging.WARNING, "memd.daemon"):
        while not start.go_on():
            pass
    assert [record.getMessage() for record in caplog.records] == ["Slow waits: no descriptor"]
