"""Files as other tools write them, small, and built from their documented shapes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from memd.exchange.foreign import READERS
from memd.exchange.records import Record, Trouble

NOON = 1_772_366_400_000  # 2026-03-01T12:00:00Z


def read(kind: str, path: Path) -> list[Record]:
    """What a reader gives of a file in which nothing is wrong."""
    troubles: list[Trouble] = []
    records = list(READERS[kind].read(path, troubles.append))
    assert not troubles, troubles
    assert len({record.key for record in records}) == len(records)
    return records


def texts(kind: str, path: Path) -> list[str]:
    return [record.text for record in read(kind, path)]


def only(records: Iterable[Record], words: str) -> Record:
    """The one record with these words."""
    (found,) = (record for record in records if words in record.text)
    return found


def database(path: Path, schema: str, rows: Mapping[str, Sequence[Mapping[str, Any]]], *, wal: bool = False) -> Path:
    """An SQLite file of this schema with these rows, its log merged and closed."""
    with closing(sqlite3.connect(path)) as db:
        if wal:
            db.execute("PRAGMA journal_mode = WAL")
        db.executescript(schema)
        fill(db, rows)
        db.commit()
    return path


def fill(db: sqlite3.Connection, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    for table, ones in rows.items():
        for one in ones:
            names, marks = ", ".join(one), ", ".join("?" * len(one))
            db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(one.values()))


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
    return path


def write_lines(path: Path, *values: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


# --- the reference memory server ----------------------------------------------------------------------


def entity(name: str, kind: str, *observations: str) -> dict[str, Any]:
    return {"type": "entity", "name": name, "entityType": kind, "observations": list(observations)}


def relation(one: str, how: str, other: str) -> dict[str, Any]:
    return {"type": "relation", "from": one, "to": other, "relationType": how}


# --- claude-mem ---------------------------------------------------------------------------------------

_CLAUDE_MEM_SESSIONS = """
CREATE TABLE schema_versions (id INTEGER PRIMARY KEY, version INTEGER UNIQUE NOT NULL, applied_at TEXT NOT NULL);
CREATE TABLE sdk_sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, {content} TEXT UNIQUE NOT NULL, {memory} TEXT UNIQUE, project TEXT NOT NULL,
    user_prompt TEXT, started_at TEXT NOT NULL, started_at_epoch INTEGER NOT NULL, completed_at TEXT,
    completed_at_epoch INTEGER, status TEXT NOT NULL DEFAULT 'active'{more}
);
"""

CLAUDE_MEM_4 = (
    _CLAUDE_MEM_SESSIONS.format(content="claude_session_id", memory="sdk_session_id", more="")
    + """
CREATE TABLE observations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sdk_session_id TEXT NOT NULL, project TEXT NOT NULL, text TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('decision', 'bugfix', 'feature', 'refactor', 'discovery')),
    created_at TEXT NOT NULL, created_at_epoch INTEGER NOT NULL
);
CREATE TABLE session_summaries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sdk_session_id TEXT UNIQUE NOT NULL, project TEXT NOT NULL, request TEXT,
    investigated TEXT, learned TEXT, completed TEXT, next_steps TEXT, files_read TEXT, files_edited TEXT, notes TEXT,
    created_at TEXT NOT NULL, created_at_epoch INTEGER NOT NULL
);
"""
)

CLAUDE_MEM_3 = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT UNIQUE NOT NULL, project TEXT NOT NULL,
    created_at TEXT NOT NULL, created_at_epoch INTEGER NOT NULL, source TEXT NOT NULL DEFAULT 'compress'
);
CREATE TABLE memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, text TEXT NOT NULL, document_id TEXT UNIQUE,
    keywords TEXT, created_at TEXT NOT NULL, created_at_epoch INTEGER NOT NULL, project TEXT NOT NULL,
    archive_basename TEXT, origin TEXT NOT NULL DEFAULT 'transcript',
    title TEXT, subtitle TEXT, facts TEXT, concepts TEXT, files_touched TEXT
);
CREATE TABLE overviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, content TEXT NOT NULL, created_at TEXT NOT NULL,
    created_at_epoch INTEGER NOT NULL, project TEXT NOT NULL, origin TEXT NOT NULL DEFAULT 'claude'
);
"""

