"""A memory that is here already and comes in again: it gains what it lacks, and nothing of it is overwritten.

Tags, sayings, uses and what journals say are united: each as often as the one of both sides has it that has it more
often, so that taking the same in again adds nothing. Everything else stays as it is here, and is reported where the
file has it otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from memd.clock import to_ms
from memd.exchange import journals
from memd.exchange import lines as x
from memd.exchange.desk import Desk
from memd.lifecycle import record
from memd.store import changes, journal, memories, uses
from memd.store.drafts import Draft, source_json
from memd.store.uses import NewUse

T = TypeVar("T")


def unite(desk: Desk, seq: int, line: x.MemoryLine, draft: Draft, own_id: bool) -> bool:
    """Add what the line knows of the memory `seq`; whether that was anything.

    Args:
        desk: of the import.
        seq: the memory here.
        line, draft: the same memory as it came.
        own_id: the line means this memory by its id; else it is another one of the same text.
    """
    here = desk.db.execute(
        "SELECT m.id, m.kind, s.path, m.source, m.event_at, e.key, m.position, m.forgotten_at, m.superseded_at,"
        " l.pinned, l.importance, m.recorded_at, m.purged_at FROM memory AS m JOIN scope AS s ON s.id = m.scope"
        " LEFT JOIN episode AS e ON e.id = m.episode LEFT JOIN life AS l ON l.memory = m.seq WHERE m.seq = ?",
        (seq,),
    ).fetchone()
    if here[12] is not None:
        desk.tally.trouble("differs", f"{here[0]} was purged here, and stays so.", here[0])
        return False
    _tell_differences(desk, here, line, draft, own_id)
    first = None if own_id else (to_ms(line.recorded_at), draft.event_at, draft.source)
    gained = [
        _tags(desk, seq, draft),
        _sayings(desk, seq, line, first, (here[11], here[4], here[3])),
        _uses(desk, seq, line),
        _history(desk, seq, line),
    ]
    return any(gained)


def saying_row(saying: x.Saying) -> tuple[int, int | None, str]:
    """The columns of `saying` after the memory."""
    return to_ms(saying.at), None if saying.event_at is None else to_ms(saying.event_at), source_json(saying.source)


def missing(have: Iterable[Hashable], wanted: Sequence[T], key: Sequence[Hashable]) -> list[T]:
    """Those of `wanted` (known by their `key`) that are there less often than they are wanted."""
    left, found = Counter(have), []
    for item, known in zip(wanted, key, strict=True):
        if left[known]:
            left[known] -= 1
        else:
            found.append(item)
    return found


def _tell_differences(desk: Desk, here: Sequence[object], line: x.MemoryLine, draft: Draft, own_id: bool) -> None:
    id_, kind, scope, source, event_at, episode, position, forgotten_at, _, pinned, importance, *_ = here
    differs = [("kind", kind, draft.kind), ("forgotten", forgotten_at is not None, line.forgotten_at is not None)]
    if own_id and ":" not in line.id:
        differs += [
            ("scope", scope, draft.scope),
            ("source", source, draft.source),
            ("event_at", event_at, draft.event_at),
            ("episode", (episode, position), (draft.episode, draft.position)),
            ("pinned", bool(pinned), line.life.pinned),
            ("importance", importance, line.life.importance),
        ]
    for name, mine, theirs in differs:
        if mine != theirs:
            desk.tally.trouble("differs", f"{id_}: {_words(name, mine, theirs)}", str(id_))


def _words(name: str, mine: object, theirs: object) -> str:
    if isinstance(mine, bool):
        return f"is {'' if mine else 'not '}{name} here, and {'' if theirs else 'not '}in the file; it stays so."
    if name in ("kind", "scope"):
        return f"its {name} is {mine} here and {theirs} in the file; it stays {mine}."
    return f"its {name} is another in the file; it stays as it is here."


def _tags(desk: Desk, seq: int, draft: Draft) -> bool:
    have = {row[0] for row in desk.db.execute("SELECT name FROM tag WHERE memory = ?", (seq,))}
    new = [tag for tag in draft.tags if tag not in have]
    if new:
        memories.retag(desk.db, [seq], new, [], desk.now_ms)
    return bool(new)


Row = tuple[int, int | None, str]


def _sayings(desk: Desk, seq: int, line: x.MemoryLine, first: Row | None, mine: Row) -> bool:
    """A text that both were told is said again by the one that is added, the first time too."""
    rows = [saying_row(saying) for saying in line.sayings]
    have: list[Row] = desk.db.execute(
        "SELECT said_at, event_at, source FROM saying WHERE memory = ?", (seq,)
    ).fetchall()
    if first is not None:
        rows.insert(0, first)
        have = [*have, mine]
    new = missing(map(tuple, have), rows, rows)
    if not new:
        return False
    desk.db.executemany(
        "INSERT INTO saying (memory, said_at, event_at, source) VALUES (?, ?, ?, ?)", [(seq, *row) for row in new]
    )
    desk.db.execute(
        "UPDATE memory SET said = said + ?, said_at = max(said_at, ?) WHERE seq = ?",
        (len(new), max(row[0] for row in new), seq),
    )
    changes.append(desk.db, [seq])
    return True


def _uses(desk: Desk, seq: int, line: x.MemoryLine) -> bool:
    have = [(event.at, event.verdict) for event in uses.history(desk.db, [seq])[seq]]
    wanted = [NewUse(seq, to_ms(use.at), use.verdict, use.who, use.via, use.session, use.recall) for use in line.uses]
    wanted += [NewUse(seq, to_ms(at), verdict) for at, verdict in line.past]
    new = missing(have, wanted, [(use.at, use.verdict) for use in wanted])
    if new:
        record.count(desk.db, new, desk.now_ms)
    return bool(new)


def _history(desk: Desk, seq: int, line: x.MemoryLine) -> bool:
    if not line.history:
        return False
    have = journals.of_memories(desk.db, [seq], desk.own)[seq]
    told = [desk.cleaned(entry) for entry in line.history]
    new = missing(map(journals.key, have), told, [journals.key(entry) for entry in told])
    store = desk.store(line.store)
    journal.append(desk.db, desk.now_ms, [journals.entry_of(entry, seq, store) for entry in new])
    return bool(new)
