"""Real `memd mcp` processes, spoken to with the SDK's own client."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ListRootsResult, Root

COMMAND = [sys.executable, "-m", "memd_cli", "mcp"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a server needs of ours: where its code is, and which data folder is its."""
    names = ("PATH", "PYTHONPATH", "HOME", "LANG")
    return {**{name: os.environ[name] for name in names if name in os.environ}, "MEMD_HOME": str(home), **more}


def client(home: Path, cwd: Path, *, roots: list[Path] | None = None, mode: str = "auto", **env: str) -> Client:
    """A client, not yet connected, whose server starts in `cwd`."""
    where = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=environment(home, **env), cwd=cwd)

    async def list_roots(_: object) -> ListRootsResult:
        return ListRootsResult(roots=[Root(uri=root.as_uri()) for root in roots or ()])  # type: ignore[arg-type]

    return Client(where, mode=mode, read_timeout_seconds=240, list_roots_callback=None if roots is None else list_roots)


class Session:
    """A connected client for tests that aren't coroutines themselves."""

    def __init__(self, portal: BlockingPortal, connected: AbstractAsyncContextManager[Client]) -> None:
        self._portal = portal
        self._around = portal.wrap_async_context_manager(connected)

    def __enter__(self) -> Session:
        self.client = self._around.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._around.__exit__(*error)

    def do(self, name: str, *words: Any, **options: Any) -> Any:
        """Call a method of the client."""

        async def call() -> Any:
            return await getattr(self.client, name)(*words, **options)

        return self._portal.call(call)

    def tool(self, name: str, **arguments: Any) -> Any:
        """The structured content of a call that must succeed."""
        result = self.result(name, **arguments)
        assert not result.is_error, result
        return result.structured_content

    def text(self, name: str, **arguments: Any) -> str:
        """The words of a call."""
        (content,) = self.result(name, **arguments).content
        return str(content.text)

    def result(self, name: str, **arguments: Any) -> CallToolResult:
        found = self.do("call_tool", name, arguments)
        assert isinstance(found, CallToolResult)
        return found
