"""Runs a command on a terminal of its own (a pty), for scripts that show what a person would see."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROWS = 50


def run(
    command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], columns: int, show: Callable[[str], None]
) -> int:
    """Runs `command` to its end on a terminal `columns` wide; its exit code.

    Args:
        command: program and arguments.
        cwd: where it runs.
        environment: all of its environment; TERM says whether it may use colours.
        columns: the terminal's width.
        show: takes what it writes, as it comes, with plain line ends.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=dict(environment))
    os.close(theirs)
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    while chunk := _read(ours):
        show(decode(chunk).replace("\r\n", "\n"))
    os.close(ours)
    return process.wait()


def _read(terminal: int) -> bytes:
    """What has been written; nothing once the other end is closed, which Linux calls an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
