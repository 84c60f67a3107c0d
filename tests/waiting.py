"""Waiting for what other threads and processes do, as long as a busy machine may need for it."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

PATIENCE = 120.0  # seconds; only a test that fails waits for so long


def eventually(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something is so; whether it came to that."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def ended(pid: int) -> bool:
    """Whether a process has ended. One that nobody has asked for its exit code has as well: process 1 may take its
    time over that, and in a container may not do it at all.
    """
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
