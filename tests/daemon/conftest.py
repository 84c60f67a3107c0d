"""A data folder a test, real daemon processes in it, and a client that says exactly what it is told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memd import __version__
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, rendezvous
from memd.daemon.launch import is_held
from tests.waiting import eventually


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh data folder, named by MEMD_HOME; whatever daemon it has at the end is stopped.

    Without an encoder, which these tests don't ask anything and which would make each start slower.
    """
    folder = tmp_path / "home"
    monkeypatch.setenv("MEMD_HOME", str(folder))
    monkeypatch.setenv("MEMD_ENCODER", str(tmp_path / "none"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("MEMD_DAEMON_IDLE_EXIT", raising=False)
    yield folder
    (folder / "config.toml").unlink(missing_ok=True)
    process.stop(Config.load(folder, {}))


@pytest.fixture
def door(home: Path) -> Iterator[Door]:
    """A door to this data folder's daemon, which the first call starts."""
    with Door(timeout=240) as door:
        yield door


class Line:
    """A bare connection to the daemon of a data folder: bytes out, lines in."""

    def __init__(self, home: Path) -> None:
        found = rendezvous(str(home))
        assert found is not None, "no daemon"
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(240)
        self.sock.connect(found[1])
        self.file = self.sock.makefile("rb")

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.sock.close()

    def send(self, raw: bytes) -> None:
        self.sock.sendall(raw)

    def read(self) -> Any:
        """The next answer; None at the end of the connection."""
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, method: str, params: object = (), id_: int = 7) -> Any:
        self.send(request(method, params or {}, id_))
        return self.read()

    def greet(self) -> Line:
        answer = self.ask("hello", {"client": __version__, "protocol": 1})
        assert answer["result"]["protocol"] == 1
        return self


def request(method: str, params: object, id_: int = 7) -> bytes:
    """One request line."""
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode() + b"\n"


def daemon_in_foreground(home: Path, before: str = "") -> subprocess.Popen[str]:
    """A daemon as our own child, answering; `before` is Python that it runs first (to be another version, say)."""
    code = f"import memd, sys\n{before}\nfrom memd.daemon.__main__ import main\nsys.argv[1:] = []\nsys.exit(main())"
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, env=os.environ)
    ours = lambda: (found := rendezvous(str(home))) is not None and found[0] == child.pid  # noqa: E731
    assert eventually(lambda: child.poll() is not None or ours())
    if child.poll() is not None:
        pytest.fail(f"the daemon ended with {child.returncode}: {child.communicate()[1]}")
    return child


def gone(home: Path) -> bool:
    """Whether no daemon holds the data folder, waiting for it a while."""
    return eventually(lambda: not is_held(str(home)))