CLAUDE_MEM_35 = (
    _CLAUDE_MEM_SESSIONS.format(
        content="content_session_id",
        memory="memory_session_id",
        more=", platform_source TEXT NOT NULL DEFAULT 'claude', worker_port INTEGER, prompt_counter INTEGER DEFAULT 0,"
        " custom_title TEXT",
    )
    + """
CREATE TABLE observations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, memory_session_id TEXT NOT NULL, project TEXT NOT NULL, text TEXT,
    type TEXT NOT NULL, title TEXT, subtitle TEXT, facts TEXT, narrative TEXT, concepts TEXT, files_read TEXT,
    files_modified TEXT, prompt_number INTEGER, discovery_tokens INTEGER DEFAULT 0, content_hash TEXT, agent_type TEXT,
    agent_id TEXT, merged_into_project TEXT, generated_by_model TEXT, metadata TEXT, created_at TEXT NOT NULL,
    created_at_epoch INTEGER NOT NULL, UNIQUE (memory_session_id, content_hash)
);
CREATE TABLE session_summaries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, memory_session_id TEXT NOT NULL, project TEXT NOT NULL, request TEXT,
    investigated TEXT, learned TEXT, completed TEXT, next_steps TEXT, files_read TEXT, files_edited TEXT, notes TEXT,
    prompt_number INTEGER, discovery_tokens INTEGER DEFAULT 0, merged_into_project TEXT, created_at TEXT NOT NULL,
    created_at_epoch INTEGER NOT NULL
);
CREATE TABLE user_prompts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, content_session_id TEXT NOT NULL, prompt_number INTEGER NOT NULL,
    prompt_text TEXT NOT NULL, created_at TEXT NOT NULL, created_at_epoch INTEGER NOT NULL
);
CREATE TABLE pending_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_db_id INTEGER NOT NULL, content_session_id TEXT NOT NULL, cwd TEXT
);
CREATE TABLE directives (
    id INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL DEFAULT 'global', project TEXT, content TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'active', source TEXT NOT NULL DEFAULT 'manual', created_at TEXT NOT NULL,
    created_at_epoch INTEGER NOT NULL, updated_at_epoch INTEGER NOT NULL
);
CREATE VIRTUAL TABLE user_prompts_fts USING fts5 (prompt_text, content='user_prompts', content_rowid='id');
"""
)

CLAUDE_MEM_52 = (
    CLAUDE_MEM_35
    + """
ALTER TABLE sdk_sessions ADD COLUMN observed_model TEXT;
ALTER TABLE observations ADD COLUMN relevance_count INTEGER DEFAULT 0;
ALTER TABLE observations ADD COLUMN sync_rev TEXT NOT NULL DEFAULT '1';
ALTER TABLE user_prompts ADD COLUMN session_db_id INTEGER;
CREATE TABLE tool_uses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, tool_use_id TEXT, content_session_id TEXT, project TEXT, tool_response TEXT,
    cwd TEXT
);
"""
)


def when(at: int = NOON, prefix: str = "created_at") -> dict[str, Any]:
    """A time as claude-mem has it: in words, and in milliseconds."""
    return {prefix: "2026-03-01T12:00:00.000Z", f"{prefix}_epoch": at}


def claude_mem_rows() -> dict[str, list[dict[str, Any]]]:
    """A day's work on two projects, as schema 35 keeps it."""
    session = {"content_session_id": "c-1", "memory_session_id": "m-1", "project": "shop", **when(prefix="started_at")}
    other = {
        **session,
        "content_session_id": "c-2",
        "memory_session_id": "m-2",
        "project": "blog",
        "platform_source": "codex",
    }
    return {
        "sdk_sessions": [session, other],
        "observations": [
            {
                "memory_session_id": "m-1",
                "project": "shop",
                "type": "bugfix",
                "title": "Cart total rounded twice",
                "subtitle": "Rounding moved to the last step",
                "narrative": "The cart rounded each line and then the sum.",
                "facts": json.dumps(["Totals are kept in cents", "Only the last step rounds"]),
                "concepts": json.dumps(["gotcha", "money handling"]),
                "files_read": json.dumps(["/home/ann/work/shop/README.md"]),
                "files_modified": json.dumps(["/home/ann/work/shop/src/cart.ts"]),
                "content_hash": "h1",
                **when(),
            },
            {
                "memory_session_id": "m-2",
                "project": "blog",
                "type": "decision",
                "title": "Drafts live in SQLite",
                "narrative": "Drafts move out of the repository.",
                "facts": "[]",
                "content_hash": "h2",
                **when(NOON + 1000),
            },
        ],
        "session_summaries": [
            {
                "memory_session_id": "m-1",
                "project": "shop",
                "request": "Fix the cart",
                "learned": "Rounding twice loses a cent",
                "next_steps": "Check the invoice too",
                **when(NOON + 2000),
            }
        ],
        "user_prompts": [
            {"content_session_id": "c-1", "prompt_number": 1, "prompt_text": "The cart is off by a cent.", **when()}
        ],
        "directives": [
            {"content": "Never push to main.", "updated_at_epoch": NOON, **when()},
            {"content": "Old rule.", "status": "inactive", "updated_at_epoch": NOON, **when()},
        ],
    }


# --- mcp-memory-service -------------------------------------------------------------------------------

