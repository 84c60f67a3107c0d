"""The working memory of tasks: goals and their steps as a tree, with what each waits for.

A task's words are memories of kind `task`: recall finds them, `supersede` rewords them, and `forget` takes them, with
their branch, out of every list. Here stand only the tree and its states. A task's number counts within its scope, as
an issue's does.

A task is open, blocked (a person said so), done or dropped. An open one *waits* while something that it needs is
neither done nor dropped. The one being worked on is the open one with the latest `focus`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pysqlite3 import dbapi2 as sqlite3

from memd.errors import BadInput, Conflict, NotFound
from memd.store import journal, scopes, versions

State = Literal["open", "blocked", "done", "dropped"]
UNFINISHED: tuple[State, ...] = ("open", "blocked")


@dataclass
class Node:
    """A task with its place in the tree. `title` and `note` are the words that hold now.

    Attributes:
        seq: internal.
        number: its name within the scope.
        parent: what it is a step of.
        memory: id of the memory with its title.
        note: why it is blocked or dropped, or what came of it; `""` where nothing was said.
        needs: numbers of the tasks that must be finished first.
        children: its steps, in the order they were added.
        begun_at, changed_at, focus: milliseconds since 1970; `focus` is 0 where it was never worked on.
    """

    seq: int
    number: int
    parent: Node | None
    memory: str
    title: str
    state: State
    note: str
    begun_at: int
    changed_at: int
    focus: int
    needs: tuple[int, ...] = ()
    children: list[Node] = field(default_factory=list)

    @property
    def unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def path(self) -> list[Node]:
        """From its goal down to itself."""
        return [*self.parent.path, self] if self.parent else [self]

    def below(self) -> Iterator[Node]:
        """All steps of it, and theirs."""
        for child in self.children:
            yield child
            yield from child.below()


class Tree:
    """The tasks of one scope, those with forgotten titles and their branches left out. O(tasks of the scope)."""

    def __init__(self, db: sqlite3.Connection, scope: str) -> None:
        self.scope = scope
        self.goals: list[Node] = []
        self._by_number: dict[int, Node] = {}
        found = scopes.find(db, scope)
        if found is not None:
            self._read(db, found)

    def _read(self, db: sqlite3.Connection, scope: int) -> None:
        needs: dict[int, list[int]] = {}
        for task, number in db.execute(
            "SELECT n.task, other.number FROM task_need AS n JOIN task ON task.seq = n.task"
            " JOIN task AS other ON other.seq = n.needs WHERE task.scope = ? ORDER BY other.number",
            (scope,),
        ):
            needs.setdefault(task, []).append(number)
        by_seq: dict[int, Node] = {}
        rows = db.execute(
            "SELECT t.seq, t.number, t.parent, t.memory, t.state, t.note, t.begun_at, t.changed_at, t.focus"
            " FROM task AS t WHERE t.scope = ? ORDER BY t.number",
            (scope,),
        ).fetchall()
        for seq, number, parent, memory, state, note, begun_at, changed_at, focus in rows:
            title = _words(db, memory)
            if title is None or (parent is not None and parent not in by_seq):
                continue  # forgotten, or a step of what was
            above = None if parent is None else by_seq[parent]
            said = "" if note is None else (_words(db, note) or ("", ""))[1]
            node = Node(seq, number, above, *title, state, said, begun_at, changed_at, focus, tuple(needs.get(seq, ())))
            by_seq[seq] = self._by_number[number] = node
            (self.goals if above is None else above.children).append(node)

    def __iter__(self) -> Iterator[Node]:
        for goal in self.goals:
            yield goal
            yield from goal.below()

    def get(self, number: int) -> Node:
        """The task of this number. Raises NotFound."""
        try:
            return self._by_number[number]
        except KeyError:
            raise NotFound(f"There is no task {number} in {self.scope}.", "'memd task list' shows them.") from None

    @property
    def current(self) -> Node | None:
        """The one being worked on; None where nothing is open that ever was."""
        at_work = [node for node in self if node.state == "open" and node.focus]
        return max(at_work, key=lambda node: (node.focus, node.number), default=None)

    def waits_for(self, node: Node) -> tuple[int, ...]:
        """What must be finished before it; a need that was forgotten keeps nobody waiting."""
        there = (self._by_number.get(number) for number in node.needs)
        return tuple(need.number for need in there if need is not None and need.unfinished)

    def leads_to(self, start: Node, goal: Node) -> bool:
        """Whether finishing `start` takes finishing `goal`: by its needs and its steps, theirs, and so on."""
        seen: set[int] = set()
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if node is goal:
                return True
            if node.number not in seen:
                seen.add(node.number)
                waiting += node.children
                waiting += [self._by_number[number] for number in node.needs if number in self._by_number]
        return False


def _words(db: sqlite3.Connection, memory: int) -> tuple[str, str] | None:
    """Id and text of a memory, of the one that stands in its place where it was superseded; None if forgotten."""
    id_, text, forgotten, superseded = db.execute(
        "SELECT id, text, forgotten_at, superseded_at FROM memory WHERE seq = ?", (memory,)
    ).fetchone()
    if superseded is not None and (stands := versions.stands_for(db, memory)):
        return db.execute("SELECT id, text FROM memory WHERE id = ?", (stands[0],)).fetchone()  # type: ignore[no-any-return]
    return None if forgotten is not None else (id_, text)


def next_number(db: sqlite3.Connection, scope: str) -> int:
    """The number that the next task of a scope gets. Numbers are never used again."""
    row = db.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM task WHERE scope = (SELECT id FROM scope WHERE path = ?)", (scope,)
    ).fetchone()
    return int(row[0])


def add(
    db: sqlite3.Connection, tree: Tree, memory: int, parent: Node | None, needs: Sequence[int], at: int, *, focus: bool
) -> int:
    """Add a task; its number. The caller holds the write transaction, and has written the memory.

    Raises:
        NotFound: a need isn't there.
        BadInput: it would need what it is a step of, which is finished after it.
        Conflict: the parent is finished.
    """
    for need in map(tree.get, needs):
        if parent is not None and need in parent.path:
            raise BadInput(
                f"A step of task {need.number} can't need it: it would never be finished.", "Leave out --needs."
            )
    if parent is not None and not parent.unfinished:
        raise Conflict(f"Task {parent.number} is {parent.state}.", f"Open it again: memd task open {parent.number}")
    number = next_number(db, tree.scope)
    cursor = db.execute(
        "INSERT INTO task (scope, number, parent, memory, state, begun_at, changed_at, focus)"
        " VALUES (?, ?, ?, ?, 'open', ?, ?, ?)",
        (
            scopes.ensure(db, tree.scope), number, None if parent is None else parent.seq, memory, at, at,
            _later(tree, at) if focus else 0,
        ),
    )  # fmt: skip
    _need(db, cursor.lastrowid, [tree.get(need).seq for need in needs])
    _tell(db, cursor.lastrowid, at, {"state": "open"} | ({"needs": list(needs)} if needs else {}))
    return number


def finish(
    db: sqlite3.Connection, tree: Tree, node: Node, state: State, note: int | None, at: int, *, all: bool
) -> None:
    """Make a task `done` or `dropped`; work goes on with what it was a step of.

    Args:
        db: a connection inside a write transaction.
        tree: of the scope, as it is.
        node: the task.
        state: what it becomes.
        note: the memory that says why, or what came of it.
        at: now, in milliseconds.
        all: its unfinished steps become so, too.

    Raises:
        Conflict: steps of it are unfinished, and `all` is false.
    """
    left = [step for step in node.below() if step.unfinished]
    if left and not all:
        named = ", ".join(str(step.number) for step in left[:5]) + (", …" if len(left) > 5 else "")
        raise Conflict(
            f"Task {node.number} has unfinished steps: {named}.",
            f"Finish them first, or all at once: memd task {'done' if state == 'done' else 'drop'} {node.number} --all",
        )
    for step in left:
        _change(db, step, state, None, at)
    _change(db, node, state, note, at)
    above = next((parent for parent in reversed(node.path[:-1]) if parent.unfinished), None)
    if above is not None and node.focus:
        _focus(db, tree, above, at)


def block(db: sqlite3.Connection, tree: Tree, node: Node, on: Sequence[int], note: int | None, at: int) -> None:
    """Make a task wait: for other tasks (`on`), or where none is named until it is opened again.

    Raises:
        NotFound: one to wait for isn't there.
        Conflict: the task is finished.
        BadInput: it would wait for itself.
    """
    if not node.unfinished:
        raise Conflict(f"Task {node.number} is {node.state}.", f"Open it again: memd task open {node.number}")
    for other in map(tree.get, on):
        if tree.leads_to(other, node):
            raise BadInput(
                f"Task {node.number} can't wait for {other.number}, which waits for it.",
                "See the tree: memd task list --all",
            )
    _need(db, node.seq, [tree.get(number).seq for number in on])
    _change(db, node, node.state if on else "blocked", note, at)
    if on:
        _tell(db, node.seq, at, {"needs": list(on)})


def reopen(db: sqlite3.Connection, tree: Tree, node: Node, at: int) -> None:
    """Make a task the one being worked on, whatever it was; what it is a step of is opened with it."""
    for step in node.path:
        if step.state != "open":
            _change(db, step, "open", None, at)
    _focus(db, tree, node, at)


def _later(tree: Tree, at: int) -> int:
    """A focus after all others, also within one millisecond or when the clock was set back."""
    return max([at, *(node.focus + 1 for node in tree)])


def _change(db: sqlite3.Connection, node: Node, state: State, note: int | None, at: int) -> None:
    db.execute("UPDATE task SET state = ?, note = ?, changed_at = ? WHERE seq = ?", (state, note, at, node.seq))
    _tell(db, node.seq, at, {"state": state})


def _focus(db: sqlite3.Connection, tree: Tree, node: Node, at: int) -> None:
    db.execute("UPDATE task SET focus = ? WHERE seq = ?", (_later(tree, at), node.seq))
    _tell(db, node.seq, at, {"focus": "being worked on"})


def _need(db: sqlite3.Connection, task: int, needs: Iterable[int]) -> None:
    db.executemany("INSERT OR IGNORE INTO task_need (task, needs) VALUES (?, ?)", [(task, need) for need in needs])


def _tell(db: sqlite3.Connection, task: int, at: int, said: dict[str, object]) -> None:
    """Note in the journal what became of a task, as a change to the memory that is its title."""
    memory, number = db.execute("SELECT memory, number FROM task WHERE seq = ?", (task,)).fetchone()
    journal.append(db, at, [("task", memory, {"number": number, **said})])
