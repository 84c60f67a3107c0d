"""Start a daemon and wait until it answers; wait until one is gone. Standard library only.

The child's standard error is a pipe to whoever waits: one line of JSON says that the daemon answers, or why it
can't. Whatever else comes before the pipe closes is a crash, and its last line is passed on.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from select import select

from memd.daemon.wire import error_from, loads
from memd.errors import DaemonUnavailable
from memd.home import LOCK, data_home
from memd.secret import PASSPHRASE

START_TIMEOUT = 120.0  # seconds: a large store may be checked or migrated first
STOP_TIMEOUT = 60.0
_POLL = 0.02  # seconds between two looks at a lock


def launch(home: str, timeout: float = START_TIMEOUT) -> None:
    """Start a detached daemon for this data folder; returns when one answers, this one or another's.

    Raises:
        MemdError: what kept the daemon from starting, by its own type (say, a damaged store).
        DaemonUnavailable: it died without a word, or isn't ready in time.
    """
    with open(os.devnull, "rb") as nothing:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "memd.daemon", "--detach"],
            stdin=nothing,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            env=_environment(home),
            start_new_session=True,
        )
    assert child.stderr is not None
    said = []
    try:
        for line in _lines(child.stderr.fileno(), time.monotonic() + timeout):
            if line == '{"ready":true}':
                return
            if line.startswith('{"error":'):
                raise error_from(loads(line)["error"])
            said.append(line)
    finally:
        child.stderr.close()
        child.wait()
    why = f": {said[-1]}" if said else ""
    raise DaemonUnavailable(f"the daemon did not start{why}", "run `memd daemon run` to see it, or use --no-daemon")


def wait_gone(home: str, timeout: float = STOP_TIMEOUT) -> None:
    """Wait until no daemon holds this data folder's lock: it has closed the store.

    Raises:
        DaemonUnavailable: one still does after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while is_held(home):
        if time.monotonic() > deadline:
            raise DaemonUnavailable(f"the daemon of {home} did not stop in {timeout:g} s", "use `memd daemon stop`")
        time.sleep(_POLL)


def is_held(home: str) -> bool:
    """Whether a daemon, starting, answering or stopping, holds this data folder's lock."""
    try:
        lock = os.open(Path(home) / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that look don't see each other
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)


def _environment(home: str) -> dict[str, str]:
    """This environment with the data folder as an absolute path, named only where it isn't the default one."""
    environ = {name: value for name, value in os.environ.items() if name != PASSPHRASE}  # `Door` hands it over
    if "MEMD_HOME" in environ or home != data_home():
        environ["MEMD_HOME"] = str(Path(home).absolute())
    return environ


def _lines(pipe: int, deadline: float) -> Iterator[str]:
    """The lines that come through a pipe until it closes. Raises DaemonUnavailable at the deadline."""
    rest = b""
    while True:
        if not select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise DaemonUnavailable("the daemon is still starting", "try again, or see `memd daemon logs`")
        part = os.read(pipe, 65536)
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines if line.strip())
        if not part:
            if rest.strip():
                yield rest.decode(errors="replace")
            return
