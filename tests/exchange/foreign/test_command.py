"""`memd import` of other tools' files, as people run it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import Memd
from tests.cli.conftest import memd
from tests.exchange.foreign.makers import (
    CLAUDE_MEM_35,
    claude_mem_rows,
    database,
    entity,
    relation,
    write_lines,
)
from tests.exchange.foreign.test_reading import MAKERS

__all__ = ["memd"]  # the fixture


def import_(memd: Memd, *words: str) -> dict[str, object]:
    data = memd.json("import", *words)
    assert isinstance(data, dict)
    return data


def test_memd_sees_whose_it_is_and_takes_it_in_once(memd: Memd, tmp_path: Path) -> None:
    kind, make = MAKERS["claude-mem"]
    (folder := tmp_path / "theirs").mkdir()
    path = str(make(folder))
    trial = import_(memd, path, "--dry-run")
    assert memd.json("stats")["memories"] == 0
    first = import_(memd, path)
    assert first["from"] == kind
    assert first["added"] == trial["added"] != {}
    assert first["scopes"] == trial["scopes"] == {"/home/ann/work/shop": 3, "global": 2}
    again = import_(memd, "--from", kind, path)
    assert (again["added"], again["merged"], again["troubles"]) == ({}, 0, [])


def test_what_came_over_is_recalled_and_shown_with_where_it_is_from(memd: Memd, tmp_path: Path) -> None:
    path = database(tmp_path / "claude-mem.db", CLAUDE_MEM_35, claude_mem_rows())
    import_(memd, str(path))
    (hit, *_) = memd.json("recall", "why was the cart off by a cent", "--scope", "/home/ann/work/shop")["hits"]
    assert "cart" in hit["memory"]["text"].lower()
    source = hit["memory"]["source"]
    assert (source["via"], source["path"]) == ("claude-mem", str(path))
    listed = memd.json("list", "--tag", "blog", "--scope", "all")["memories"]
    assert [one["scope"] for one in listed] == ["global"]  # nothing tells where the project lies


def test_a_scope_for_what_names_none(memd: Memd, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "memory.jsonl", entity("Ada", "person", "Sings"))
    import_(memd, str(path), "--scope", ".")
    (one,) = memd.json("list", "--scope", "all")["memories"]
    assert one["scope"] == str(memd.cwd)


def test_a_bad_line_stops_all_of_it_unless_it_is_skipped(memd: Memd, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "memory.jsonl", entity("Ada", "person", "Sings"))
    path.write_text(path.read_text() + "{half\n" + json.dumps(relation("Ada", "knows", "Bo")) + "\n")
    done = memd("import", str(path), check=False)
    assert done.code == 2
    assert "line 2" in done.err
    assert memd.json("stats")["memories"] == 0
    skipped = import_(memd, str(path), "--skip-bad")
    assert skipped["added"] == {"memory": 2}
    assert isinstance(skipped["troubles"], list)
    assert [trouble["line"] for trouble in skipped["troubles"]] == [2]


def test_a_database_that_is_damaged_is_refused_whole(memd: Memd, tmp_path: Path) -> None:
    path = database(tmp_path / "claude-mem.db", CLAUDE_MEM_35, claude_mem_rows())
    raw = bytearray(path.read_bytes())
    path.write_bytes(raw[: len(raw) // 2])
    before = path.read_bytes()
    done = memd("import", "--from", "claude-mem", str(path), check=False)
    assert done.code in (2, 3)
    assert path.name in done.err
    assert path.read_bytes() == before
    assert memd.json("stats")["memories"] == 0


def test_without_the_daemon(memd: Memd, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "memory.jsonl", entity("Ada", "person", "Sings"), relation("Ada", "knows", "Bo"))
    assert memd.json("import", str(path), "--no-daemon")["added"] == {"memory": 2}
    found = memd.json("recall", "knows Bo", "--no-daemon")["hits"]
    assert found[0]["memory"]["text"] == "Ada knows Bo"
