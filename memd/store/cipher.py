"""SQLite files, plain or encrypted: told apart by their first bytes, opened with the library that reads them.

Every connection to a file of memd's is made here. An encrypted one is a database of SQLCipher 4 with its own defaults
(AES-256 in CBC mode and HMAC-SHA512 for each page, in the file and in its write-ahead log), so that `sqlcipher` opens
it with the same key. SQLCipher begins a file with 16 bytes of salt. memd chooses them: a mark, whether the key is
random or comes from a passphrase, and 80 random bits, which name the key. So a file says for itself which key it needs.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import sqlite_vec
from pysqlite3 import dbapi2 as sqlite3

from memd.errors import EncryptionMissing, WrongKey
from memd.store.failures import translate_os

Kind = Literal["key", "passphrase"]
Encryption = Literal["off", "key", "passphrase"]
Mode = Literal["rwc", "rw", "ro", "copy"]

START = 16  # bytes of a file that tell what it is
KEY_BYTES = 32
PLAIN = b"SQLite format 3\0"
_MARK = b"memd\xc3"
_KINDS: dict[Kind, bytes] = {"key": b"K", "passphrase": b"P"}
_ITERATIONS = 256_000  # of PBKDF2-HMAC-SHA512: SQLCipher 4's own, so that other programs derive the same key
_NOT_A_DATABASE = 26
_ERRORS = (
    "InterfaceError", "DatabaseError", "InternalError", "OperationalError", "ProgrammingError", "IntegrityError",
    "DataError", "NotSupportedError",
)  # fmt: skip

INSTALL_HINT = "Install it where memd is: pip install 'memdaemon[encryption]'"


@dataclass(frozen=True)
class Key:
    """What opens the files that begin with `salt`: 32 bytes, which are never shown."""

    salt: bytes
    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if (len(self.salt), len(self.raw)) != (START, KEY_BYTES):  # SQLCipher would take its spec for a passphrase
            raise ValueError("a salt has 16 bytes and a key 32")

    @property
    def spec(self) -> str:
        """As SQLCipher takes it; nothing is derived then but the key of the HMAC, by two rounds."""
        return f"x'{self.raw.hex()}{self.salt.hex()}'"


def new_salt(kind: Kind) -> bytes:
    """The beginning of a new encrypted file, and of all copies of it."""
    return _MARK + _KINDS[kind] + secrets.token_bytes(START - len(_MARK) - 1)


def is_encrypted(start: bytes) -> bool:
    """Whether a file that begins so is encrypted."""
    return len(start) == START and start.startswith(_MARK) and start[len(_MARK) :][:1] in _KINDS.values()


def kind(salt: bytes) -> Kind:
    """What opens an encrypted file: a key that lies somewhere, or one that a passphrase gives."""
    letter = salt[len(_MARK) :][:1]
    return next(kind for kind, known in _KINDS.items() if known == letter)


def encryption(start: bytes) -> Encryption:
    """What opens a file that begins so."""
    return kind(start) if is_encrypted(start) else "off"


def name(salt: bytes) -> str:
    """The key's name: what is told of it, and what it is filed under."""
    return salt[len(_MARK) + 1 :].hex()


def derived(passphrase: str, salt: bytes) -> Key:
    """The key of a passphrase; takes a quarter of a second, on purpose (PBKDF2, RFC 8018)."""
    words = passphrase.encode("utf-8", "surrogateescape")
    return Key(salt, hashlib.pbkdf2_hmac("sha512", words, salt, _ITERATIONS, KEY_BYTES))


