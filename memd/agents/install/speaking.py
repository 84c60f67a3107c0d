"""Just enough of an MCP client to try a server over its standard input and output. Standard library only."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

PROTOCOL = "2025-06-18"
PATIENCE = 60.0  # seconds for an answer: the first one may start a daemon


class ServerTrouble(Exception):
    """The server doesn't start, doesn't answer, or answers with an error."""


class Server:
    """A server that was started by an agent's own command line. Use it in a ``with``.

    Args:
        words: program and arguments.
        environ: all of its environment.
        cwd: where it runs.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], cwd: str) -> None:
        self._words, self._environ, self._cwd = list(words), dict(environ), cwd
        self._number = 0
        self._rest = b""

    def __enter__(self) -> Server:
        try:
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environ,
                cwd=self._cwd,
            )
        except OSError as error:
            raise ServerTrouble(f"{self._words[0]} can't be started: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def greet(self) -> dict[str, Any]:
        """The handshake; the server's name and version."""
        told = self.ask(
            "initialize",
            {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": {"name": "memd doctor", "version": "1"}},
        )
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return dict(told["serverInfo"])

    def tools(self) -> list[str]:
        """The names of its tools."""
        return [str(tool["name"]) for tool in self.ask("tools/list", {})["tools"]]

    def call(self, tool: str, arguments: dict[str, Any]) -> str:
        """What a tool says. Raises ServerTrouble where it says that it failed."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        text = "\n".join([str(part.get("text", "")) for part in result.get("content", [])])
        if result.get("isError"):
            raise ServerTrouble(f"{tool}: {text}")
        return text

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """One request; its result."""
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        end = time.monotonic() + PATIENCE
        while True:
            message = self._receive(method, end)
            if message.get("id") == self._number and "method" not in message:
                break
        if "error" in message:
            raise ServerTrouble(f"{method}: {message['error'].get('message')}")
        return dict(message["result"])

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ServerTrouble("it ended") from None

    def _receive(self, method: str, end: float) -> dict[str, Any]:
        assert self._process.stdout
        handle = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            if not select.select([handle], [], [], max(end - time.monotonic(), 0))[0]:
                raise ServerTrouble(f"{method}: no answer within {PATIENCE:.0f} s")
            part = os.read(handle, 65_536)
            if not part:
                raise ServerTrouble(f"{method}: it ended without an answer")
            self._rest += part
        line, self._rest = self._rest.split(b"\n", 1)
        try:
            return dict(json.loads(line))
        except (ValueError, TypeError):
            raise ServerTrouble(f"it printed what isn't the protocol: {line[:80]!r}") from None
