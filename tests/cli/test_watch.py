"""`memd watch`, and `memd ingest` beside it, as their users run them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.command import Memd
from tests.waiting import eventually


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = (tmp_path / "notes").resolve()
    folder.mkdir()
    (folder / "a.md").write_text("# One\nthe kestrel flies\n\n# Two\nsecond\n")
    return folder


def texts(memd: Memd) -> list[str]:
    done = memd("list", "--scope", "all", check=False)
    return sorted(line[-1] for line in done.lines)


def test_what_is_added_is_taken_in_and_kept_up_with(memd: Memd, notes: Path) -> None:
    (notes / "bad.md").write_bytes(b"\0")
    added = memd.json("watch", "add", str(notes))["watch"]
    assert (added["state"], added["by"], added["files"], added["sections"]) == ("watching", "events", 1, 2)
    assert added["skipped"] == [{"path": str(notes / "bad.md"), "why": "binary"}]
    (notes / "a.md").write_text("# One\nthe kestrel rests\n\n# Two\nsecond\n")
    assert eventually(lambda: texts(memd) == ["# One\\nthe kestrel rests", "# Two\\nsecond"])
    (hit, *_) = memd("recall", "kestrel", "--scope", "all").lines
    assert hit[-1] == "# One\\nthe kestrel rests"


def test_a_watch_is_taken_up_again_and_catches_up(memd: Memd, notes: Path) -> None:
    memd("watch", "add", str(notes))
    memd("daemon", "stop")
    (notes / "b.md").write_text("# Three\nthird\n")
    (notes / "a.md").unlink()
    assert eventually(lambda: texts(memd) == ["# Three\\nthird"])
    assert memd("watch", "list").lines[0][:3] == ["notes", str(notes), "global"]


def test_remove_ends_it_and_forgets_when_told_to(memd: Memd, notes: Path) -> None:
    memd("watch", "add", str(notes), "--scope", "global")
    assert memd.json("watch", "remove", str(notes))["retired"] == 0
    assert memd("watch", "status").lines == []
    (notes / "a.md").write_text("# One\nunseen\n")
    assert len(texts(memd)) == 2
    memd("watch", "add", str(notes))
    assert texts(memd) == ["# One\\nunseen"]
    assert memd.json("watch", "remove", str(notes), "--forget")["retired"] == 1
    assert texts(memd) == []


def test_ingest_and_the_watcher_agree(memd: Memd, notes: Path) -> None:
    memd("watch", "add", str(notes), "--scope", "global")
    first = memd.json("ingest", str(notes), "--scope", "global")
    assert (first["added"], first["known"], first["retired"]) == (0, 2, 0)


def test_ingesting_again_supersedes_and_retires(memd: Memd, notes: Path) -> None:
    memd("ingest", str(notes))
    (notes / "a.md").write_text("# One\nchanged\n")
    again = memd.json("ingest", str(notes))
    assert {name: again[name] for name in ("added", "superseded", "retired")} == {
        "added": 1,
        "superseded": 1,
        "retired": 1,
    }
    assert texts(memd) == ["# One\\nchanged"]


def test_commits_are_followed(memd: Memd, notes: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Ann", "-c", "user.email=a@e.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(notes), *identity, *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("commit", "--allow-empty", "-m", "Mend the kestrel")
    added = memd.json("watch", "add", "--git", str(notes))["watch"]
    assert (added["watch"]["scope"], len(added["head"])) == (str(notes), 40)
    git("commit", "--allow-empty", "-m", "Paint the kestrel")
    assert eventually(lambda: texts(memd) == ["Mend the kestrel", "Paint the kestrel"])


@pytest.mark.parametrize(
    "words",
    [
        ("watch", "add", "/no/such/folder"),
        ("watch", "add", ""),
        ("watch", "add", "--git", "/"),
        ("watch", "add", ".", "--git", "--include", "*.md"),
        ("watch", "add", ".", "--scope", "all"),
        ("watch", "remove", "/no/such/folder"),
    ],
)
def test_what_cannot_be_watched_is_said(memd: Memd, words: tuple[str, ...]) -> None:
    done = memd(*words, check=False)
    assert (done.out, done.code in (1, 2)) == (b"", True)
    assert done.err.startswith("memd: ") and "hint: " in done.err
    answer = memd(*words, "--json", check=False).answer
    assert not answer["ok"] and answer["error"]["hint"]


def test_at_a_terminal_it_is_told_in_words(memd: Memd, notes: Path) -> None:
    assert "Nothing is watched" in memd.at_terminal("watch", "list").text
    assert "Watching" in memd.at_terminal("watch", "add", str(notes)).text
    assert "2 sections in 1 file" in memd.at_terminal("watch", "status", columns=200).text
    assert str(notes.name) in memd.at_terminal("watch", "list", columns=200).text
    assert "No longer watching" in memd.at_terminal("watch", "remove", str(notes)).text
