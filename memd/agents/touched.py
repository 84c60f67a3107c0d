"""Which files of a project were touched lately: by agents' sessions, as hooks noted it, and by git's word."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence

from pysqlite3 import dbapi2 as sqlite3

from memd.model import GLOBAL_SCOPE

FILES = 50  # as many are looked at
COMMITS = 5
GIT_SECONDS = 0.2  # for git's answers together; a repository that is slower goes without
_DAY_MS = 86_400_000
_DAYS = 14

_STATUS = ("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules")
_LOG = ("log", f"-n{COMMITS}", "--name-only", "--no-renames", "--format=", "-z")
# A look must not start what a repository's own settings name.
_TAME = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false")
_REPOSITORY = {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE"}


class Look:
    """One look at a project. Git begins to answer at once, while others do their part.

    Args:
        scope: the project's root; the global scope has no files.
    """

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._deadline = time.monotonic() + GIT_SECONDS
        asks = scope != GLOBAL_SCOPE and os.path.exists(os.path.join(scope, ".git"))
        self._status, self._log = (_start(scope, words) if asks else None for words in (_STATUS, _LOG))

    def files(self, db: sqlite3.Connection, now_ms: int, session: str = "") -> list[str]:
        """Paths within the project, with forward slashes: this session's edits first, then the working tree,
        other sessions', and the last commits'; each once, the latest of each first. To be asked once.
        """
        changed = [entry[3:] for entry in _answer(self._status, self._deadline) if len(entry) > 3]
        committed = [entry.lstrip("\n") for entry in _answer(self._log, self._deadline)]
        own = _edited(db, self._scope, now_ms, session) if session else []
        found = [*own, *changed, *_edited(db, self._scope, now_ms), *committed]
        return list(dict.fromkeys(path.replace("\\", "/") for path in found))[:FILES]


def _edited(db: sqlite3.Connection, scope: str, now_ms: int, session: str = "") -> list[str]:
    """What sessions of the scope edited within two weeks, the latest first."""
    rows = db.execute(
        "SELECT e.what FROM session_event AS e JOIN session AS s ON s.id = e.session"
        " WHERE s.scope = ? AND s.seen_at >= ? AND e.kind = 'edit' AND (? = '' OR s.key = ?)"
        " GROUP BY e.what ORDER BY max(e.seq) DESC LIMIT ?",
        (scope, now_ms - _DAYS * _DAY_MS, session, session, FILES),
    )
    return [_within(row[0], scope) for row in rows]


def _within(path: str, scope: str) -> str:
    return os.path.relpath(path, scope) if path.startswith(scope.rstrip("/") + "/") else path


def _start(scope: str, words: Sequence[str]) -> subprocess.Popen[bytes] | None:
    environment = {name: value for name, value in os.environ.items() if name not in _REPOSITORY}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", *(word for setting in _TAME for word in ("-c", setting)), "-C", scope, *words]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
    except OSError:  # no git
        return None


def _answer(process: subprocess.Popen[bytes] | None, deadline: float) -> list[str]:
    """The entries that git wrote; none where it can't tell in time."""
    if process is None:
        return []
    with process:
        try:
            said, _ = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            return []
    if process.returncode != 0:
        return []
    return [os.fsdecode(entry) for entry in said.split(b"\0") if entry.strip()]
