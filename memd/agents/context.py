"""The context block: what an agent should know of a scope before it begins, within a budget of tokens.

Pinned memories; conventions and preferences, the most confirmed first; what is being worked on; the latest decisions;
known failures of the files touched lately. Each line quotes a memory and ends in its id; `show` gives it whole. What is
forgotten or superseded has no part in it. The same store, clock and working tree give the same block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pysqlite3 import dbapi2 as sqlite3

from memd.agents import fence, records, touched
from memd.api import Memory
from memd.clock import from_ms, to_ms
from memd.errors import BadInput
from memd.model import ALL_SCOPES, ContextBlock, Task, TaskTree
from memd.store import scopes
from memd.store.validation import check_budget, plain_scope

BUDGET = 1200  # tokens
PINNED_CHARACTERS = 480
CHARACTERS = 240
PINNED, CONVENTIONS, DECISIONS, FAILURES = 60, 40, 12, 8  # lines of a section at most
SECTIONS = 8  # memories looked at for each line of decisions: a record has one for each of its headings
LEAST = 4  # tokens that any line has: where there is less room, none is counted
LIVING = "m.forgotten_at IS NULL AND m.superseded_at IS NULL"
FEW = "m.kind NOT IN ('note', 'turn', 'commit', 'document')"  # the condition of the index `memory_kind`
CONFIRMING = "('useful', 'cited')"  # of the verdicts on a use; being said again is counted as that

Count = Callable[[str], int]


@dataclass(frozen=True)
class Line:
    """One line of a section: what is quoted, the memories it rests on, and in which order it is chosen."""

    text: str
    ids: tuple[str, ...]
    order: int


@dataclass(frozen=True)
class Section:
    """Lines under a label; `share` is the part of the budget that it can count on when all sections are full."""

    label: str
    lines: Sequence[Line]
    share: float


def build(
    memory: Memory, scope: str, budget: int = BUDGET, *, session: str = "", now_ms: int | None = None
) -> ContextBlock:
    """The context block of a scope. O(the memories of the quoted kinds), and two looks by git.

    Args:
        memory: the open store.
        scope: a project's root or `global`; what is global is part of every scope's.
        budget: tokens that the block may have, 1 to 100,000, by the encoder's tokenizer.
        session: an agent's session whose own edits count as the files touched last.
        now_ms: the time; None asks the store's clock.

    Raises:
        BadInput: the budget or the scope is none.
    """
    check_budget(budget)
    if scope == ALL_SCOPES:
        raise BadInput("The context is one scope's.", "Give a project's folder, or 'global'.")
    scope = plain_scope(scope)
    look = touched.Look(scope)
    now = to_ms(memory.clock()) if now_ms is None else now_ms
    tasks = memory.tasks.open_path(scope)
    with memory.store.reading() as db:
        seen = scopes.visible(db, scope) or ()
        pinned = _pinned(db, seen)
        known = {line.ids[0] for line in pinned}
        sections = [
            Section("Pinned", pinned, 0.3),
            Section("Conventions and preferences, most confirmed first", _without(known, _conventions(db, seen)), 0.25),
            Section("Open tasks", _tasks(tasks), 0.2),
            Section("Latest decisions", _without(known, _decisions(db, seen)), 0.15),
            Section(
                "Known failures of files touched lately",
                _without(known, _failures(db, seen, look.files(db, now, session))),
                0.1,
            ),
        ]
    return _within(scope, [section for section in sections if section.lines], budget, memory.count_tokens)


def _within(scope: str, sections: Sequence[Section], budget: int, count: Count) -> ContextBlock:
    """As much of the sections as fits."""
    backticks = fence.width(line.text for section in sections for line in section.lines)
    chosen = _chosen(scope, sections, budget, count, backticks)
    while True:
        kept = [
            [line for place, line in enumerate(section.lines) if (number, place) in chosen]
            for number, section in enumerate(sections)
        ]
        text = _rendered(scope, sections, kept, backticks)
        tokens = count(text) if text else 0
        if tokens <= budget:
            break
        chosen.popitem()  # tokens of a whole aren't always those of its parts
    ids = tuple(dict.fromkeys(id_ for lines in kept for line in lines for id_ in line.ids))
    return ContextBlock(scope, text, ids, tokens, sum(len(section.lines) for section in sections) - len(chosen))


def _chosen(
    scope: str, sections: Sequence[Section], budget: int, count: Count, backticks: int
) -> dict[tuple[int, int], None]:
    """First each section up to its share, then what still fits, in the sections' order: section and line."""
    left = budget - count(_head(scope))
    frames = [count(_framed(section.label, "", backticks)) for section in sections]
    costs: dict[tuple[int, int], int] = {}
    chosen: dict[tuple[int, int], None] = {}
    spent = [0] * len(sections)
    for whole in (False, True):
        for number, section in enumerate(sections):
            limit = budget if whole else int(budget * section.share)
            for place in sorted(range(len(section.lines)), key=lambda place: section.lines[place].order):
                room = min(left, limit - spent[number]) - (0 if spent[number] else frames[number])
                at = number, place
                if at in chosen or room < LEAST:
                    continue
                if at not in costs:
                    costs[at] = count(section.lines[place].text)
                if costs[at] <= room:
                    chosen[at] = None
                    cost = costs[at] + (0 if spent[number] else frames[number])
                    spent[number] += cost
                    left -= cost
    return chosen


