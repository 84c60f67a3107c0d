"""The steps from an empty file to the current format, each applied once, with sqlite-utils."""

from __future__ import annotations

import json
import secrets

from pysqlite3 import dbapi2 as sqlite3
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from memd.store import schema

migrations = Migrations("memd")


@migrations(name="m001_tables")
def m001_tables(db: Database) -> None:
    """The tables of format 1, and the store's own id and seed."""
    run_script(db.conn, schema.M001_TABLES)
    db.conn.executemany(
        "INSERT INTO meta (key, value) VALUES (?, ?)",
        [("store", secrets.token_hex(16)), ("seed", str(secrets.randbits(32)))],
    )


@migrations(name="m002_lifecycle")
def m002_lifecycle(db: Database) -> None:
    """Uses and life: every memory has a row of the latter, every restatement so far is one of the former."""
    run_script(db.conn, schema.M002_LIFECYCLE)


@migrations(name="m006_sessions")
def m006_sessions(db: Database) -> None:
    """Sessions of coding agents: how far their transcripts are read, what was shown and done in them."""
    run_script(db.conn, schema.M006_SESSIONS)


@migrations(name="m003_versions")
def m003_versions(db: Database) -> None:
    """Which memory replaced which."""
    run_script(db.conn, schema.M003_VERSIONS)


@migrations(name="m007_journal")
def m007_journal(db: Database) -> None:
    """The journal, which begins with what is there."""
    from memd.store import journal

    run_script(db.conn, schema.M007_JOURNAL)
    there = db.conn.execute("SELECT seq, recorded_at, digest, source, forgotten_at FROM memory ORDER BY seq").fetchall()
    for seq, recorded_at, digest, source, forgotten_at in there:
        said = {"text": digest.hex(), "source": json.loads(source)}
        journal.append(db.conn, recorded_at, [("found", seq, said)])
        if forgotten_at is not None:
            journal.append(db.conn, forgotten_at, [(journal.FORGET, seq, {})])


@migrations(name="m004_notes")
def m004_notes(db: Database) -> None:
    """Files of notes, their sections and links, and what is watched."""
    run_script(db.conn, schema.M004_NOTES)


@migrations(name="m005_work")
def m005_work(db: Database) -> None:
    """Tasks: goals, their steps, and what each needs."""
    run_script(db.conn, schema.M005_WORK)


@migrations(name="m008_truth")
def m008_truth(db: Database) -> None:
    """Conflicts, near-duplicates, and what has yet to be compared."""
    run_script(db.conn, schema.M008_TRUTH)


@migrations(name="m009_purging")
def m009_purging(db: Database) -> None:
    """What is left of purged memories, and what is still to be done of purges."""
    from memd.store import journal

    run_script(db.conn, schema.M009_PURGING)
    purged = db.conn.execute("SELECT seq, purged_at FROM memory WHERE purged_at IS NOT NULL ORDER BY seq").fetchall()
    for seq, at in purged:
        journal.blank(db.conn, seq)
        journal.append(db.conn, at, [(journal.PURGE, seq, {})])


@migrations(name="m010_origins")
def m010_origins(db: Database) -> None:
    """Which stores memories were imported from, and by which ids they are known there."""
    run_script(db.conn, schema.M010_ORIGINS)


@migrations(name="m011_gists")
def m011_gists(db: Database) -> None:
    """Gists, and what has yet to be looked at for them."""
    run_script(db.conn, schema.M011_GISTS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the store to the current format. The caller holds the write transaction: all of it happens or none."""
    db = Database(connection, recursive_triggers=False, execute_plugins=False)
    migrations.apply(db)
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {schema.FORMAT}")


# The first migration that a store of an older format doesn't have.
_AFTER = {1: "m002_lifecycle", 2: "m009_purging"}


def begin(connection: sqlite3.Connection, version: int) -> None:
    """Make the empty tables of a store of this format, in the transaction at hand, which `migrate` may go on from."""
    db = Database(connection, recursive_triggers=False, execute_plugins=False)
    migrations.apply(db, stop_before=_AFTER.get(version))


def run_script(connection: sqlite3.Connection, script: str) -> None:
    """Run statement after statement, inside the open transaction (`executescript` would commit it first)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    if statement.strip():
        raise ValueError(f"incomplete statement: {statement!r}")
