"""The daemon as a process: one a data folder, started, stopped and asked how it is."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from memd import __version__
from memd.agents.hooks import SessionReader
from memd.api import Memory
from memd.config import Config, is_private
from memd.daemon import footprint, logs
from memd.daemon.client import Door, connect
from memd.daemon.gate import Gate
from memd.daemon.launch import START_TIMEOUT, STOP_TIMEOUT, is_held, launch, wait_gone
from memd.daemon.methods import Methods, Traffic
from memd.daemon.presence import Presence
from memd.daemon.server import MAX_CONNECTIONS, Server
from memd.daemon.upkeep import Upkeep
from memd.errors import DaemonUnavailable, MemdError, StoreReadOnly, StoreUnusable
from memd.ingest.watcher import Watcher
from memd.model import Query
from memd.store import moving

DRAIN_TIMEOUT = 45.0  # seconds that requests in hand get to finish when the daemon stops
SWITCH_INTERVAL = 0.001  # seconds after which a thread must let another run: encoding may not hold up a recall
OWN_DESCRIPTORS = 40  # files that the daemon has open itself: the store, the log, the encoder, what it watches
FEWEST_CLIENTS = 4
_GRACE = 10.0  # seconds a daemon gets for its word, and after SIGTERM
_CLEARING = 30.0  # seconds the system gets to clear away one that was killed
_TICK = 1.0  # seconds between two looks at the idle clock
_BACKLOG = 128

log = logging.getLogger("memd.daemon")


def start(config: Config) -> dict[str, Any]:
    """Start a daemon unless one answers already; returns its status.

    Raises:
        MemdError: what kept it from starting.
    """
    home = str(config.home)
    if connect(home) is None:
        launch(home)
    with Door(home) as door:
        return dict(door.call("status", {}))


def stop(config: Config, timeout: float = STOP_TIMEOUT) -> bool:
    """Stop the daemon and wait until it has closed the store; False when none was running.

    It is asked first, then sent SIGTERM, and after `timeout` seconds SIGKILL, which loses nothing that was
    acknowledged.

    Raises:
        DaemonUnavailable: it outlives even that.
    """
    home = str(config.home)
    if not is_held(home):
        return False
    for act, patience in ((_ask_to_stop, timeout), (_terminate, _GRACE), (_kill, _CLEARING)):
        if not act(config):
            continue
        with suppress(DaemonUnavailable):
            wait_gone(home, patience)
            return True
    raise DaemonUnavailable(f"the daemon of {home} can't be stopped", f"see process {_holder(config)}")


def restart(config: Config) -> dict[str, Any]:
    """Stop the daemon if one runs, whatever its version, and start this one; returns its status."""
    stop(config)
    return start(config)


def status(config: Config) -> dict[str, Any] | None:
    """What `protocol.Status` holds, or None when no daemon runs.

    Raises:
        VersionMismatch: one of another version runs.
        DaemonUnavailable: one runs but doesn't answer.
    """
    home = str(config.home)
    if connect(home) is None and not is_held(home):
        return None
    with Door(home, start=False, timeout=10.0) as door:
        return dict(door.call("status", {}))


def serve(config: Config, announce: Callable[[], None] = lambda: None, *, detached: bool = False) -> bool:
    """Be the daemon of this data folder until told to stop; False when another one answers already.

    Args:
        config: the data folder and settings.
        announce: called once requests are answered, or another daemon answers them.
        detached: standard output and error go to the log from then on.

    Raises:
        StoreUnusable: the data folder can't be used, or the store in it can't be opened.
        DaemonUnavailable: another daemon holds the folder and doesn't answer.
    """
    os.umask(0o077)
    prepare(config.home)
    with locked(config) as mine:
        if not mine:
            announce()
            return False
        footprint.use_one_arena()
        log_file = logs.set_up(config.log)
        moving.sweep(config.store)
        stop, traffic = threading.Event(), Traffic()
        with Gate(config, traffic, stop) as gate:
            _answer_until_stopped(config, gate, traffic, stop, announce, log_file if detached else None)
    return True


def _answer_until_stopped(
    config: Config,
    gate: Gate,
    traffic: Traffic,
    stop: threading.Event,
    announce: Callable[[], None],
    log_file: logs.LogFile | None,
) -> None:
    _on_signals(stop)
    sys.setswitchinterval(SWITCH_INTERVAL)
    with _listening(config.socket) as listener:
        server = Server(listener, gate, traffic, stop, connections_for(footprint.descriptors()))
        workers = _workers(config, gate.memory, gate, server, traffic, stop) if gate.memory else ()
        server.start()
        _write_rendezvous(config)
        presence = Presence((config.lock, config.rendezvous, config.socket, config.store), stop)
        presence.start()
        announce()
        if log_file:
            log_file.take_streams()
        log.info("memd %s answers on %s, process %d", __version__, config.socket, os.getpid())
        try:
            memory = gate.memory or gate.wait()
            if memory is not None:
                workers = workers or _workers(config, memory, gate, server, traffic, stop)
                _warm_up(memory)
            start = Start(workers)
            start.go_on()
            while not stop.wait(_TICK):
                start.go_on()
                if memory is not None and _is_idle(config, memory, server, traffic):
                    log.info("idle for %g s", config.settings.daemon.idle_exit)
                    stop.set()
        finally:
            presence.remove(config.rendezvous)  # who looks now starts the next one
            if not server.close(DRAIN_TIMEOUT):
                log.warning("some requests did not finish in %g s", DRAIN_TIMEOUT)
            for worker in workers:
                worker.stop()
            presence.remove(config.socket)
    log.info("stopped after %d requests", traffic.requests)


def connections_for(descriptors: int) -> int:
    """How many clients fit into so many open files: each has a socket, and while it is answered reads the store."""
    return max(FEWEST_CLIENTS, min(MAX_CONNECTIONS, (descriptors - OWN_DESCRIPTORS) // 3))


def _workers(
    config: Config, memory: Memory, gate: Gate, server: Server, traffic: Traffic, stop: threading.Event
) -> tuple[Watcher, SessionReader, Upkeep]:
    """What works beside the requests; the requests that need them are answered from now on."""
    watcher = Watcher(
        memory.store, memory.notes, lambda commits: memory.remember_many(commits, restate=False), memory.clock
    )
    reader = SessionReader(memory, config.home)
    gate.open(Methods(memory, str(config.home), traffic, stop, watcher, reader))
    return watcher, reader, _upkeep(config, memory, server, traffic)


class Startable(Protocol):
    """What works beside the requests."""

    def start(self) -> None:
        """Begin. Raises MemdError or RuntimeError where that isn't possible now."""


