"""The thin client: one round trip to the daemon, started when none answers. Standard library only.

What a script or a hook waits for is mostly the interpreter's own start, so this module imports next to
nothing: ``_socket`` and ``_json``, the C halves of ``socket`` and ``json``, save a third of the whole. The
greeting travels with the first request, so a recall costs one round trip.

The daemon tells where it listens in ``daemon.pid`` in the data folder, so both need not agree on the environment.
A file left by one that died leads to a socket that refuses, which is the same as none.
"""

# Not pathlib: its import takes longer than all that is imported here.
import os
import sys
import time

from memd import __version__
from memd.daemon.wire import dumps, error_from, loads
from memd.home import RENDEZVOUS, data_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from memd.errors import MemdError

PROTOCOL = 1
ANSWER_TIMEOUT = 600.0  # seconds for one answer; a batch of long texts on a slow disk takes a while
MAX_LINE = 256 * 1024 * 1024  # bytes of one request or answer
PATIENCE = 5.0  # seconds without a sign after which the daemon is asked whether it is alive
LIFE_TIMEOUT = 10.0  # seconds it has for that: a greeting, which waits for nothing
_CHUNK = 256 * 1024
LAUNCHES = 2  # one that has said it is ready may have ended again: told to, or idle for as long as configured
DYING = 5.0  # seconds that the system may take to clear away a process that was killed
_POLL = 0.01


def peer_uid(sock: "Any") -> int:
    """The user id of the process at the other end of a connected Unix socket."""
    if sys.platform == "linux":
        credentials = sock.getsockopt(1, 17, 12)  # SOL_SOCKET, SO_PEERCRED: pid, uid, gid
    else:
        credentials = sock.getsockopt(0, 1, 76)  # SOL_LOCAL, LOCAL_PEERCRED: version, uid, groups
    return int.from_bytes(credentials[4:8], sys.byteorder)


def rendezvous(home: str) -> "tuple[int, bytes] | None":
    """Process id and socket path from the data folder's ``daemon.pid``; None where there is no readable one."""
    try:
        with open(os.path.join(home, RENDEZVOUS), "rb") as file:
            pid, path, *_ = file.read(4096).split(b"\n")
        return int(pid), path
    except (OSError, ValueError):
        return None


def connect(home: str, timeout: float = PATIENCE) -> "Any":
    """A connected socket to the daemon of this data folder, or None when none answers.

    Args:
        home: the data folder.
        timeout: seconds to wait while as many are waiting already as may.

    Raises:
        DaemonUnavailable: what answers belongs to another user, or takes no more connections.
    """
    import _socket

    found = rendezvous(home)
    if found is None:
        return None
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        _reach(sock, found[1], timeout)
        uid = peer_uid(sock)
    except BlockingIOError:
        sock.close()
        raise _silent(home) from None
    except OSError:
        sock.close()
        return None
    if uid != os.getuid():
        sock.close()
        from memd.errors import DaemonUnavailable

        raise DaemonUnavailable(
            f"the daemon of {home} belongs to user {uid}", "set MEMD_HOME to a data folder of your own"
        )
    return sock


def _reach(sock: "Any", path: bytes, timeout: float) -> None:
    """Connect. Raises BlockingIOError when nobody is let in for so long, OSError when nobody is there."""
    deadline = time.monotonic() + timeout
    sock.settimeout(timeout)
    while True:
        try:
            return sock.connect(path)  # type: ignore[no-any-return]
        except BlockingIOError:  # Linux: the queue of those who wait to be let in is full
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL)


def is_alive(path: bytes) -> bool:
    """Whether what listens at a socket's path lets clients in and greets them. True when nothing listens any more: it
    is about to end, which who waits for its answer will see.
    """
    import _socket

    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        _reach(sock, path, LIFE_TIMEOUT)
        sock.settimeout(LIFE_TIMEOUT)
        sock.sendall(_line(0, "hello", {"client": __version__, "protocol": PROTOCOL}))
        sock.recv(1)
    except (TimeoutError, BlockingIOError):
        return False
    except OSError:
        pass
    finally:
        sock.close()
    return True