class OpenFiles:
    """The files that this process has open, and what each begins with.

    They must not be opened and closed by anything but SQLite: a process loses all its locks on a file when it closes
    any descriptor of it (POSIX), and then another one takes the write-ahead log away under it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._starts: dict[tuple[int, int], bytes] = {}
        self._uses: Counter[tuple[int, int]] = Counter()

    def start_of(self, path: Path) -> bytes:
        """The first bytes of a file; none where there is no file."""
        try:
            with self._lock:
                return self._look(path)[0]
        except FileNotFoundError:
            return b""

    def enter(self, path: Path) -> tuple[bytes, tuple[int, int]]:
        """Count a user of a file in, before it connects; how the file begins, and what `leave` wants."""
        with self._lock:  # all the while: between a look and its end nobody may connect
            start, file = self._look(path)
            self._uses[file] += 1
            self._starts[file] = start or PLAIN  # an empty one is about to be a plain one
        return start, file

    def in_use(self, path: Path) -> bool:
        """Whether this process has the file open."""
        info = os.stat(path)
        with self._lock:
            return (info.st_dev, info.st_ino) in self._uses

    def _look(self, path: Path) -> tuple[bytes, tuple[int, int]]:
        info = os.stat(path)
        if known := self._starts.get((info.st_dev, info.st_ino)):
            return known, (info.st_dev, info.st_ino)
        with path.open("rb") as file:
            info = os.fstat(file.fileno())
            return file.read(START), (info.st_dev, info.st_ino)

    def leave(self, file: tuple[int, int]) -> None:
        """Count one out, once its connections are closed."""
        with self._lock:
            self._uses[file] -= 1
            if not self._uses[file]:
                del self._uses[file], self._starts[file]


open_files = OpenFiles()


def start_of(path: Path) -> bytes:
    """The first bytes of a file; none where there is no file. Raises StoreUnusable where it can't be read."""
    try:
        return open_files.start_of(path)
    except OSError as error:
        raise translate_os(error, path) from error


def connect(
    path: Path, key: Key | None, mode: Mode = "rwc", timeout: float = 15.0, library: Any = None, **options: Any
) -> Any:
    """A connection in autocommit mode, with sqlite-vec loaded: a `pysqlite3` one, or where there is a key its like.

    Args:
        path: the file.
        key: of an encrypted file; None for a plain one.
        mode: `"rwc"` makes the file where there is none, `"rw"` doesn't, `"ro"` reads only, `"copy"` reads what
            nobody changes.
        timeout: seconds to wait for a lock.
        library: what connects; None: as the key wants it. SQLCipher's reads plain files too.
        **options: of `sqlite3.connect`.

    Raises:
        EncryptionMissing: there is a key, and nothing is installed that could use it.
        WrongKey: it isn't the key of this file.
        sqlite3.Error: as SQLite has it.
    """
    if library is None:
        library = sqlite3 if key is None else sqlcipher()
    # `immutable`: no lock, and no -wal file beside it.
    query = "mode=ro&immutable=1" if mode == "copy" else f"mode={mode}"
    connection = library.connect(uri(path, query), uri=True, isolation_level=None, timeout=timeout, **options)
    try:
        if key is not None:
            unlock(connection, path, key)
        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        connection.enable_load_extension(False)
    except BaseException:
        connection.close()
        raise
    return connection


def uri(path: Path, query: str) -> str:
    """A file as SQLite's URI."""
    return f"file:{quote(os.fsencode(path))}?{query}"


def unlock(connection: Any, path: Path, key: Key) -> None:
    """Give a fresh connection of SQLCipher its key, and see that it fits. Raises WrongKey, sqlite3.Error."""
    connection.execute("PRAGMA cipher_log_level = NONE")  # it writes to standard error
    connection.execute(f'PRAGMA key = "{key.spec}"')
    connection.execute("PRAGMA temp_store = MEMORY")  # what spills to a temporary file would be plain
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == _NOT_A_DATABASE:
            raise wrong_key(path, key.salt) from None
        raise


def wrong_key(path: Path, salt: bytes) -> WrongKey:
    """A key that doesn't fit, and what to do about it."""
    if kind(salt) == "passphrase":
        return WrongKey(f"That passphrase doesn't open {path}.", "Try again; the file was left as it was.")
    return WrongKey(
        f"The key {name(salt)} doesn't open {path}: it is another key, or the file's beginning is damaged.",
        "If you exported the key: memd key import FILE. Else restore a backup; the file was left as it was.",
    )


def version() -> str:
    """Of SQLCipher. Raises EncryptionMissing."""
    connection = sqlcipher().connect(":memory:")
    try:
        return str(connection.execute("PRAGMA cipher_version").fetchone()[0])
    finally:
        connection.close()


@cache
def sqlcipher() -> Any:
    """`sqlcipher3`, imported only here. Its errors are made kinds of pysqlite3's: who catches those catches these.

    Raises:
        EncryptionMissing: it isn't installed.
    """
    try:
        from sqlcipher3 import dbapi2
    except ImportError:
        raise EncryptionMissing("The store is encrypted, and this memd can't read such.", INSTALL_HINT) from None
    for error in _ERRORS:
        ours = getattr(dbapi2, error)
        ours.__bases__ = (*ours.__bases__, getattr(sqlite3, error))
    return dbapi2
