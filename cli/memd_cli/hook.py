"""``memd hook EVENT``: what an agent runs at an event. Standard library only, and little of it.

It never stands in the agent's way: whatever happens it ends with 0, says nothing it isn't sure of, and is gone within
half a second of its start. What it could not do it says in one line of ``hooks.log`` in the data folder. Events that
announce a transcript are left in a file for the next daemon where none can be reached.
"""

import os
import sys
import time

from memd.home import HOOK_LOG, HOOK_SPOOL, data_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HARD_STOP = 0.45  # seconds from the start of the process after which it ends, whatever it is at
PATIENCE = 0.36  # seconds from the start until it no longer waits for the daemon
MOST = 8 << 20  # bytes of a payload; a larger one is somebody's file
LOG_BYTES = 256 * 1024
_POLL = 0.01
_HEAVY = frozenset({"precompact", "precompress", "stop", "afteragent", "afteragentresponse", "sessionend"})
# Of a payload that is left: which session and where, none of its words.
_LEFT = ("session_id", "sessionId", "conversation_id", "transcript_path", "transcriptPath", "cwd", "workspace_roots")
_ASSUMED_START = 0.03  # seconds that the interpreter took, where the system doesn't tell


class _Trouble(Exception):
    """Why the hook could not do its work."""


def run(words: "Sequence[str]") -> "int | None":
    """The exit code, always 0; None where Typer must read the line (help, no event, a misspelt option).

    Args:
        words: the command line after ``memd hook``.
    """
    parsed = _parse(words)
    if parsed is None or (sys.stdin is not None and sys.stdin.isatty()):
        return None
    event, agent = parsed
    begun = time.monotonic() - _age()
    payload = ""
    _stop_at(begun + HARD_STOP, lambda: _give_up(agent, event, payload, _Trouble("no answer in time"), hurry=True))
    try:
        payload = _payload()
        answer = _ask(agent, event, payload, begun + PATIENCE)
        if answer:
            os.write(1, answer.encode("utf-8", "replace") + b"\n")
    except BaseException as error:  # an agent must never see a hook fail
        _give_up(agent, event, payload, error)
    finally:
        _stop_no_more()
    return 0


def _parse(words: "Sequence[str]") -> "tuple[str, str] | None":
    event = agent = ""
    rest = list(words)[::-1]
    while rest:
        word = rest.pop()
        if word == "--agent" and rest:
            agent = rest.pop()
        elif word.startswith("--agent="):
            agent = word[8:]
        elif word.startswith("-") or event:
            return None
        else:
            event = word
    return (event, agent) if event else None


def _age() -> float:
    """Seconds since this process began, as the system tells; an assumption where it doesn't."""
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        return min(max(age, 0.0), HARD_STOP)
    except (OSError, ValueError, IndexError, AttributeError):
        return _ASSUMED_START


def _stop_at(deadline: float, give_up: "Callable[[], None]") -> None:
    """See to it that the process gives up and ends by then, even within a call that doesn't return."""
    import _signal  # type: ignore[import-not-found]  # the C half of signal, which imports enum

    def end(*_: object) -> None:
        try:
            give_up()
        finally:
            os._exit(0)

    _signal.signal(_signal.SIGALRM, end)
    _signal.setitimer(_signal.ITIMER_REAL, max(deadline - time.monotonic(), 0.02))


def _stop_no_more() -> None:
    """All is done. As it ends, the interpreter gives signals back to the system, and this one would end it with -14."""
    import _signal

    _signal.setitimer(_signal.ITIMER_REAL, 0)


def _payload() -> str:
    """All of standard input."""
    parts, size = [], 0
    while part := os.read(0, 1 << 18):
        parts.append(part)
        size += len(part)
        if size > MOST:
            raise _Trouble(f"a payload of more than {MOST >> 20} MiB")
    return b"".join(parts).decode("utf-8", "replace")


