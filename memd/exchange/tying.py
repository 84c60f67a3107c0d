"""What ties memories to one another, as it comes in: only between memories that are here, and only what isn't yet."""

from __future__ import annotations

import json

from memd.clock import to_ms
from memd.exchange import lines as x
from memd.exchange.desk import Desk
from memd.store import changes, journal, notes, versions


class Ties:
    """Takes in versions, conflicts, near-duplicates and gists, within one transaction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._db = desk.db

    def take_version(self, line: x.VersionLine) -> None:
        """Join two chains of versions. Where each store replaced a memory by another one, both of these hold."""
        ends = self._ends(line.old, line.new, "version")
        if ends is None:
            versions.reckon(self._db, filter(None, [self._desk.find(line.old)]), self._desk.now_ms)
            return
        old, new = ends
        if self._db.execute("SELECT 1 FROM version WHERE old = ? AND new = ?", ends).fetchone():
            return
        if why := self._why_not(old, new):
            self._desk.tally.trouble("refused", f"{line.new} can't stand in the place of {line.old} here: {why}.")
            versions.reckon(self._db, [old], self._desk.now_ms)
            return
        before = versions.stands_for(self._db, old)
        self._db.execute(
            "INSERT INTO version (old, new, at, until, why) VALUES (?, ?, ?, ?, ?)",
            (old, new, to_ms(line.at), to_ms(line.until), self._desk.clean(line.why)),
        )
        changes.append(self._db, [old, new])
        by = self._id(new)
        journal.append(self._db, to_ms(line.at), [(journal.SUPERSEDE, old, {"by": by, journal.IMPORTED: True})])
        versions.settle(self._db, [new], self._desk.now_ms)
        self._desk.tally.added["version"] += 1
        if before is not None and before[0] != by:
            told = f"{self._id(old)} was replaced by {before[0]} here and by {by} in the file: both hold."
            self._desk.tally.trouble("differs", told, self._id(old))

    def _why_not(self, old: int, new: int) -> str:
        if old == new:
            return "they are one memory"
        rows = self._db.execute("SELECT DISTINCT scope FROM memory WHERE seq IN (?, ?)", (old, new)).fetchall()
        if len(rows) > 1:
            return "they are of different scopes"
        if notes.came_after(self._db, new, old):
            return "it is the other way round"
        return ""

    def take_conflict(self, line: x.ConflictLine) -> None:
        """Flag two memories, unless that was decided here."""
        ends = self._ends(line.one, line.other, "conflict")
        if ends is None:
            return
        if ends[0] == ends[1]:
            return  # what can't hold together there are one text here
        low, high = sorted(ends)
        settled = None if line.settled_at is None else to_ms(line.settled_at)
        row = self._db.execute(
            "SELECT settled_at, how FROM conflict WHERE one = ? AND other = ?", (low, high)
        ).fetchone()
        if row is None:
            self._db.execute(
                "INSERT INTO conflict (one, other, rule, at, settled_at, how) VALUES (?, ?, ?, ?, ?, ?)",
                (low, high, line.rule, to_ms(line.at), settled, line.how),
            )
            self._desk.tally.added["conflict"] += 1
        elif row[0] is None and settled is not None:
            self._db.execute(
                "UPDATE conflict SET settled_at = ?, how = ? WHERE one = ? AND other = ?",
                (settled, line.how, low, high),
            )
            self._desk.tally.added["conflict"] += 1
        elif row[1] != line.how and settled is not None:
            told = (
                f"{line.one} and {line.other}: {row[1]} by what was decided here, {line.how} by the file; it stays so."
            )
            self._desk.tally.trouble("differs", told, line.one)
            return
        else:
            return
        changes.append(self._db, [low, high])

    def take_twin(self, line: x.TwinLine) -> None:
        """Link two memories that say the same."""
        ends = self._ends(line.one, line.other, "link")
        if ends is None or ends[0] == ends[1]:
            return
        done = [seq for seq in ends if self._desk.fresh and not self._waits(seq)]
        added = self._db.execute(
            "INSERT OR IGNORE INTO twin (one, other, at) VALUES (?, ?, ?)", (*sorted(ends), to_ms(line.at))
        ).rowcount
        self._db.executemany("DELETE FROM ungisted WHERE memory = ?", [(seq,) for seq in done])
        self._desk.tally.added["twin"] += added

    def _waits(self, seq: int) -> bool:
        """Whether somebody has yet to look what it may be in a gist with."""
        return self._db.execute("SELECT 1 FROM ungisted WHERE memory = ?", (seq,)).fetchone() is not None

    def take_gist(self, line: x.GistLine) -> None:
        """Take in a gist, where none of its members is in another one here."""
        if self._db.execute("SELECT 1 FROM gist WHERE id = ?", (line.id,)).fetchone():
            return
        members = {name: self._desk.find(name) for name in line.members}
        if None in members.values():
            self._desk.tally.trouble("missing", f"A member of the gist {line.id} is not here.")
            return
        seqs = json.dumps(list(members.values()))
        scopes = self._db.execute(
            "SELECT m.scope, max(p.gist IS NOT NULL) FROM memory AS m LEFT JOIN gist_member AS p ON p.memory = m.seq"
            " WHERE m.seq IN (SELECT value FROM json_each(?)) GROUP BY m.scope",
            (seqs,),
        ).fetchall()
        if len(scopes) != 1 or scopes[0][1] or len(set(members.values())) < len(members):
            return  # derived: where they aren't together here, what is to be said of them is found out anew
        gist = self._db.execute(
            "INSERT INTO gist (id, scope, made_at) VALUES (?, ?, ?)", (line.id, scopes[0][0], to_ms(line.made_at))
        ).lastrowid
        self._db.executemany(
            "INSERT INTO gist_member (memory, gist) VALUES (?, ?)", [(seq, gist) for seq in members.values()]
        )
        self._db.executemany(
            "INSERT INTO gist_quote (gist, position, memory, start, stop) VALUES (?, ?, ?, ?, ?)",
            [(gist, place, members[name], start, stop) for place, (name, start, stop) in enumerate(line.quotes)],
        )
        said = {"id": line.id, "of": [self._id(seq) for seq in members.values() if seq is not None]}
        journal.append(self._db, self._desk.now_ms, [("gist", None, said)])
        self._desk.tally.added["gist"] += 1

    def _ends(self, one: str, other: str, what: str) -> tuple[int, int] | None:
        ends = self._desk.find(one), self._desk.find(other)
        if ends[0] is None or ends[1] is None:
            named = one if ends[0] is None else other
            self._desk.tally.trouble("missing", f"A {what} leads to {named}, which is not here.")
            return None
        return ends[0], ends[1]

    def _id(self, seq: int) -> str:
        return str(self._db.execute("SELECT id FROM memory WHERE seq = ?", (seq,)).fetchone()[0])