class Door:
    """One connection to the daemon, opened at the first call and kept until closed. For one thread at a time.

    Args:
        home: the data folder; None means `data_home()`.
        start: start a daemon when none answers, and replace one that is older than this client.
        timeout: seconds to wait for one answer.
    """

    def __init__(self, home: "str | None" = None, *, start: bool = True, timeout: float = ANSWER_TIMEOUT) -> None:
        self.home = data_home() if home is None else home
        self.start = start
        self.timeout = timeout
        self._sock: Any = None
        self._left = b""
        self._greeted = False
        self._offered = False

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. The next call connects again."""
        if self._sock is not None:
            self._sock.close()
        self._sock, self._left, self._greeted = None, b"", False

    def call(self, method: str, params: "Mapping[str, object]") -> "Any":
        """Send one request and return its result as plain JSON values (dict, list, str, int, float, bool, None).

        Raises:
            BadInput: a parameter has no JSON form (a lone surrogate, say), or the daemon refused it.
            DaemonUnavailable: none answers and none could be started, or it gave no answer in time.
            VersionMismatch: the daemon is newer than this client, or older and `start` is false.
            MemdError: whatever else the daemon answered, by its type in `memd.errors`.
        """
        request = _line(1, method, params)
        if self._sock is not None and self._hung_up():
            self.close()
        failed, until = 0, 0.0  # the process that went away under the request, and how long it may take to be gone
        stopping = False
        while True:
            if self._sock is None:
                self._open()
            try:
                answer = self._ask(request)
            except TimeoutError:
                self.close()
                raise _unavailable(f"the daemon gave no answer in {self.timeout:g} s") from None
            except OSError as error:  # it went away under the request; every method may be asked twice
                self.close()
                dying = self._daemon == failed and time.monotonic() < until  # one that was killed still lets clients in
                if not self.start or stopping or (failed and not dying):
                    raise _unavailable(f"the daemon went away ({error.strerror or 'hung up'})") from None
                if dying:
                    time.sleep(_POLL)
                else:
                    failed, until = self._daemon, time.monotonic() + DYING
                continue
            if answer is not None:
                return answer["result"]
            self.close()  # it was stopping, or older and has been asked to stop: start the next one
            if stopping or failed or not self.start:
                raise _error(self._refusal) if self._refusal else _unavailable("the daemon is stopping")
            stopping = True

    def _hung_up(self) -> bool:
        """Whether the daemon closed this connection while it was idle (it does so for room, or when it stops)."""
        import _socket

        self._sock.settimeout(0)
        try:
            return len(self._sock.recv(1, _socket.MSG_PEEK)) == 0
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _open(self) -> None:
        if os.name != "posix":
            raise _unavailable("the daemon needs Unix sockets and file locks, which this system lacks")
        sock = connect(self.home)
        for _ in range(LAUNCHES if self.start else 0):
            if sock is not None:
                break
            from memd.daemon.launch import launch

            launch(self.home)
            sock = connect(self.home)
        if sock is None:
            raise _unavailable(f"no daemon answers for {self.home}")
        self._sock = sock
        self._daemon = (rendezvous(self.home) or (0,))[0]

    def _ask(self, request: bytes) -> "Any":
        """The answer to one request, None when the daemon is going away; raises OSError when it already has."""
        if self._greeted:
            self._send(request)
        else:
            self._send(_line(0, "hello", {"client": __version__, "protocol": PROTOCOL}) + request)
            greeting = self._read()
            if "error" in greeting:
                return self._other_version(greeting["error"])
            self._greeted = True
        answer = self._read()
        if "error" not in answer:
            return answer
        if answer["error"].get("data", {}).get("code") == "daemon_unavailable":
            self._refusal = answer["error"]
            return None
        if self._unlocked(answer["error"]):
            return self._ask(request)
        raise _error(answer["error"])

    def _unlocked(self, error: "Any") -> bool:
        """Whether the store was locked, and a secret of this process's environment opened it. Raises WrongKey."""
        if error.get("data", {}).get("code") != "store_locked" or self._offered:
            return False
        from memd.secret import given

        self._offered = True
        told: Any = {}
        for secret in given():
            self._sock.sendall(_line(2, "unlock", {"secret": secret}))
            told = self._read()
            if "error" not in told:
                return True
        if told:
            raise _error(told["error"])
        return False

    def _send(self, request: bytes) -> None:
        sent = self._patiently(self._sock.send, request)
        while sent < len(request):
            sent += self._patiently(self._sock.send, memoryview(request)[sent:])

    def _patiently(self, act: "Any", argument: "Any") -> "Any":
        """Send or receive something, within the time for an answer, as long as the daemon is alive.

        Raises:
            TimeoutError: nothing came within that time.
            DaemonUnavailable: the daemon is there and doesn't even greet: it is stopped, or hangs.
        """
        waited = 0.0
        while True:
            step = min(PATIENCE, self.timeout - waited)
            self._sock.settimeout(step)
            try:
                return act(argument)
            except TimeoutError:
                waited += step
                if waited >= self.timeout:
                    raise
                if not is_alive(os.fsencode(self._sock.getpeername())):
                    self.close()  # an answer that still came would be taken for the next one's
                    raise _silent(self.home) from None

    def _read(self) -> "Any":
        """The next answer. Raises ConnectionError when the daemon hangs up before its end."""
        parts, size = [self._left], 0
        while b"\n" not in parts[-1]:
            part = self._patiently(self._sock.recv, _CHUNK)
            size += len(part)
            if not part or size > MAX_LINE + _CHUNK:
                raise ConnectionResetError
            parts.append(part)
        line, _, self._left = b"".join(parts).partition(b"\n")
        return loads(line.decode())

    def _other_version(self, error: "Any") -> None:
        """The greeting was refused. An older daemon is asked to stop; for a newer one this raises."""
        data = error.get("data") or {}
        if data.get("code") == "daemon_unavailable":
            self._refusal = error
            return
        theirs = str(data.get("version", ""))
        if data.get("code") != "version_mismatch" or not self.start or version_key(theirs) >= version_key(__version__):
            raise _error(error)
        from memd.daemon.launch import wait_gone

        self._sock.sendall(_line(1, "shutdown", {}))  # all versions take this one, greeted or not
        wait_gone(self.home)


