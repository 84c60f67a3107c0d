"""The socket server: threads that accept, read lines, and answer them where they were read.

A thread waits in `accept`, serves the connection it gets to its end, and goes back. When the last waiting thread
gets a connection, another is started, up to a limit. So no request passes from thread to thread, and where none
can accept any more, the connection idle for longest is closed (its client connects again when it needs to).
"""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
import threading
import time
from contextlib import suppress

import msgspec

from memd import __version__
from memd.daemon import footprint, logs
from memd.daemon import protocol as p
from memd.daemon.client import peer_uid
from memd.daemon.gate import Gate
from memd.daemon.methods import Methods, NoSuchMethod, Traffic
from memd.errors import BadInput, DaemonUnavailable, MemdError, ProtocolError, StoreBusy, VersionMismatch

MAX_CONNECTIONS = 128
SPARE_THREADS = 4  # that wait in accept when there is nothing to do
IDLE_TIMEOUT = 3600.0  # seconds between two requests
STALL_TIMEOUT = 60.0  # seconds for a line from its first byte on, or for a client to take its answer
SLOWEST = 1024 * 1024  # bytes a second, by which a long line or answer may take longer
CROWDED_TIMEOUT = 2.0  # seconds for the same while others wait for a place
LARGE = 1024 * 1024  # bytes from which a line counts as large
LARGE_AT_ONCE = 2  # being read or answered; others wait before they are read on
PLACE_TIMEOUT = 300.0  # seconds that they wait
SHED_PAUSE = 0.05  # seconds before who can't be let in is looked at again
SHED_LOGGED = 60.0  # seconds between two lines in the log about it
_LOOK = 0.5  # seconds between two looks whether others wait
_CHUNK = 256 * 1024

log = logging.getLogger("memd.daemon")


class Connection:
    """One client: its socket, what was read and not yet answered, and whether it has been greeted."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()
        self.searched = 0
        self.greeted = False
        self.client = ""  # the version it named in hello
        self.requests = 0  # after hello
        self.idle_since: float | None = time.monotonic()
        self.line_since = 0.0  # when the first byte of the line that is being read came
        self.large = False  # holds one of the places for large lines

    def line(self) -> bytes | None:
        """The next whole line already read, without its end; None when there is none."""
        end = self.buffer.find(b"\n", self.searched)
        if end < 0:
            self.searched = len(self.buffer)
            return None
        line = bytes(memoryview(self.buffer)[:end])
        del self.buffer[: end + 1]
        self.searched = 0
        return line

    def has_line(self) -> bool:
        """Whether another whole line has been read."""
        return self.buffer.find(b"\n", self.searched) >= 0

    def hang_up(self) -> None:
        """End the connection from another thread; its own thread then closes it."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)


