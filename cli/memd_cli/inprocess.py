"""The door that is no door: the daemon's verbs in this process, for ``--no-daemon``.

The same table of methods answers, with the same checks and the same shapes, over a store opened here. That
is safe beside a running daemon: SQLite has one writer at a time, whichever process it is in.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from memd.api import Memory


class InProcess:
    """Opens the store at the first call and closes it at the end. The same calls as `memd_cli.door.Door`.

    Args:
        home: the data folder; None means the user's own.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._home = home
        self._memory: Memory | None = None

    def call(self, method: str, params: Mapping[str, object]) -> Any:
        """Carry out one request; its result as plain JSON values.

        Raises:
            MemdError: as the daemon would answer.
        """
        import msgspec

        from memd.daemon.methods import Methods, Traffic
        from memd.errors import BadInput
        from memd_cli.door import data_home, dumps, loads

        try:
            request = msgspec.Raw(dumps(params).encode())
        except UnicodeEncodeError:
            raise BadInput("the text is not valid Unicode", "give UTF-8 text") from None
        if self._memory is None:
            from memd.api import Memory

            self._memory = Memory.open(self._home, encode="inline")
        home = str(self._home or data_home())
        methods = Methods(self._memory, home, Traffic(), threading.Event())
        return loads(msgspec.json.encode(methods.answer(method, request)).decode())

    def close(self) -> None:
        """Close the store."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
