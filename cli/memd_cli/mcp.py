"""mcp: the MCP server over standard input and output. The SDK is imported here and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from memd_cli.session import Session, complain, is_terminal
from memd_cli.verbs import Outcome


def serve(session: Session) -> Outcome:
    """Speak MCP until the client hangs up; then end at once, whatever thread still waits for the daemon."""
    if is_terminal(sys.stdin):
        complain("memd", "this speaks MCP with the program that starts it", "See: memd install --help. Ctrl-C ends it.")
    with _quiet():
        from memd.agents.link import Link
        from memd.agents.server import Server, serve

        server = Server(Link(), _working_folder())
    serve(server)
    sys.stderr.flush()
    os._exit(0)


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return "/"


@contextmanager
def _quiet() -> Iterator[None]:
    """Within, standard output leads to standard error: what a library prints as it is imported is no protocol."""
    sys.stdout.flush()
    wire = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(wire, 1)
        os.close(wire)