def _rendered(scope: str, sections: Sequence[Section], kept: Sequence[Sequence[Line]], backticks: int) -> str:
    parts = [
        _framed(section.label, "\n".join(line.text for line in lines), backticks)
        for section, lines in zip(sections, kept, strict=True)
        if lines
    ]
    return "\n\n".join([_head(scope), *parts]) + "\n" if parts else ""


def _head(scope: str) -> str:
    return f"memd's context of {fence.quoted(scope)}. {fence.NOTICE} Each line ends in the id that shows it whole."


def _framed(label: str, text: str, backticks: int) -> str:
    return f"{label}:\n{fence.fenced(text, backticks)}"


def _without(known: Iterable[str], lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.ids[0] not in known]


def _pinned(db: sqlite3.Connection, seen: Sequence[int]) -> list[Line]:
    rows = db.execute(
        "SELECT m.id, substr(m.text, 1, ?), m.kind FROM life CROSS JOIN memory AS m ON m.seq = life.memory"
        f" WHERE life.pinned <> 0 AND m.scope IN ({_marks(seen)}) AND {LIVING}"
        " ORDER BY m.scope DESC, m.seq DESC LIMIT ?",
        (PINNED_CHARACTERS * 2, *seen, PINNED),
    ).fetchall()
    return [
        Line(f"- {fence.line(text, PINNED_CHARACTERS)} [{id_}, {kind}]", (id_,), order)
        for order, (id_, text, kind) in enumerate(rows)
    ]


def _conventions(db: sqlite3.Connection, seen: Sequence[int]) -> list[Line]:
    """With how often each was said, and how often it helped."""
    rows = db.execute(
        "SELECT m.id, substr(m.text, 1, ?), m.said,"
        f" (SELECT count(*) FROM use WHERE use.memory = m.seq AND use.verdict IN {CONFIRMING}) AS used"
        f" FROM memory AS m WHERE m.kind IN ('convention', 'preference') AND {FEW} AND m.scope IN ({_marks(seen)})"
        f" AND {LIVING} ORDER BY m.said + used DESC, m.seq DESC LIMIT ?",
        (CHARACTERS * 2, *seen, CONVENTIONS),
    ).fetchall()
    lines = []
    for order, (id_, text, said, used) in enumerate(rows):
        told = [id_, f"said {said}x"] + ([f"used {used}x"] if used else [])
        lines.append(Line(f"- {fence.line(text, CHARACTERS)} [{', '.join(told)}]", (id_,), order))
    return lines


