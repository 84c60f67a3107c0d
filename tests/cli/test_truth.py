"""supersede, history, conflicts, resolve, audit, and asking as of a time, as people and scripts do it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from tests.cli.command import Memd
from tests.cli.test_output import valid


@pytest.mark.parametrize("where", [[], ["--no-daemon"]])
def test_a_memory_and_what_replaced_it(memd: Memd, where: list[str]) -> None:
    old = memd.remember("the dev server listens on port 8080")
    between = datetime.now(UTC).isoformat()
    new = memd("supersede", old, "the dev server listens on port 9090", "--why", "a clash", *where).lines[0][0]
    assert [line[0] for line in memd("recall", "dev server port", *where).lines] == [new]
    assert {line[0] for line in memd("recall", "--superseded", "dev server port", *where).lines} == {old, new}
    assert [line[0] for line in memd("recall", "--as-of", between, "dev server port", *where).lines] == [old]
    assert [line[0] for line in memd("list", *where).lines] == [new]
    assert {line[0] for line in memd("list", "--superseded", *where).lines} == {old, new}
    explained = memd("recall", "--explain", "dev server port", *where).lines
    assert ["replaced", old] in explained
    told = memd("history", new, *where).lines
    assert [line[1] for line in told if line[0] == "version"] == [old, new]
    assert next(line for line in told if line[0] == "replaced")[1:3] == [old, new]
    assert [line[2] for line in told if line[0] == "change"] == ["remember", "remember", "supersede"]
    assert f"superseded by: {new}" in memd("show", old, *where).text
    done = memd("supersede", old, "something else", *where, check=False)
    assert done.code == 2 and new in done.err


def test_answers_are_as_their_schemas_say(memd: Memd) -> None:
    old = memd.remember("CI runs on Jenkins")
    new = valid(memd("supersede", "--json", old, "CI runs on Buildkite").answer, "supersede")["data"]["id"]
    other = memd.remember("CI runs on Drone")
    assert valid(memd("history", "--json", new).answer, "history")["data"]["id"] == new
    conflicts = valid(memd("conflicts", "--json").answer, "conflicts")["data"]["conflicts"]
    assert [memory["id"] for memory in conflicts[0]["memories"]] == [new, other]
    assert (
        valid(memd("resolve", "--json", other, new).answer, "resolve")["data"]["memories"][1]["superseded_by"] == other
    )
    audit = valid(memd("audit", "--json").answer, "audit")["data"]
    assert audit["sound"] and memd("audit", "--since-link", f"{audit['entries']}:{audit['link']}").code == 0
    assert memd("conflicts", check=False).code == 1


def test_people_see_it_too(memd: Memd) -> None:
    old = memd.remember("CI runs on Jenkins")
    assert old in memd.at_terminal("supersede", old, "CI runs on Buildkite").text
    memd.remember("CI runs on Drone")
    shown = memd.at_terminal("conflicts").text
    assert "Drone" in shown and "memd resolve" in shown
    assert "Jenkins" in memd.at_terminal("history", old).text
    assert "journal is whole" in memd.at_terminal("audit").text


def test_an_audit_of_a_changed_store_fails_and_says_where(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "--no-daemon", "kept as it is")
    (store,) = Path(memd.home).glob("memd.db")
    db = sqlite3.connect(str(store))
    db.execute("UPDATE memory SET text = 'kept as it isn''t'")
    db.commit()
    db.close()
    done = memd("audit", "--no-daemon", check=False)
    assert done.code == 3 and "is not the one that was stored" in done.text


@pytest.mark.parametrize("link", ["", "x:y", "5", "5:"])
def test_a_link_that_is_none(memd: Memd, link: str) -> None:
    done = memd("audit", "--no-daemon", "--since-link", link, check=False)
    assert done.code == 2


@pytest.mark.parametrize("where", [[], ["--no-daemon"]])
def test_gists_are_listed_shown_and_recalled_where_asked(memd: Memd, where: list[str]) -> None:
    del memd.env["MEMD_ENCODER"]  # gists need the real one
    assert memd("gists", *where, check=False).code == 1
    texts = (
        "The tests need Postgres 16 on port 5433.",
        "Postgres for the tests runs on port 5433 in docker compose.",
        "The test database is Postgres 16; docker compose starts it on port 5433.",
    )
    ids = [memd.remember(text) for text in texts]
    memd("reindex", "--wait", *where)
    memd("lifecycle", "run", *where)
    ((gist, member, start, end, sentence),) = memd("gists", *where).lines
    assert member in ids and texts[ids.index(member)][int(start) : int(end)] == sentence
    shown = memd("show", gist, *where).text
    assert "kind: gist" in shown and f"members: {', '.join(ids)}" in shown and shown.rstrip().endswith(sentence)
    assert [line[0] for line in memd("recall", "--gists", "postgres port", *where).lines] == [gist]
    assert memd("recall", "--budget", "20", "postgres port", *where).lines[0][0] in ids
    valid(memd("gists", "--json", *where).answer, "gists")
    valid(memd("show", "--json", gist, *where).answer, "show")
    assert "stands for 3 memories" in memd.at_terminal("gists", *where).text
    assert sentence in memd.at_terminal("show", gist, *where).text
    memd("forget", "--yes", ids[0], *where)
    assert memd("gists", *where, check=False).code == 1 and memd("show", gist, *where, check=False).code == 1
