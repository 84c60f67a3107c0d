"""Reading git histories, with real repositories."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memd.errors import BadInput
from memd.ingest import git

AT = 1_700_000_000


def run(repo: Path, *arguments: str, stdin: bytes | None = None, **environment: str) -> None:
    identity = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in WHO.items()}
    command = ["git", "-C", str(repo), "-c", "commit.gpgsign=false", *arguments]
    subprocess.run(command, check=True, capture_output=True, input=stdin, env={**os.environ, **identity, **environment})


WHO = {"NAME": "Ann Example", "EMAIL": "ann@example.org"}


def commit(repo: Path, message: str | bytes, day: int = 0, *options: str) -> None:
    date = f"{AT + day * 86_400} +0200"
    stdin = message.encode() if isinstance(message, str) else message
    run(
        repo, "commit", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", *options, "-F", "-",
        stdin=stdin, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date,
    )  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    path = tmp_path / "repo"
    path.mkdir()
    run(path, "init", "-q")
    return path


def test_commits_come_oldest_first_with_message_author_and_date(repo: Path) -> None:
    body = "Fix the parser\n\n- keep *every* line\n\n    indented\n\nRefs: #7"
    commit(repo, "First", 0)
    commit(repo, body + "\n\n", 1)
    first, second = git.read(repo, scope="/p")
    assert (first.text, second.text) == ("First", body)
    assert second.event_at == datetime.fromtimestamp(AT + 86_400, UTC)
    assert (second.kind, second.scope, second.episode) == ("commit", "/p", None)
    assert (second.source.who, second.source.via) == ("Ann Example", "git")
    assert second.source.path == str(repo.resolve())
    assert len(second.source.session) == 40
    assert first.source.session != second.source.session


def test_reading_twice_gives_the_same_and_progress_counts(repo: Path) -> None:
    for day in range(3):
        commit(repo, f"Commit {day}", day)
    seen: list[tuple[int, int]] = []
    once = list(git.read(repo, scope=None, on_progress=lambda done, total: seen.append((done, total))))
    assert once == list(git.read(repo, scope=None))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_range_and_a_date_choose_commits(repo: Path) -> None:
    for day in range(4):
        commit(repo, f"Commit {day}", day)
    assert [memory.text for memory in git.read(repo, scope=None, rev_range="HEAD~2..HEAD")] == ["Commit 2", "Commit 3"]
    since = datetime.fromtimestamp(AT + 2 * 86_400 - 60, UTC).isoformat()
    assert [memory.text for memory in git.read(repo, scope=None, since=since)] == ["Commit 2", "Commit 3"]


def test_a_repository_without_commits_gives_none(repo: Path) -> None:
    assert list(git.read(repo, scope=None)) == []


def test_a_commit_without_a_message_is_passed_over(repo: Path) -> None:
    commit(repo, "")
    commit(repo, "Said")
    assert [memory.text for memory in git.read(repo, scope=None)] == ["Said"]


def test_a_shallow_clone_gives_what_it_has(repo: Path, tmp_path: Path) -> None:
    for day in range(5):
        commit(repo, f"Commit {day}", day)
    run(tmp_path, "clone", "-q", "--depth", "2", repo.as_uri(), "shallow")
    assert [memory.text for memory in git.read(tmp_path / "shallow", scope=None)] == ["Commit 3", "Commit 4"]


def test_a_bare_repository_and_a_folder_within_one_are_read(repo: Path, tmp_path: Path) -> None:
    commit(repo, "First")
    run(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    (repo / "sub").mkdir()
    assert [memory.text for memory in git.read(tmp_path / "bare.git", scope=None)] == ["First"]
    (memory,) = git.read(repo / "sub", scope=None)
    assert memory.source.path == str(repo.resolve())


def test_a_message_in_latin_1_keeps_its_letters(repo: Path) -> None:
    commit(repo, "Café".encode("latin-1"))
    commit(repo, "naïve, said so".encode("latin-1"), 1, "--allow-empty", "--amend")
    (memory,) = git.read(repo, scope=None)
    assert memory.text == "naïve, said so"
    run(repo, "-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--allow-empty", "-F", "-", stdin=b"d\xe9clar\xe9")
    assert [memory.text for memory in git.read(repo, scope=None)][-1] == "déclaré"


def test_the_users_own_settings_change_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repo, "First\n\nbody")
    for name, value in {"log.showSignature": "true", "color.ui": "always", "format.pretty": "oneline"}.items():
        run(repo, "config", name, value)
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as a git hook of another repository sets it
    assert [memory.text for memory in git.read(repo, scope=None)] == ["First\n\nbody"]


def test_leaving_early_stops_git(repo: Path) -> None:
    for day in range(3):
        commit(repo, f"Commit {day}", day)
    memories = git.read(repo, scope=None)
    assert next(memories).text == "Commit 0"
    memories.close()  # type: ignore[attr-defined]
    assert list(memories) == []


@pytest.mark.parametrize("rev_range", ["no-such-branch", "--output=stolen", "a..b", "-n1"])
def test_a_range_that_git_does_not_know_is_an_error(repo: Path, rev_range: str) -> None:
    commit(repo, "First")
    with pytest.raises(BadInput):
        git.read(repo, scope=None, rev_range=rev_range)
    assert not (repo / "stolen").exists()


def test_a_folder_outside_any_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a git repository"):
        git.read(tmp_path, scope=None)


def test_without_git_the_error_says_so(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo))
    with pytest.raises(BadInput, match="isn't installed"):
        git.read(repo, scope=None)
