"""mcp: the MCP server over standard input and output. The SDK is imported here and nowhere else."""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO

from memd_cli.session import Session, complain, is_terminal
from memd_cli.verbs import Outcome


def serve(session: Session) -> Outcome:
    """Speak MCP until the client hangs up; then end at once, whatever thread still waits for the daemon."""
    if is_terminal(sys.stdin):
        complain("memd", "this speaks MCP with the program that starts it", "See: memd install --help. Ctrl-C ends it.")
    _keep_output()
    from memd.agents.link import Link
    from memd.agents.server import Server, serve

    serve(Server(Link(), _working_folder()))
    sys.stderr.flush()
    os._exit(0)


class Wire:
    """Standard output with its bytes for the protocol alone: what is printed goes to standard error.

    Attributes:
        buffer: where the SDK writes.
    """

    def __init__(self, buffer: BinaryIO) -> None:
        self.buffer = buffer

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


def _keep_output() -> None:
    """Keep standard output for the protocol, before anything is imported that might print."""
    sys.stdout.flush()
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = Wire(wire)


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return "/"
