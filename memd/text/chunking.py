"""Where to cut a text into passages: all of it, in pieces the encoder can read whole, at its own joints."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

TOKENS = 254  # what the encoder reads at once, its two special tokens aside
CHARACTERS = 4096  # white space and unbroken runs give few tokens; a passage stays readable all the same
WINDOW = 1 << 16  # characters looked at together, so that a long text doesn't fill the memory with offsets

Spans = list[tuple[int, int]]
Offsets = Sequence[tuple[int, int]]

# Joints, the strongest first. Each match ends where the next passage may begin.
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n\s*")
_SENTENCE = re.compile(r"[.!?…][)\]\"'”’»]*\s+|[。！？]")
_WORD = re.compile(r"\s+")
_PART = re.compile(r"[^\w\s]+")
_JOINTS = (_BLANK_LINE, _LINE, _SENTENCE, _WORD)

_ZERO_WIDTH_JOINER = "\u200d"
_JOINED_ON = _ZERO_WIDTH_JOINER + "\ufe0f" + "".join(map(chr, range(0x1F3FB, 0x1F400)))  # variants and skin tones

_PSEUDO_TOKEN = re.compile(r"[A-Za-z]{1,4}|[^\sA-Za-z]")


def cut(text: str, offsets: Callable[[str], Offsets] | None = None, most: int = TOKENS) -> Spans:
    """The passages of a text of any length, as `passages` gives them, in memory bounded by one window.

    Args:
        text: what to cut.
        offsets: the tokenizer's (begin, end) of every token of a text; None estimates them.
        most: tokens of a passage.
    """
    if text.isascii() and len(text) <= most:
        return [(0, len(text))]  # a token has at least one character
    offsets = offsets or estimated_offsets
    spans: Spans = []
    start = 0
    while True:
        window = text[start : start + WINDOW]
        found = passages(window, offsets(window), most)
        if start + WINDOW >= len(text):
            spans += [(start + a, start + b) for a, b in found]
            return spans
        # The last two passages were cut short, or balanced against the window's end: look at them again.
        kept = found[:-2] or found[:1]
        spans += [(start + a, start + b) for a, b in kept]
        start = spans[-1][1]


def passages(text: str, offsets: Offsets, most: int = TOKENS) -> Spans:
    """Character spans [start, stop) that follow on each other and cover all of `text`.

    Each holds at most `most` tokens and `CHARACTERS` characters. A span ends at the strongest joint in the
    second half of what would fit (blank line, line, sentence, word), inside a word only when the word alone
    doesn't fit. The last two are balanced.

    Args:
        text: what to cut; empty gives no span.
        offsets: (begin, end) of each of its tokens, in order.
        most: tokens of a passage.
    """
    begins = [begin for begin, _ in offsets]
    spans: Spans = []
    start = token = 0
    while start < len(text):
        stop = _next_stop(text, begins, start, token, most)
        spans.append((start, stop))
        start, token = stop, bisect_left(begins, stop, lo=token)
    return spans


def estimated_offsets(text: str) -> list[tuple[int, int]]:
    """Offsets of about as many pieces as there would be tokens, rather more than fewer, without a tokenizer."""
    return [match.span() for match in _PSEUDO_TOKEN.finditer(text)]


def _next_stop(text: str, begins: Sequence[int], start: int, token: int, most: int) -> int:
    """The end of the passage that starts at character `start`, whose first token is number `token`."""
    left = len(begins) - token
    full = begins[token + most] if left > most else len(text)
    full = min(max(full, start + 1), start + CHARACTERS)
    if full >= len(text):
        return len(text)
    low, aim = start + (full - start) // 2, full
    if left <= 2 * most and len(text) - start <= 2 * CHARACTERS:
        # Two passages remain: make them alike, as far as the second can take it.
        least = begins[token + left - most] if left > most else start
        low = min(max(low, least, len(text) - CHARACTERS), full)
        aim = min(max((start + len(text)) // 2, low), full)
    for joint in _JOINTS:
        if ends := list(_ends(joint, text, low, full)):
            return min(ends, key=lambda end: abs(end - aim))
    for joint in (_WORD, _PART):
        if ends := list(_ends(joint, text, start + 1, full)):
            return _between_characters(text, start, ends[-1])
    return _between_characters(text, start, full)


def _ends(joint: re.Pattern[str], text: str, low: int, high: int) -> Iterable[int]:
    """Where matches of `joint` end within [low, high]. A joint that reaches over `high` may be cut in two."""
    for match in joint.finditer(text, max(low - 8, 0), high):
        if low <= match.end() <= high:
            yield match.end()


def _between_characters(text: str, start: int, stop: int) -> int:
    """`stop`, moved back to where it parts no mark from its letter and no joined emoji, if that leaves anything."""
    back = stop
    while back > start + 1 and (
        unicodedata.combining(text[back]) or text[back] in _JOINED_ON or text[back - 1] == _ZERO_WIDTH_JOINER
    ):
        back -= 1
    return back if back > start + 1 else stop