class Server:
    """Answers requests on a listening Unix socket until closed.

    Args:
        listener: bound and listening.
        methods: what can be asked.
        traffic: counts, kept up to date for `status` and idle exit.
        stop: set by a `shutdown` request.
        limit: connections at a time.
    """

    def __init__(
        self,
        listener: socket.socket,
        methods: Methods | Gate,
        traffic: Traffic,
        stop: threading.Event,
        limit: int = MAX_CONNECTIONS,
    ) -> None:
        self._listener = listener
        self._methods = methods
        self._traffic = traffic
        self._stop = stop
        self._limit = limit
        self._closing = False
        self._large = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._change = threading.Condition()  # guards what follows
        self._connections: set[Connection] = set()
        self._threads = 0
        self._waiting = 0
        self._spare = _spare_descriptor()
        self._shed_at = -SHED_LOGGED

    def start(self) -> None:
        """Begin to accept."""
        with self._change:
            self._add_thread()
            self._add_thread()

    @property
    def busy(self) -> bool:
        """Whether a request is being read or answered."""
        with self._change:
            return any(connection.idle_since is None for connection in self._connections)

    def close(self, timeout: float) -> bool:
        """Stop accepting, hang up on idle clients, and let requests in hand finish; False when some did not in time."""
        self._closing = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the threads in accept
        self._listener.close()
        with self._change:
            for connection in self._connections:
                if connection.idle_since is not None:
                    connection.hang_up()
            if self._spare is not None:
                os.close(self._spare)
                self._spare = None
            return self._change.wait_for(lambda: not self._connections, timeout)

    def _add_thread(self) -> None:
        """Start one more thread; the caller holds `_change`."""
        try:
            threading.Thread(target=self._accept, name="memd-client", daemon=True).start()
        except RuntimeError as error:  # the system gives no more; those that are there go on
            log.error("no thread for another client: %s", error)
            return
        self._threads += 1
        self._waiting += 1

    def _accept(self) -> None:
        """A thread's life: accept, serve, again; it ends when enough others wait."""
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError as error:
                if self._closing:
                    return
                self._shed(error)
                continue
            connection = Connection(sock)
            self._enter(connection)
            try:
                with sock:
                    self._serve(connection)
            except Exception as error:  # one client may not end the thread that serves the next
                log.error("connection dropped: %s", logs.where(error))
            finally:
                self._yield_place(connection)
            if not self._leave(connection):
                return

    def _shed(self, error: OSError) -> None:
        """A client can't be let in, for want of descriptors: say so to the one who waits, and make room for the next.

        Where nobody waits nobody has to go: `accept` wants a descriptor before there is a client.
        """
        with self._change:
            if not _has_come(self._listener):
                self._change.wait(SHED_PAUSE)
                return
            now = time.monotonic()
            if now - self._shed_at > SHED_LOGGED:
                log.error("no client can be let in (%s): making room", error.strerror)
                self._shed_at = now
            self._make_room()
            if error.errno in (errno.EMFILE, errno.ENFILE) and self._spare is not None:
                os.close(self._spare)
                self._refuse_one()
                self._spare = _spare_descriptor()
        time.sleep(SHED_PAUSE)

    def _refuse_one(self) -> None:
        """Let a client in for as long as it takes to say that there is no room."""
        if not _has_come(self._listener):
            return
        refusal = DaemonUnavailable(
            "the daemon has no file descriptor left for another client",
            "close some clients, or start it where `ulimit -n` is higher; or use --no-daemon",
        )
        with suppress(OSError):
            sock, _ = self._listener.accept()
            with sock:
                sock.settimeout(0)
                sock.send(p.failure(None, p.SERVER_ERROR, refusal))

    def _enter(self, connection: Connection) -> None:
        """Count a connection in, and see to it that another thread can accept the next."""
        with self._change:
            self._connections.add(connection)
            self._traffic.connections = len(self._connections)
            self._waiting -= 1
            if self._waiting == 0:
                if self._threads < self._limit:
                    self._add_thread()
                else:
                    self._make_room(connection)

    def _make_room(self, newest: Connection | None = None) -> None:
        """Hang up on the client idle for longest; the caller holds `_change`.

        Not on the one that has just come, nor on one whose next request is there. One that came a moment ago has its
        first request on the way: it goes only where there is no other.
        """
        now = time.monotonic()
        others = self._connections - {newest}
        idle = [(one.idle_since, one) for one in others if one.idle_since is not None and not _has_come(one.sock)]
        if idle:
            _, goes = min(idle, key=lambda pair: (not pair[1].requests and now - pair[0] < CROWDED_TIMEOUT, pair[0]))
            goes.hang_up()

    def _leave(self, connection: Connection) -> bool:
        """Count a connection out; whether this thread goes on accepting."""
        with self._change:
            self._connections.discard(connection)
            self._traffic.connections = len(self._connections)
            self._change.notify_all()
            if self._closing or self._waiting >= SPARE_THREADS:
                self._threads -= 1
                return False
            self._waiting += 1
            return True

    def _crowded(self) -> bool:
        """Whether no thread is left to accept the next client."""
        return self._waiting == 0 and self._threads >= self._limit

    def _serve(self, connection: Connection) -> None:
        """Read lines and answer them until the client hangs up, stalls, or must make room."""
        sock = connection.sock
        if peer_uid(sock) != os.getuid():
            log.warning("refused a client of user %d", peer_uid(sock))
            refusal = DaemonUnavailable(
                "this daemon belongs to another user", "set MEMD_HOME to a data folder of your own"
            )
            with suppress(OSError):
                self._send(sock, p.failure(None, p.SERVER_ERROR, refusal))
            return
        held = b""
        with suppress(TimeoutError, ConnectionError):
            while (line := self._next_line(connection)) is not None:
                answer = held + self._answer(connection, line)
                held = b""
                large = len(line) > LARGE or len(answer) > LARGE
                del line
                if connection.requests == 0 and connection.has_line():
                    held = answer  # the greeting waits for the request that came with it, and saves a send
                elif answer:
                    self._send(sock, answer)
                if large:
                    del answer
                    footprint.trim()
                self._yield_place(connection)

    def _next_line(self, connection: Connection) -> bytes | None:
        """The next request; None when the client has gone, stalls, sends too much, or must make room."""
        connection.line_since = time.monotonic()
        while (line := connection.line()) is None:
            partial = len(connection.buffer)
            if partial > p.MAX_LINE:
                too_long = ProtocolError(f"a request is over the limit of {p.MAX_LINE} bytes", "send fewer at a time")
                self._refuse(connection, too_long)
                return None
            if partial > LARGE and not connection.large and not self._take_place(connection):
                return None
            if not self._receive(connection):
                return None
        connection.idle_since = None
        return line

    def _refuse(self, connection: Connection, error: MemdError) -> None:
        """A last answer, before the connection is closed."""
        log.info("hung up: %s", error.message)
        self._send(connection.sock, p.failure(None, p.INVALID_REQUEST, error))

    def _take_place(self, connection: Connection) -> bool:
        """Wait until a large line may be read on; whether it may. The place is kept until the line is answered."""
        begun = time.monotonic()
        while not self._large.acquire(timeout=_LOOK):
            if time.monotonic() - begun > (CROWDED_TIMEOUT if self._crowded() or self._closing else PLACE_TIMEOUT):
                self._refuse(connection, StoreBusy("other large requests are being answered", "ask again in a while"))
                return False
        connection.large, connection.line_since = True, time.monotonic()
        return True

    def _yield_place(self, connection: Connection) -> None:
        """Let the next large line be read."""
        if connection.large:
            connection.large = False
            self._large.release()

    def _receive(self, connection: Connection) -> bool:
        """Read what has come; False at the end of the connection, or where it must end to make room."""
        if connection.buffer:
            self._wait(connection.sock, select.POLLIN, connection.line_since, len(connection.buffer) / SLOWEST)
        else:
            connection.sock.settimeout(IDLE_TIMEOUT)
            connection.idle_since = time.monotonic()
            if self._closing or (connection.requests and self._crowded()):
                return False
            connection.buffer += connection.sock.recv(_CHUNK)
            connection.idle_since, connection.line_since = None, time.monotonic()
            return bool(connection.buffer)
        part = connection.sock.recv(_CHUNK)
        connection.buffer += part
        return bool(part)

    def _send(self, sock: socket.socket, answer: bytes) -> None:
        """Send an answer, as long as its client may take. Raises TimeoutError, ConnectionError."""
        begun, rest = time.monotonic(), memoryview(answer)
        sock.settimeout(0)
        while rest:
            try:
                rest = rest[sock.send(rest) :]
            except BlockingIOError:
                self._wait(sock, select.POLLOUT, begun, (len(answer) - len(rest)) / SLOWEST)

    def _wait(self, sock: socket.socket, event: int, since: float, allowed: float) -> None:
        """Wait for a client that is at it since then. Who dawdles goes first where others wait for a place.

        Raises:
            TimeoutError: it took `allowed` seconds and `STALL_TIMEOUT`, or while others wait `CROWDED_TIMEOUT`.
        """
        poll = select.poll()
        poll.register(sock, event)
        ready = False
        while not ready:
            ready = bool(poll.poll(_LOOK * 1000))
            limit = CROWDED_TIMEOUT if self._crowded() or self._closing else STALL_TIMEOUT
            if time.monotonic() - since > allowed + limit:  # also of one that sends a byte now and then
                log.info("hung up on a client that stalled")
                raise TimeoutError

    def _answer(self, connection: Connection, line: bytes) -> bytes:
        """The line that answers a line; empty for a notification. Never raises."""
        try:
            request = p.read_request(line)
        except ProtocolError as error:
            log.info("not a request: %d bytes", len(line))
            connection.requests += 1
            return p.failure(None, p.PARSE_ERROR, error)
        id_ = None if request.id is msgspec.UNSET else request.id
        try:
            answer = p.success(id_, self._result(connection, request))
            if len(answer) > p.MAX_LINE:
                raise ProtocolError(f"the answer is over the limit of {p.MAX_LINE} bytes", "ask for less at a time")
        except Exception as error:  # whatever went wrong is an answer, not the end of the daemon
            answer = _failure(id_, self._methods.name(request.method), error, len(line))
        return b"" if request.id is msgspec.UNSET else answer

    def _result(self, connection: Connection, request: p.Request) -> msgspec.Struct:
        """Carry out one request. Raises what it raises."""
        if request.method == "shutdown":
            log.info("asked to stop")
            self._stop.set()
            return p.Nothing()
        if request.method == "hello":
            hello = p.read_params(request.params, p.Hello)
            connection.greeted = (hello.client, hello.protocol) == (__version__, p.PROTOCOL)
            connection.client = hello.client
            if not connection.greeted:
                raise _mismatch(hello.client)
            return self._methods.greeting()
        connection.requests += 1
        if not connection.greeted:
            if connection.client:
                raise _mismatch(connection.client)
            raise ProtocolError(
                "the first request is hello", 'send {"method":"hello","params":{"client":…,"protocol":1}}'
            )
        if self._closing:
            raise DaemonUnavailable("the daemon is stopping", "ask again")
        self._traffic.requests += 1
        self._traffic.last_request = time.monotonic()
        return self._methods.answer(request.method, request.params)


