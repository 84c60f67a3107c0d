"""What counts as a use, what it does, and that folding old uses changes no score."""

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.api import Memory
from memd.errors import BadInput, NotFound
from memd.model import NewMemory, Vitality
from memd.store import uses

from .conftest import Travel


def life(memory: Memory, id_: str) -> Vitality:
    return memory.lifecycle.vitality([id_])[0]


def test_a_use_raises_activation_and_stability(memory: Memory, clock: Travel) -> None:
    id_ = memory.remember("the port is 8080").id
    clock.on(20)
    before = life(memory, id_)
    (after,) = memory.use([id_], who="claude-code", session="s1", recall="r1")
    assert after.activation > before.activation and after.stability_days > before.stability_days
    assert (before.uses, after.uses, after.used_at) == (0, 1, clock.now)
    assert after.retention == 1 > before.retention
    with memory.store.reading() as db:
        row = db.execute("SELECT verdict, who, via, session, recall FROM use").fetchone()
    assert row == ("useful", "claude-code", "api", "s1", "r1")


def test_being_shown_is_no_use(memory: Memory, clock: Travel) -> None:
    id_ = memory.remember("the port is 8080").id
    before = life(memory, id_)
    assert memory.recall("which port", min_relevance=0).hits
    memory.show(id_)
    assert life(memory, id_) == before


def test_saying_it_again_is_a_use_and_reading_it_again_is_none(memory: Memory, clock: Travel) -> None:
    id_ = memory.remember("the port is 8080").id
    clock.on(5)
    memory.remember("the port is 8080")
    assert life(memory, id_).uses == 1
    memory.remember_many([NewMemory("the port is 8080")], restate=False)
    assert life(memory, id_).uses == 1


def test_a_useless_verdict_counts_against_it(memory: Memory, clock: Travel) -> None:
    id_ = memory.remember("the port is 8080").id
    clock.on(3)
    before = life(memory, id_)
    (after,) = memory.use([id_], verdict="useless")
    assert after.activation < before.activation and after.stability_days < before.stability_days
    assert (after.uses, after.useless, after.used_at) == (0, 1, None)


def test_wrong_uses_change_nothing(memory: Memory) -> None:
    id_ = memory.remember("the port is 8080").id
    with pytest.raises(NotFound):
        memory.use([id_, "zzzz"])
    with pytest.raises(BadInput, match="great"):
        memory.use([id_], verdict="great")  # type: ignore[arg-type]
    assert life(memory, id_).uses == 0


def test_a_use_of_what_faded_brings_it_back_at_once(
    memory: Memory, clock: Travel, tiers: Callable[[], dict[str, int]]
) -> None:
    ids = [memory.remember(text).id for text in ("the port is 8080", "deploys go out on Tuesdays")]
    clock.on(20 * 365)
    memory.lifecycle.run()
    assert tiers() == {"dormant": 2}
    assert memory.pending() == 0 and memory.show(ids[0]).encoded == 0
    assert memory.recall("Tuesdays", min_relevance=0).hits[0].memory.id == ids[1]  # by its words
    (used,) = memory.use(ids[:1])
    assert (used.tier, used.tier_since) == ("active", clock.now)
    assert memory.show(ids[0]).encoded == 1 and memory.show(ids[1]).encoded == 0
    with memory.store.reading() as db:
        assert db.execute("SELECT bits, length(code) FROM vector").fetchall() == [(32, 1536)]


def test_saying_what_faded_again_brings_it_back_too(memory: Memory, clock: Travel) -> None:
    id_ = memory.remember("the port is 8080").id
    clock.on(400)
    memory.lifecycle.run()
    assert life(memory, id_).tier == "cold"
    memory.remember("the port is 8080")
    assert life(memory, id_).tier == "active"
    with memory.store.reading() as db:
        assert db.execute("SELECT bits FROM vector").fetchall() == [(32,)]


def test_pinned_memories_do_not_fade(memory: Memory, clock: Travel, tiers: Callable[[], dict[str, int]]) -> None:
    pinned = memory.remember("never push on Fridays", pinned=True).id
    late = memory.remember("the port is 8080").id
    clock.on(400)
    memory.lifecycle.run()
    assert tiers() == {"active": 1, "cold": 1}
    (one,) = memory.pin([late])
    assert one.pinned and one.tier == "active" and one.retention == 1 and one.next is None
    clock.on(4000)
    memory.lifecycle.run()
    assert tiers() == {"active": 2}
    memory.unpin([pinned, late])
    memory.lifecycle.run()
    assert tiers() == {"dormant": 2}


