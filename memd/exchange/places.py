"""Where memories stand, as lines: files of notes, tasks, sessions; and what is watched.

Files and tasks go with their memories. Sessions tell what was run and edited, so they leave the store only with
everything (or with everything of some scopes), and so do watches; forecasts are of whole stores alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from memd.clock import from_ms
from memd.exchange import lines as x
from memd.exchange.selecting import Selected


def files(db: sqlite3.Connection, selected: Selected, selection: x.Selection) -> Iterator[x.FileLine]:
    """Files of notes, with those of their sections whose memories are selected."""
    rows = db.execute(
        "SELECT f.id, f.path, s.path, f.stem, f.digest, f.reader, f.kind, f.tags, f.event_at"
        " FROM note_file AS f JOIN scope AS s ON s.id = f.scope ORDER BY f.id"
    ).fetchall()
    for id_, path, scope, stem, digest, reader, kind, tags, event_at in rows:
        found = list(_sections(db, id_))
        kept = tuple(section for seq, section in found if seq in selected)
        if not kept and not (selection.whole or (not selection.picks and scope in selection.scopes)):
            continue
        yield x.FileLine(
            path=path,
            scope=scope,
            stem=stem,
            digest=digest.hex() if len(kept) == len(found) else "",
            reader=reader,
            kind=kind,
            tags=tuple(json.loads(tags)),
            event_at=None if event_at is None else from_ms(event_at),
            sections=kept,
        )


def _sections(db: sqlite3.Connection, file: int) -> Iterator[tuple[int, x.Section]]:
    links: dict[int, list[tuple[str, str, str]]] = {}
    for section, *link in db.execute(
        "SELECT l.section, l.path, l.stem, l.anchor FROM note_link AS l JOIN section AS s ON s.id = l.section"
        " WHERE s.file = ? ORDER BY l.section, l.path, l.stem, l.anchor",
        (file,),
    ):
        links.setdefault(section, []).append((link[0], link[1], link[2]))
    rows = db.execute(
        "SELECT s.id, s.memory, s.position, m.id, s.first_line, s.last_line, s.headings, s.number, s.anchor, s.body"
        " FROM section AS s JOIN memory AS m ON m.seq = s.memory WHERE s.file = ? ORDER BY s.position",
        (file,),
    )
    for id_, seq, position, memory, first, last, headings, number, anchor, body in rows:
        yield (
            seq,
            x.Section(
                position=position,
                memory=memory,
                lines=(first, last),
                headings=tuple(json.loads(headings)),
                number=number,
                anchor=anchor,
                body=body.hex(),
                links=tuple(links.get(id_, ())),
            ),
        )


def tasks(db: sqlite3.Connection, selected: Selected, selection: x.Selection) -> Iterator[x.TasksLine]:
    """The tasks of each scope whose titles are selected; of a branch, all or none."""
    scopes = db.execute(
        "SELECT DISTINCT s.id, s.path FROM task AS t JOIN scope AS s ON s.id = t.scope ORDER BY s.id"
    ).fetchall()
    for scope, path in scopes:
        needs: dict[int, list[int]] = {}
        for task, number in db.execute(
            "SELECT n.task, other.number FROM task_need AS n JOIN task AS t ON t.seq = n.task"
            " JOIN task AS other ON other.seq = n.needs WHERE t.scope = ? ORDER BY other.number",
            (scope,),
        ):
            needs.setdefault(task, []).append(number)
        rows = db.execute(
            "SELECT t.seq, t.number, up.number, t.memory, m.id, t.state, t.note, n.id, t.begun_at, t.changed_at,"
            " t.focus FROM task AS t JOIN memory AS m ON m.seq = t.memory LEFT JOIN memory AS n ON n.seq = t.note"
            " LEFT JOIN task AS up ON up.seq = t.parent WHERE t.scope = ? ORDER BY t.number",
            (scope,),
        ).fetchall()
        kept: dict[int, x.TaskPart] = {}
        for seq, number, parent, title, memory, state, note_seq, note, begun_at, changed_at, focus in rows:
            if title not in selected or (parent is not None and parent not in kept):
                continue
            kept[number] = x.TaskPart(
                number=number,
                memory=memory,
                state=state,
                begun_at=from_ms(begun_at),
                changed_at=from_ms(changed_at),
                parent=parent,
                note=note if note_seq is not None and note_seq in selected else None,
                focus=focus,
                needs=tuple(needs.get(seq, ())),
            )
        if kept:
            yield x.TasksLine(path, tuple(_of(kept, part) for part in kept.values()))


def _of(kept: dict[int, x.TaskPart], part: x.TaskPart) -> x.TaskPart:
    """The task without needs that aren't here."""
    if all(number in kept for number in part.needs):
        return part
    return msgspec.structs.replace(part, needs=tuple(number for number in part.needs if number in kept))


def sessions(db: sqlite3.Connection, selected: Selected, selection: x.Selection) -> Iterator[x.SessionLine]:
    """Sessions of agents, with what was shown in them and what their tools did."""
    if not _goes(selection):
        return
    rows = db.execute(
        "SELECT id, agent, key, scope, begun_at, seen_at, ended_at, transcript, taken, line FROM session ORDER BY id"
    ).fetchall()
    for id_, agent, key, scope, begun_at, seen_at, ended_at, transcript, taken, line in rows:
        if selection.scopes and scope not in selection.scopes:
            continue
        shown = db.execute(
            "SELECT i.memory, m.id, i.at, i.used_at FROM injection AS i JOIN memory AS m ON m.seq = i.memory"
            " WHERE i.session = ? ORDER BY i.memory",
            (id_,),
        ).fetchall()
        events = db.execute(
            "SELECT call, kind, what, at, detail, outcome, first_line, last_line FROM session_event"
            " WHERE session = ? ORDER BY seq",
            (id_,),
        ).fetchall()
        yield x.SessionLine(
            agent=agent,
            key=key,
            scope=scope,
            begun_at=from_ms(begun_at),
            seen_at=from_ms(seen_at),
            ended_at=None if ended_at is None else from_ms(ended_at),
            transcript=transcript,
            taken=taken,
            line=line,
            shown=tuple(
                x.Shown(memory, from_ms(at), None if used is None else from_ms(used))
                for seq, memory, at, used in shown
                if seq in selected
            ),
            events=tuple(x.EventPart(call, kind, what, from_ms(at), *rest) for call, kind, what, at, *rest in events),
        )


def watches(db: sqlite3.Connection, selection: x.Selection) -> Iterator[x.WatchLine]:
    """What the daemon keeps up with."""
    if not _goes(selection):
        return
    rows = db.execute(
        "SELECT w.kind, w.path, s.path, w.added_at, w.include, w.exclude, w.poll, w.head"
        " FROM watch AS w JOIN scope AS s ON s.id = w.scope ORDER BY w.id"
    )
    for kind, path, scope, added_at, include, exclude, poll, head in rows:
        if not selection.scopes or scope in selection.scopes:
            globs = tuple(json.loads(include)), tuple(json.loads(exclude))
            yield x.WatchLine(kind, path, scope, from_ms(added_at), *globs, bool(poll), head)


def forecasts(db: sqlite3.Connection, selection: x.Selection) -> Iterator[x.ForecastLine]:
    """What the lifecycle forecast."""
    if selection.whole:
        for at, count, expected, needed in db.execute("SELECT * FROM forecast ORDER BY at"):
            yield x.ForecastLine(from_ms(at), count, expected, needed)


def _goes(selection: x.Selection) -> bool:
    """Whether more is wanted than memories."""
    return selection.whole or (selection.everything and not selection.picks)