def _has_come(sock: socket.socket) -> bool:
    """Whether something waits at a socket: a request, an end, or at one that listens a client; True of a closed one."""
    poll = select.poll()
    try:
        poll.register(sock, select.POLLIN)
    except ValueError:
        return True
    return bool(poll.poll(0))


def _spare_descriptor() -> int | None:
    """One that is given up to let a client in when there is no other; None where there is none to begin with."""
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _mismatch(client: str) -> VersionMismatch:
    return VersionMismatch(
        f"the daemon is memd {__version__}, this client is {client[:40]}",
        "update the older one; `memd daemon restart` starts the daemon of the memd that it is typed with",
    )


def _failure(id_: p.RequestId, method: str, error: Exception, size: int) -> bytes:
    """The answer for an exception; logged with its place, never with its message, which may quote a text."""
    if isinstance(error, VersionMismatch):
        log.info("refused %s: other version", method)
        return p.failure(id_, p.SERVER_ERROR, error, version=__version__, protocol=p.PROTOCOL)
    if isinstance(error, MemdError):
        level = logging.ERROR if error.exit_code == 3 else logging.INFO
        log.log(level, "%s refused (%s), %d bytes: %s", method, error.code, size, logs.where(error))
        return p.failure(id_, _CODES.get(type(error), p.SERVER_ERROR), error)
    log.error("%s failed, %d bytes: %s", method, size, logs.where(error))
    internal = MemdError(
        f"the daemon failed while answering {method} ({type(error).__name__})",
        "`memd daemon logs` says where; please report it",
    )
    return p.failure(id_, p.INTERNAL_ERROR, internal)


_CODES: dict[type[MemdError], int] = {
    NoSuchMethod: p.METHOD_NOT_FOUND,
    BadInput: p.INVALID_PARAMS,
    ProtocolError: p.INVALID_REQUEST,
}
