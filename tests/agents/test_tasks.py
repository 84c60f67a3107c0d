"""Working memory: goals and steps as a tree, what waits for what, and which of it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.api import Memory
from memd.errors import BadInput, Conflict, MemdError, NotFound
from memd.model import Source, Task, TaskTree

HERE = "/projects/here"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off") as memory:
        yield memory


def numbers(tree: TaskTree) -> list[int]:
    return [task.number for task in tree.tasks]


def by_number(memory: Memory, number: int) -> Task:
    return next(task for task in memory.tasks.list(scope=HERE, all=True).tasks if task.number == number)


def test_a_goal_its_steps_and_their_order(memory: Memory) -> None:
    tasks = memory.tasks
    goal = tasks.start("release 2.0", scope=HERE)
    assert (goal.number, goal.current, goal.depth, goal.state) == (1, True, 0, "open")
    tasks.step("write the changelog", scope=HERE)
    tag = tasks.step("tag it", scope=HERE, needs=[2])
    assert (tag.parent, tag.waits_for, tag.current) == (1, (2,), False)
    tasks.done(2, scope=HERE, note="in CHANGELOG.md")
    assert by_number(memory, 3).waits_for == ()
    assert by_number(memory, 2).note == "in CHANGELOG.md"
    tree = tasks.list(scope=HERE)
    assert (numbers(tree), tree.current) == ([1, 2, 3], 1)
    assert (tree.tasks[0].steps, tree.tasks[0].finished) == (2, 1)


def test_work_goes_back_to_what_a_finished_task_was_a_step_of(memory: Memory) -> None:
    tasks = memory.tasks
    tasks.start("release", scope=HERE)
    tasks.start("mend the CI", scope=HERE, under=1)
    assert tasks.list(scope=HERE).current == 2
    tasks.done(scope=HERE)
    assert tasks.list(scope=HERE).current == 1
    tasks.start("another thing", scope=HERE)
    tasks.done(scope=HERE)
    assert tasks.list(scope=HERE).current == 1  # nothing above it: the one before
    tasks.done(scope=HERE)
    assert tasks.list(scope=HERE).current is None
    with pytest.raises(NotFound, match="No task is being worked on"):
        tasks.done(scope=HERE)
    with pytest.raises(NotFound):
        tasks.step("of what?", scope=HERE)


def test_a_finished_branch_folds_into_one_line(memory: Memory) -> None:
    tasks = memory.tasks
    tasks.start("release", scope=HERE)
    tasks.start("mend the CI", scope=HERE, under=1)
    tasks.step("find the flake", scope=HERE)
    with pytest.raises(Conflict, match="unfinished steps: 3"):
        tasks.done(2, scope=HERE)
    tasks.done(2, scope=HERE, all=True)
    tree = tasks.list(scope=HERE)
    assert numbers(tree) == [1, 2] and tree.tasks[1].folded and tree.tasks[1].steps == 1
    assert numbers(tasks.list(scope=HERE, all=True)) == [1, 2, 3]
    tasks.open(3, scope=HERE)
    tree = tasks.list(scope=HERE)
    assert (numbers(tree), tree.current) == ([1, 2, 3], 3)
    assert [task.state for task in tree.tasks] == ["open", "open", "open"]


def test_only_the_latest_finished_goals_are_listed_unless_all_are_asked_for(memory: Memory) -> None:
    for number in range(1, 9):
        memory.tasks.start(f"goal {number}", scope=HERE)
        memory.tasks.done(number, scope=HERE)
    memory.tasks.start("open one", scope=HERE)
    assert numbers(memory.tasks.list(scope=HERE)) == [4, 5, 6, 7, 8, 9]
    assert len(memory.tasks.list(scope=HERE, all=True).tasks) == 9


def test_blocked_and_dropped(memory: Memory) -> None:
    tasks = memory.tasks
    tasks.start("release", scope=HERE)
    tasks.step("sign it", scope=HERE)
    tasks.step("publish it", scope=HERE)
    assert tasks.block(3, scope=HERE, on=[2]).waits_for == (2,)
    blocked = tasks.block(2, scope=HERE, note="the key is with Ada")
    assert (blocked.state, blocked.note) == ("blocked", "the key is with Ada")
    assert tasks.drop(2, scope=HERE, note="not needed").state == "dropped"
    assert by_number(memory, 3).waits_for == ()
    with pytest.raises(Conflict, match="dropped"):
        tasks.block(2, scope=HERE)
    with pytest.raises(Conflict, match="dropped"):
        tasks.step("of a dropped one", scope=HERE, under=2)


@pytest.mark.parametrize("title", ["", "  \n ", "x" * 501])
def test_a_title_is_one_line(memory: Memory, title: str) -> None:
    with pytest.raises(BadInput):
        memory.tasks.start(title, scope=HERE)
    assert memory.stats().memories == 0
    assert memory.tasks.start(" two\nlines ", scope=HERE).title == "two lines"


def test_nothing_waits_for_itself(memory: Memory) -> None:
    tasks = memory.tasks
    tasks.start("a", scope=HERE)
    tasks.step("b", scope=HERE)
    tasks.step("c", scope=HERE, needs=[2])
    for task, on in ((2, 3), (2, 1), (3, 3)):
        with pytest.raises(BadInput, match="waits for it"):
            tasks.block(task, scope=HERE, on=[on])
    with pytest.raises(BadInput, match="never be finished"):
        tasks.step("d", scope=HERE, under=2, needs=[1])
    with pytest.raises(NotFound):
        tasks.step("d", scope=HERE, needs=[77])


def test_each_scope_has_its_own_tree(memory: Memory) -> None:
    memory.tasks.start("here", scope=HERE)
    assert memory.tasks.start("there", scope="/projects/there").number == 1
    assert [task.title for task in memory.tasks.list(scope=HERE + "/").tasks] == ["here"]
    assert memory.tasks.list(scope="/projects/nowhere").tasks == ()
    with pytest.raises(BadInput):
        memory.tasks.list(scope="all")


def test_its_words_are_memories(memory: Memory) -> None:
    tasks = memory.tasks
    task = tasks.start("replace the lighthouse parser", scope=HERE, source=Source(who="ada"))
    shown = memory.show(task.memory)
    assert (shown.kind, shown.scope, shown.source.who) == ("task", HERE, "ada")
    assert [hit.memory.id for hit in memory.recall("lighthouse parser", scope=HERE).hits] == [task.memory]
    memory.supersede(task.memory, "replace the lighthouse lexer")
    assert by_number(memory, 1).title == "replace the lighthouse lexer"


def test_what_is_forgotten_is_gone_with_its_branch_until_it_is_restored(memory: Memory) -> None:
    tasks = memory.tasks
    tasks.start("release", scope=HERE)
    branch = tasks.start("secret plan", scope=HERE, under=1)
    tasks.step("its step", scope=HERE)
    memory.forget([branch.memory])
    assert numbers(tasks.list(scope=HERE, all=True)) == [1]
    assert tasks.list(scope=HERE).current == 1
    with pytest.raises(NotFound):
        tasks.done(2, scope=HERE)
    assert tasks.step("a new one", scope=HERE).number == 4  # numbers are never used again
    memory.restore([branch.memory])
    assert numbers(tasks.list(scope=HERE)) == [1, 2, 3, 4]


def test_begun_twice_is_one_task(memory: Memory) -> None:
    tasks = memory.tasks
    tasks.start("release", scope=HERE)
    tasks.start("another", scope=HERE)
    again = tasks.start("release", scope=HERE)
    assert (again.number, again.current) == (1, True)
    assert tasks.step("x", scope=HERE).number == tasks.step("x", scope=HERE).number
    tasks.done(1, scope=HERE, all=True)
    assert tasks.start("release", scope=HERE).number == 4


ACTS = st.one_of(
    st.tuples(st.just("start"), st.none() | st.integers(1, 8), st.lists(st.integers(1, 8), max_size=2)),
    st.tuples(st.just("step"), st.none() | st.integers(1, 8), st.lists(st.integers(1, 8), max_size=2)),
    st.tuples(st.just("done"), st.none() | st.integers(1, 8), st.booleans()),
    st.tuples(st.just("drop"), st.integers(1, 8)),
    st.tuples(st.just("block"), st.none() | st.integers(1, 8), st.lists(st.integers(1, 8), max_size=2)),
    st.tuples(st.just("open"), st.integers(1, 8)),
    st.tuples(st.just("forget"), st.integers(1, 8)),
)


@settings(max_examples=60)
@given(st.lists(ACTS, max_size=25))
def test_whatever_is_done_the_tree_is_sound_and_can_be_finished(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple]
) -> None:  # type: ignore[type-arg]
    with Memory.open(tmp_path_factory.mktemp("tasks"), encode="off") as memory:
        for count, act in enumerate(acts):
            try:
                _carry_out(memory, count, *act)
            except MemdError as error:
                assert error.hint
        _check(memory.tasks.list(scope=HERE, all=True))
        for goal in [task for task in memory.tasks.list(scope=HERE, all=True).tasks if task.depth == 0]:
            memory.tasks.done(goal.number, scope=HERE, all=True)
        tree = memory.tasks.list(scope=HERE, all=True)
        assert all(task.state in ("done", "dropped") for task in tree.tasks) and tree.current is None
        assert memory.tasks.open_path(HERE).tasks == ()


def _carry_out(memory: Memory, count: int, name: str, *words) -> None:  # type: ignore[no-untyped-def]
    tasks = memory.tasks
    if name in ("start", "step"):
        getattr(tasks, name)(f"task {count}", scope=HERE, under=words[0], needs=words[1])
    elif name == "done":
        tasks.done(words[0], scope=HERE, all=words[1])
    elif name == "block":
        tasks.block(words[0], scope=HERE, on=words[1], note=f"because of {count}")
    elif name == "forget":
        memory.forget([task.memory for task in tasks.list(scope=HERE, all=True).tasks if task.number == words[0]])
    else:
        getattr(tasks, name)(words[0], scope=HERE)


def _check(tree: TaskTree) -> None:
    """Parents before their steps, depths that fit, one current task at most, needs that can be met."""
    at = {task.number: task for task in tree.tasks}
    assert len(at) == len(tree.tasks)
    assert sum(task.current for task in tree.tasks) == (tree.current is not None)
    for place, task in enumerate(tree.tasks):
        if task.parent is None:
            assert task.depth == 0
        else:
            assert task.depth == at[task.parent].depth + 1
            assert at[task.parent] in tree.tasks[:place]
        assert set(task.waits_for) <= set(task.needs)
    left = {task.number for task in tree.tasks if task.state in ("open", "blocked")}
    while left:  # in some order all can be finished: steps before what they are steps of, needs before what needs them
        ready = {
            number
            for number in left
            if not set(at[number].waits_for) & left and not any(at[other].parent == number for other in left)
        }
        assert ready, left
        left -= ready
