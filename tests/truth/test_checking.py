"""Conflicts and near-duplicates among stored memories: found, flagged on both, decided by people or by a rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memd.api import Memory
from memd.errors import BadInput
from memd.model import NewMemory, Source
from memd.store import conflicts as kept
from tests.waiting import eventually


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off") as opened:
        yield opened


def open_pairs(memory: Memory, scope: str = "global") -> list[tuple[str, str]]:
    return [(found.memories[0].id, found.memories[1].id) for found in memory.conflicts(scope=scope).conflicts]


def test_a_conflict_is_flagged_on_both_with_the_differing_words(memory: Memory) -> None:
    old = memory.remember("CI runs on Jenkins").id
    memory.remember("The docs are in docs/")
    new = memory.remember("CI runs on Buildkite").id
    (found,) = memory.conflicts().conflicts
    assert (found.rule, found.differing, [m.id for m in found.memories]) == (
        "name",
        ("Jenkins", "Buildkite"),
        [old, new],
    )
    assert memory.show(old).conflicts == (new,) and memory.show(new).conflicts == (old,)
    assert memory.show(old).superseded_by is None
    assert [what.what for what in memory.history(old).changes] == ["remember", "conflict"]


def test_other_scopes_and_kinds_are_left_alone(memory: Memory) -> None:
    memory.remember("CI runs on Jenkins", scope="/a")
    memory.remember("CI runs on Buildkite", scope="/b")
    memory.remember("CI runs on Travis", scope="/a", kind="turn")
    memory.remember("CI runs on Drone", scope="/a", kind="commit")
    assert open_pairs(memory, "all") == []
    memory.remember("CI runs on GitLab", scope="/a")
    assert len(open_pairs(memory, "all")) == len(open_pairs(memory, "/a")) == 1
    assert open_pairs(memory, "/b") == []


def from_file(text: str, path: str) -> NewMemory:
    return NewMemory(text, source=Source(via="ingest", path=path))


def test_what_sections_of_one_file_say_of_themselves_is_no_conflict(memory: Memory) -> None:
    memory.remember_many(
        [
            from_file("# fetch\n\nThe default timeout is 30 seconds.", "/p/docs/api.md"),
            from_file("# push\n\nThe default timeout is 90 seconds.", "/p/docs/api.md"),
        ]
    )
    assert open_pairs(memory) == []
    memory.remember_many([from_file("# Set-up\n\nThe default timeout is 60 seconds.", "/p/README.md")])
    assert len(open_pairs(memory)) == 2


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        *((name, 0) for name in ("CHANGELOG.md", "HISTORY-0.x.rst", "release_notes.md", "v1.2.0-rc1.md", "1.2.x.md")),
        *((name, 1) for name in ("release.md", "2024.05.01.md", "01.02.md", "breaking-changes.md", "history-of-us.md")),
    ],
)
def test_a_log_of_releases_tells_what_was_done(memory: Memory, name: str, compared: int) -> None:
    memory.remember("The default timeout is 60 seconds.")
    memory.remember_many([from_file("# 1.2\n\nThe default timeout is 90 seconds.", f"/p/{name}")])
    assert len(open_pairs(memory)) == compared


def test_what_was_learnt_in_one_session_may_exclude(memory: Memory) -> None:
    learnt = Source(via="hook", path="/p/session.jsonl")
    texts = ("The database of the shop is Postgres 14.", "The database of the shop is now Postgres 16.")
    old, new = (stored.id for stored in memory.remember_many([NewMemory(text, source=learnt) for text in texts]))
    memory.compare()
    assert memory.show(old).superseded_by == new


def test_what_differs_within_a_file_is_not_said_twice(memory: Memory) -> None:
    text = (
        "The nightly encrypted backups of the customer database and of all uploaded invoices are kept for thirty days"
        " on the storage server in the cellar of the office in {}."
    )
    for town, path in (("Berlin", "/p/a.md"), ("Dublin", "/p/a.md"), ("Lisbon", "/p/CHANGELOG.md")):
        memory.remember_many([from_file(text.format(town), path)])
    assert open_pairs(memory) == []
    with memory.store.reading() as db:
        assert [kept.twins(db, seq) for (seq,) in db.execute("SELECT seq FROM memory")] == [[], [], []]


def test_resolving(memory: Memory) -> None:
    old, new = memory.remember("CI runs on Jenkins").id, memory.remember("CI runs on Buildkite").id
    assert open_pairs(memory) == [(old, new)]
    kept_one, other = memory.resolve(new, old, why="asked the team")
    assert (kept_one.supersedes, other.superseded_by, kept_one.conflicts) == ((old,), new, ())
    assert open_pairs(memory) == []
    assert memory.history(new).replacements[0].why == "asked the team"


def test_both_may_hold(memory: Memory) -> None:
    one, other = memory.remember("CI runs on Jenkins").id, memory.remember("CI runs on Buildkite").id
    assert open_pairs(memory) == [(one, other)]
    memory.resolve(one, other, both=True)
    assert open_pairs(memory) == [] and memory.show(one).superseded_by is None
    memory.compare()
    assert open_pairs(memory) == []
    with pytest.raises(BadInput):
        memory.resolve(one, one)


def test_what_is_forgotten_or_superseded_is_in_no_conflict(memory: Memory) -> None:
    one, other = memory.remember("CI runs on Jenkins").id, memory.remember("CI runs on Buildkite").id
    assert open_pairs(memory) == [(one, other)]
    memory.forget([other])
    assert open_pairs(memory) == [] and memory.show(one).conflicts == ()
    memory.restore([other])
    assert open_pairs(memory) == [(one, other)]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("CI runs on Jenkins", "CI now runs on Buildkite", "the newer one says so"),
        ("We use Redis for sessions", "We no longer use Redis for sessions", "the newer one says so"),
        ("MAX_UPLOAD_SIZE = 10 MB", "MAX_UPLOAD_SIZE = 25 MB", "same key: MAX_UPLOAD_SIZE"),
    ],
)
def test_a_rule_decides_where_it_says_why(memory: Memory, old: str, new: str, why: str) -> None:
    before, after = memory.remember(old).id, memory.remember(new).id
    assert open_pairs(memory) == []
    assert memory.show(before).superseded_by == after
    assert memory.history(after).replacements[0].why == why


def test_no_rule_decides_where_more_would_be_lost(memory: Memory) -> None:
    before = memory.remember("CI runs on Jenkins. The builds take ten minutes.").id
    after = memory.remember("CI now runs on Buildkite.").id
    assert open_pairs(memory) == [(before, after)]
    assert memory.show(before).superseded_by is None


def test_the_older_one_says_now(memory: Memory) -> None:
    one, other = memory.remember("CI now runs on Buildkite").id, memory.remember("CI runs on Jenkins").id
    assert open_pairs(memory) == [(one, other)]


def test_near_duplicates_are_linked_and_count_as_restated(memory: Memory) -> None:
    one = memory.remember("Deploy with make release, from the main branch").id
    other = memory.remember("From the main branch, deploy with `make release`!").id
    third = memory.remember("Deploy with make release, from the develop branch").id
    memory.compare()
    with memory.store.reading() as db:
        seqs = {
            id_: db.execute("SELECT seq FROM memory WHERE id = ?", (id_,)).fetchone()[0] for id_ in (one, other, third)
        }
        assert kept.twins(db, seqs[one]) == [other] and kept.twins(db, seqs[third]) == []
        assert db.execute("SELECT memory, verdict FROM use").fetchall() == [(seqs[one], "restated")]


def test_a_killed_comparison_goes_on(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        for number in range(6):
            memory.remember(f"The pool size is {number + 10}", scope=f"/{number % 3}")
        assert memory.compare(0.0) == 0
    with Memory.open(tmp_path, encode="off") as memory:
        assert memory.compare() == 6
        assert len(open_pairs(memory, "all")) == 3
        assert memory.compare() == 0 and memory.conflicts(scope="all").waiting == 0


def test_it_is_found_in_the_background(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="background") as memory:
        memory.remember("CI runs on Jenkins")
        memory.remember("CI runs on Buildkite")

        def found() -> int:
            with memory.store.reading() as db:
                return len(kept.unsettled(db, "global", 5))

        assert eventually(lambda: found() > 0) and found() == 1


def test_edges_of_a_graph_do_not_exclude_each_other(memory: Memory) -> None:
    memory.remember("api-server runs on postgres", tags=("relation",))
    memory.remember("api-server runs on redis", tags=("relation",))
    assert not open_pairs(memory)
    memory.remember("web-server runs on postgres")
    memory.remember("web-server runs on redis")
    assert len(open_pairs(memory)) == 1
