"""One memory in the place of another: which of them hold, and what was known when."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from memd.api import Memory
from memd.errors import BadInput, Conflict, NotFound
from memd.model import NewMemory, StoredMemory
from memd.store import versions


class SteppingClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def tick(self) -> datetime:
        """A moment between what was and what comes."""
        self.now += timedelta(minutes=2)
        return self.now - timedelta(minutes=1)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def memory(tmp_path: Path, clock: SteppingClock) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off", clock=clock) as opened:
        yield opened


def found(memory: Memory, text: str = "port", **query: object) -> list[str]:
    return sorted(hit.memory.text for hit in memory.recall(text, min_relevance=0, limit=100, **query).hits)


def seq(memory: Memory, id_: str) -> int:
    with memory.store.reading() as db:
        return int(db.execute("SELECT seq FROM memory WHERE id = ?", (id_,)).fetchone()[0])


def test_the_new_one_is_found_and_the_old_one_on_request(memory: Memory, clock: SteppingClock) -> None:
    old = memory.remember("port 80", kind="fact", tags=["web"], scope="/p").id
    clock.tick()
    done = memory.supersede(old, "port 443", why="TLS")
    before, after = memory.show(old), memory.show(done.id)
    assert (after.kind, after.tags, after.scope, after.supersedes) == ("fact", ("web",), "/p", (old,))
    assert (before.superseded_by, before.until, before.text) == (done.id, clock.now, "port 80")
    assert found(memory, scope="/p") == ["port 443"]
    assert found(memory, scope="/p", superseded=True) == ["port 443", "port 80"]
    assert [m.id for m in memory.list(scope="/p")] == [done.id] and memory.count(scope="/p", superseded=True) == 2
    (hit,) = memory.recall("port", scope="/p").hits
    assert hit.memory.supersedes == (old,)


def test_until_is_when_the_new_one_became_true(memory: Memory, clock: SteppingClock) -> None:
    old = memory.remember("port 80", event_at=datetime(2020, 1, 1, tzinfo=UTC)).id
    memory.supersede(old, "port 443", event_at=datetime(2024, 5, 7, tzinfo=UTC))
    assert memory.show(old).until == datetime(2024, 5, 7, tzinfo=UTC)
    other = memory.remember("colour red", event_at=datetime(2025, 1, 1, tzinfo=UTC)).id
    memory.supersede(other, "colour blue", event_at=datetime(2021, 1, 1, tzinfo=UTC))
    assert memory.show(other).until == memory.show(other).event_at  # it never was


def test_a_chain(memory: Memory) -> None:
    ids = [memory.remember("port 1").id]
    for number in range(2, 6):
        ids.append(memory.supersede(ids[-1], f"port {number}").id)
    assert found(memory) == ["port 5"]
    assert [m.id for m in memory.history(ids[2]).versions] == ids
    assert [memory.show(id_).superseded_by for id_ in ids] == [*ids[1:], None]
    memory.forget([ids[3]])  # in the midst: the newest still stands for all
    assert found(memory) == ["port 5"] and memory.show(ids[2]).superseded_by == ids[4]
    memory.forget([ids[4]])
    assert found(memory) == ["port 3"]
    memory.restore([ids[3]])
    assert found(memory) == ["port 4"]


def test_one_successor_at_a_time(memory: Memory) -> None:
    old = memory.remember("port 1").id
    new = memory.supersede(old, "port 2").id
    with pytest.raises(Conflict, match=new):
        memory.supersede(old, "port 3")
    assert memory.count(superseded=True) == 2
    memory.forget([new])
    other = memory.supersede(old, "port 3").id
    memory.restore([new])
    assert found(memory) == ["port 2", "port 3"]
    assert memory.show(old).superseded_by == other


def test_several_may_have_the_same_successor(memory: Memory) -> None:
    one, two = memory.remember("port 1").id, memory.remember("gate 2").id
    new = memory.supersede(one, "port and gate 3").id
    assert memory.supersede(two, "port and gate 3").id == new
    assert memory.show(new).supersedes == (one, two) and memory.show(new).said == 2


def test_cycles_and_other_scopes_are_refused(memory: Memory) -> None:
    one = memory.remember("port 1").id
    two = memory.supersede(one, "port 2").id
    far = memory.remember("port 9", scope="/far").id
    with memory.store.writing() as db, pytest.raises(Conflict):
        versions.supersede(db, seq(memory, two), seq(memory, one), 0)
    with memory.store.writing() as db, pytest.raises(BadInput):
        versions.supersede(db, seq(memory, two), seq(memory, far), 0)
    with memory.store.writing() as db, pytest.raises(BadInput):
        versions.supersede(db, seq(memory, two), seq(memory, two), 0)
    with pytest.raises(BadInput):
        memory.supersede(far, "port 10", scope="/elsewhere")
    with pytest.raises(NotFound):
        memory.supersede("zzz", "port 10")
    with pytest.raises(BadInput):
        memory.supersede(two, " ")
    assert found(memory, scope="all") == ["port 2", "port 9"]


def test_the_same_text_replaces_nothing(memory: Memory) -> None:
    old = memory.remember("port 1").id
    done = memory.supersede(old, "port 1")
    assert (done.id, done.again, memory.show(old).said, memory.show(old).superseded_by) == (old, True, 2, None)


def test_back_to_a_former_text(memory: Memory) -> None:
    first = memory.remember("port 1").id
    second = memory.supersede(first, "port 2").id
    third = memory.supersede(second, "port 1").id
    assert third != first and found(memory) == ["port 1"]
    memory.forget([third])
    assert found(memory) == ["port 2"]


def test_an_old_text_said_again_is_new_knowledge_but_not_when_its_file_is_read_again(memory: Memory) -> None:
    first = memory.remember("port 1").id
    second = memory.supersede(first, "port 2").id
    (read,) = memory.remember_many([NewMemory(text="port 1")], restate=False)
    assert read.again and read.id == first and found(memory) == ["port 2"]
    said = memory.remember("port 1")
    assert not said.again and said.id != first and found(memory) == ["port 1", "port 2"]
    memory.forget([second])  # the first would hold again, but the text is there as another memory
    assert found(memory) == ["port 1"] and memory.show(first).superseded_by == said.id


def test_as_of_brings_back_what_was_forgotten_since(memory: Memory, clock: SteppingClock) -> None:
    id_ = memory.remember("the backup host is orion").id
    known = clock.tick()
    memory.forget([id_])
    gone = clock.tick()
    (hit,) = memory.recall("backup host", as_of=known).hits
    assert hit.memory.id == id_ and hit.memory.forgotten_at is None
    assert not memory.recall("backup host", as_of=gone).hits
    assert not memory.recall("backup host", as_of=known - timedelta(days=1)).hits


@pytest.mark.parametrize("alone", ["lexical", "semantic", "entity", "temporal"])
def test_every_channel_answers_as_of_a_time(tmp_path: Path, clock: SteppingClock, alone: str) -> None:
    query = "what did parse_config.py say on 1 March 2026"
    others = [name for name in ("lexical", "semantic", "spreading") if name != alone]
    with Memory.open(tmp_path, encode="inline", clock=clock) as memory:
        if memory.degraded:
            pytest.skip(memory.degraded[0])
        old = memory.remember("parse_config.py says the port is 80").id
        gone = memory.remember("parse_config.py says the colour is red").id
        then = clock.tick()
        new = memory.supersede(old, "parse_config.py says the port is 443").id
        memory.forget([gone])
        clock.tick()
        asked = {"without": others, "min_relevance": 0, "limit": 10}
        now = {hit.memory.id for hit in memory.recall(query, **asked).hits}
        was = {hit.memory.id for hit in memory.recall(query, as_of=then, **asked).hits}
        assert (now, was) == ({new}, {old, gone})
        shown = {hit.memory.id: hit.memory.superseded_by for hit in memory.recall(query, as_of=then, **asked).hits}
        assert shown == {old: None, gone: None}


class Told(RuleBasedStateMachine):
    """Random changes; then what is known as of each moment is what stood there at that moment."""

    ids = Bundle("ids")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SteppingClock()
        self.memory = Memory.open(self.folder.name, encode="off", clock=self.clock)
        self.seen: list[tuple[datetime, dict[str, StoredMemory], set[str]]] = []
        self.number = 0

    def teardown(self) -> None:
        for moment, then, everything in self.seen:
            hits = self.memory.recall("port", as_of=moment, limit=1000, min_relevance=0).hits
            assert {hit.memory.id: hit.memory for hit in hits} == then
            wide = self.memory.recall("port", as_of=moment, limit=1000, min_relevance=0, superseded=True).hits
            assert {hit.memory.id for hit in wide} == everything
        assert self.memory.audit().sound, self.memory.audit().troubles
        self.memory.close()
        self.folder.cleanup()

    def keep(self) -> None:
        moment = self.clock.tick()
        hits = self.memory.recall("port", limit=1000, min_relevance=0).hits
        every = self.memory.recall("port", limit=1000, min_relevance=0, superseded=True).hits
        self.seen.append((moment, {hit.memory.id: hit.memory for hit in hits}, {hit.memory.id for hit in every}))

    @rule(target=ids, word=st.sampled_from("abc"))
    def remember(self, word: str) -> str:
        done = self.memory.remember(f"port {word}").id
        self.keep()
        return done

    @rule(target=ids, old=ids, word=st.sampled_from("abcd"))
    def supersede(self, old: str, word: str) -> object:
        try:
            done = self.memory.supersede(old, f"port {word}").id
        except Conflict:
            return multiple()
        self.keep()
        return done

    @rule(id_=ids)
    def forget(self, id_: str) -> None:
        self.memory.forget([id_])
        self.keep()

    @rule(id_=consumes(ids), target=ids)
    def restore(self, id_: str) -> str:
        try:
            self.memory.restore([id_])
        except Conflict:
            return id_
        self.keep()
        return id_

    @invariant()
    def what_holds_is_what_nothing_living_stands_for(self) -> None:
        if not hasattr(self, "memory"):
            return
        with self.memory.store.reading() as db:
            living = {row[0] for row in db.execute("SELECT seq FROM memory WHERE forgotten_at IS NULL")}
            links: dict[int, list[int]] = {}
            for old, new in db.execute("SELECT old, new FROM version"):
                links.setdefault(old, []).append(new)
            stored = dict(db.execute("SELECT seq, superseded_at IS NOT NULL FROM memory"))
        for one, hidden in stored.items():
            ahead, waiting = set(), list(links.get(one, ()))
            while waiting:
                after = waiting.pop()
                if after not in ahead:
                    ahead.add(after)
                    waiting += links.get(after, ())
            assert one not in ahead
            assert bool(hidden) == bool(ahead & living)


TestTold = Told.TestCase
TestTold.settings = settings(max_examples=25, stateful_step_count=14, deadline=None)


def test_stats_tell_those_that_hold_from_those_that_were_replaced(memory: Memory) -> None:
    old = memory.remember("the port is 8080", kind="fact").id
    new = memory.supersede(old, "the port is 9090").id
    gone = memory.remember("the port is open").id
    memory.forget([gone])
    stats = memory.stats()
    assert (stats.memories, stats.superseded, stats.forgotten, stats.passages) == (1, 1, 1, 2)
    assert stats.by_kind == {"fact": 1} and stats.by_scope == {"global": 1}
    memory.forget([new])
    stats = memory.stats()
    assert (stats.memories, stats.superseded, stats.forgotten) == (1, 0, 2)


def test_superseding_with_the_same_text_twice_is_done_once(tmp_path: Path) -> None:
    """As a client asks that doesn't know whether the daemon that was killed had done it."""
    with Memory.open(tmp_path, encode="off") as memory:
        old = memory.remember("the port is 8080").id
        first = memory.supersede(old, "the port is 9090")
        again = memory.supersede(old, "the port is 9090")
        assert (again.id, again.old, again.again) == (first.id, old, True)
        assert memory.show(first.id).said == 1 and len(memory.history(old).replacements) == 1
        with pytest.raises(Conflict):
            memory.supersede(old, "the port is 7070")
        memory.supersede(first.id, "the port is 7070")
        with pytest.raises(Conflict):
            memory.supersede(old, "the port is 9090")
