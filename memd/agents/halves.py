r"""Messages with half a surrogate pair in them (``\ud83d`` alone), as JavaScript writes a text cut in an emoji.

The SDK takes such a line for no JSON and answers nothing, and the agent waits. Here each half becomes a question mark
before the SDK reads it.
"""

from __future__ import annotations

import json
import os
import re
import threading
from typing import BinaryIO

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def mend_input() -> None:
    """Put a thread between standard input (file descriptor 0) and whoever reads it from now on."""
    source = os.fdopen(os.dup(0), "rb")
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    threading.Thread(target=_pass_on, args=(source, writing), name="memd-input", daemon=True).start()


def mended(line: bytes) -> bytes:
    """A line of JSON without halves of pairs; one that has none, or is no JSON, as it is."""
    if not _HALF.search(line):
        return line
    try:
        text = json.dumps(json.loads(line), ensure_ascii=False)
    except (ValueError, RecursionError):
        return line
    return text.encode("utf-8", "replace") + b"\n"


def _pass_on(source: BinaryIO, writing: int) -> None:
    with os.fdopen(writing, "wb", buffering=0) as sink:
        for line in source:
            rest = memoryview(mended(line))
            while rest:
                rest = rest[sink.write(rest) or 0 :]
