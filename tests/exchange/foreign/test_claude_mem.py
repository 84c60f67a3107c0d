"""claude-mem's databases of several schemas, and what its export script writes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memd.errors import BadInput, MalformedFile
from memd.exchange.foreign import READERS
from memd.exchange.records import Trouble
from tests.exchange.foreign.makers import (
    CLAUDE_MEM_3,
    CLAUDE_MEM_4,
    CLAUDE_MEM_35,
    CLAUDE_MEM_52,
    NOON,
    claude_mem_rows,
    database,
    fill,
    only,
    read,
    texts,
    when,
    write_json,
)

KIND = "claude-mem"


@pytest.fixture
def newest(tmp_path: Path) -> Path:
    return database(tmp_path / "claude-mem.db", CLAUDE_MEM_35, claude_mem_rows())


def test_an_observation_keeps_all_that_it_says(newest: Path) -> None:
    record = only(read(KIND, newest), "rounded twice")
    assert record.text == (
        "Cart total rounded twice\nRounding moved to the last step\n\nThe cart rounded each line and then the sum.\n\n"
        "- Totals are kept in cents\n- Only the last step rounds\n\n"
        "Files read: /home/ann/work/shop/README.md\nFiles modified: /home/ann/work/shop/src/cart.ts"
    )
    assert (record.kind, record.tags) == ("fix", ("bugfix", "shop", "gotcha", "money-handling"))
    assert record.recorded_at and record.recorded_at.isoformat() == "2026-03-01T12:00:00+00:00"
    assert (record.source.who, record.source.session, record.source.path) == ("claude-code", "c-1", str(newest))


def test_summaries_prompts_and_directives(newest: Path) -> None:
    records = read(KIND, newest)
    summary, prompt = only(records, "Request:"), only(records, "off by a cent")
    assert summary.text == (
        "Request: Fix the cart\nLearned: Rounding twice loses a cent\nNext steps: Check the invoice too"
    )
    assert (prompt.kind, prompt.source.who, prompt.text) == ("turn", "user", "The cart is off by a cent.")
    assert summary.episode == prompt.episode == only(records, "rounded twice").episode
    assert (only(records, "Never push").kind, only(records, "Never push").scope) == ("convention", "global")
    assert not [record for record in records if "Old rule" in record.text]


def test_a_project_lies_where_its_files_do(newest: Path) -> None:
    records = read(KIND, newest)
    assert only(records, "rounded twice").scope == only(records, "off by a cent").scope == "/home/ann/work/shop"
    assert only(records, "Drafts").scope is None  # nothing tells where it lies
    assert "blog" in only(records, "Drafts").tags


def test_a_folder_that_a_session_worked_in_tells_the_project_too(tmp_path: Path) -> None:
    rows = claude_mem_rows()
    rows["pending_messages"] = [{"session_db_id": 2, "content_session_id": "c-2", "cwd": "/home/ann/Blog"}]
    file = database(tmp_path / "claude-mem.db", CLAUDE_MEM_35, rows)
    assert only(read(KIND, file), "Drafts").scope == "/home/ann/Blog"


def test_the_folders_that_tools_were_called_in_tell_it_since_schema_52(tmp_path: Path) -> None:
    rows = claude_mem_rows()
    rows["tool_uses"] = [{"content_session_id": "c-2", "project": "blog", "cwd": "/home/ann/Blog/drafts"}]
    records = read(KIND, database(tmp_path / "claude-mem.db", CLAUDE_MEM_52, rows))
    assert only(records, "Drafts").scope == "/home/ann/Blog"
    assert only(records, "rounded twice").scope == "/home/ann/work/shop"


def test_a_project_is_looked_for_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "work" / "blog").mkdir(parents=True)
    rows = claude_mem_rows()
    rows["observations"][0]["files_read"] = json.dumps([str(tmp_path / "work" / "shop" / "a.ts")])
    rows["observations"][0]["files_modified"] = "[]"
    file = database(tmp_path / "claude-mem.db", CLAUDE_MEM_35, rows)
    assert only(read(KIND, file), "Drafts").scope == str(tmp_path / "work" / "blog")


def test_a_worktree_that_was_merged_counts_to_its_project(tmp_path: Path) -> None:
    rows = claude_mem_rows()
    rows["observations"][1] |= {"merged_into_project": "shop"}
    record = only(read(KIND, database(tmp_path / "a.db", CLAUDE_MEM_35, rows)), "Drafts")
    assert (record.scope, record.tags) == ("/home/ann/work/shop", ("decision", "shop"))


def test_schema_4_with_the_columns_as_they_were_named_then(tmp_path: Path) -> None:
    session = {"claude_session_id": "c", "sdk_session_id": "s", "project": "shop", "user_prompt": "Fix it"}
    file = database(
        tmp_path / "claude-mem.db",
        CLAUDE_MEM_4,
        {
            "sdk_sessions": [{**session, **when(prefix="started_at")}],
            "observations": [
                {"sdk_session_id": "s", "project": "shop", "text": "It was the cache.", "type": "discovery", **when()}
            ],
            "session_summaries": [{"sdk_session_id": "s", "project": "shop", "completed": "Mended", **when()}],
        },
    )
    records = read(KIND, file)
    assert [record.text for record in records] == ["It was the cache.", "Completed: Mended", "Fix it"]
    assert {record.source.session for record in records} == {"c"}
    assert [record.kind for record in records] == ["fact", "note", "turn"]


def test_schema_3_and_what_it_left_in_a_later_one(tmp_path: Path) -> None:
    old: dict[str, list[dict[str, Any]]] = {
        "memories": [
            {"session_id": "s", "text": "Queues are bounded.", "title": "Queues", "project": "shop", **when()}
        ],
        "overviews": [{"session_id": "s", "content": "A day of queues.", "project": "shop", **when()}],
    }
    file = database(tmp_path / "old.db", CLAUDE_MEM_3, old)
    assert READERS[KIND].fits(file)
    assert texts(KIND, file) == ["Queues\n\nQueues are bounded.", "A day of queues."]
    both = database(tmp_path / "both.db", CLAUDE_MEM_3 + CLAUDE_MEM_35, {**old, **claude_mem_rows()})
    assert len(texts(KIND, both)) == 2 + len(texts(KIND, database(tmp_path / "c.db", CLAUDE_MEM_35, claude_mem_rows())))


def test_the_export_gives_what_the_database_does(tmp_path: Path, newest: Path) -> None:
    with closing(sqlite3.connect(newest)) as db:
        db.row_factory = sqlite3.Row
        tables = {
            "observations": "observations",
            "sessions": "sdk_sessions",
            "summaries": "session_summaries",
            "prompts": "user_prompts",
        }
        lists = {name: [dict(row) for row in db.execute(f"SELECT * FROM {table}")] for name, table in tables.items()}
    head = {"exportedAt": "2026-03-02T00:00:00Z", "exportedAtEpoch": NOON, "query": "", "totalObservations": 2}
    file = write_json(tmp_path / "export.json", {**head, **lists})
    assert READERS[KIND].fits(file)

    def told(path: Path) -> set[tuple[object, ...]]:
        return {
            (one.key, one.text, one.kind, one.tags, one.scope, one.recorded_at, one.episode, one.source.session)
            for one in read(KIND, path)
            if not one.key.startswith("directives")
        }

    assert told(file) == told(newest)


def test_rows_that_say_nothing_are_passed_over(tmp_path: Path) -> None:
    rows = claude_mem_rows()
    rows["observations"].append(
        {"memory_session_id": "m-1", "project": "shop", "type": "feature", "title": " ", **when()}
    )
    assert len(read(KIND, database(tmp_path / "a.db", CLAUDE_MEM_35, rows))) == 5


def test_lists_that_are_no_json_and_times_that_are_none(tmp_path: Path) -> None:
    rows = claude_mem_rows()
    rows["observations"] = [
        {"memory_session_id": "m-9", "project": "x", "type": "change", "title": "T", "facts": "[half", "concepts": "{}",
         "created_at": "soon", "created_at_epoch": -1}
    ]  # fmt: skip
    record = only(read(KIND, database(tmp_path / "a.db", CLAUDE_MEM_35, rows)), "half")
    assert (record.text, record.recorded_at, record.position) == ("T\n\n- [half", None, None)


def test_the_log_of_a_running_claude_mem_is_read_and_nothing_is_touched(tmp_path: Path) -> None:
    file = database(tmp_path / "claude-mem.db", CLAUDE_MEM_35, claude_mem_rows(), wal=True)
    with closing(sqlite3.connect(file)) as running:
        running.execute("PRAGMA wal_autocheckpoint = 0")
        fill(running, {"directives": [{"content": "Just now.", "updated_at_epoch": NOON, **when()}]})
        running.commit()
        fill(running, {"directives": [{"content": "Not yet.", "updated_at_epoch": NOON, **when()}]})
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert READERS[KIND].fits(tmp_path)
        found = texts(KIND, tmp_path)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert "Just now." in found
    assert "Not yet." not in found


def test_a_schema_without_what_is_needed_is_refused_by_name(tmp_path: Path) -> None:
    later = CLAUDE_MEM_35.replace("type TEXT NOT NULL, title", "sort TEXT NOT NULL, title")
    rows = {name: ones for name, ones in claude_mem_rows().items() if name == "sdk_sessions"}
    with pytest.raises(MalformedFile, match="table observations has no column type"):
        read(KIND, database(tmp_path / "claude-mem.db", later, rows))


def test_another_database_is_not_its_own(tmp_path: Path) -> None:
    file = database(tmp_path / "x.db", "CREATE TABLE t (a)", {})
    assert not READERS[KIND].fits(file)
    for act in (READERS[KIND].origin, lambda path: read(KIND, path)):
        with pytest.raises(BadInput, match="none of claude-mem's"):
            act(file)


def test_a_broken_export_is_named_by_its_line(tmp_path: Path) -> None:
    text = json.dumps(
        {"exportedAt": "x", "totalObservations": 1, "observations": [{"id": 1, "title": "T"}, 7]}, indent=1
    )
    (file := tmp_path / "e.json").write_text(text)
    troubles: list[Trouble] = []
    assert [record.text for record in READERS[KIND].read(file, troubles.append)] == ["T"]
    assert [trouble.line for trouble in troubles] == [text[: text.index("7")].count("\n") + 1]
    file.write_text(text[:-4])
    with pytest.raises(MalformedFile, match="line "):
        read(KIND, file)
