"""The keys of encrypted stores: where they come from, and which of them this process knows.

A random key lies in the system's keyring, under its name, or in a key file. The key of a passphrase lies nowhere.
A process that found a key keeps it until it ends, so that what costs a quarter of a second is done once.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from memd import secret
from memd.errors import BadInput, KeyringUnavailable, MemdError, StoreLocked, WrongKey
from memd.store import cipher
from memd.store.cipher import INSTALL_HINT, KEY_BYTES, Key

SERVICE = "memd"  # what the keyring files keys under
SHORTEST = 8  # characters of a new passphrase
NO_KEYRING_HINT = (
    "Use a passphrase instead: memd encrypt --passphrase. Or a file that you look after: memd encrypt --key-file FILE"
)


class Keys:
    """The keys that this process knows, by the beginning of the files they open."""

    def __init__(self) -> None:
        self._known: dict[bytes, Key] = {}

    def of(self, path: Path) -> Key | None:
        """The key of a file; None where it isn't encrypted.

        Looks at what is known, then at MEMD_PASSPHRASE and MEMD_KEY_FILE, then in the keyring.

        Raises:
            StoreLocked: no key is at hand; the hint says how to give one.
            WrongKey: what is at hand doesn't open the file.
            EncryptionMissing: nothing is installed that could use it.
        """
        start = cipher.start_of(path)
        return self.of_salt(start, path) if cipher.is_encrypted(start) else None

    def of_salt(self, salt: bytes, path: Path) -> Key:
        """The same for an encrypted file that begins with `salt`."""
        if known := self._known.get(salt):
            return known
        cipher.sqlcipher()
        wrong: WrongKey | None = None
        for one in secret.given():
            try:
                return self.offer(one, path)
            except WrongKey as error:
                wrong = error
        if cipher.kind(salt) == "key":
            try:
                stored = from_keyring(cipher.name(salt))
            except KeyringUnavailable as error:
                raise wrong or _locked(path, salt, error.message) from None
            if stored:
                return self.offer(stored, path)
            raise wrong or _locked(path, salt, "The keyring doesn't have it.")
        raise wrong or _locked(path, salt, "")

    def offer(self, given: str, path: Path) -> Key:
        """Try a passphrase, or a key in hexadecimal digits, on an encrypted file, and keep it if it opens that.

        Raises:
            WrongKey: it doesn't.
            sqlite3.Error: the file can't be read.
        """
        salt = cipher.start_of(path)
        for key in _meant(given, salt):
            try:
                cipher.connect(path, key, "rw").close()
            except WrongKey:
                continue
            except sqlite3.DatabaseError as error:
                # It got past the first page, so the key fits. Who opens the file says what is wrong with it.
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
                    raise
            return self.keep(key)
        raise cipher.wrong_key(path, salt)

    def likely(self, path: Path, copies: Iterable[Path] = ()) -> list[Key]:
        """The keys at hand that a file too damaged to try one on may have: by its own beginning, and its copies'."""
        found: dict[Key, None] = {}
        for start in dict.fromkeys(cipher.start_of(file) for file in (path, *copies)):
            if not cipher.is_encrypted(start):
                continue
            secrets_given = secret.given()
            if cipher.kind(start) == "key":
                with suppress(KeyringUnavailable):
                    secrets_given.append(from_keyring(cipher.name(start)))
            known = [self._known[start]] if start in self._known else []
            found |= dict.fromkeys([*known, *(key for one in secrets_given for key in _meant(one, start))])
        return list(found)

    def keep(self, key: Key) -> Key:
        """Know a key from now on."""
        self._known[key.salt] = key
        return key


keys = Keys()


def random_key() -> Key:
    """A new key of 256 random bits."""
    return Key(cipher.new_salt("key"), secrets.token_bytes(KEY_BYTES))


def passphrase_key(passphrase: str) -> Key:
    """A new key by a passphrase. Raises BadInput where that is too short."""
    if len(passphrase) < SHORTEST:
        raise BadInput(f"A passphrase has at least {SHORTEST} characters.", "A few words in a row do well.")
    return cipher.derived(passphrase, cipher.new_salt("passphrase"))


def _meant(given: str, salt: bytes) -> Iterator[Key]:
    """The keys that a secret may stand for."""
    with suppress(ValueError):
        yield Key(salt, bytes.fromhex(given.strip()))
    if cipher.kind(salt) == "passphrase":
        yield cipher.derived(given, salt)


def _locked(path: Path, salt: bytes, why: str) -> StoreLocked:
    if cipher.kind(salt) == "passphrase":
        return StoreLocked(
            f"The store {path} is encrypted with a passphrase.",
            f"Run: memd unlock. A service reads {secret.KEY_FILE}, a file for its owner alone.",
        )
    return StoreLocked(
        f"The store {path} is encrypted, and its key {cipher.name(salt)} isn't at hand. {why}".rstrip(),
        "Where the keyring answers: memd unlock. With the key in a file: memd key import FILE, "
        f"or set {secret.KEY_FILE}.",
    )


# --- the keyring ---


def from_keyring(name: str) -> str:
    """The key of this name in hexadecimal digits; empty where the keyring doesn't have it.

    Raises:
        KeyringUnavailable: there is no keyring, or it doesn't answer.
    """
    with _asking() as keyring:
        return keyring.get_password(SERVICE, name) or ""


def into_keyring(key: Key) -> None:
    """File a key, and see that it is there. Raises KeyringUnavailable."""
    filed = cipher.name(key.salt)
    with _asking() as keyring:
        keyring.set_password(SERVICE, filed, key.raw.hex())
        if keyring.get_password(SERVICE, filed) != key.raw.hex():
            raise KeyringUnavailable("The system's keyring doesn't give back what was put in.", NO_KEYRING_HINT)


def out_of_keyring(key: Key) -> None:
    """Take out a key that opens nothing, if the keyring lets us."""
    with suppress(KeyringUnavailable), _asking() as keyring:
        keyring.delete_password(SERVICE, cipher.name(key.salt))


class _asking:
    """The keyring, whose backends raise whatever they like: all of it becomes KeyringUnavailable."""

    def __enter__(self) -> Any:
        try:
            import keyring
        except ImportError:
            raise KeyringUnavailable("The package keyring isn't installed.", INSTALL_HINT) from None
        return keyring

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, MemdError):
            from keyring.errors import NoKeyringError

            if isinstance(error, NoKeyringError):
                raise KeyringUnavailable("This system has no keyring that works.", NO_KEYRING_HINT) from None
            told = f"The system's keyring doesn't answer ({type(error).__name__})."
            raise KeyringUnavailable(told, f"Unlock it and try again. {NO_KEYRING_HINT}") from None


# --- key files ---


def into_file(key: Key, path: Path) -> None:
    """Write a random key to a new file for its owner alone. Raises BadInput where it can't be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, key.raw.hex().encode() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise BadInput(f"The key file {path} can't be made ({error.strerror}).", "Name a new file.") from None
