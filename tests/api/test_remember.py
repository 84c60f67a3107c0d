"""What is remembered comes back as it was given; what can't be taken changes nothing."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from memd.api import Memory
from memd.errors import Ambiguous, BadInput, NotFound
from memd.model import KINDS, NewMemory, Source

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: not text.isspace()
)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
tags = st.lists(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters=","), min_size=1, max_size=9
    ),
    max_size=4,
)
times = st.datetimes(datetime(1, 1, 2), datetime(8999, 12, 31), timezones=st.just(UTC)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)
)
INJECTION = "'); DROP TABLE memory; --"

_fresh = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    with Memory.open(tmp_path_factory.mktemp("home"), encode="off") as opened:
        yield opened


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off") as opened:
        yield opened


class SteppingClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@given(texts)
@example("\ufeffBOM and \r\n line \x1b[0m ends \x85\u2028")
@example("e\u0301 ≠ é, 👩\u200d👩\u200d👧, \U0010ffff")
@example("ﷺ" * 500)
def test_any_text_comes_back_as_it_was(shared: Memory, text: str) -> None:
    done = shared.remember(text, scope=f"/{next(_fresh)}")
    assert shared.show(done.id).text == text
    assert not done.again


@given(
    st.sampled_from(KINDS), tags, st.builds(Source, who=names, via=names, path=names, session=names), st.none() | times,
    st.none() | names.filter(lambda name: name and not name.isspace()),
)  # fmt: skip
def test_every_field_comes_back(
    shared: Memory, kind: str, tags: list[str], source: Source, at: object, episode: object
) -> None:
    scope = f"/{next(_fresh)}"
    done = shared.remember("text", kind=kind, scope=scope, tags=tags, source=source, event_at=at, episode=episode)
    stored = shared.show(done.id)
    assert (stored.kind, stored.scope, stored.source, stored.event_at) == (kind, scope, source, at)
    assert stored.tags == tuple(sorted({tag.lower() for tag in tags}))
    assert (stored.episode, stored.position) == (episode, None if episode is None else 0)


@given(st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True), min_size=1, max_size=1500), st.data())
def test_any_part_of_a_long_text_is_findable(shared: Memory, words: list[str], data: st.DataObject) -> None:
    scope = f"/{next(_fresh)}"
    shared.remember(" ".join(words), scope=scope)
    start = data.draw(st.integers(0, len(words) - 1))
    with shared.store.reading() as db:
        mark = db.execute("SELECT id FROM scope WHERE path = ?", (scope,)).fetchone()[0]
        for word in words[start : start + 3]:
            row = db.execute(
                "SELECT 1 FROM passage_fts WHERE passage_fts MATCH ?", (f'text : "{word}" AND mark : s{mark}',)
            ).fetchone()
            assert row, word


@pytest.mark.parametrize(
    "bad",
    [
        {"text": ""},
        {"text": " \n\t\u2003"},
        {"text": "a\0b"},
        {"text": "\ud83d alone"},
        {"text": b"bytes"},
        {"text": "x" * (64 * 1024 * 1024 + 1)},
        {"text": "é" * (32 * 1024 * 1024 + 1)},
        {"text": "x", "kind": "poem"},
        {"text": "x", "scope": "relative/path"},
        {"text": "x", "scope": "all"},
        {"text": "x", "scope": "/nul\0"},
        {"text": "x", "tags": ["two words"]},
        {"text": "x", "tags": [""]},
        {"text": "x", "tags": "letters"},
        {"text": "x", "tags": ["t" * 101]},
        {"text": "x", "event_at": datetime(2026, 1, 1)},
        {"text": "x", "event_at": "yesterday"},
        {"text": "x", "source": Source(who="\ud800")},
        {"text": "x", "source": Source(span=(9, 3))},
        {"text": "x", "source": {"who": "me"}},
        {"text": "x", "episode": "  "},
        {"text": "x", "position": 3},
        {"text": "x", "episode": "e", "position": -1},
        {"text": "x", "colour": "red"},
    ],
    ids=lambda bad: str(bad)[:40],
)
def test_what_cannot_be_taken_is_refused(shared: Memory, bad: dict[str, object]) -> None:
    before = shared.stats()
    with pytest.raises(BadInput) as caught:
        shared.remember(**bad)
    assert caught.value.message and caught.value.exit_code == 2
    assert shared.stats() == before


def test_one_bad_item_keeps_all_out(memory: Memory) -> None:
    items = [NewMemory(f"good {n}") for n in range(1200)] + [NewMemory("bad", kind="poem")]
    with pytest.raises(BadInput, match="1201 of 1201"):
        memory.remember_many(items)
    assert memory.stats().memories == 0


def test_many_keep_their_order(memory: Memory) -> None:
    items = [NewMemory(f"memory number {n}") for n in range(1201)]
    done = memory.remember_many(items)
    assert [memory.show(one.id).text for one in done[::100]] == [item.text for item in items[::100]]
    assert [one.id for one in done] == sorted(one.id for one in done)
    assert [m.text for m in memory.list(limit=3)] == [f"memory number {n}" for n in (1200, 1199, 1198)]
    assert memory.remember_many([]) == []


def test_the_same_text_is_said_again(tmp_path: Path) -> None:
    clock = SteppingClock()
    with Memory.open(tmp_path, encode="off", clock=clock) as memory:
        first = memory.remember("twice told", tags=["a"])
        clock.now += timedelta(days=1)
        again = memory.remember("twice told", tags=["B"], source=Source(who="echo"))
        elsewhere = memory.remember("twice told", scope="/other")
        assert (again.id, again.again, again.passages) == (first.id, True, 1)
        assert elsewhere.id != first.id and not elsewhere.again
        stored = memory.show(first.id)
        assert (stored.said, stored.said_at - stored.recorded_at) == (2, timedelta(days=1))
        assert stored.tags == ("a", "b") and stored.source == Source()
        both = memory.remember_many([NewMemory("echo"), NewMemory("echo")])
        assert both[0].id == both[1].id and [one.again for one in both] == [False, True]


def test_ingesting_again_changes_nothing(memory: Memory) -> None:
    items = [NewMemory(f"section {n}", episode="file") for n in range(5)]
    first = memory.remember_many(items, restate=False)
    before = memory.stats(), memory.list(scope="all")
    again = memory.remember_many(items, restate=False)
    assert [one.id for one in again] == [one.id for one in first] and all(one.again for one in again)
    assert (memory.stats(), memory.list(scope="all")) == before


def test_ids_are_found_by_any_unique_beginning(memory: Memory) -> None:
    ids = [memory.remember(f"memory {n}").id for n in range(3)]
    for id_ in ids:
        short = next(id_[:n] for n in range(1, 14) if sum(other.startswith(id_[:n]) for other in ids) == 1)
        assert memory.show(short.upper()).id == memory.show(f" {id_} ").id == id_
    with pytest.raises(Ambiguous) as caught:
        memory.show(ids[0][0])
    assert all(id_ in caught.value.message for id_ in ids)
    for unknown in ("zzzz", "nosuch", "💥", INJECTION, "%", "_", ids[0] + "0"):
        with pytest.raises(NotFound):
            memory.show(unknown)
    for empty in ("", "  "):
        with pytest.raises(BadInput):
            memory.show(empty)


def test_list_filters(tmp_path: Path) -> None:
    clock = SteppingClock()
    with Memory.open(tmp_path, encode="off", clock=clock) as memory:
        note = memory.remember("a note", tags=["red", "blue"], source=Source(who="Ann", path="/src/x.py")).id
        clock.now += timedelta(days=2)
        fix = memory.remember("a fix", kind="fix", scope="/p", tags=["red"]).id
        old = memory.remember("an old fact", kind="fact", scope="/q", event_at=datetime(2020, 1, 1, tzinfo=UTC)).id

        def listed(**filters: object) -> list[str]:
            found = [memory_.id for memory_ in memory.list(**filters)]
            assert memory.count(**{k: v for k, v in filters.items() if k not in ("limit", "before")}) >= len(found)
            return found

        assert listed() == [note]
        assert listed(scope="/p") == listed(scope="/p/") == [fix, note]
        assert listed(scope="/unknown") == [note]
        assert listed(scope="all") == [old, fix, note]
        assert listed(scope="all", kinds=["fix", "fact"]) == [old, fix]
        assert listed(scope="all", tags=["RED"]) == [fix, note]
        assert listed(scope="all", tags=["red", "blue"]) == [note]
        assert listed(scope="all", source="ann") == listed(scope="all", source="/src/") == [note]
        assert listed(scope="all", source="%") == []
        assert listed(scope="all", since=datetime(2026, 3, 2, tzinfo=UTC)) == [fix]
        assert listed(scope="all", until=datetime(2021, 1, 1, tzinfo=timezone(timedelta(hours=5)))) == [old]
        assert listed(scope="all", limit=1) == [old]
        assert listed(scope="all", limit=1, before=old) == [fix]
        memory.forget([fix])
        assert listed(scope="all") == [old, note] and listed(scope="all", forgotten=True) == [fix]
        for bad in (
            {"scope": "x"},
            {"kinds": ["poem"]},
            {"limit": 0},
            {"since": datetime(2026, 1, 1)},
            {"tags": ["a b"]},
        ):
            with pytest.raises(BadInput):
                memory.list(**bad)


def test_tags_change(memory: Memory) -> None:
    id_ = memory.remember("tagged", tags=["old"]).id
    assert memory.tag([id_], add=["New", "new"], remove=["OLD", "never"])[0].tags == ("new",)
    assert memory.show(id_).tags == ("new",)
    with pytest.raises(NotFound):
        memory.tag([id_, "zzz"], add=["lost"])
    assert memory.show(id_).tags == ("new",)


def test_sql_in_every_field_is_text(memory: Memory) -> None:
    done = memory.remember(
        INJECTION,
        scope=f"/{INJECTION}",
        tags=[INJECTION.replace(" ", "")],
        source=Source(who=INJECTION, via=INJECTION, path=INJECTION, session=INJECTION),
        episode=INJECTION,
    )
    stored = memory.show(done.id)
    assert stored.text == stored.episode == stored.source.who == INJECTION
    assert [m.id for m in memory.list(scope=f"/{INJECTION}", tags=stored.tags, source=INJECTION)] == [done.id]
    with pytest.raises(BadInput):
        memory.remember("x", kind=INJECTION)
    assert memory.store.check() == []


@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000, "needle in a long line " * 96_000, "e\u0301" * 100_000 + "👩\u200d💻" * 20_000],
    ids=["a million characters", "two megabytes", "marks and emoji"],
)
def test_long_texts(memory: Memory, text: str) -> None:
    done = memory.remember(text)
    assert memory.show(done.id).text == text
    with memory.store.reading() as db:
        covered = db.execute("SELECT sum(stop - start), count(*) FROM passage").fetchone()
    assert covered == (len(text), done.passages)


@given(texts, texts)
def test_texts_that_differ_at_all_are_two(shared: Memory, one: str, other: str) -> None:
    assume(one != other)
    scope = f"/{next(_fresh)}"
    assert shared.remember(one, scope=scope).id != shared.remember(other, scope=scope).id


def test_tags_are_added_up_to_what_a_memory_takes(memory: Memory) -> None:
    first = memory.remember("the tide table hangs by the door", tags=[f"t{n}" for n in range(60)])
    memory.tag([first.id], add=[f"more{n}" for n in range(4)])
    with pytest.raises(BadInput, match="64 tags"):
        memory.tag([first.id], add=["one"])
    memory.tag([first.id], add=["one"], remove=["t0"])
    assert len(memory.show(first.id).tags) == 64 and "one" in memory.show(first.id).tags
    assert len(memory.show(memory.supersede(first.id, "the tide table hangs by the window").id).tags) == 64