def test_a_new_version_is_as_pinned_and_as_important_as_the_old(memory: Memory, clock: Travel) -> None:
    old = memory.remember("deploys go out on Tuesdays", pinned=True, importance=0.9).id
    weak = memory.remember("the port is 8080", importance=0.2).id
    clock.on(1)
    memory.lifecycle.run()
    new, strong = memory.supersede(old, "deploys go out on Mondays").id, memory.supersede(weak, "the port is 9090").id
    assert (life(memory, new).pinned, life(memory, new).importance) == (True, 0.9)
    assert (life(memory, strong).pinned, life(memory, strong).importance) == (False, 0.5)
    clock.on(4000)
    memory.lifecycle.run()
    assert (life(memory, new).tier, life(memory, strong).tier) == ("active", "dormant")
    assert memory.audit().sound
    memory.forget([new])
    assert life(memory, old).pinned  # and holds again


def test_what_inherits_a_pin_comes_back_at_once(memory: Memory, clock: Travel) -> None:
    faded = memory.remember("deploys go out on Mondays").id
    clock.on(400)
    memory.lifecycle.run()
    old = memory.remember("deploys go out on Tuesdays", pinned=True).id
    memory.resolve(faded, old)
    assert (life(memory, faded).tier, life(memory, faded).tier_since) == ("active", clock.now)
    memory.encode_pending()
    with memory.store.reading() as db:
        assert db.execute("SELECT DISTINCT bits FROM vector").fetchall() == [(32,)]


def test_importance_and_kind_tell_how_long_it_lasts(memory: Memory) -> None:
    def stability(**fields: object) -> float:
        return life(memory, memory.remember(f"a text {fields}", **fields).id).stability_days

    ordinary = stability()
    assert stability(importance=1.0) == 4 * ordinary == 16 * stability(importance=0.0)
    assert stability(kind="decision") > stability(kind="fact") > ordinary > stability(kind="turn")
    with pytest.raises(BadInput, match="importance"):
        memory.remember("x", importance=2)


def test_what_is_told_of_the_next_tier_comes_true(memory: Memory, clock: Travel) -> None:
    id_ = memory.remember("the port is 8080").id
    for _ in range(4):
        following = life(memory, id_).next
        assert following is not None
        clock.now = following.at - timedelta(seconds=1)
        memory.lifecycle.run()
        assert life(memory, id_).tier != following.tier
        clock.now = following.at
        memory.lifecycle.run()
        assert (life(memory, id_).tier, life(memory, id_).tier_since) == (following.tier, clock.now)
    assert life(memory, id_).tier == "dormant" and life(memory, id_).next is None


histories = st.lists(st.tuples(st.floats(0, 900), st.sampled_from(uses.VERDICTS)), min_size=1, max_size=25)


@settings(max_examples=25, deadline=None)
@given(histories, st.lists(st.floats(0, 1200), min_size=1, max_size=4))
def test_folding_changes_no_score(history: list[tuple[float, str]], looks: list[float]) -> None:
    """Two stores with the same uses, one folded ever again: every figure is the same to the last bit."""
    start = datetime(2030, 1, 1, tzinfo=UTC)
    clock = Travel()
    with tempfile.TemporaryDirectory() as folder:
        folded, plain = (Memory.open(Path(folder) / name, encode="off", clock=clock) for name in "ab")
        ids = [one.remember("the port is 8080").id for one in (folded, plain)]
        for day, verdict in sorted(history):
            clock.now = start + timedelta(days=day)
            for one, id_ in zip((folded, plain), ids, strict=True):
                one.use([id_], verdict=verdict)  # type: ignore[arg-type]
            with folded.store.writing() as db:
                uses.fold(db, int(clock.now.timestamp() * 1000), 3)
        with folded.store.writing() as db:
            while uses.fold(db, 1 << 60, 3):
                pass
            assert db.execute("SELECT count(*) FROM use").fetchone()[0] == 0
        for look in looks:
            clock.now = start + timedelta(days=900 + look)
            one, other = (memory.lifecycle.vitality([id_])[0] for memory, id_ in ((folded, ids[0]), (plain, ids[1])))
            assert json.dumps(_figures(one)) == json.dumps(_figures(other))
        folded.close()
        plain.close()


def _figures(life: Vitality) -> list[object]:
    return [life.activation, life.retention, life.stability_days, life.needed, life.uses, life.useless, str(life.next)]
