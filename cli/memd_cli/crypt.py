"""encrypt, decrypt, rekey, unlock, and the key itself: people are asked, and the daemon is out of the way meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from memd import secret
from memd.config import Config
from memd.errors import BadInput, Conflict, MemdError, StoreLocked, WrongKey
from memd.store import cipher, keys, moving
from memd.store.cipher import Key
from memd_cli import human
from memd_cli.plain import flat, record
from memd_cli.session import Session, is_terminal, write
from memd_cli.verbs import Outcome

NEW_PASSPHRASE = "MEMD_NEW_PASSPHRASE"  # of `rekey`, where nobody can be asked
TRIES = 3


def encrypt(session: Session) -> Outcome:
    """Encrypt the store and its copies; where it is encrypted, the copies that aren't yet."""
    config = Config.load()
    cipher.sqlcipher()
    if _encryption(config) != "off":
        if session.options["passphrase"] or session.options["key_file"]:
            raise Conflict("The store is encrypted already.", "Another key or passphrase: memd rekey")
        key = keys.keys.of(config.store)
        return _moved(session, config, key, "")
    return _with_new_key(session, config, "passphrase" if session.options["passphrase"] else "key")


def rekey(session: Session) -> Outcome:
    """Encrypt the store and its copies with another key."""
    config = Config.load()
    cipher.sqlcipher()
    present = _encryption(config)
    if present == "off":
        raise Conflict("The store isn't encrypted.", "Encrypt it: memd encrypt")
    keys.keys.of(config.store)  # or ask for it now
    kind = "passphrase" if present == "passphrase" else "key"
    if session.options["keyring"] or session.options["key_file"]:
        kind = "key"
    elif session.options["passphrase"]:
        kind = "passphrase"
    return _with_new_key(session, config, kind)


def decrypt(session: Session) -> Outcome:
    """Write the store anew without encryption; its copies stay encrypted."""
    config = Config.load()
    cipher.sqlcipher()
    if _encryption(config) == "off":
        raise Conflict("The store isn't encrypted.", "There is nothing to do.")
    keys.keys.of(config.store)
    return _moved(session, config, None, "")


def unlock(session: Session) -> Outcome:
    """Open a locked store for the daemon: by what keys there are, else by asking."""
    from memd.daemon import process

    config = Config.load()
    present = _encryption(config)
    if present == "off":
        raise Conflict("The store isn't encrypted, so it needs no unlocking.", "Encrypt it: memd encrypt")
    cipher.sqlcipher()
    running = process.start(config)
    if not running["locked"]:
        return Outcome({"encryption": present, "unlocked": False})
    try:
        key = _key(config)
    except (StoreLocked, WrongKey):
        if not _asked(config):
            raise
        key = _key(config)
    _hand_over(config, key)
    return Outcome({"encryption": present, "unlocked": True})


def export_key(session: Session) -> Outcome:
    """Write the store's key to a new file."""
    config, file = Config.load(), Path(session.options["file"]).expanduser().absolute()
    _needs_key_of_its_own(config)
    key = _key(config)
    keys.into_file(key, file)
    return Outcome({"key": cipher.name(key.salt), "file": str(file)})


def import_key(session: Session) -> Outcome:
    """Put the key in a file into the keyring, once it has opened the store."""
    config, file = Config.load(), Path(session.options["file"]).expanduser().absolute()
    _needs_key_of_its_own(config)
    key = keys.keys.offer(secret.read(str(file)), config.store)
    keys.into_keyring(key)
    _unlock_running(config, key)
    return Outcome({"key": cipher.name(key.salt), "file": str(file)})


def set_encryption(session: Session) -> Outcome:
    """``config set encryption on|off``."""
    value = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}.get(
        str(session.options["value"]).lower()
    )
    if value is None:
        raise BadInput("encryption is on or off.", "Write it as: memd config set encryption on")
    config = Config.load()
    if value == (_encryption(config) != "off"):
        return Outcome({})
    session.options |= {"passphrase": False, "key_file": None}
    return encrypt(session) if value else decrypt(session)


def asked(session: Session) -> bool:
    """Ask for the passphrase at the terminal, for this process and the daemon; False where there is none to ask for."""
    config = Config.load()
    if _encryption(config) != "passphrase" or not _asked(config):
        return False
    if not session.options.get("no_daemon"):
        _unlock_running(config, keys.keys.of(config.store))
    return True


def _with_new_key(session: Session, config: Config, kind: str) -> Outcome:
    """Move the store to a key that is safely kept before."""
    if kind == "passphrase":
        return _moved(session, config, keys.passphrase_key(_new_passphrase(session)), "")
    key, file = keys.random_key(), session.options["key_file"]
    if file:
        path = Path(file).expanduser().absolute()
        keys.into_file(key, path)
        try:
            return _moved(session, config, key, str(path))
        except BaseException:
            if cipher.start_of(config.store) != key.salt:  # it opens nothing
                path.unlink(missing_ok=True)
            raise
    keys.into_keyring(key)
    try:
        return _moved(session, config, key, "")
    except BaseException:
        if cipher.start_of(config.store) != key.salt:
            keys.out_of_keyring(key)
        raise


