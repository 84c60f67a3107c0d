"""Files of notes, tasks, sessions and watches as they come in. What stands in the same place here stays as it is.

What depends on the machine (inodes, times of files) isn't in the exchange format: the first look at a file compares
its digest, and finds that it says the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from memd.clock import to_ms
from memd.exchange import lines as x
from memd.exchange.desk import Desk
from memd.store import journal, notes, sessions, tasks

NOWHERE = (0, 0, 0, 0)  # device, inode, time of change and size of a file that nobody looked at here


class Places:
    """Takes in what tells where memories stand, within one transaction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._db = desk.db

    def take_file(self, line: x.FileLine) -> None:
        """Take in which memories the sections of a file are."""
        desk, scope = self._desk, self._desk.scope_row(self._desk.scope(line.scope))
        members = {section.memory: desk.find(section.memory) for section in line.sections}
        there = notes.file_at(self._db, scope, line.path)
        if there is not None:
            mine = [row.memory for row in notes.sections_of(self._db, there.id)]
            if mine != [members[section.memory] for section in line.sections]:
                desk.tally.trouble("differs", f"{line.path} has other sections here than in the file; they stay.")
            return
        lost = [name for name, seq in members.items() if seq is None]
        if lost:
            desk.tally.trouble("missing", f"{line.path} has a section that is {lost[0]}, which is not here.")
        digest = b"" if lost else bytes.fromhex(line.digest)
        event_at = None if line.event_at is None else to_ms(line.event_at)
        facts = (*NOWHERE, digest, line.reader, line.kind, _json(line.tags), event_at)
        file = notes.put_file(self._db, scope, line.path, line.stem, facts)
        for section in line.sections:
            if (seq := members[section.memory]) is not None:
                headings = tuple(desk.clean(heading) for heading in section.headings)
                row = (section.position, _json(headings), section.number, section.anchor, bytes.fromhex(section.body))
                notes.put_section(self._db, file, (*row, *section.lines, seq), section.links)
        desk.tally.added["file"] += 1

    def take_tasks(self, line: x.TasksLine) -> None:
        """Take in the tasks of a scope. One that is here with its title keeps its state; a number that is taken by
        another one is given anew."""
        scope = self._desk.scope(line.scope)
        rows: dict[int, int] = {}
        new: list[x.TaskPart] = []
        for part in line.tasks:
            memory = self._desk.find(part.memory)
            if memory is None:
                self._desk.tally.trouble(
                    "missing", f"Task {part.number} has the title {part.memory}, which isn't here."
                )
                continue
            known = self._known(scope, memory, part)
            if known is None:
                rows[part.number] = self._insert_task(scope, memory, part, rows)
                new.append(part)
            else:
                rows[part.number] = known
        for part in new:
            needs = [(rows[part.number], rows[number]) for number in part.needs if number in rows]
            self._db.executemany("INSERT OR IGNORE INTO task_need (task, needs) VALUES (?, ?)", needs)
        self._desk.tally.added["tasks"] += len(new)

    def _known(self, scope: str, memory: int, part: x.TaskPart) -> int | None:
        row = self._db.execute(
            "SELECT t.seq, t.number, t.state FROM task AS t WHERE t.scope = ? AND t.memory = ? AND t.begun_at = ?",
            (self._desk.scope_row(scope), memory, to_ms(part.begun_at)),
        ).fetchone()
        if row is None:
            return None
        if row[2] != part.state:
            self._desk.tally.trouble(
                "differs", f"Task {row[1]} is {row[2]} here, {part.state} in the file; it stays so."
            )
        return int(row[0])

    def _insert_task(self, scope: str, memory: int, part: x.TaskPart, rows: Mapping[int, int]) -> int:
        place = self._desk.scope_row(scope)
        taken = self._db.execute("SELECT 1 FROM task WHERE scope = ? AND number = ?", (place, part.number)).fetchone()
        number = tasks.next_number(self._db, scope) if taken else part.number
        note = None if part.note is None else self._desk.find(part.note)
        parent = None if part.parent is None else rows.get(part.parent)
        cursor = self._db.execute(
            "INSERT INTO task (scope, number, parent, memory, state, note, begun_at, changed_at, focus)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                place, number, parent, memory, part.state, note, to_ms(part.begun_at), to_ms(part.changed_at),
                part.focus,
            ),
        )  # fmt: skip
        return int(cursor.lastrowid)

    def take_session(self, line: x.SessionLine) -> None:
        """Take in a session of an agent; one that is here gains what was shown and done in it."""
        desk = self._desk
        scope = desk.scope(line.scope)
        ended = None if line.ended_at is None else to_ms(line.ended_at)
        new = self._db.execute(
            "INSERT OR IGNORE INTO session (agent, key, scope, transcript, taken, line, begun_at, seen_at, ended_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                line.agent, line.key, scope, line.transcript, line.taken, line.line, to_ms(line.begun_at),
                to_ms(line.seen_at), ended,
            ),
        ).rowcount  # fmt: skip
        desk.tally.added["session"] += new
        session = sessions.known(self._db, line.agent, line.key)
        assert session is not None
        for shown in line.shown:
            if (seq := desk.find(shown.memory)) is not None:
                used = None if shown.used_at is None else to_ms(shown.used_at)
                self._db.execute(
                    "INSERT OR IGNORE INTO injection (session, memory, at, used_at) VALUES (?, ?, ?, ?)",
                    (session.id, seq, to_ms(shown.at), used),
                )
        self._db.executemany(
            "INSERT OR IGNORE INTO session_event"
            " (session, call, kind, what, detail, outcome, at, first_line, last_line)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    session.id, event.call, event.kind, desk.clean(event.what), desk.clean(event.detail), event.outcome,
                    to_ms(event.at), event.first_line, event.last_line,
                )
                for event in line.events
            ],
        )  # fmt: skip

    def take_watch(self, line: x.WatchLine) -> None:
        """Watch what was watched, where this store was empty: else nobody's file says what is read here."""
        there = self._db.execute("SELECT 1 FROM watch WHERE kind = ? AND path = ?", (line.kind, line.path)).fetchone()
        if there:
            return
        if not self._desk.fresh:
            git = " --git" if line.kind == "git" else ""
            self._desk.tally.trouble(
                "refused", f"{line.path} is watched there. To do so here: memd watch add{git} PATH"
            )
            return
        scope = self._desk.scope(line.scope)
        self._db.execute(
            "INSERT INTO watch (kind, path, scope, include, exclude, poll, head, added_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                line.kind, line.path, self._desk.scope_row(scope), _json(line.include), _json(line.exclude),
                int(line.poll), line.head, to_ms(line.added_at),
            ),
        )  # fmt: skip
        journal.append(self._db, self._desk.now_ms, [("watch", None, {"path": line.path, "kind": line.kind})])
        self._desk.tally.added["watch"] += 1

    def take_forecast(self, line: x.ForecastLine) -> None:
        """Take in what a whole store forecast, where this one was empty: another's says nothing of this one."""
        if self._desk.fresh:
            self._desk.tally.added["forecast"] += self._db.execute(
                "INSERT OR IGNORE INTO forecast (at, memories, expected, needed) VALUES (?, ?, ?, ?)",
                (to_ms(line.at), line.memories, line.expected, line.needed),
            ).rowcount


def _json(names: tuple[str, ...]) -> str:
    """A list as the store's own writers put it, so that it compares equal."""

    return json.dumps(list(names))
