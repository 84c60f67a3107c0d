"""Every error a user can meet: a code for programs, a message for people, a hint for what to do next.

Standard library only: the thin client raises and prints these too.
"""

MESSAGE = 1_000  # characters of a message, and of a hint


class MemdError(Exception):
    """Base of all errors that memd raises on purpose.

    Attributes:
        code: stable, machine-readable name (`"not_found"`).
        message: what is wrong, in one sentence.
        hint: what to do next, in one sentence; may be empty.
        exit_code: what the command line exits with (1 nothing found, 2 wrong use, 3 can't serve).
    """

    code = "error"
    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        message, hint = _clipped(message), _clipped(hint)
        super().__init__(message)
        self.message = message
        self.hint = hint


def _clipped(words: str) -> str:
    """A message may quote what was given, and that may be a book."""
    return words if len(words) <= MESSAGE else words[:MESSAGE] + "…"


class BadInput(MemdError):
    """The caller gave something that can't be taken; the store is as it was."""

    code = "bad_input"
    exit_code = 2


class NotFound(MemdError):
    """No memory has this id or prefix."""

    code = "not_found"
    exit_code = 1


class Ambiguous(MemdError):
    """Several memories share the prefix."""

    code = "ambiguous_id"
    exit_code = 2


class Conflict(MemdError):
    """The store is in a state that forbids the change (say, restoring a text that was said again)."""

    code = "conflict"
    exit_code = 2


class StoreUnusable(MemdError):
    """The store can't be opened, read or written: damaged, foreign, newer, read-only, full."""

    code = "store_unusable"


class StoreFull(StoreUnusable):
    """The disk is full; what was acknowledged is safe."""

    code = "store_full"


class StoreReadOnly(StoreUnusable):
    """The store's folder or file can't be written."""

    code = "store_read_only"


class StoreCorrupt(StoreUnusable):
    """The file is damaged or isn't a memd store."""

    code = "store_corrupt"


class StoreNewer(StoreUnusable):
    """The file was written by a newer memd."""

    code = "store_newer"


class StoreBusy(StoreUnusable):
    """Another process held the write lock for too long."""

    code = "store_busy"


class StoreLocked(StoreUnusable):
    """The store is encrypted, and its key isn't at hand."""

    code = "store_locked"


class WrongKey(StoreUnusable):
    """The key or passphrase that was given doesn't open the file, which is as it was."""

    code = "wrong_key"


class KeyringUnavailable(MemdError):
    """The system has no keyring, or it doesn't answer."""

    code = "keyring_unavailable"


class EncryptionMissing(MemdError):
    """What reads and writes encrypted stores isn't installed: the extra `encryption`."""

    code = "encryption_missing"


class EncoderUnavailable(MemdError):
    """The encoder's files are missing or damaged. Recall goes on lexically and says so."""

    code = "encoder_unavailable"


class DaemonUnavailable(MemdError):
    """No daemon answers and none could be started."""

    code = "daemon_unavailable"


class VersionMismatch(MemdError):
    """Client and daemon speak different versions."""

    code = "version_mismatch"


class ProtocolError(MemdError):
    """A request that isn't valid JSON-RPC, or is over the limits."""

    code = "protocol"
    exit_code = 2


class MalformedFile(BadInput):
    """Another program's file can't be read as what it should be; it is as it was.

    Attributes:
        path, what: which file, and what is wrong with it.
        line, column: where, both from 1.
    """

    code = "malformed_file"

    path = what = ""
    line = column = 1

    @classmethod
    def at(cls, path: str, what: str, line: int, column: int) -> "MalformedFile":
        """The error of a place in a file."""
        hint = "The file is as it was. Correct it there and try again."
        error = cls(f"{path}, line {line}, column {column}: {what}", hint)
        error.path, error.what, error.line, error.column = path, what, line, column
        return error


class FileUnusable(MemdError):
    """Another program's file can't be read or written, or isn't what it should be; it is as it was."""

    code = "file_unusable"


class FileChanged(FileUnusable):
    """Another program's file changed between reading and writing it; what it holds now was left alone."""

    code = "file_changed"
