"""Only the user whose daemon it is gets to talk to it."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door
from memd.errors import DaemonUnavailable, StoreUnusable

NOBODY = 65534
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can enter."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(act: Callable[[], str]) -> str:
    """What `act` returns when another user does it, in a process of its own."""
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writer, act().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


def ask_to_stop(path: Path) -> str:
    """What the daemon at a socket says to `shutdown`."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        try:
            sock.connect(str(path))
            with suppress(BrokenPipeError):  # it may have been refused already
                sock.sendall(b'{"jsonrpc":"2.0","id":1,"method":"shutdown"}\n')
            return sock.recv(65536).decode()
        except PermissionError:
            return "permission denied"


def test_what_the_daemon_makes_is_private(home: Path, door: Door) -> None:
    door.call("remember", {"items": [{"text": "a secret"}]})
    config = Config.load()
    assert home.stat().st_mode & 0o777 == 0o700
    assert config.socket.stat().st_mode & 0o777 == 0o600
    for file in home.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


@needs_root
def test_another_user_is_refused(open_folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = open_folder / "home"
    shared.mkdir(mode=0o755)
    monkeypatch.setenv("MEMD_HOME", str(shared))
    config = Config.load()
    with Door() as door:
        pid = door.call("status", {})["pid"]
        assert as_nobody(lambda: ask_to_stop(config.socket)) == "permission denied"
        shared.chmod(0o755)
        config.socket.chmod(0o777)  # past the file's mode there is still the check
        assert "belongs to another user" in as_nobody(lambda: ask_to_stop(config.socket))
        assert door.call("status", {})["pid"] == pid
    process.stop(config)


@needs_root
def test_a_client_does_not_talk_to_another_users_daemon(open_folder: Path, home: Path) -> None:
    public = open_folder / "public"
    public.mkdir()
    public.chmod(0o777)
    path = public / "socket"
    listener = socket.socket(socket.AF_UNIX)

    def listen() -> str:
        listener.bind(str(path))
        listener.listen()
        return str(os.getpid())

    impostor = as_nobody(listen)  # the socket's credentials stay those of who listened
    home.mkdir()
    (home / "daemon.pid").write_text(f"{impostor}\n{path}\n0.1.0\n")
    with listener, pytest.raises(DaemonUnavailable, match=str(NOBODY)):
        Door().call("recall", {"text": "my secret"})
    (home / "daemon.pid").unlink()


@needs_root
def test_a_data_folder_of_another_user_is_refused(
    open_folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = open_folder / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    monkeypatch.setenv("MEMD_HOME", str(theirs))
    with pytest.raises(StoreUnusable, match=str(NOBODY)):
        Door().call("status", {})
    assert list(theirs.iterdir()) == []
