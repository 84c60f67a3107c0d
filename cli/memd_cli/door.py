"""The command line's door to the daemon: standard library only, and little of it.

    from memd_cli.door import Door
    with Door() as door:                                   # starts the daemon when none answers
        answer = door.call("recall", {"text": "port", "scope": "global"})   # the result, as plain JSON values
    # raises the types of memd.errors (import them where they are caught: `from memd.errors import MemdError`)

``dumps`` and ``loads`` are JSON without the 5 ms that importing ``json`` costs.
"""

from memd.daemon.client import Door
from memd.daemon.wire import dumps, loads
from memd.home import data_home

__all__ = ["Door", "data_home", "dumps", "loads"]
