"""The one place where SQLite's errors become memd's."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite3

from memd.errors import MemdError, StoreBusy, StoreCorrupt, StoreFull, StoreReadOnly, StoreUnusable

FULL_HINT = "Free some disk space and try again; everything acknowledged so far is safe."
READ_ONLY_HINT = "Make the folder writable for you, or point MEMD_HOME at one that is."
CORRUPT_HINT = (
    "Don't delete it: 'memd repair' reads out of it all that can be read, and says what can't. "
    "Or put a backup back: 'memd restore --from latest'."
)
BUSY_HINT = "Another program holds the store's write lock; try again, or see which one with 'memd daemon status'."

_PRIMARY_CODE = 0xFF  # the low byte of SQLite's extended result codes
_ERROR = 1
_CORRUPT, _NOTADB = 11, 26
_BUSY, _LOCKED = 5, 6
_READONLY, _CANTOPEN, _PERM = 8, 14, 3
_FULL, _IOERR = 13, 10
# The online backup raises errors without their code: SQLite's words for it (sqlite3_errstr).
_BY_WORDS = {
    "database disk image is malformed": _CORRUPT,
    "file is not a database": _NOTADB,
    "database is locked": _BUSY,
    "database table is locked": _LOCKED,
    "attempt to write a readonly database": _READONLY,
    "unable to open database file": _CANTOPEN,
    "database or disk is full": _FULL,
    "disk I/O error": _IOERR,
}
_NEARLY_FULL = 1 << 20  # bytes free under which a failed write is put down to the disk being full


def translate(error: sqlite3.Error, path: Path) -> MemdError | None:
    """The memd error that a user should see for `error`, or None when it is a fault of our own."""
    code = getattr(error, "sqlite_errorcode", _BY_WORDS.get(str(error), 0)) & _PRIMARY_CODE
    if code == _ERROR and "sqlite-vec" in str(error):  # it says no more than this, a full disk included
        code = _FULL if _disk_is_full(path) else _IOERR
    if code in (_CORRUPT, _NOTADB):
        return corrupt(path, str(error))
    if code in (_BUSY, _LOCKED):
        return StoreBusy(f"The store {path} is locked by another program.", BUSY_HINT)
    if code == _FULL or (code == _IOERR and _disk_is_full(path)):
        return StoreFull(f"The disk is full: the store {path} can't be written.", FULL_HINT)
    if code in (_READONLY, _PERM) or (code == _IOERR and _is_read_only(path)):
        return StoreReadOnly(f"The store {path} can't be written.", READ_ONLY_HINT)
    if code == _CANTOPEN:
        return StoreUnusable(f"The store {path} can't be opened ({error}).", READ_ONLY_HINT)
    if code == _IOERR:
        return StoreUnusable(
            f"Reading or writing the store {path} failed ({error}).",
            "Check the disk and its quota; everything acknowledged so far is safe.",
        )
    return None


def translate_os(error: OSError, path: Path) -> MemdError:
    """The same for an error that the operating system raised while the store was set up."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"The disk is full: the store {path} can't be created.", FULL_HINT)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreReadOnly(f"The store {path} can't be written ({os.strerror(error.errno)}).", READ_ONLY_HINT)
    return StoreUnusable(f"The store {path} can't be opened ({error.strerror or error}).", READ_ONLY_HINT)


def corrupt(path: Path, what: str) -> StoreCorrupt:
    """A damaged store, and what to do about it."""
    return StoreCorrupt(f"The store {path} is damaged ({what}).", CORRUPT_HINT)


def _is_read_only(path: Path) -> bool:
    """Whether the file system is, perhaps since a moment ago: the system turns it so when the disk fails."""
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _disk_is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NEARLY_FULL
    except OSError:
        return False