def _moved(session: Session, config: Config, key: Key | None, key_file: str) -> Outcome:
    """Move the store while no daemon has it; one that ran runs again afterwards, with the key."""
    from memd.daemon import process

    left, notices = [], []
    config.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    ran = process.stop(config)
    try:
        with process.locked(config) as mine:
            if not mine:
                raise Conflict("Another daemon has started meanwhile.", "Run it again.")
            if config.store.exists() and config.store.stat().st_nlink > 1:
                left.append(
                    moving.Left(str(config.store), "It has another name, too (a hard link), and there it stays.")
                )
            with session.progress("Writing the store anew", moving.count(config.store, key)) as step:
                moved = moving.move(config.store, key, lambda: step(1))
    finally:
        if ran:
            try:
                process.start(config)
                _unlock_running(config, keys.keys.of(config.store))
            except MemdError as error:  # what was done is done
                notices.append(f"The daemon wasn't started again: {error.message} {error.hint}")
    left += moved.left
    encryption = cipher.encryption(cipher.start_of(config.store))
    outcome = Outcome(
        {
            "encryption": encryption,
            "key": cipher.name(key.salt) if key else "",
            "key_file": key_file,
            "bytes": moved.bytes,
            "memories": moved.memories,
            "backups": list(moved.backups),
            "left": [{"path": one.path, "why": one.why} for one in left],
        },
        notices,
    )
    outcome.notices += [f"{one.path} is left. {one.why}" for one in left]
    return outcome


def _unlock_running(config: Config, key: Key | None) -> None:
    """Give the key to the daemon, if one runs and waits for it."""
    from memd.daemon import process

    running = process.status(config)
    if key is not None and running and running["locked"]:
        _hand_over(config, key)


def _hand_over(config: Config, key: Key) -> None:
    from memd_cli.door import Door

    with Door(str(config.home), start=False) as door:
        door.call("unlock", {"secret": key.raw.hex()})


def _asked(config: Config) -> bool:
    """Ask for the passphrase until it opens the store, three times at most; False where nobody can be asked."""
    if not _somebody_there():
        return False
    for left in reversed(range(TRIES)):
        given = _prompt("Passphrase of the store: ")
        if not given:
            return False
        try:
            keys.keys.offer(given, config.store)
            return True
        except WrongKey:
            if not left:
                raise
            os.write(2, b"That passphrase doesn't open it.\n")
    return False


def _new_passphrase(session: Session) -> str:
    """A passphrase for what is written: of the environment, else asked for twice."""
    if session.command == "rekey":
        given = [os.environ[NEW_PASSPHRASE]] if os.environ.get(NEW_PASSPHRASE) else []
    else:
        given = secret.given()
    if given:
        return given[0]
    if not _somebody_there():
        name = NEW_PASSPHRASE if session.command == "rekey" else secret.PASSPHRASE
        raise BadInput("There is no terminal to ask for a passphrase at.", f"Set {name}, or use --key-file.")
    given = [_prompt("New passphrase: "), _prompt("Once more: ")]
    if given[0] != given[1]:
        raise BadInput("The two passphrases differ.", "Try again; nothing was changed.")
    return given[0]


def _somebody_there() -> bool:
    import sys

    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def _prompt(words: str) -> str:
    from getpass import getpass

    try:
        return getpass(words)
    except EOFError:
        return ""


def _needs_key_of_its_own(config: Config) -> None:
    if _encryption(config) != "key":
        raise Conflict(
            "The store isn't encrypted with a key of its own.", "A passphrase is the key; `memd encrypt` makes one."
        )


def _key(config: Config) -> Key:
    """The key of a store that is encrypted. Raises as `Keys.of` does."""
    key = keys.keys.of(config.store)
    assert key is not None
    return key


def _encryption(config: Config) -> str:
    return cipher.encryption(cipher.start_of(config.store))


# --- what is shown ---


def show(session: Session, outcome: Outcome) -> None:
    """Say it: sentences at a terminal, name and value in a pipe."""
    if not session.pretty:
        write("".join(record(name, _plain(value)) + "\n" for name, value in flat(outcome.data)))
        return
    from memd_cli.render import console

    for line in _SENTENCES[session.command](outcome.data):
        console().print(line, highlight=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return value["path"]
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


def _said_moved(data: dict[str, Any]) -> list[str]:
    about = f"{human.count(data['memories'], 'memory', 'memories')}, {human.size(data['bytes'])}"
    copies = f", and {human.count(len(data['backups']), 'copy', 'copies')} of it" if data["backups"] else ""
    if data["encryption"] == "off":
        return [
            f"[green]✓[/] The store is plain again: {about}.",
            "[dim]Its key stays in the keyring, for copies that need it.[/]",
        ]
    said = [f"[green]✓[/] The store is encrypted{copies}: {about}."]
    if data["encryption"] == "passphrase":
        said.append("  Without the passphrase nobody can read it, and nobody can bring it back: [bold]keep it[/].")
        said.append("  [dim]After each start of the daemon:[/] [cyan]memd unlock[/]")
    elif data["key_file"]:
        said.append(f"  Its key is in {human.path(data['key_file'])}, without which nobody can read it: keep a copy.")
        said.append(f"  [dim]For memd to find it:[/] [cyan]export {secret.KEY_FILE}={data['key_file']}[/]")
    else:
        said.append(f"  Its key {data['key']} is in the system's keyring. Without it nobody can read the store:")
        said.append("  keep a copy elsewhere: [cyan]memd key export FILE[/]")
    return said


def _said_unlocked(data: dict[str, Any]) -> list[str]:
    return ["[green]✓[/] " + ("The store is unlocked." if data["unlocked"] else "The store was unlocked already.")]


def _said_exported(data: dict[str, Any]) -> list[str]:
    return [f"[green]✓[/] The key {data['key']} is in {human.path(data['file'])}. Who has it can read the store."]


def _said_imported(data: dict[str, Any]) -> list[str]:
    return [f"[green]✓[/] The key {data['key']} is in the system's keyring."]


_SENTENCES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "encrypt": _said_moved,
    "decrypt": _said_moved,
    "rekey": _said_moved,
    "unlock": _said_unlocked,
    "key export": _said_exported,
    "key import": _said_imported,
}
