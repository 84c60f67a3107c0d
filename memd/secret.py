"""The secret that a process was given: MEMD_PASSPHRASE, or the content of the file that MEMD_KEY_FILE names.

Standard library only: the thin client passes through here when the daemon says that the store is locked. A variable
can be read by whoever may read the process, which is its owner; a command line by everybody, so none is taken there.
"""

import os
import stat

from memd.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PASSPHRASE, KEY_FILE = "MEMD_PASSPHRASE", "MEMD_KEY_FILE"
LONGEST = 4096  # bytes of a key file


def given(environ: "Mapping[str, str]" = os.environ) -> "list[str]":
    """The secrets at hand, the passphrase first; empty when there is none.

    Raises:
        BadInput: the key file can't be read, is empty, or others than its owner can read it.
    """
    found = [environ[PASSPHRASE]] if environ.get(PASSPHRASE) else []
    if path := environ.get(KEY_FILE):
        found.append(read(path))
    return found


def read(path: str) -> str:
    """The secret in a file: its first line. Raises BadInput, as `given` does."""
    try:
        file = os.open(os.path.expanduser(path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            info = os.fstat(file)
            content = os.read(file, LONGEST)
        finally:
            os.close(file)
    except OSError as error:
        raise BadInput(f"The key file {path} can't be read ({error.strerror}).", f"See {KEY_FILE}.") from None
    if not stat.S_ISREG(info.st_mode) or info.st_uid not in (os.getuid(), 0):
        raise BadInput(f"The key file {path} isn't a file of yours.", f"See {KEY_FILE}.")
    if info.st_mode & 0o077:
        raise BadInput(f"The key file {path} can be read by others.", f"chmod 600 {path}")
    try:
        line = content.decode().split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        line = ""
    if not line:
        raise BadInput(f"The key file {path} holds no line of text.", "It is a passphrase, or 64 hexadecimal digits.")
    return line
