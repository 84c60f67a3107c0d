"""The data folder and the names in it. Standard library only, and little of it: the thin client passes through here."""

# Not pathlib: its import takes longer than all that is imported here.
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

STORE = "memd.db"
CONFIG = "config.toml"
LOCK = "daemon.lock"  # locked by the daemon for as long as it lives
RENDEZVOUS = "daemon.pid"  # written once it answers: process id, socket path, version, a line each
LOG = "daemon.log"
ENCODERS = "encoders"  # a folder for each encoder that was added
CHOICE = "encoder"  # the name of the one in use; without it, the built-in one
HOOK_SPOOL = "hooks"  # a folder of what hooks left that found no daemon
HOOK_LOG = "hooks.log"  # a line for each hook that could not do its work


def data_home(environ: "Mapping[str, str] | None" = None) -> str:
    """The data folder: MEMD_HOME, else where platformdirs puts user data (the same rule, without its import)."""
    env = os.environ if environ is None else environ
    if own := env.get("MEMD_HOME", ""):
        return os.path.abspath(os.path.expanduser(own))
    base = env.get("XDG_DATA_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(
            _user_home(env), "Library/Application Support" if sys.platform == "darwin" else ".local/share"
        )
    return os.path.join(base, "memd")


def project_root(folder: str) -> "str | None":
    """The root of the repository around a folder, symbolic links resolved; None outside of one."""
    folder = os.path.realpath(folder)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _user_home(env: "Mapping[str, str]") -> str:
    """HOME, or the password file's word where that is missing or relative."""
    home = env.get("HOME", "")
    if os.path.isabs(home):
        return home
    import pwd

    return pwd.getpwuid(os.getuid()).pw_dir
