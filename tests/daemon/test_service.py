"""The service files are ones their managers take, and start the daemon that was meant."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from memd.config import Config
from memd.daemon import service
from memd.errors import BadInput


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("MEMD_HOME", str(tmp_path / 'a "strange" folder, 100% $HOME'))
    monkeypatch.delenv("MEMD_ENCODER", raising=False)
    return Config.load()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit_without_a_word(config: Config, tmp_path: Path) -> None:
    unit = tmp_path / service.UNIT
    unit.write_text(service.systemd_unit(config))
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_UNIT_PATH": f"{tmp_path}:/usr/lib/systemd/user"}
    command = ["systemd-analyze", "--user", "verify", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    said = "\n".join(line for line in done.stderr.splitlines() if service.UNIT in line)
    assert said == ""
    assert done.returncode == 0, done.stderr


def test_the_unit_names_this_python_and_data_folder_literally(config: Config) -> None:
    text = service.systemd_unit(config, "/opt/my python/100%/$x/python")
    assert 'ExecStart="/opt/my python/100%%/$$x/python" "-P" "-m" "memd.daemon"' in text
    escaped = str(config.home).replace('"', '\\"').replace("%", "%%")
    assert f'Environment="MEMD_HOME={escaped}"' in text


def test_a_default_data_folder_is_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEMD_HOME", "XDG_DATA_HOME", "MEMD_ENCODER"):
        monkeypatch.delenv(name, raising=False)
    assert "MEMD_HOME" not in service.systemd_unit(Config.load())


def test_a_line_break_cannot_smuggle_in_a_directive(config: Config) -> None:
    with pytest.raises(BadInput):
        service.systemd_unit(config, "/bin/sh\nExecStart=/bin/true")


def test_the_plist_starts_the_daemon(config: Config) -> None:
    agent = plistlib.loads(service.plist(config).encode())
    assert agent["ProgramArguments"] == [sys.executable, "-P", "-m", "memd.daemon"]
    assert agent["EnvironmentVariables"]["MEMD_HOME"] == str(config.home)


@pytest.mark.skipif(sys.platform != "linux", reason="writes a systemd unit")
def test_install_and_uninstall_without_a_service_manager(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    path = service.install(config)
    assert path == tmp_path / "config" / "systemd" / "user" / "memd.service"
    assert path.read_text() == service.unit_text(config)
    assert service.install(config) == path, "again is the same"
    assert service.uninstall() == path
    assert not path.exists()
    assert service.uninstall() is None
