"""What the form of a turn tells: who speaks, and whether it asks."""

from __future__ import annotations

import re

# What follows the last sentence in brackets is a remark about it: a stage direction, an attachment, a smiley.
_REMARK = re.compile(r"\s*(?:\[[^\[\]]{0,500}\]|\([^()]{0,500}\))\s*$")
_CLOSING = " \t\r\n\"'”’»*_`)"
_TAIL = 2_000  # characters: whether a text ends in a question shows at its end

_SPEAKER = re.compile(r"\s*([^\W\d_][\w.'-]{0,30}(?: [^\W\d_][\w.'-]{0,30}){0,2}):\s")
_LABELS = frozenset({"note", "todo", "fixme", "warning", "error", "fix", "re", "fwd", "example", "see", "update", "ps"})


def asks(text: str) -> bool:
    """Whether `text` ends in a question, apart from closing quotes and a bracketed remark. O(1)."""
    tail = text[-_TAIL:].rstrip(_CLOSING)
    bare = _REMARK.sub("", text[-_TAIL:]).rstrip(_CLOSING)
    return tail.endswith(("?", "？")) or bare.endswith(("?", "？"))


def speaker(text: str) -> str:
    """The name before the colon that a turn begins with (`Ada Lovelace: …`), case-folded; empty without one.

    A name has one to three words that begin with a letter, the first with a capital one. O(1).
    """
    match = _SPEAKER.match(text[:200])
    if not match or not match[1][0].isupper() or match[1].casefold() in _LABELS:
        return ""
    return match[1].casefold()