def _ask(agent: str, event: str, payload: str, deadline: float) -> str:
    """The daemon's word, by the deadline; it is started where there is none."""
    from memd.daemon.client import Door, connect

    if not payload.strip():
        raise _Trouble("no payload on standard input")
    home = data_home()
    folder = _folder()
    sock = connect(home, _remaining(deadline))
    if sock is None:
        _start(home)
        while (sock := connect(home, _remaining(deadline))) is None:
            if time.monotonic() + _POLL > deadline:
                raise _Trouble("no daemon answers; one is starting")
            time.sleep(_POLL)
    sock.close()
    with Door(home, start=False, timeout=_remaining(deadline)) as door:
        told = door.call("hook", {"agent": agent, "event": event, "payload": payload, "folder": folder})
    return str(told["output"])


def _remaining(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.01)


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _start(home: str) -> None:
    """Start a daemon that outlives this process, unless one runs or is starting: of 200 hooks at once one does it.

    Whoever starts it holds a lock, and the daemon, which inherits that, until it ends.
    """
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        mark = os.open(os.path.join(home, HOOK_LOG + ".start"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _Trouble(f"{home} can't be written ({error.strerror})") from None
    try:
        import fcntl

        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    os.set_inheritable(mark, True)
    os.chdir("/")  # which the daemon inherits: it must not hold on to a project's folder
    nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    command = [sys.executable, "-P", "-m", "memd.daemon", "--detach"]
    environment = {**os.environ, "MEMD_HOME": home} if os.environ.get("MEMD_HOME") else dict(os.environ)
    try:
        child = os.posix_spawn(sys.executable, command, environment, file_actions=nothing, setsid=True)
    except NotImplementedError:
        child = os.posix_spawn(sys.executable, command, environment, file_actions=nothing, setpgroup=0)
    del child  # it forks and ends by itself; who ends before it leaves it to the system


def _give_up(agent: str, event: str, payload: str, error: BaseException, hurry: bool = False) -> None:
    """Leave word: a line in the log, and the payload of an event that must not be lost. Never raises."""
    # Without an import of the errors: the time may be up in the middle of one.
    told = getattr(error, "message", "") or str(error) or type(error).__name__
    refused = getattr(error, "exit_code", 0) == 2  # it would be refused again
    if payload and not refused and event.replace("-", "").replace("_", "").lower() in _HEAVY:
        try:
            _leave(agent, event, payload, hurry)
            told += "; left for the next daemon"
        except Exception:  # said all the same
            pass
    _log(event, told)


def _leave(agent: str, event: str, payload: str, hurry: bool) -> None:
    """Put what names the session where the daemon looks when it starts: whole or not at all. In a hurry the disk isn't
    waited for: then a loss of power may take it along.
    """
    from memd.daemon.wire import dumps, loads

    told = loads(payload.strip())
    payload = dumps({name: told[name] for name in _LEFT if name in told})
    folder = os.path.join(data_home(), HOOK_SPOOL)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    name = os.path.join(folder, f"{time.time_ns()}-{os.getpid()}")
    file = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        content = "\n".join((agent, event, _folder(), payload)).encode("utf-8", "replace")
        while content:
            content = content[os.write(file, content) :]
        if not hurry:
            os.fsync(file)
    except OSError:
        os.unlink(name)
        raise
    finally:
        os.close(file)
    os.rename(name, name + ".json")


def _log(event: str, told: str) -> None:
    """A line in the hooks' log, which is turned over by size. Never raises."""
    path = os.path.join(data_home(), HOOK_LOG)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = f"{stamp} {event[:40]} {told}".translate(_CONTROLS)[:500] + "\n"
    try:
        if os.path.exists(path) and os.path.getsize(path) > LOG_BYTES:
            os.replace(path, path + ".1")
        file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, line.encode("utf-8", "replace"))
        finally:
            os.close(file)
    except OSError:
        pass


_CONTROLS = dict.fromkeys([*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A)], " ")
