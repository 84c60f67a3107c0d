"""Why a daemon that is there says nothing, and the ways out. Standard library only."""

import os
from pathlib import Path

from memd.daemon.client import rendezvous
from memd.errors import DaemonUnavailable
from memd.home import LOCK

_OTHERWISE = "use --no-daemon meanwhile"


def explain(home: str) -> DaemonUnavailable:
    """The error for whoever asked the daemon of this data folder in vain."""
    pid = _holder(home)
    if pid is None:
        return DaemonUnavailable(
            f"what listens on the socket of {home} doesn't answer, and is no daemon",
            f"see which process holds {_socket(home)} and end it, or {_OTHERWISE}",
        )
    if _is_stopped(pid):
        return DaemonUnavailable(
            f"the daemon (process {pid}) was stopped by a signal and answers nothing",
            f"let it go on with kill -CONT {pid}, or replace it with `memd daemon restart`, or {_OTHERWISE}",
        )
    return DaemonUnavailable(
        f"the daemon (process {pid}) is there and doesn't answer",
        f"see `memd daemon logs`, replace it with `memd daemon restart`, or {_OTHERWISE}",
    )


def _holder(home: str) -> int | None:
    """The process that holds the data folder's lock."""
    from memd.daemon.launch import is_held

    try:
        return int((Path(home) / LOCK).read_text()) if is_held(home) else None
    except (OSError, ValueError):
        return None


def _socket(home: str) -> str:
    found = rendezvous(home)
    return os.fsdecode(found[1]) if found else "the socket"


def _is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal, where the system tells (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except (OSError, IndexError):
        return False
