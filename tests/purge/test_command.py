"""`memd forget --purge` as it is typed; and that no agent is offered it."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.from_thread
import pytest
from pysqlite3 import dbapi2 as sqlite3

from tests.agents.servers import Session, client
from tests.cli.command import Memd
from tests.cli.test_output import valid

SECRET = "the vestibule password is xanthippe-zwieback"


def held(memd: Memd) -> list[str]:
    """The files that have a word of it."""
    return [
        str(path)
        for path in sorted(memd.home.rglob("*"))
        if path.is_file() and any(word in path.read_bytes().lower() for word in (b"xanthippe", b"zwieback"))
    ]


def test_it_is_purged_through_the_daemon(memd: Memd) -> None:
    id_, other = memd.remember(SECRET), memd.remember("cheese is in the fridge")
    memd("backup")
    assert held(memd)
    told = valid(memd("forget", "--purge", "--dry-run", "--json", id_).answer, "forget")["data"]
    assert told["dry_run"] and told["memories"] == [id_] and memd("show", "--text", id_).text == SECRET
    done = valid(memd("forget", "--purge", "--yes", "--json", id_).answer, "forget")["data"]
    assert not any(place["left"] for place in done["places"]) and held(memd) == []
    gone = memd("show", id_, check=False)
    assert gone.code == 1 and "was purged on" in gone.err
    assert [line[0] for line in memd("list").lines] == [other]
    assert memd("list", "--forgotten", check=False).lines == []
    assert memd("restore", id_, check=False).code == 1
    assert any(line[:1] == ["change"] and line[2] == "purge" for line in memd("history", id_).lines)
    assert memd("audit", "--json").answer["data"]["sound"]


def test_without_a_terminal_it_wants_a_yes(memd: Memd) -> None:
    id_ = memd.remember(SECRET)
    asked = memd("forget", "--purge", id_, check=False)
    assert asked.code == 2 and "--yes" in asked.err and memd("show", "--text", id_).text == SECRET
    assert memd("forget", "--purge", "--dry-run", check=False).code == 2


def test_at_a_terminal_it_asks(memd: Memd) -> None:
    id_ = memd.remember(SECRET)
    quoting = memd.remember(f"Brumhilda says {SECRET}")
    kept = memd.at_terminal("forget", "--purge", id_, say=[b"n\n"])
    assert "Nothing brings it back" in kept.text and quoting in kept.text and "Nothing was purged" in kept.text
    memd.at_terminal("forget", "--purge", id_, quoting, say=[b"y\n"])
    assert held(memd) == []


def test_what_a_reader_held_up_is_said_and_finished_later(memd: Memd) -> None:
    id_ = memd.remember(SECRET)
    reader = sqlite3.connect(str(memd.home / "memd.db"), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM memory").fetchone()
    done = memd("forget", "--purge", "--yes", id_, check=False)
    assert done.code == 3 and any(line[:2] == ["place", "log"] and line[3] for line in done.lines)
    checks = {line[1]: line for line in memd("doctor", check=False).lines}
    assert "purge isn't finished" in checks["store"][2] and checks["store"][3] == "memd forget --purge"
    reader.close()
    assert memd("forget", "--purge").code == 0 and held(memd) == []


def test_no_agent_is_offered_it(memd: Memd, tmp_path: Path) -> None:
    with anyio.from_thread.start_blocking_portal() as portal, Session(portal, client(memd.home, tmp_path)) as session:
        tools = {tool.name: tool for tool in session.do("list_tools").tools}
        assert not any("purge" in str(tool.model_dump()) for tool in tools.values())
        if "forget" in tools:
            result = session.result("forget", ids=[memd.remember(SECRET)], purge=True)
            assert result.is_error or memd("list", "--forgotten").lines


@pytest.fixture(autouse=True)
def _no_encoder(memd: Memd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMD_ENCODER", memd.env["MEMD_ENCODER"])
