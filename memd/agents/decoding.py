"""JSON as agents write it, as text that memd can hold. Pure.

JavaScript cuts a text in the middle of an emoji: what is left is half a surrogate pair, JSON to some and no text, and a
question mark takes its place. NUL is a character to JSON and can't be in a memory: it is left out.
"""

from __future__ import annotations

import json
import re
from typing import Any

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # not where the backslash is itself escaped


def decode(raw: bytes) -> Any:
    """The value of a JSON text. Raises ValueError, RecursionError."""
    if b"\\u0000" in raw:
        raw = _NUL.sub(rb"\1", raw)
    value = json.loads(raw)
    if b"\\ud" in raw or b"\\uD" in raw:
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value
