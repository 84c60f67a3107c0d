"""Ingesting into a store: reading a source again adds only what is new."""

import subprocess
from pathlib import Path

from memd import Memory
from memd.ingest import git, read, read_notes


def take_in(memory: Memory, folder: Path) -> tuple[int, int]:
    """How many of the folder's sections were new, and how many known."""
    remembered = memory.remember_many(read(folder, scope=str(folder)), restate=False)
    return sum(not one.again for one in remembered), sum(one.again for one in remembered)


def test_only_what_changed_is_added(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("# One\nfirst\n# Two\nsecond\n")
    (notes / "b.txt").write_text("plain\n")
    with Memory.open(tmp_path / "home", encode="off") as memory:
        assert take_in(memory, notes) == (3, 0)
        before = memory.list(scope=str(notes))
        assert take_in(memory, notes) == (0, 3)
        assert memory.list(scope=str(notes)) == before
        (notes / "a.md").write_text("# One\nfirst\n# New\nbetween\n# Two\nsecond\n")
        assert take_in(memory, notes) == (1, 3)
        assert {one.text for one in memory.list(scope=str(notes))} > {one.text for one in before}


def test_what_was_forgotten_stays_forgotten(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("# One\nfirst\n# Two\nsecond\n")
    with Memory.open(tmp_path / "home", encode="off") as memory:
        take_in(memory, notes)
        gone = memory.list(scope=str(notes))[0]
        memory.forget([gone.id])
        assert take_in(memory, notes) == (0, 2)
        assert gone.id not in {one.id for one in memory.list(scope=str(notes))}
        assert not memory.remember(gone.text, scope=str(notes)).again


def test_sections_of_a_file_are_each_others_neighbours(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "deploy.md").write_text("# Kestrel deployment\nIt runs nightly.\n# When it fails\nCall the operator.\n")
    with Memory.open(tmp_path / "home", encode="off") as memory:
        take_in(memory, notes)
        hits = memory.recall("kestrel", scope=str(notes)).hits
    assert [hit.memory.source.span for hit in hits] == [(1, 2), (3, 4)]


def test_a_history_that_grew_adds_its_new_commits(tmp_path: Path) -> None:
    def commit(message: str) -> None:
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(tmp_path / "repo"), *identity, "commit", "-q", "--allow-empty", "-m", message]
        subprocess.run(command, check=True)

    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    commit("Parse dates")
    with Memory.open(tmp_path / "home", encode="off") as memory:
        memory.remember_many(git.read(tmp_path / "repo", scope=None), restate=False)
        commit("Parse times")
        again = memory.remember_many(git.read(tmp_path / "repo", scope=None), restate=False)
        assert [one.again for one in again] == [True, False]
        assert [one.text for one in memory.list(kinds=["commit"])] == ["Parse times", "Parse dates"]


def test_what_was_ingested_before_files_were_kept_track_of_is_kept_up_with(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("# One\nfirst\n# Two\nsecond\n")
    with Memory.open(tmp_path / "home", encode="off") as memory:
        memory.remember_many(read(notes, scope=str(notes)), restate=False)
        kept = memory.list(scope=str(notes))[-1]
        (notes / "a.md").write_text("# One\nfirst\n# Two\nchanged\n")
        memory.notes.take(list(read_notes(notes)), str(notes))
        assert {one.text for one in memory.list(scope=str(notes))} == {"# One\nfirst", "# Two\nchanged"}
        assert memory.show(kept.id).forgotten_at is None