SERVICE_7 = """
CREATE TABLE memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, content_hash TEXT UNIQUE NOT NULL, content TEXT NOT NULL, tags TEXT,
    memory_type TEXT, metadata TEXT, created_at REAL, updated_at REAL, created_at_iso TEXT, updated_at_iso TEXT
);
"""
SERVICE_10 = (
    SERVICE_7
    + """
ALTER TABLE memories ADD COLUMN deleted_at REAL DEFAULT NULL;
ALTER TABLE memories ADD COLUMN parent_id TEXT;
ALTER TABLE memories ADD COLUMN version INTEGER DEFAULT 1;
ALTER TABLE memories ADD COLUMN superseded_by TEXT;
CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE memory_graph (
    source_hash TEXT NOT NULL, target_hash TEXT NOT NULL, similarity REAL NOT NULL, connection_types TEXT NOT NULL,
    metadata TEXT, created_at REAL NOT NULL, relationship_type TEXT DEFAULT 'related',
    PRIMARY KEY (source_hash, target_hash)
);
"""
)


def kept(hash: str, content: str, **more: Any) -> dict[str, Any]:
    """A row of mcp-memory-service's table."""
    return {"content_hash": hash, "content": content, "created_at": NOON / 1000, **more}


def edge(one: str, how: str, other: str) -> dict[str, Any]:
    return {
        "source_hash": one,
        "target_hash": other,
        "similarity": 0.5,
        "connection_types": "[]",
        "created_at": NOON / 1000,
        "relationship_type": how,
    }


# --- ChromaDB -----------------------------------------------------------------------------------------

CHROMA = """
CREATE TABLE collections (id TEXT PRIMARY KEY, name TEXT NOT NULL, dimension INTEGER);
CREATE TABLE segments (id TEXT PRIMARY KEY, type TEXT NOT NULL, scope TEXT NOT NULL, collection TEXT);
CREATE TABLE embeddings (
    id INTEGER PRIMARY KEY, segment_id TEXT NOT NULL, embedding_id TEXT NOT NULL, seq_id BLOB NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, UNIQUE (segment_id, embedding_id)
);
CREATE TABLE embedding_metadata (
    id INTEGER REFERENCES embeddings (id), key TEXT NOT NULL, string_value TEXT, int_value INTEGER, float_value REAL,
    bool_value INTEGER, PRIMARY KEY (id, key)
);
"""


def chroma(path: Path, collections: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]]) -> Path:
    """A `chroma.sqlite3`: of each collection its documents by id, each with its metadata."""
    rows: dict[str, list[dict[str, Any]]] = {
        "collections": [],
        "segments": [],
        "embeddings": [],
        "embedding_metadata": [],
    }
    for name, documents in collections.items():
        rows["collections"].append({"id": f"c-{name}", "name": name})
        for scope in ("VECTOR", "METADATA"):
            rows["segments"].append({"id": f"{name}-{scope}", "type": "x", "scope": scope, "collection": f"c-{name}"})
        for id, (document, metadata) in documents.items():
            number = len(rows["embeddings"]) + 1
            rows["embeddings"].append(
                {"id": number, "segment_id": f"{name}-METADATA", "embedding_id": id, "seq_id": number}
            )
            for key, value in {"chroma:document": document, **metadata}.items():
                column = {bool: "bool_value", int: "int_value", float: "float_value"}.get(type(value), "string_value")
                rows["embedding_metadata"].append({"id": number, "key": key, column: value})
    path.parent.mkdir(parents=True, exist_ok=True)
    return database(path, CHROMA, rows)


# --- MemPalace ----------------------------------------------------------------------------------------

EXACT = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE collections (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL);
CREATE TABLE documents (
    collection_id INTEGER NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, metadata_json TEXT NOT NULL,
    embedding BLOB NOT NULL, dim INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    PRIMARY KEY (collection_id, id)
);
"""
GRAPH = """
CREATE TABLE entities (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT DEFAULT 'unknown', properties TEXT DEFAULT '{}',
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE triples (
    id TEXT PRIMARY KEY, subject TEXT NOT NULL, predicate TEXT NOT NULL, object TEXT NOT NULL, valid_from TEXT,
    valid_to TEXT, confidence REAL DEFAULT 1.0, source_closet TEXT, source_file TEXT,
    extracted_at TEXT DEFAULT CURRENT_TIMESTAMP
);
"""


def drawer(number: int = 0, **more: Any) -> dict[str, Any]:
    """What MemPalace knows of a drawer."""
    return {
        "wing": "shop",
        "room": "decisions",
        "source_file": "/home/ann/work/shop/docs/why.md",
        "chunk_index": number,
        "added_by": "mempalace",
        "filed_at": "2026-03-01T12:00:00",
        **more,
    }
