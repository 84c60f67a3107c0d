"""Which memories an export has: all, or those that a selection picks, by seq."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence

from pysqlite3 import dbapi2 as sqlite3

from memd.exchange.lines import Selection
from memd.model import ALL_SCOPES
from memd.store import filters, scopes
from memd.store.filters import Filters

CHUNK = 500
_EVER = (1 << 63) - 1


class Selected:
    """The memories of an export, in the order of writing; eight bytes each where not all are chosen.

    Args:
        db: a connection inside a transaction.
        selection: what was asked for.
    """

    def __init__(self, db: sqlite3.Connection, selection: Selection) -> None:
        self._db = db
        self.whole = selection.whole
        self._seqs = array("q") if self.whole else array("q", sorted(_chosen(db, selection)))
        self._members = frozenset(self._seqs)

    def __contains__(self, seq: int) -> bool:
        return self.whole or seq in self._members

    def chunks(self) -> Iterator[list[int]]:
        """All of them, a few at a time."""
        if not self.whole:
            for begin in range(0, len(self._seqs), CHUNK):
                yield list(self._seqs[begin : begin + CHUNK])
            return
        last = 0
        while seqs := [
            row[0]
            for row in self._db.execute("SELECT seq FROM memory WHERE seq > ? ORDER BY seq LIMIT ?", (last, CHUNK))
        ]:
            yield seqs
            last = seqs[-1]


def _chosen(db: sqlite3.Connection, selection: Selection) -> set[int]:
    asked = (selection.kinds, selection.tags, selection.source, selection.since, selection.until)
    wanted = Filters(ALL_SCOPES, *asked)
    condition, values = filters.where(db, wanted, recorded_by=_EVER if selection.everything else None)
    if selection.scopes:
        rows = [scopes.find(db, scope) for scope in selection.scopes]
        condition += " AND m.scope IN (SELECT value FROM json_each(?))"
        values.append(json.dumps([row for row in rows if row is not None]))
    chosen = {row[0] for row in db.execute(f"SELECT m.seq FROM memory AS m WHERE {condition}", values)}
    return _with_versions(db, chosen) if selection.everything else chosen


def _with_versions(db: sqlite3.Connection, chosen: set[int]) -> set[int]:
    """Also what they replaced and what replaced them, so that no chain is torn."""
    fresh: Sequence[int] = list(chosen)
    while fresh:
        these = json.dumps(fresh)
        ties = db.execute(
            "SELECT old, new FROM version WHERE old IN (SELECT value FROM json_each(:these))"
            " UNION SELECT old, new FROM version WHERE new IN (SELECT value FROM json_each(:these))",
            {"these": these},
        )
        fresh = list({seq for tie in ties for seq in tie} - chosen)
        chosen.update(fresh)
    return chosen
