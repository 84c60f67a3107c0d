"""A git history as memories: one a commit, the message word for word."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from memd.errors import BadInput

if TYPE_CHECKING:
    from memd.model import NewMemory

_FORMAT = "%H%n%an%n%at%n%B"  # no name and no time has a line end, no message a NUL (-z ends each commit)
_CHUNK = 1 << 16
_REPOSITORY_VARIABLES = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE"})


def read(
    repo: Path,
    *,
    scope: str | None,
    rev_range: str | None = None,
    since: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[NewMemory]:
    """Reads the commits of a repository, oldest first, as memories of kind `commit`.

    The event time is the author's date, the source names author, repository and commit. Commits
    without a message are passed over. A shallow clone gives the commits that it has, a repository without
    commits none.

    Args:
        repo: the repository, or a folder within it.
        scope: the scope that the memories get; None leaves it to the caller of `remember`.
        rev_range: what to read, as git writes it (`"v1.0..main"`); None means `HEAD`.
        since: only commits after this date, in any form that `git log --since` takes.
        on_progress: told (commits read, commits in all) before the first and after each.

    Raises:
        BadInput: git is missing, `repo` is no repository, or git can't read the range.
    """
    top = root(repo)
    if rev_range is None and not _has_commits(top):
        return iter(())
    chosen = _chosen(rev_range, since)
    total = int(output(top, "rev-list", "--count", *chosen))
    return _memories(top, chosen, scope, total, on_progress)


def _memories(
    root: Path, chosen: list[str], scope: str | None, total: int, on_progress: Callable[[int, int], None] | None
) -> Iterator[NewMemory]:
    if on_progress:
        on_progress(0, total)
    for done, record in enumerate(_log(root, chosen), 1):
        if memory := _memory(record, root, scope):
            yield memory
        if on_progress:
            on_progress(done, total)


def _memory(record: bytes, root: Path, scope: str | None) -> NewMemory | None:
    """One commit of the log; None when its message is empty."""
    from memd.model import NewMemory, Source

    sha, who, at, message = _decode(record).split("\n", 3)
    text = message.rstrip("\n")
    if not text.strip():
        return None
    return NewMemory(
        text=text,
        kind="commit",
        scope=scope,
        source=Source(who=who, via="git", path=str(root), session=sha),
        event_at=_time(at),
    )


def _log(root: Path, chosen: list[str]) -> Iterator[bytes]:
    """The records of `git log`, one a commit, streamed: O(1) memory here."""
    options = ["--reverse", "--no-show-signature", "--encoding=UTF-8", "-z", f"--format={_FORMAT}"]
    with subprocess.Popen(
        _command(root, "log", *options, *chosen),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as process:
        assert process.stdout is not None
        try:
            yield from _records(process.stdout)
            if process.wait():
                raise BadInput(f"git log stopped halfway in {root}.", "Run `git fsck` there to see what is wrong.")
        finally:
            process.terminate()  # does nothing to one that has ended; stops one whose reader left early


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        *records, rest = (rest + chunk).split(b"\0")
        yield from records
    if rest:
        yield rest


def _chosen(rev_range: str | None, since: str | None) -> list[str]:
    """The arguments that choose commits. What the user gave can't be taken for an option or a path."""
    limit = [f"--since={since}"] if since else []
    return [*limit, "--end-of-options", rev_range or "HEAD", "--"]


def root(repo: Path) -> Path:
    """The top folder of the working tree that `repo` lies in; of a bare repository, its own folder."""
    folder = Path(output(repo, "rev-parse", "--absolute-git-dir").rstrip("\n"))
    if output(repo, "rev-parse", "--is-inside-work-tree").strip() == "true":
        return Path(output(repo, "rev-parse", "--show-toplevel").rstrip("\n"))
    return folder


def _has_commits(root: Path) -> bool:
    command = _command(root, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
    return subprocess.run(command, capture_output=True, env=_environment(), check=False).returncode == 0


def output(repo: Path, *arguments: str) -> str:
    """The output of a git command; what git has against it becomes a `BadInput`."""
    try:
        done = subprocess.run(
            _command(repo, *arguments), capture_output=True, env=_environment(), check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise BadInput("git isn't installed, or not on the PATH.", "Install git and try again.") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").splitlines()
        raise BadInput(
            f"git can't read {repo}: {said[0] if said else 'it gave no reason'}",
            "Name a folder inside a git repository, and a range that `git log` knows.",
        )
    return os.fsdecode(done.stdout)


def _command(repo: Path, *arguments: str) -> list[str]:
    return ["git", "-C", str(repo), "--no-pager", *arguments]


def _environment() -> dict[str, str]:
    """The user's own, with messages in English (our errors quote them) and no lock taken.

    Without what a git hook finds set: it would send every command to the hook's repository.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _REPOSITORY_VARIABLES}
    return {**inherited, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def _decode(record: bytes) -> str:
    """UTF-8, or Latin-1 for old commits that never said what they were written in: no byte is lost."""
    try:
        return record.decode()
    except UnicodeDecodeError:
        return record.decode("latin-1")


def _time(seconds: str) -> datetime | None:
    """Unix seconds as a UTC datetime; None for the impossible dates that broken tools have written."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
