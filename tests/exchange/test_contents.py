"""What goes with the memories: sessions of agents, notes and their links, gists, the lifecycle's state."""

from __future__ import annotations

import json
from pathlib import Path

from memd.agents import hooks
from memd.api import Memory
from memd.exchange.lines import Selection
from memd.ingest import read_notes
from memd.model import NewMemory
from memd.store import links
from tests.agents import plays
from tests.exchange.played import Hands, Stores, check_sound, exported, imported


def types(content: bytes) -> set[str]:
    return {json.loads(line)["type"] for line in content.splitlines()}


def test_sessions_go_with_all_and_stay_at_home_else(tmp_path: Path) -> None:
    play = plays.load(plays.names()[0])
    root = tmp_path / play.folder
    (root / ".git").mkdir(parents=True)
    transcript = tmp_path / "session.jsonl"
    transcript.write_text(plays.transcript(play, str(root), "s1"))
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        hooks.take(there, transcript)
        content = exported(there)
        assert {"session", "memory"} <= types(content)
        report = imported(here, content, tmp_path)
        assert report.added["session"] == 1 and exported(here) == content
        for table in ("session_event", "injection"):
            with here.store.reading() as one, there.store.reading() as other:
                count = f"SELECT count(*) FROM {table}"
                assert one.execute(count).fetchone() == other.execute(count).fetchone()
        assert not imported(here, content, tmp_path).added
        assert "session" not in types(exported(there, Selection(scopes=(str(root),))))
        assert "session" in types(exported(there, Selection(scopes=(str(root),), everything=True)))
        check_sound(here)


def test_notes_keep_their_links_and_are_known_when_they_are_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("# Deploying\n\nSee [the tests](b.md#testing).\n\n# Releasing\n\nUse make release.\n")
    (folder / "b.md").write_text("# Testing\n\nRun make test. See [[a]].\n")
    with Stores() as stores:
        here, there = stores.new(), stores.new()
        there.notes.take(list(read_notes(folder)), "/srv/app")
        content = exported(there)
        imported(here, content, tmp_path)
        assert exported(here) == content
        with here.store.reading() as one, there.store.reading() as other:
            assert links.edges(one) == links.edges(other) != []
        (folder / "b.md").write_text("# Testing\n\nRun make check. See [[a]].\n")
        taken = here.notes.take(list(read_notes(folder)), "/srv/app")
        assert taken.superseded == 1
        some = exported(there, Selection(scopes=("/nowhere",)))
        assert "file" not in types(some)


def test_gists_and_faded_memories(tmp_path: Path) -> None:
    texts = (
        "The deploy script deploy.sh needs AWS_PROFILE to be set. It fails without a word otherwise.",
        "deploy.sh takes the environment as its first argument, and AWS_PROFILE picks the account.",
        "Before running deploy.sh, set AWS_PROFILE=staging.",
        "deploy.sh must be run with AWS_PROFILE set; otherwise it fails silently.",
    )
    with Memory.open(tmp_path / "one") as there, Memory.open(tmp_path / "two") as here:
        there.remember_many([NewMemory(text) for text in texts])
        there.compare()
        there.lifecycle.run()
        gists = there.gists(scope="all").gists
        assert gists
        content = exported(there)
        assert "gist" in types(content)
        imported(here, content, tmp_path)
        assert here.gists(scope="all").gists == gists
        assert exported(here) == content
        here.lifecycle.run()
        assert here.gists(scope="all").gists == gists
        assert exported(here) == content  # what the lifecycle works out isn't in it
        check_sound(here)
        there.purge([gists[0].members[0]])
        assert "gist" not in types(exported(there))


def test_what_has_faded_stays_so(tmp_path: Path) -> None:
    clock = Hands()
    opened = {"encode": "inline", "clock": clock}
    with Memory.open(tmp_path / "one", **opened) as there, Memory.open(tmp_path / "two", **opened) as here:  # type: ignore[arg-type]
        one = there.remember("The server listens on port 80.").id
        two = there.remember("We deploy on Fridays.").id
        clock.now = clock.now.replace(month=6)
        there.use([one])
        clock.now = clock.now.replace(year=2050)
        there.lifecycle.run()
        before = there.lifecycle.vitality([one, two])
        assert {alive.tier for alive in before} & {"cool", "cold", "dormant"}
        content = exported(there)
        imported(here, content, tmp_path)
        assert here.pending() == 0
        assert here.lifecycle.vitality([one, two]) == before
        assert exported(here) == content
        check_sound(here)
