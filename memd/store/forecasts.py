"""What the lifecycle forecast of the store as a whole, and what came of it."""

from __future__ import annotations

from typing import NamedTuple

from pysqlite3 import dbapi2 as sqlite3

from memd.store import uses


class Forecast(NamedTuple):
    """At a moment (ms): of how many memories, how many were expected to be needed, and how many were."""

    at: int
    memories: int
    expected: float
    needed: int | None


def last(db: sqlite3.Connection) -> Forecast | None:
    """The latest one."""
    row = db.execute("SELECT at, memories, expected, needed FROM forecast ORDER BY at DESC LIMIT 1").fetchone()
    return Forecast(*row) if row else None


def record(db: sqlite3.Connection) -> tuple[float, int]:
    """What all that are over expected together, and what came."""
    query = "SELECT coalesce(sum(expected), 0), coalesce(sum(needed), 0) FROM forecast WHERE needed IS NOT NULL"
    expected, needed = db.execute(query).fetchone()
    return float(expected), int(needed)


def any_use(db: sqlite3.Connection) -> bool:
    """Whether uses are told to this store at all."""
    return db.execute(f"SELECT 1 FROM use WHERE {uses.HELPED} LIMIT 1").fetchone() is not None


def close(db: sqlite3.Connection, forecast: Forecast, until_ms: int) -> None:
    """Write down how many of the memories that were there at the forecast were used before `until_ms`."""
    db.execute(
        "UPDATE forecast SET needed = (SELECT count(DISTINCT u.memory) FROM use AS u"
        " JOIN memory AS m ON m.seq = u.memory"
        f" WHERE u.at >= :at AND u.at < :until AND u.{uses.HELPED} AND m.recorded_at < :at) WHERE at = :at",
        {"at": forecast.at, "until": until_ms},
    )


def open_(db: sqlite3.Connection, forecast: Forecast) -> None:
    """Write a new forecast down."""
    db.execute("INSERT OR REPLACE INTO forecast VALUES (?, ?, ?, ?)", forecast)