class Start:
    """The start of workers, in order; a shortage at that moment (of descriptors, of threads) only delays it."""

    def __init__(self, workers: Sequence[Startable]) -> None:
        self._left = list(workers)
        self._said = ""

    def go_on(self) -> bool:
        """Start those that are left, as far as it goes; whether all are at work. Says why not, once for each reason."""
        while self._left:
            try:
                self._left[0].start()
            except (MemdError, RuntimeError) as error:
                why = f"{type(self._left[0]).__name__} waits: {error}"
                if why != self._said:
                    log.warning("%s", why)
                self._said = why
                return False
            del self._left[0]
        return True


def _warm_up(memory: Memory) -> None:
    """Load what a recall needs before one is asked for; what then can't take part, `status` says from the start."""
    try:
        memory.ask(Query("warm up", limit=1))
    except Exception as error:  # who asks will be told; remembering goes on
        log.error("warm-up failed: %s", logs.where(error))
    footprint.freeze()


def _upkeep(config: Config, memory: Memory, server: Server, traffic: Traffic) -> Upkeep:
    """What looks after the store once nobody has asked for anything for as long as configured."""
    after = config.settings.lifecycle.idle

    def idle() -> bool:
        return not server.busy and time.monotonic() - traffic.last_request >= after

    return Upkeep(memory.lifecycle, idle, every=after, purges=memory.purges)


