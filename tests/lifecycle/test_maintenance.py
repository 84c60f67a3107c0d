"""The maintenance pass: what it does, that a dry run does nothing, and that it may be cut short anywhere."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from memd.api import Memory
from memd.lifecycle import maintenance
from memd.model import NewMemory

from .conftest import Travel


@pytest.fixture
def full(memory: Memory) -> Memory:
    """A store with 60 memories."""
    memory.remember_many([NewMemory(f"note number {n}: the build of part {n} takes {n} minutes") for n in range(60)])
    return memory


def dump(memory: Memory) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the store."""
    with memory.store.reading() as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: db.execute(f'SELECT * FROM "{name}"').fetchall() for name in names if "vocab" not in name}


def test_what_nobody_needs_falls_from_tier_to_tier(
    full: Memory, clock: Travel, tiers: Callable[[], dict[str, int]]
) -> None:
    sizes = []
    for days, tier in ((0, "active"), (10, "warm"), (80, "cool"), (150, "cold"), (4000, "dormant")):
        clock.on(days)
        report = full.lifecycle.run()
        assert report.finished and not report.dry_run
        assert tiers() == {tier: 60}
        sizes.append(sum(share.bytes for share in full.lifecycle.status().tiers))
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 10 * sizes[3] and sizes[-1] == 0
    assert full.recall("note number 7", min_relevance=0).hits[0].memory.text.startswith("note number 7:")
    assert full.store.check() == []


def test_a_pass_with_nothing_to_do_does_nothing(full: Memory, clock: Travel) -> None:
    full.lifecycle.run()
    before = dump(full)
    report = full.lifecycle.run()
    assert (report.looked, report.moved, report.folded, report.freed) == (0, (), 0, 0)
    assert dump(full) == before and not full.lifecycle.waits()


def test_a_dry_run_changes_nothing_and_foretells_the_run(full: Memory, clock: Travel) -> None:
    full.use([full.list()[0].id])
    clock.on(500)
    before = dump(full)
    told = full.lifecycle.run(dry_run=True)
    assert told.dry_run and dump(full) == before
    done = full.lifecycle.run()
    assert (told.looked, told.moved, told.folded) == (done.looked, done.moved, done.folded)
    assert {move.memories for move in done.moved} == {60} and done.folded == 1


def test_now_travels(full: Memory, clock: Travel, tiers: Callable[[], dict[str, int]]) -> None:
    later = clock.now + timedelta(days=100)
    assert full.lifecycle.status().due == 60  # not looked at yet
    assert full.lifecycle.run(now=later, dry_run=True).moved[0].memories == 60
    assert tiers() == {"active": 60}
    full.lifecycle.run(now=later)
    assert tiers() == {"cool": 60}
    assert full.lifecycle.vitality([full.list()[0].id], now=later)[0].retention < 0.5


def test_a_pass_stopped_anywhere_goes_on(
    full: Memory, clock: Travel, tiers: Callable[[], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 7)
    clock.on(300)
    passes = 0
    while True:
        answers = iter([False, True])
        report = full.lifecycle.run(stopped=lambda answers=answers: next(answers))  # type: ignore[misc]
        passes += 1
        assert report.looked <= 7
        if report.looked == 0:
            break
        assert not report.finished
    assert passes > 8 and tiers() == {"cold": 60}
    assert full.lifecycle.run().finished


def test_space_given_back_in_between_ends_nothing_early(
    full: Memory, clock: Travel, tiers: Callable[[], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step that takes: recalls that come and go change its size."""
    for name, value in (("BATCH", 40), ("BESIDE_RECALLS", 7), ("SPARE_PAGES", 0), ("MANY_PAGES", 1)):
        monkeypatch.setattr(maintenance, name, value)
    pauses = iter(range(1000))
    clock.on(10)
    work = maintenance.Pass(
        full.store, int(clock.now.timestamp() * 1000), lambda: time.sleep(0.002 * (next(pauses) % 2 == 0))
    )
    report = work.run()
    assert report.finished and report.looked == 60 and report.freed > 0 and tiers() == {"warm": 60}


def test_forgotten_memories_are_left_alone(full: Memory, clock: Travel) -> None:
    ids = [one.id for one in full.list(limit=5)]
    full.forget(ids)
    clock.on(300)
    assert full.lifecycle.run().looked == 55
    full.restore(ids)
    assert full.lifecycle.run().looked == 5


def test_the_file_gives_its_pages_back(memory: Memory, clock: Travel) -> None:
    memory.remember_many([NewMemory(f"note {n} " + f"about part {n} " * 60) for n in range(150)])
    clock.on(3000)
    report = memory.lifecycle.run()
    with memory.store.reading() as db:
        assert db.execute("PRAGMA freelist_count").fetchone()[0] <= maintenance.SPARE_PAGES
    assert report.freed >= 0 and memory.store.check() == []


def test_what_waits_for_its_first_vector_waits_for_its_tier_too(tmp_path: Path, clock: Travel) -> None:
    with Memory.open(tmp_path, encode="off", clock=clock) as memory:
        memory.remember("the port is 8080")
        clock.on(100)
        assert memory.lifecycle.run().looked == 0
        memory.encode_pending()
        assert memory.lifecycle.run().looked == 1


def test_the_store_learns_from_its_own_forecasts(memory: Memory, clock: Travel) -> None:
    """Where far more is needed than the formula says, the forecast rises; where nothing is told, it stays."""
    ids = [memory.remember(f"note number {n}").id for n in range(80)]
    clock.on(200)
    memory.lifecycle.run()
    assert memory.lifecycle.status().correction == 1
    for _ in range(4):
        memory.use(ids)
        clock.on(31)
        memory.lifecycle.run()
    assert memory.lifecycle.status().correction > 1


def test_status_counts_everything(full: Memory, clock: Travel) -> None:
    ids = [one.id for one in full.list(limit=60)]
    full.pin(ids[:2])
    full.use(ids[:3])
    status = full.lifecycle.status()
    assert (status.pinned, status.used, status.uses) == (2, 3, 3)
    assert sum(status.retention) == 60 and status.retention[-1] == 60
    assert status.float_bytes == 60 * 1536 == status.tiers[0].bytes
    full.lifecycle.run()
    last = full.lifecycle.status().last
    assert last is not None and last.at == clock.now
