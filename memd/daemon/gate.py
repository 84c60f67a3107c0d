"""What stands before a store that may be locked: until its key is there, a daemon answers that, and takes the key."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Self

import msgspec

from memd import __version__
from memd.api import Memory
from memd.config import Config
from memd.daemon import protocol as p
from memd.daemon.footprint import peak_resident_bytes, resident_bytes
from memd.daemon.methods import Methods, Traffic
from memd.errors import DaemonUnavailable, StoreLocked, StoreUnusable, WrongKey
from memd.store import cipher
from memd.store.keys import keys

OPENING = 120.0  # seconds that who unlocks waits for the store
_TICK = 0.5

log = logging.getLogger("memd.daemon")


class Gate:
    """Answers in the place of `Methods` while there are none, and passes everything on once there are.

        with Gate(config, traffic, stop) as gate:     # opens the store, or finds it locked
            memory = gate.memory or gate.wait()       # None: told to stop before it was unlocked
            gate.open(Methods(memory, …))

    Attributes:
        memory: the open store; None while it is locked.

    Raises:
        StoreUnusable: on entering, where the store can't be opened for another reason than its key.
    """

    def __init__(self, config: Config, traffic: Traffic, stop: threading.Event) -> None:
        self.memory: Memory | None = None
        self._config = config
        self._traffic = traffic
        self._stop = stop
        self._started = time.monotonic()
        self._methods: Methods | None = None
        self._why: StoreUnusable | None = None  # it is locked, or can't be opened
        self._given = threading.Event()
        self._settled = threading.Event()

    def __enter__(self) -> Self:
        try:
            self.memory = self._opened()
        except (StoreLocked, WrongKey) as error:
            self._why = error
            log.info("locked: %s", error.code)
        return self

    def __exit__(self, *_: object) -> None:
        if self.memory is not None:
            self.memory.close()

    def wait(self) -> Memory | None:
        """The store, once somebody brings the key; None when told to stop before. Raises StoreUnusable."""
        while not self._stop.is_set():
            if not self._given.wait(_TICK):
                continue
            self._given.clear()
            try:
                self.memory = self._opened()
                log.info("unlocked")
                return self.memory
            except (StoreLocked, WrongKey) as error:
                self._why = error
                self._settled.set()
            except StoreUnusable as error:
                self._why = error
                self._stop.set()
                self._settled.set()
                raise
        return None

    def open(self, methods: Methods) -> None:
        """From now on everything is passed on."""
        self._methods = methods
        self._settled.set()

    def greeting(self) -> p.Greeting:
        """The result of `hello`."""
        return p.Greeting(__version__, p.PROTOCOL, str(self._config.home), os.getpid())

    def name(self, method: str) -> str:
        """The method's name where it is known; what others send is not repeated in logs."""
        if self._methods is not None:
            return self._methods.name(method)
        return method if method in ("hello", "status", "unlock", "hook") else "unknown method"

    def answer(self, method: str, params: msgspec.Raw) -> msgspec.Struct:
        """Carry out one request, as far as that goes without the store.

        Raises:
            StoreLocked: it doesn't, yet.
            MemdError: whatever `Methods.answer` raises.
        """
        if self._methods is not None:
            return self._methods.answer(method, params)
        if method == "unlock":
            return self._unlock(p.read_params(params, p.UnlockParams))
        if method == "status":
            return self._status()
        raise self._told()

    def _opened(self) -> Memory:
        return Memory.open(self._config.home, encode="background")

    def _unlock(self, params: p.UnlockParams) -> p.UnlockResult:
        if params.secret:
            keys.offer(params.secret, self._config.store)
        else:  # the keyring may answer by now
            keys.of(self._config.store)
        self._settled.clear()
        self._given.set()
        if not self._settled.wait(OPENING):
            raise DaemonUnavailable("the daemon is still opening the store", "try again, or see `memd daemon logs`")
        if self._methods is None:
            raise self._told()
        return p.UnlockResult(encryption=cipher.encryption(cipher.start_of(self._config.store)))

    def _status(self) -> p.Status:
        return p.Status(
            pid=os.getpid(),
            version=__version__,
            protocol=p.PROTOCOL,
            home=str(self._config.home),
            uptime_s=time.monotonic() - self._started,
            rss_bytes=resident_bytes(),
            peak_rss_bytes=peak_resident_bytes(),
            connections=self._traffic.connections,
            requests=self._traffic.requests,
            pending=0,
            encoder="",
            degraded=(f"{self._told().message} Until it is unlocked nothing is answered: memd unlock",),
            encryption=cipher.encryption(cipher.start_of(self._config.store)),
            locked=True,
        )

    def _told(self) -> StoreUnusable:
        """Why the store isn't open, as an error of its own for each who asks."""
        why = self._why or StoreLocked(f"The store {self._config.store} is locked.", "Run: memd unlock")
        return type(why)(why.message, why.hint)
