"""Files that are changed together: in session after session, whenever the one is, so is the other."""

from __future__ import annotations

import os
from itertools import combinations

from pysqlite3 import dbapi2 as sqlite3

from memd.agents.lessons import Lesson
from memd.agents.transcripts import ASSISTANT
from memd.store.sessions import Session

SESSIONS = 3  # that changed both, at least
SHARE = 0.75  # of the sessions that changed the one, so many changed the other too
FILES = 12  # a session that changed more was a sweep, and tells nothing


def found(db: sqlite3.Connection, session: Session) -> list[Lesson]:
    """The pairs that this session bears out, of two files of its project. O(the scope's edits)."""
    touched = _touched(db, session.scope)
    here = touched.get(session.id, {})
    pairs = []
    for one, other in combinations(sorted(here), 2):
        of_one = {id_ for id_, files in touched.items() if one in files}
        of_other = {id_ for id_, files in touched.items() if other in files}
        both = len(of_one & of_other)
        if both >= SESSIONS and both >= SHARE * max(len(of_one), len(of_other)) and not _obvious(one, other):
            pairs.append(_lesson(session, one, other, here))
    return pairs


def _touched(db: sqlite3.Connection, scope: str) -> dict[int, dict[str, tuple[int, int, int]]]:
    """For each session its files with first line, last line and time of their edits; sweeps left out."""
    rows = db.execute(
        "SELECT e.session, e.what, coalesce(min(e.first_line), 0), coalesce(max(e.last_line), 0), max(e.at)"
        " FROM session_event AS e JOIN session AS s ON s.id = e.session"
        " WHERE s.scope = ? AND e.kind = 'edit' AND e.outcome IS NOT 0 GROUP BY e.session, e.what",
        (scope,),
    )
    touched: dict[int, dict[str, tuple[int, int, int]]] = {}
    for id_, what, first, last, at in rows:
        if what.startswith(scope + os.sep):
            touched.setdefault(id_, {})[what] = first, last, at
    return {id_: files for id_, files in touched.items() if len(files) <= FILES}


def _lesson(session: Session, one: str, other: str, here: dict[str, tuple[int, int, int]]) -> Lesson:
    lines = [line for name in (one, other) for line in here[name][:2] if line]
    names = [f"`{os.path.relpath(name, session.scope)}`" for name in (one, other)]
    return Lesson(
        kind="fact",
        text=f"{names[0]} and {names[1]} are changed together.",
        who=ASSISTANT,
        span=(min(lines), max(lines)) if lines else None,
        at=max(here[one][2], here[other][2]),
        tags=("together",),
    )


def _obvious(one: str, other: str) -> bool:
    """Whether one is the other's test, or its like in another format: that is no news."""
    stems = [
        os.path.splitext(os.path.basename(name))[0].removeprefix("test_").removesuffix("_test") for name in (one, other)
    ]
    stems = [stem.removesuffix(".test").removesuffix(".spec") for stem in stems]
    return stems[0] == stems[1]
