"""`Tasks`: what is being worked on in a scope, as goals and steps. `Memory.tasks` is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.errors import BadInput, NotFound
from memd.model import ALL_SCOPES, NewMemory, Source, Task, TaskTree
from memd.store import Store, memories
from memd.store import tasks as table
from memd.store.drafts import Draft
from memd.store.validation import check_new, plain_scope
from memd.writing import Scribe

TITLE_CHARACTERS = 500
FINISHED_GOALS = 5  # that a list shows, folded; all of them where all is asked for


class Tasks:
    """The verbs of the task tree. Every scope has its own tree; outside of a project it is the global one.

    Args:
        store: the open store.
        scribe: writes memories into it.
    """

    def __init__(self, store: Store, scribe: Scribe) -> None:
        self._store = store
        self._scribe = scribe

    def start(
        self,
        title: str,
        *,
        scope: str,
        under: int | None = None,
        needs: Sequence[int] = (),
        source: Source | None = None,
    ) -> Task:
        """Begin a goal, or with `under` a sub-goal, or take up the one of this title; it is worked on from now on.

        Args:
            title: one line, which becomes a memory of kind `task`.
            scope: whose tree.
            under: number of the task that it is a step of.
            needs: numbers of tasks that must be finished first.
            source: who says so.

        Raises:
            BadInput: the title is none, or it would need what it is a step of.
            NotFound, Conflict: `under` or a need isn't there; `under` is finished.
        """
        return self._add(title, _own(scope), under, needs, source, focus=True)

    def step(
        self,
        title: str,
        *,
        scope: str,
        under: int | None = None,
        needs: Sequence[int] = (),
        source: Source | None = None,
    ) -> Task:
        """Add a step to a task, by default to the one being worked on. Arguments and errors are those of `start`.

        Raises:
            NotFound: nothing is being worked on, and `under` isn't given.
        """
        return self._add(title, _own(scope), under, needs, source, focus=False)

    def _add(
        self, title: str, scope: str, under: int | None, needs: Sequence[int], source: Source | None, *, focus: bool
    ) -> Task:
        draft = self._words(_title(title), scope, source)
        with self._store.writing() as db:
            tree = table.Tree(db, scope)
            parent = _parent(tree, under, focus)
            at = self._scribe.now_ms()
            if (there := _unfinished(tree, parent, draft.text)) is not None:  # asked for twice is one task
                if focus:
                    table.reopen(db, tree, there, at)
                return _one(table.Tree(db, scope), there.number)
            writer = self._scribe.writer(db)
            memory = self._write(db, writer, draft)
            number = table.add(db, tree, memory, parent, needs, at, focus=focus)
            found = _one(table.Tree(db, scope), number)
        self._scribe.written(writer.written)
        return found

    def done(
        self, number: int | None = None, *, scope: str, note: str = "", all: bool = False, source: Source | None = None
    ) -> Task:
        """Finish a task, by default the one being worked on; work goes on with what it is a step of.

        Args:
            number: the task.
            scope: whose tree.
            note: what came of it; becomes a memory of kind `task`.
            all: finish its steps with it.
            source: who says so.

        Raises:
            Conflict: steps of it are unfinished.
            NotFound: there is no such task, or none is being worked on.
        """
        return self._finish("done", number, scope, note, source, all)

    def drop(self, number: int, *, scope: str, note: str = "", source: Source | None = None) -> Task:
        """Give a task and its unfinished steps up; what needed them waits for them no longer."""
        return self._finish("dropped", number, scope, note, source, True)

    def _finish(
        self, state: table.State, number: int | None, scope: str, note: str, source: Source | None, all: bool
    ) -> Task:
        def act(db: sqlite3.Connection, tree: table.Tree, node: table.Node, noted: int | None) -> None:
            table.finish(db, tree, node, state, noted, self._scribe.now_ms(), all=all)

        return self._change(number, scope, note, source, act)

    def block(
        self,
        number: int | None = None,
        *,
        scope: str,
        on: Sequence[int] = (),
        note: str = "",
        source: Source | None = None,
    ) -> Task:
        """Say that a task can't go on: until the tasks in `on` are finished, else until it is opened again.

        Raises:
            BadInput: it would wait for itself.
            Conflict: it is finished.
            NotFound: one of the tasks isn't there, or none is being worked on.
        """

        def act(db: sqlite3.Connection, tree: table.Tree, node: table.Node, noted: int | None) -> None:
            table.block(db, tree, node, on, noted, self._scribe.now_ms())

        return self._change(number, scope, note, source, act)

    def open(self, number: int, *, scope: str) -> Task:
        """Work on this task from now on; one that was blocked or finished is opened again."""

        def act(db: sqlite3.Connection, tree: table.Tree, node: table.Node, _: int | None) -> None:
            table.reopen(db, tree, node, self._scribe.now_ms())

        return self._change(number, scope, "", None, act)

    def _change(
        self,
        number: int | None,
        scope: str,
        note: str,
        source: Source | None,
        act: Callable[[sqlite3.Connection, table.Tree, table.Node, int | None], None],
    ) -> Task:
        scope = _own(scope)
        draft = self._words(note, scope, source) if note.strip() else None
        with self._store.writing() as db:
            tree = table.Tree(db, scope)
            node = _current(tree) if number is None else tree.get(number)
            writer = self._scribe.writer(db)
            noted = None if draft is None else self._write(db, writer, draft)
            act(db, tree, node, noted)
            found = _one(table.Tree(db, scope), node.number)
        self._scribe.written(writer.written)
        return found

    def list(self, *, scope: str, all: bool = False) -> TaskTree:
        """The tree of a scope, goals in the order they were begun, each before its steps.

        Args:
            scope: whose tree.
            all: with the steps of finished branches, which otherwise fold into one line, and all finished goals.
        """
        scope = _own(scope)
        with self._store.reading() as db:
            tree = table.Tree(db, scope)
        goals = tree.goals
        if not all:
            past = [goal for goal in goals if not goal.unfinished]
            left_out = {goal.number for goal in sorted(past, key=lambda goal: goal.changed_at)[:-FINISHED_GOALS]}
            goals = [goal for goal in goals if goal.number not in left_out]
        current = tree.current
        return TaskTree(
            scope=scope,
            current=None if current is None else current.number,
            tasks=tuple(_task(tree, node, current, folds=not all) for node in _shown(goals, all)),
        )

    def open_path(self, scope: str) -> TaskTree:
        """What a new session must know: the goal at work, unfolded, and the other unfinished goals in a line each."""
        scope = _own(scope)
        with self._store.reading() as db:
            tree = table.Tree(db, scope)
        current = tree.current
        at_work = current.path[0] if current else None
        shown: list[Task] = []
        if at_work:
            shown += [_task(tree, node, current) for node in _shown([at_work], False)]
        shown += [_task(tree, goal, current) for goal in tree.goals if goal.unfinished and goal is not at_work]
        return TaskTree(scope=scope, current=None if current is None else current.number, tasks=tuple(shown))

    def _words(self, text: str, scope: str, source: Source | None) -> Draft:
        item = NewMemory(text, kind="task", scope=scope, source=source or Source())
        check_new(item)
        return self._scribe.draft(item)

    def _write(self, db: sqlite3.Connection, writer: memories.Writer, draft: Draft) -> int:
        done = writer.write(draft, restate=True)
        writer.finish()
        return memories.resolve(db, done.id)


def _own(scope: str) -> str:
    """The spelling of a scope that has a tree. Raises BadInput for all of them."""
    if scope == ALL_SCOPES:
        raise BadInput("Each scope has tasks of its own.", "Give a folder, or 'global'.")
    return plain_scope(scope)


def _current(tree: table.Tree) -> table.Node:
    if (current := tree.current) is None:
        raise NotFound(
            f"No task is being worked on in {tree.scope}.",
            "Begin one with 'memd task start TITLE', or name one by its number: 'memd task list'.",
        )
    return current


def _parent(tree: table.Tree, under: int | None, focus: bool) -> table.Node | None:
    """What a new task is a step of: what is named, else nothing for a goal and the current task for a step."""
    if under is not None:
        return tree.get(under)
    return None if focus else _current(tree)


def _unfinished(tree: table.Tree, parent: table.Node | None, title: str) -> table.Node | None:
    """The unfinished task in this place with this title."""
    beside = tree.goals if parent is None else parent.children
    return next((node for node in beside if node.unfinished and node.title == title), None)


def _title(text: str) -> str:
    """The title in one line. Raises BadInput."""
    title = " ".join(text.split()) if isinstance(text, str) else ""
    if not title:
        raise BadInput("The task has no title.", "Say in a line what is to be done.")
    if len(title) > TITLE_CHARACTERS:
        raise BadInput(
            f"A title of {len(title)} characters is over the limit of {TITLE_CHARACTERS}.",
            "Say it in a line, and remember the rest as a note.",
        )
    return title


def _shown(nodes: Sequence[table.Node], all: bool) -> Iterator[table.Node]:
    for node in nodes:
        yield node
        if all or node.unfinished:
            yield from _shown(node.children, all)


def _one(tree: table.Tree, number: int) -> Task:
    return _task(tree, tree.get(number), tree.current)


def _task(tree: table.Tree, node: table.Node, current: table.Node | None, *, folds: bool = True) -> Task:
    below = list(node.below())
    return Task(
        number=node.number,
        title=node.title,
        state=node.state,
        scope=tree.scope,
        memory=node.memory,
        parent=None if node.parent is None else node.parent.number,
        depth=len(node.path) - 1,
        current=node is current,
        needs=node.needs,
        waits_for=tree.waits_for(node) if node.unfinished else (),
        note=node.note,
        steps=len(below),
        finished=sum(not step.unfinished for step in below),
        folded=folds and bool(below) and not node.unfinished,
        begun_at=from_ms(node.begun_at),
        changed_at=from_ms(node.changed_at),
    )