def version_key(version: str) -> "tuple[int, ...]":
    """A version's order: its leading numbers. Equal keys with different texts count as newer on neither side."""
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        numbers.append(int(digits or 0))
        if digits != part:
            break
    return tuple(numbers)


def _line(id_: int, method: str, params: "Mapping[str, object]") -> bytes:
    """One request, ready to send. Raises BadInput."""
    try:
        line = dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode()
    except (UnicodeEncodeError, ValueError, TypeError) as error:
        from memd.errors import BadInput

        lone = isinstance(error, UnicodeEncodeError)
        raise BadInput(
            "the text is not valid Unicode" if lone else f"no JSON form: {error}", "give UTF-8 text"
        ) from None
    if len(line) >= MAX_LINE:
        from memd.errors import BadInput

        raise BadInput(f"a request of {len(line)} bytes is over the limit of {MAX_LINE}", "send fewer at a time")
    return line + b"\n"


def _unavailable(message: str) -> "MemdError":
    from memd.errors import DaemonUnavailable

    return DaemonUnavailable(message, "see `memd daemon status` and `memd daemon logs`, or use --no-daemon")


def _silent(home: str) -> "MemdError":
    """The error of a daemon that is there and says nothing."""
    from memd.daemon.silence import explain

    return explain(home)


def _error(error: "Any") -> "MemdError":
    """The exception for a JSON-RPC error object."""
    return error_from(error.get("data") or {"message": error.get("message", "the daemon answered with an error")})
