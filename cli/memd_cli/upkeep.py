"""What looks after the store: stats, and the settings."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from memd.errors import BadInput, NotFound, StoreReadOnly
from memd_cli.session import Session
from memd_cli.verbs import Outcome

ENCRYPTION = "encryption"  # the setting that the store itself holds


def stats(session: Session) -> Outcome:
    """What the store holds and what is still to be done."""
    data = session.door.call("stats", {})
    return Outcome(data)


def show_config(session: Session) -> Outcome:
    """Every path and setting, and where each setting comes from."""
    from memd.config import Config

    config = Config.load()
    settings = [
        {"name": name, "value": value, "default": default, "from": _origin(name, config.file)}
        for name, value, default in _settings(config)
    ] + [_encryption(config)]
    paths = {name: str(getattr(config, name)) for name in ("home", "store", "file", "socket", "log")}
    return Outcome({"paths": paths, "settings": settings})


def get_config(session: Session) -> Outcome:
    """One setting."""
    data = show_config(session).data
    name = session.options["name"]
    _known(name)
    found = next(setting for setting in data["settings"] if setting["name"] == name)
    return Outcome({"paths": data["paths"], "settings": [found]})


def set_config(session: Session) -> Outcome:
    """Write a setting to config.toml, or take it out, leaving all else there as it is."""
    name, value = session.options["name"], session.options["value"]
    if name == ENCRYPTION:
        return _encrypt(session)
    _known(name)
    put_setting(name, value)
    return get_config(session)


def put_setting(name: str, value: str | None) -> None:
    """Write a setting that there is to config.toml; None takes it out. Raises BadInput, StoreReadOnly."""
    from memd.config import Config

    file = Config.load().file
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
    except OSError as error:
        raise StoreReadOnly(f"{file} can't be read: {error.strerror}", "Check its permissions.") from None
    after = edited(before, name, None if value is None else _toml(value))
    _check(after)
    _replace(file, after)


def _encrypt(session: Session) -> Outcome:
    """Encryption isn't a line in a file: the store itself is changed."""
    if session.options["value"] is None:
        raise BadInput("encryption can't be unset.", "Write the store anew without it: memd decrypt")
    from memd_cli import crypt

    done = crypt.set_encryption(session)
    outcome = get_config(session)
    outcome.notices = done.notices
    return outcome


def _encryption(config: Any) -> dict[str, Any]:
    from memd.store import cipher

    state = "off" if cipher.encryption(cipher.start_of(config.store)) == "off" else "on"
    return {"name": ENCRYPTION, "value": state, "default": "off", "from": "store"}


def _settings(config: Any) -> list[tuple[str, Any, Any]]:
    """Name, value and default of every setting."""
    import msgspec

    found = []
    for section in msgspec.structs.fields(type(config.settings)):
        table = getattr(config.settings, section.name)
        found += [
            (f"{section.name}.{field.name}", getattr(table, field.name), field.default)
            for field in msgspec.structs.fields(type(table))
        ]
    return found


def _known(name: str) -> None:
    from memd.config import Config, Settings

    names = [known for known, _, _ in _settings(Config(Path(), Path(), Path(), Settings()))] + [ENCRYPTION]
    if name not in names:
        raise BadInput(f"There is no setting {name!r}", f"Settings: {', '.join(names)}")


def _origin(name: str, file: Path) -> str:
    """Where a setting's value comes from: its variable, the file, or the default."""
    import tomllib

    variable = f"MEMD_{name}".upper().replace(".", "_")
    if variable in os.environ:
        return variable
    section, _, key = name.partition(".")
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "default"
    return "file" if key in table.get(section, {}) else "default"


def _toml(value: str) -> str:
    """A value as TOML: a number or a truth as it is, all else a string."""
    import tomllib

    try:
        tomllib.loads(f"value = {value}")
        return value.strip()
    except ValueError:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def edited(text: str, name: str, value: str | None) -> str:
    """The text of a TOML file with ``section.key`` set to a value, or without it where that is None.

    Comments, order and all other lines stay. Knows the plain form: a ``[section]`` line, then ``key = …``.
    """
    section, _, key = name.partition(".")
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if re.match(rf"\s*\[\s*{section}\s*\]\s*(#.*)?$", line)), None)
    if start is None:
        if value is None:
            return text
        gap = [""] if lines and lines[-1].strip() else []
        return "\n".join([*lines, *gap, f"[{section}]", f"{key} = {value}"]) + "\n"
    end = next((i for i in range(start + 1, len(lines)) if lines[i].lstrip().startswith("[")), len(lines))
    at = next((i for i in range(start + 1, end) if re.match(rf"\s*{key}\s*=", lines[i])), None)
    new = [] if value is None else [f"{key} = {value}"]
    if at is not None:
        lines[at : at + 1] = new
    else:
        lines[start + 1 : start + 1] = new
    return "\n".join(lines) + "\n"


def _check(text: str) -> None:
    """Read the settings as they would be. Raises BadInput where they don't hold."""
    from memd.config import Config

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.toml").write_text(text, encoding="utf-8")
        try:
            Config.load(Path(folder), {})
        except BadInput as error:
            message = error.message.replace(f"{folder}/config.toml: ", "")
            raise BadInput(message, "The file is as it was.") from None


def _replace(file: Path, text: str) -> None:
    """Write a file in one step: the old one or the new one, never half."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(new.name).replace(file)
    except OSError as error:
        raise StoreReadOnly(f"{file} can't be written: {error.strerror}", "Check the folder's permissions.") from None


def completion(session: Session) -> Outcome:
    """The completion script of a shell, written to its place or only printed."""
    from typer.completion import get_completion_script, install  # type: ignore[attr-defined]

    shell = session.options["shell"] or _shell()
    if shell not in ("bash", "zsh", "fish"):
        raise BadInput(f"There is no completion for {shell!r}", "Shells: bash, zsh, fish.")
    if session.options["install"]:
        _, path = install(shell=shell, prog_name="memd", complete_var="_MEMD_COMPLETE")
        return Outcome({"shell": shell, "path": str(path), "script": ""})
    script = get_completion_script(prog_name="memd", complete_var="_MEMD_COMPLETE", shell=shell)
    return Outcome({"shell": shell, "path": "", "script": script})


def _shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if not name:
        raise NotFound("The shell isn't known", "Name it: memd completion bash")
    return name
