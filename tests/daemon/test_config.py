"""Paths and settings: one rule for the data folder in both places that have it, and bad values named."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from memd.config import SOCKET_PATH_LIMIT, Config, socket_path
from memd.errors import BadInput
from memd.home import data_home


@pytest.mark.parametrize(
    "environ",
    [
        {"HOME": "/home/ann"},
        {"HOME": "/home/ann", "XDG_DATA_HOME": "/data"},
        {"HOME": "/home/ann", "XDG_DATA_HOME": "relative"},
        {"HOME": "/home/ann", "XDG_DATA_HOME": ""},
        {"HOME": "/home/ann", "MEMD_HOME": "/elsewhere/x/../memd"},
        {"HOME": "/home/ann", "MEMD_HOME": "~/memd"},
        {"HOME": "/home/ann", "MEMD_HOME": "here"},
        {"HOME": "/home/ann", "MEMD_HOME": ""},
        {"HOME": ""},
        {"HOME": "relative"},
        {},
    ],
    ids=str,
)
def test_the_data_folder_is_platformdirs_or_memd_home(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "MEMD_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Path(data_home()).is_absolute()
    assert data_home() == str(Config.load().home)
    if not environ.get("MEMD_HOME"):
        assert data_home() == platformdirs.user_data_dir("memd")


def test_settings_come_from_the_file_and_variables_win(tmp_path: Path) -> None:
    assert Config.load(tmp_path, {}).settings.daemon.idle_exit == 0
    (tmp_path / "config.toml").write_text("[daemon]\nidle_exit = 90\n")
    assert Config.load(tmp_path, {}).settings.daemon.idle_exit == 90
    assert Config.load(tmp_path, {"MEMD_DAEMON_IDLE_EXIT": "1.5"}).settings.daemon.idle_exit == 1.5


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[daemon]\nidle_exit = -1\n", "idle_exit"),
        ("[daemon]\nidle_exit = nan\n", "idle_exit"),
        ("[daemon]\nidle_exit = 'soon'\n", "idle_exit"),
        ("[daemon]\nidle_exot = 1\n", "idle_exot"),
        ("[demon]\n", "demon"),
        ("daemon = 3\n", "daemon"),
        ("daemon", "config.toml"),
        ("a = '\udcff'", "config.toml"),
    ],
)
def test_a_bad_configuration_is_named(tmp_path: Path, toml: str, named: str) -> None:
    (tmp_path / "config.toml").write_bytes(toml.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadInput, match=named):
        Config.load(tmp_path, {})


def test_a_bad_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="idle_exit"):
        Config.load(tmp_path, {"MEMD_DAEMON_IDLE_EXIT": "never"})


def test_the_socket_lies_in_a_private_runtime_folder_only(tmp_path: Path) -> None:
    runtime, home = tmp_path / "run", tmp_path / "home"
    runtime.mkdir(mode=0o700)
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    assert socket_path(home, environ).parent == runtime
    runtime.chmod(0o755)
    assert socket_path(home, environ) == home / "daemon.sock"
    assert socket_path(home, {"XDG_RUNTIME_DIR": str(tmp_path / "missing")}) == home / "daemon.sock"
    assert socket_path(home, {"XDG_RUNTIME_DIR": "relative"}) == home / "daemon.sock"
    assert socket_path(home, {}) == home / "daemon.sock"


def test_two_data_folders_have_two_sockets_and_one_has_one(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    assert socket_path(tmp_path / "a", environ) != socket_path(tmp_path / "b", environ)
    assert socket_path(tmp_path / "a", environ) == socket_path(tmp_path / "link", environ)


@pytest.mark.parametrize("length", [1, 40, 90, 200, 4000])
def test_no_socket_path_is_over_the_limit(tmp_path: Path, length: int) -> None:
    home = tmp_path / "/".join(["d" * 50] * (length // 50 + 1))
    assert len(os.fsencode(socket_path(home, {}))) <= SOCKET_PATH_LIMIT
