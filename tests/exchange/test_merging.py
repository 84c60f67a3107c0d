"""Two stores become one: without doubles, without loss, and with a word on everything that the two have otherwise."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from memd.api import Memory
from memd.model import StoredMemory
from tests.exchange.played import Step, Stores, check_sound, exported, imported, play, steps


def everything(memory: Memory) -> list[StoredMemory]:
    found = memory.list(scope="all", superseded=True, limit=10_000)
    return found + memory.list(scope="all", forgotten=True, limit=10_000)


def uses(memory: Memory) -> int:
    with memory.store.reading() as db:
        return int(db.execute("SELECT count(*) FROM use").fetchone()[0])


@settings(max_examples=30)
@given(steps, steps)
def test_merging_loses_nothing_and_doubles_nothing(mine: list[Step], theirs: list[Step]) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        play(here, stores.clock, mine, stores.folder())
        play(there, stores.clock, theirs, stores.folder())
        before = {one.id: one for one in everything(here)}
        content = exported(there)
        tried = imported(here, content, stores.folder(), dry_run=True)
        assert {one.id: one for one in everything(here)} == before  # a rehearsal changes nothing
        report = imported(here, content, stores.folder())
        assert (tried.added, tried.merged, tried.known, tried.redacted) == (
            report.added, report.merged, report.known, report.redacted,
        )  # fmt: skip
        assert [trouble.what for trouble in tried.troubles] == [trouble.what for trouble in report.troubles]
        after = {one.id: one for one in everything(here)}
        for id_, one in before.items():
            now = after[id_]
            assert (now.text, now.kind, now.scope, now.recorded_at, now.source) == (
                one.text, one.kind, one.scope, one.recorded_at, one.source,
            )  # fmt: skip
            assert (now.forgotten_at is None) == (one.forgotten_at is None)
            assert set(one.tags) <= set(now.tags) and now.said >= one.said
        texts = {(one.scope, one.text) for one in after.values()}
        assert {(one.scope, one.text) for one in everything(there)} <= texts
        holding = [(one.scope, one.text) for one in here.list(scope="all", limit=10_000)]
        assert len(set(holding)) == len(holding)
        check_sound(here)
        counted, state = uses(here), exported(here)
        again = imported(here, content, stores.folder())
        assert not again.added and not again.merged
        assert uses(here) == counted and exported(here) == state


@settings(max_examples=20)
@given(steps, steps, st.integers(0, 30))
def test_an_import_that_was_cut_short_ends_the_same_when_it_is_run_again(
    mine: list[Step], theirs: list[Step], stop: int
) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        play(here, stores.clock, mine, stores.folder())
        play(there, stores.clock, theirs, stores.folder())
        content = exported(there)
        here.close()
        twin = stores.folder()
        for file in here.store.path.parent.iterdir():
            if file.is_file():
                shutil.copy(file, twin / file.name)
        opened = {"encode": "off", "clock": stores.clock}
        with Memory.open(here.store.path.parent, **opened) as whole:  # type: ignore[arg-type]
            imported(whole, content, stores.folder(), batch=1)
            expected = exported(whole)
        with Memory.open(twin, **opened) as cut:  # type: ignore[arg-type]
            imported(cut, content, stores.folder(), batch=1, stop_after=stop)
        with Memory.open(twin, **opened) as cut:  # type: ignore[arg-type]
            imported(cut, content, stores.folder())
            assert exported(cut) == expected
            check_sound(cut)


def test_imports_and_writers_of_two_processes_at_once() -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        beside = stores.stack.enter_context(Memory.open(here.store.path.parent, encode="off", clock=stores.clock))
        for number in range(300):
            there.remember(f"note {number} of crane {number % 17}", episode="log" if number % 2 else None)
        content, folders = exported(there), [stores.folder(), stores.folder()]

        def write(memory: Memory, name: str) -> None:
            for number in range(40):
                memory.remember(f"{name} {number}", episode="log")

        with ThreadPoolExecutor(4) as pool:
            doing = [pool.submit(write, here, "mine"), pool.submit(write, beside, "yours")]
            doing += [
                pool.submit(imported, *job) for job in zip((here, beside), (content, content), folders, strict=True)
            ]
            for each in doing:
                each.result()
        assert here.stats().memories == 300 + 80
        check_sound(here)


def test_the_same_text_is_one_memory_with_the_uses_of_both(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        mine = here.remember("The server listens on port 80.", tags=["web"]).id
        here.use([mine])
        stores.clock.now = stores.clock.now.replace(hour=13)
        theirs = there.remember("The server listens on port 80.", tags=["ops"]).id
        there.use([theirs], verdict="cited", who="ada")
        report = imported(here, exported(there), tmp_path)
        assert (report.added, report.merged, report.known) == ({}, 1, 0)
        (one,) = here.list()
        assert (one.id, one.tags, one.said) == (mine, ("ops", "web"), 2)
        (alive,) = here.lifecycle.vitality([mine])
        assert alive.uses == 2
        assert {change.what for change in here.history(mine).changes} >= {"remember", "use"}
        assert any(change.source.who == "ada" for change in here.history(mine).changes)


def test_chains_of_versions_are_joined(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        mine = here.remember("port 80").id
        stores.clock.now = stores.clock.now.replace(hour=13)
        theirs = there.remember("port 80").id
        stores.clock.now = stores.clock.now.replace(hour=14)
        second = there.supersede(theirs, "port 443").id
        third = there.supersede(second, "port 8443").id
        imported(here, exported(there), tmp_path)
        assert [one.text for one in here.list()] == ["port 8443"]
        assert [one.id for one in here.history(mine).versions] == [mine, second, third]
        check_sound(here)


def test_two_successors_both_hold_and_that_is_said(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        old = there.remember("port 80").id
        imported(here, exported(there), tmp_path)
        here.supersede(old, "port 443")
        there.supersede(old, "port 9090")
        report = imported(here, exported(there), tmp_path)
        assert sorted(one.text for one in here.list()) == ["port 443", "port 9090"]
        assert [trouble.what for trouble in report.troubles] == ["differs"]
        assert "both hold" in report.troubles[0].why


def test_what_is_here_is_never_overwritten(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        one = there.remember("port 80", importance=0.9).id
        imported(here, exported(there), tmp_path)
        there.forget([one])
        there.pin([one])
        report = imported(here, exported(there), tmp_path)
        assert here.show(one).forgotten_at is None
        assert sorted(trouble.why.split()[2] + trouble.why.split()[3] for trouble in report.troubles) == [
            "notforgotten", "notpinned",
        ]  # fmt: skip
        assert all(trouble.id == one for trouble in report.troubles)
        here.forget([one])
        there.restore([one])
        report = imported(here, exported(there), tmp_path)
        assert here.show(one).forgotten_at is not None
        assert "is forgotten here" in report.troubles[0].why


def test_another_text_under_the_same_id_is_stored_beside_it(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there, third = stores.new(), stores.new(), stores.new()
        one = there.remember("port 80").id
        there.supersede(one, "port 443")
        imported(here, exported(there), tmp_path)
        other = exported(there).replace(b'"text":"port 80"', b'"text":"port 81"')
        other = resealed(other)
        report = imported(here, other, tmp_path)
        assert [trouble.what for trouble in report.troubles if trouble.what == "text"] == ["text"]
        assert here.show(one).text == "port 80"
        assert {each.text for each in here.list(scope="all", superseded=True)} == {"port 80", "port 81", "port 443"}
        assert [each.text for each in here.list()] == ["port 443"]  # both are replaced by it
        again = imported(here, other, tmp_path)
        assert not again.added
        check_sound(here)
        imported(third, other, tmp_path)


def resealed(content: bytes) -> bytes:
    """An export that was edited, with the digest that it has now."""
    import hashlib
    import json

    *body, end = content.splitlines(keepends=True)
    told = json.loads(end)
    told["digest"] = hashlib.blake2b(b"".join(body), digest_size=32).hexdigest()
    return b"".join(body) + json.dumps(told).encode() + b"\n"


def test_what_was_purged_here_doesn_t_come_back(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        one = there.remember("port 80").id
        imported(here, exported(there), tmp_path)
        here.purge([one])
        report = imported(here, exported(there), tmp_path)
        assert not report.added and "was purged here" in report.troubles[0].why
        assert "port 80" not in exported(here).decode()


def test_a_purge_takes_what_another_store_told_of_it(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        old = there.remember("the harbour has 3 cranes").id
        new = there.supersede(old, "the harbour has 4 quetzalcranes", why="a quetzalcrane came").id
        imported(here, exported(there), tmp_path)
        here.purge([new])
        check_sound(here)
        home = here.store.path.parent
        here.close()
        for file in home.iterdir():
            assert not file.is_file() or b"quetzal" not in file.read_bytes()


def test_taken_numbers_of_tasks_are_given_anew(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        here.tasks.start("mine", scope="/srv/app")
        there.tasks.start("theirs", scope="/srv/app")
        there.tasks.step("a part of theirs", scope="/srv/app")
        imported(here, exported(there), tmp_path)
        tasks = {task.title: task for task in here.tasks.list(scope="/srv/app").tasks}
        assert {title: (task.number, task.parent) for title, task in tasks.items()} == {
            "mine": (1, None), "theirs": (2, None), "a part of theirs": (3, 2),
        }  # fmt: skip


def test_scopes_are_put_into_others(tmp_path: Path) -> None:
    with Stores() as stores:
        here, other, there = stores.new(), stores.new(), stores.new()
        there.remember("in app", scope="/srv/app")
        there.remember("in lib", scope="/srv/lib")
        there.remember("everywhere")
        imported(here, exported(there), tmp_path, scopes={"/srv/app": "/home/me/app"})
        assert {one.text: one.scope for one in here.list(scope="all")} == {
            "in app": "/home/me/app", "in lib": "/srv/lib", "everywhere": "global",
        }  # fmt: skip
        imported(other, exported(there), tmp_path, scopes={"*": "/one"})
        assert {one.scope for one in other.list(scope="all")} == {"/one"}
        check_sound(here)
        check_sound(other)


def test_new_memories_are_compared_with_what_is_here(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        here.remember("The server listens on port 80.", kind="fact")
        here.compare()
        there.remember("The server listens on port 443.", kind="fact")
        there.compare()
        imported(here, exported(there), tmp_path)
        (found,) = here.conflicts().conflicts
        assert found.rule == "number"


def test_what_was_decided_there_is_not_decided_again(tmp_path: Path) -> None:
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        one = there.remember("MAX_SIZE: 10", kind="fact").id
        other = there.remember("MAX_SIZE: 20", kind="fact").id
        there.resolve(one, other, both=True)
        imported(here, exported(there), tmp_path)
        here.compare()
        assert len(here.list()) == 2 and not here.conflicts().conflicts
