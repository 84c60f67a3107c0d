"""The daemon as a service of the user's session: a systemd user unit, a launchd agent on macOS."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

from memd.config import Config
from memd.daemon import process
from memd.errors import BadInput, MemdError

UNIT = "memd.service"
LABEL = "dev.memd.daemon"


class ServiceFailed(MemdError):
    """The system's service manager did not do what it was asked."""

    code = "service_failed"


def unit_path() -> Path:
    """Where this system looks for the user's service file.

    Raises:
        BadInput: it has neither systemd nor launchd.
    """
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    if sys.platform == "linux":
        base = os.environ.get("XDG_CONFIG_HOME", "")
        return (Path(base) if Path(base).is_absolute() else Path.home() / ".config") / "systemd" / "user" / UNIT
    raise BadInput(f"no service manager is known for {sys.platform}", "start the daemon with `memd daemon start`")


def unit_text(config: Config, python: str = sys.executable) -> str:
    """The systemd unit (launchd plist on macOS) that runs the daemon for this data folder."""
    return plist(config, python) if sys.platform == "darwin" else systemd_unit(config, python)


def systemd_unit(config: Config, python: str = sys.executable) -> str:
    """A systemd user unit. It stops with SIGTERM, and has the time to finish a write."""
    exec_start = " ".join(_quoted(word, dollar=True) for word in (python, "-P", "-m", "memd.daemon"))
    environment = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in _environment(config).items())
    return (
        "[Unit]\n"
        "Description=memd, a local memory for coding agents\n"
        "\n"
        "[Service]\n"
        "Type=exec\n"
        f"ExecStart={exec_start}\n"
        f"{environment}"
        "Restart=on-failure\n"
        "RestartSec=2\n"
        "RestartPreventExitStatus=3\n"  # another daemon is there, or the store can't be used: trying again is no help
        "TimeoutStopSec=90\n"
        "UMask=0077\n"
        "NoNewPrivileges=yes\n"
        "\n"
        "[Install]\n"
        "WantedBy=default.target\n"
    )


def plist(config: Config, python: str = sys.executable) -> str:
    """A launchd agent."""
    agent = {
        "Label": LABEL,
        "ProgramArguments": [python, "-P", "-m", "memd.daemon"],
        "EnvironmentVariables": _environment(config),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ExitTimeOut": 90,
        "ProcessType": "Adaptive",
        "Umask": 0o077,
    }
    return plistlib.dumps(agent).decode()


def install(config: Config) -> Path:
    """Write the service file and, where the service manager answers, enable and start it; returns the file.

    Raises:
        BadInput: no service manager is known for this system.
        ServiceFailed: the service manager refused; the file stays, the message tells what it said.
    """
    path = unit_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(unit_text(config), encoding="utf-8")
    draft.replace(path)
    process.stop(config)  # the service's own takes its place
    if sys.platform == "darwin":
        _manage(["launchctl", "bootstrap", f"gui/{os.getuid()}", str(path)])
    elif _systemd_answers():
        _manage(["systemctl", "--user", "daemon-reload"])
        _manage(["systemctl", "--user", "enable", "--now", UNIT])
    return path


def uninstall() -> Path | None:
    """Stop and disable the service and remove its file; returns the file, None when there was none.

    Raises:
        BadInput: no service manager is known for this system.
        ServiceFailed: the service manager refused; the file is still there.
    """
    path = unit_path()
    if not path.exists():
        return None
    if sys.platform == "darwin":
        subprocess.run(["launchctl", "bootout", f"gui/{os.getuid()}/{LABEL}"], capture_output=True, check=False)
    elif _systemd_answers():
        _manage(["systemctl", "--user", "disable", "--now", UNIT])
    path.unlink()
    if sys.platform != "darwin" and _systemd_answers():
        _manage(["systemctl", "--user", "daemon-reload"])
    return path


def _systemd_answers() -> bool:
    """Whether a systemd user manager runs (in a container there is none: the file waits for the next login)."""
    if shutil.which("systemctl") is None:
        return False
    asked = subprocess.run(["systemctl", "--user", "show-environment"], capture_output=True, check=False)
    return asked.returncode == 0


def _manage(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ServiceFailed(f"`{' '.join(command)}` failed: {said[-1] if said else done.returncode}", "run it by hand")


def _environment(config: Config) -> dict[str, str]:
    """What the service can't find out by itself: a data folder, and what was set of MEMD_* when installing.

    But no passphrase: a unit is a file that lies open. MEMD_KEY_FILE names one that doesn't.
    """
    left_out = ("MEMD_HOME", "MEMD_PASSPHRASE", "MEMD_NEW_PASSPHRASE")
    kept = {
        name: value for name, value in sorted(os.environ.items()) if name.startswith("MEMD_") and name not in left_out
    }
    named = {"MEMD_HOME": str(config.home)} if os.environ.get("MEMD_HOME") or os.environ.get("XDG_DATA_HOME") else {}
    return named | kept


def _quoted(word: str, *, dollar: bool = False) -> str:
    """A word for a unit file: quoted, with specifiers (and, in a command, variables) taken literally.

    Raises:
        BadInput: it holds a line break, which a unit file can't.
    """
    if "\n" in word or "\r" in word:
        raise BadInput(f"a unit file can't hold a line break: {word!r}", "use another path")
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{word.replace("$", "$$") if dollar else word}"'