def _is_idle(config: Config, memory: Memory, server: Server, traffic: Traffic) -> bool:
    """Whether it is time to end: no request for as long as configured, none in hand, nothing left to encode."""
    after = config.settings.daemon.idle_exit
    if not after or server.busy or time.monotonic() - traffic.last_request < after:
        return False
    try:
        return bool(memory.degraded) or memory.pending() == 0
    except MemdError as error:
        log.warning("what is left to encode can't be told: %s", error.message)
        return True


def _on_signals(stop: threading.Event) -> None:
    def end(number: int, _: object) -> None:
        log.info("got %s", signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes doesn't take the daemon along


def prepare(home: Path) -> None:
    """Make the data folder, for this user alone, or see that it is ours. Raises StoreUnusable."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = home.stat().st_uid
    except OSError as error:
        raise StoreReadOnly(
            f"the data folder {home} can't be made ({error.strerror})", "set MEMD_HOME to a folder that can be written"
        ) from None
    if owner != os.getuid():
        raise StoreUnusable(f"the data folder {home} belongs to user {owner}", "set MEMD_HOME to a folder of your own")


@contextmanager
def locked(config: Config) -> Iterator[bool]:
    """Hold the data folder's lock; yields False when another daemon has it and answers.

    One that has it and doesn't answer yet is starting or stopping: wait until it does or has gone.
    """
    try:
        lock = os.open(config.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreReadOnly(
            f"{config.lock} can't be written ({error.strerror})", "set MEMD_HOME to a folder that can be written"
        ) from None
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not _try_lock(lock):
            if (sock := connect(str(config.home))) is not None:
                sock.close()
                yield False
                return
            if time.monotonic() > deadline:
                holder = _holder(config)
                raise DaemonUnavailable(f"process {holder} holds the data folder and doesn't answer", "stop it")
            time.sleep(0.02)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield True
    finally:
        os.close(lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """A socket that listens at `path`; the caller holds the lock, so what is there is stale."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            _clear_the_way(path)
            mask = os.umask(0o177)  # mode 0600 from its first moment
            try:
                listener.bind(os.fsencode(path))
            finally:
                os.umask(mask)
            listener.listen(_BACKLOG)
        except OSError as error:
            raise DaemonUnavailable(
                f"can't listen on {path} ({error.strerror})", "set MEMD_HOME to another folder"
            ) from None
        yield listener


def _clear_the_way(path: Path) -> None:
    """Make the socket's folder and remove a socket left by a daemon that died. Raises DaemonUnavailable, OSError."""
    folder = path.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.parent == Path("/tmp") and folder.name == f"memd-{os.getuid()}" and not is_private(str(folder)):
        raise DaemonUnavailable(f"{folder} is not a folder of yours alone", "remove it, or use a shorter MEMD_HOME")
    if os.path.lexists(path):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise DaemonUnavailable(f"{path} is in the way and not a socket", "remove it")
        path.unlink()


def _write_rendezvous(config: Config) -> None:
    """Tell clients where we are, at once or not at all."""
    draft = config.rendezvous.with_name(config.rendezvous.name + ".new")
    draft.write_bytes(b"%d\n%s\n%s\n" % (os.getpid(), os.fsencode(config.socket), __version__.encode()))
    draft.replace(config.rendezvous)


def _ask_to_stop(config: Config) -> bool:
    """Ask over the socket, as any version may; whether it could be asked."""
    sock = connect(str(config.home))
    if sock is None:
        return False
    with closing(sock), suppress(OSError):
        sock.settimeout(_GRACE)
        sock.sendall(b'{"jsonrpc":"2.0","id":0,"method":"shutdown","params":{}}\n')
        return bool(sock.recv(1))
    return False


def _terminate(config: Config) -> bool:
    return _signal(config, signal.SIGTERM)


def _kill(config: Config) -> bool:
    return _signal(config, signal.SIGKILL)


def _signal(config: Config, number: int) -> bool:
    """Send a signal to the process that holds the lock; the lock being held, its id in the file is of today."""
    pid = _holder(config)
    if pid is None or not is_held(str(config.home)):
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    return True


def _holder(config: Config) -> int | None:
    """The process id in the lock file."""
    try:
        return int(config.lock.read_text())
    except (OSError, ValueError):
        return None
