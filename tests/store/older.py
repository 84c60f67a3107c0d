"""Stores as an older memd left them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite3

from memd.store import schema
from memd.store.migrations import run_script


def format_1_store(path: Path, texts: Sequence[str]) -> None:
    """A file of the first format, with memories m1, m2, …; the second was said twice."""
    db = sqlite3.connect(str(path), isolation_level=None)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN")
    # sqlite-utils' own note of what was applied
    db.execute(
        "CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)"
    )
    db.execute("CREATE UNIQUE INDEX applied ON _sqlite_migrations (migration_set, name)")
    db.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('memd', 'm001_tables', 'then')"
    )
    run_script(db, schema.M001_TABLES)
    db.execute("INSERT INTO meta (key, value) VALUES ('store', 'abc'), ('seed', '1')")
    for seq, text in enumerate(texts, start=1):
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        db.execute(
            "INSERT INTO memory (seq, id, text, digest, kind, scope, source, recorded_at, speaker, asks, said_at)"
            " VALUES (?, ?, ?, ?, 'fact', 1, '{}', 1700000000000, 1, 0, 1700000000000)",
            (seq, f"m{seq}", text, digest),
        )
        db.execute(
            "INSERT INTO passage (id, memory, ordinal, start, stop) VALUES (?, ?, 0, 0, ?)", (seq, seq, len(text))
        )
        db.execute("INSERT INTO passage_fts (rowid, text, context, mark) VALUES (?, ?, '', 's1')", (seq, text))
    db.execute("UPDATE memory SET said = 2, said_at = 1700000500000 WHERE seq = 2")
    db.execute("""INSERT INTO saying VALUES (2, 1700000500000, NULL, '{"who":"simon","session":"s1"}')""")
    db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.execute("COMMIT")
    db.close()
