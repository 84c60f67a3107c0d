"""Where things lie and what can be set: paths by platformdirs, ``config.toml``, MEMD_* variables over it.

| setting | variable | meaning |
| --- | --- | --- |
| ``daemon.idle_exit`` | MEMD_DAEMON_IDLE_EXIT | seconds without a request after which the daemon ends; 0 means never |
| ``redaction.allow`` | MEMD_REDACTION_ALLOW | what looks like a secret and is none, split by commas |
| ``exchange.name`` | MEMD_EXCHANGE_NAME | what exports call this store and their signer; user@host where it is empty |
| ``exchange.signers`` | MEMD_EXCHANGE_SIGNERS | signers of imported exports: name=key, split by commas |
| ``lifecycle.idle`` | MEMD_LIFECYCLE_IDLE | seconds without a request after which it looks after the store |

MEMD_HOME names the data folder; ``config.toml`` then lies in it, else in the user's configuration folder.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from memd.errors import BadInput
from memd.home import CONFIG, LOCK, LOG, RENDEZVOUS, STORE, data_home

LONGEST = 1e8  # seconds of a setting, three years: what threads can wait for
SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107  # bytes of sun_path, less the closing NUL


class DaemonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[daemon]`` table. `idle_exit` in seconds, 0 for never."""

    idle_exit: float = 0.0


class LifecycleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[lifecycle]`` table. `idle` in seconds."""

    idle: float = 30.0


class RedactionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[redaction]`` table. `allow`: what looks like a secret and is none, split by commas."""

    allow: str = ""

    @property
    def allowed(self) -> frozenset[str]:
        """Each of them."""
        return frozenset(part.strip() for part in self.allow.split(",") if part.strip())


class ExchangeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[exchange]`` table. `name`: of this store, in exports. `signers`: name=key, split by commas."""

    name: str = ""
    signers: str = ""

    @property
    def known(self) -> dict[str, str]:
        """The keys of signers, by name."""
        pairs = (part.partition("=") for part in self.signers.split(",") if part.strip())
        return {name.strip(): key.strip() for name, _, key in pairs}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of ``config.toml``."""

    daemon: DaemonSettings = DaemonSettings()
    lifecycle: LifecycleSettings = LifecycleSettings()
    redaction: RedactionSettings = RedactionSettings()
    exchange: ExchangeSettings = ExchangeSettings()


class Config(msgspec.Struct, frozen=True):
    """The paths of one data folder and the settings that hold for it."""

    home: Path
    file: Path
    socket: Path
    settings: Settings = Settings()

    @classmethod
    def load(cls, home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
        """Read the configuration of a data folder; None means `data_home()`. Creates nothing.

        Raises:
            BadInput: ``config.toml`` or a MEMD_* variable doesn't hold what it should; says which and what.
        """
        own = home is not None or bool(environ.get("MEMD_HOME"))
        folder = Path(data_home(environ)) if home is None else home.absolute()
        file = (folder if own else Path(platformdirs.user_config_dir("memd"))) / CONFIG
        settings = _settings(_variables(_table(file), environ), file)
        return cls(folder, file, socket_path(folder, environ), settings)

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.home / STORE

    @property
    def lock(self) -> Path:
        """Locked by the daemon for as long as it lives; holds its process id."""
        return self.home / LOCK

    @property
    def rendezvous(self) -> Path:
        """Written by the daemon once it answers: process id, socket path, version."""
        return self.home / RENDEZVOUS

    @property
    def log(self) -> Path:
        """The daemon's log; older ones beside it end in .1, .2, …"""
        return self.home / LOG


def socket_path(home: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the daemon listens: the user's runtime folder, else the data folder, else (too long a path) one in /tmp."""
    name = hashlib.blake2b(os.fsencode(os.path.realpath(home)), digest_size=8).hexdigest()
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    places = [Path(runtime) / f"memd-{name}.sock"] if is_private(runtime) else []
    places += [home / "daemon.sock", Path("/tmp") / f"memd-{os.getuid()}" / f"{name}.sock"]
    return next(path for path in places if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT)


def is_private(folder: str) -> bool:
    """Whether this is an absolute path of an existing folder of ours that nobody else may enter."""
    try:
        info = os.lstat(folder)
    except (OSError, ValueError):
        return False
    mine = Path(folder).is_absolute() and info.st_uid == os.getuid()
    return mine and info.st_mode & 0o170077 == 0o040000 and os.access(folder, os.W_OK | os.X_OK)


def _table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:  # unreadable, not UTF-8, not TOML, nested too deep
        raise BadInput(f"{file}: {error}", "correct or remove the file") from None


def _variables(table: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The table with MEMD_<SECTION>_<NAME> variables laid over it."""
    for section in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(section.type):
            value = environ.get(f"MEMD_{section.name}_{field.name}".upper())
            if value is not None and isinstance(under := table.setdefault(section.name, {}), dict):
                under[field.name] = value
    return table


def _settings(table: dict[str, Any], file: Path) -> Settings:
    try:
        settings = msgspec.convert(table, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"bad configuration: {error}", f"see {file} and the MEMD_* variables") from None
    except UnicodeEncodeError:  # a variable of bytes that are no UTF-8
        raise BadInput("bad configuration: a value is not UTF-8", "see the MEMD_* variables") from None
    if not 0 <= settings.daemon.idle_exit <= LONGEST:
        raise BadInput("bad configuration: daemon.idle_exit is a number of seconds, 0 or more", f"see {file}")
    if not 0 < settings.lifecycle.idle <= LONGEST:
        raise BadInput("bad configuration: lifecycle.idle is a number of seconds above 0", f"see {file}")
    return settings