def _decisions(db: sqlite3.Connection, seen: Sequence[int]) -> list[Line]:
    rows = db.execute(
        "SELECT m.id, substr(m.text, 1, ?), coalesce(m.event_at, m.recorded_at) AS at, m.episode, m.position,"
        " (SELECT group_concat(tag.name, char(10)) FROM tag WHERE tag.memory = m.seq) FROM memory AS m"
        f" WHERE m.kind = 'decision' AND {FEW} AND m.scope IN ({_marks(seen)}) AND {LIVING}"
        " ORDER BY at DESC, m.seq DESC LIMIT ?",
        (CHARACTERS * 2, *seen, DECISIONS * SECTIONS),
    )
    decisions = [
        records.Decision(id_, text, at, frozenset((tags or "").split("\n")), episode or 0, position or 0)
        for id_, text, at, episode, position, tags in rows
    ]
    return [
        Line(f"- {from_ms(told.at):%Y-%m-%d} {fence.line(told.text, CHARACTERS)} [{told.id}]", (told.id,), order)
        for order, told in enumerate(records.in_force(decisions)[:DECISIONS])
    ]


def _failures(db: sqlite3.Connection, seen: Sequence[int], files: Sequence[str]) -> list[Line]:
    """Fixes that name one of the files, in the files' order, the latest first."""
    lines: list[Line] = []
    known: set[str] = set()
    for path in files:
        for seq, id_, text in _naming(db, seen, path.lower()):
            if id_ not in known and _means(db, seq, path.lower()):
                known.add(id_)
                lines.append(
                    Line(f"- {fence.line(path, 80)}: {fence.line(text, CHARACTERS)} [{id_}]", (id_,), len(lines))
                )
        if len(lines) >= FAILURES:
            break
    return lines[:FAILURES]


def _naming(db: sqlite3.Connection, seen: Sequence[int], path: str) -> list[tuple[int, str, str]]:
    """Fixes with a path that ends like this one."""
    parts = path.split("/")
    tails = ["/".join(parts[start:]) for start in range(len(parts))]
    return db.execute(  # type: ignore[no-any-return]
        "SELECT DISTINCT m.seq, m.id, substr(m.text, 1, ?) FROM entity AS e CROSS JOIN mention AS n ON n.entity = e.id"
        " CROSS JOIN passage AS p ON p.id = n.passage CROSS JOIN memory AS m ON m.seq = p.memory"
        f" WHERE e.kind = 'path' AND e.name IN ({_marks(tails)}) AND m.kind = 'fix' AND m.scope IN ({_marks(seen)})"
        f" AND {LIVING} ORDER BY m.seq DESC LIMIT ?",
        (CHARACTERS * 2, *tails, *seen, FAILURES),
    ).fetchall()


def _means(db: sqlite3.Connection, seq: int, path: str) -> bool:
    """Whether a memory with the file's name means this file: where it has the name within a path, that path fits."""
    name = path.rpartition("/")[2]
    rows = db.execute(
        "SELECT DISTINCT e.name FROM passage AS p JOIN mention AS n ON n.passage = p.id"
        " JOIN entity AS e ON e.id = n.entity WHERE p.memory = ? AND e.kind = 'path'",
        (seq,),
    )
    paths = [row[0] for row in rows]
    fuller = [found for found in paths if found.endswith("/" + name)]
    if not fuller:
        return name in paths
    return any(path == found or path.endswith("/" + found) or found.endswith("/" + path) for found in fuller)


def _tasks(tree: TaskTree) -> list[Line]:
    """The open path is chosen first: a step is of no use without what it is a step of."""
    parents = {task.number: task.parent for task in tree.tasks}
    path: set[int | None] = set()
    number = tree.current
    while number is not None:
        path.add(number)
        number = parents.get(number)
    first = [task for task in tree.tasks if task.number in path]
    rest = [task for task in tree.tasks if task.number not in path]
    order = {task.number: place for place, task in enumerate([*first, *rest])}
    return [Line(_task(task), (task.memory,), order[task.number]) for task in tree.tasks]


def _task(task: Task) -> str:
    told: list[str] = [task.state] if task.state != "open" else []
    if task.current:
        told.append("being worked on")
    if task.waits_for:
        told.append("waits for " + ", ".join(f"#{number}" for number in task.waits_for))
    if task.steps:
        told.append(f"{task.finished} of {task.steps} steps finished")
    if task.note:
        told.append(fence.line(task.note, CHARACTERS // 2))
    return f"{'  ' * task.depth}- #{task.number} {fence.line(task.title, CHARACTERS)}" + (
        f" ({'; '.join(told)})" if told else ""
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
