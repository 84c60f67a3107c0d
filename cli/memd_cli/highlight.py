"""Which words of a passage a query matched, and the lines worth showing of it."""

from __future__ import annotations

import re

from rich.console import Console
from rich.text import Text

from memd_cli.session import visible

STYLE = "bold yellow"
_WORD = re.compile(r"[^\W_]+")
_SUFFIXES = ("ations", "ation", "ingly", "edly", "ings", "ing", "ers", "er", "ies", "ied", "ion", "es", "ed", "ly", "s")
_MOST = 6000  # characters of a passage that are looked at; a screen holds fewer


def stem(word: str) -> str:
    """About what the index's porter stemmer leaves, for marking words: close is good enough here."""
    word = word.lower()
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    return word[:-1] if len(word) > 3 and word[-1] in "eiy" else word


def wanted(query: str) -> frozenset[str]:
    """The stems of a query's words that mean something."""
    from memd.text.words import STOP_WORDS, terms

    return frozenset(stem(term) for term in terms(query) if term not in STOP_WORDS)


def marked(text: str, stems: frozenset[str]) -> Text:
    """The text, safe for a terminal, with the words of the query in colour."""
    shown = Text(visible(text).expandtabs(4))
    for match in _WORD.finditer(shown.plain):
        if stem(match[0]) in stems:
            shown.stylize(STYLE, match.start(), match.end())
    return shown


def excerpt(text: str, stems: frozenset[str], console: Console, width: int, most: int) -> Text:
    """The `most` lines of a passage, wrapped to `width`, that hold the most words of the query."""
    cut = _around_first(text.strip("\n"), stems)
    lines = [line for line in marked(cut, stems).wrap(console, width) if line.plain.strip()]
    for line in lines:
        line.rstrip()
    if len(lines) <= most:
        return Text("\n").join(lines)
    marks = [len(line.spans) for line in lines]
    start = max(range(len(lines) - most + 1), key=lambda i: (sum(marks[i : i + most]), -i))
    chosen = lines[start : start + most]
    if start:
        chosen[0] = _with_dots(chosen[0], width, before=True)
    if start + most < len(lines):
        chosen[-1] = _with_dots(chosen[-1], width, before=False)
    return Text("\n").join(chosen)


def _around_first(text: str, stems: frozenset[str]) -> str:
    if len(text) <= _MOST:
        return text
    first = next((m.start() for m in _WORD.finditer(text) if stem(m[0]) in stems), 0)
    start = max(0, min(first - _MOST // 4, len(text) - _MOST))
    return text[start : start + _MOST]


def _with_dots(line: Text, width: int, *, before: bool) -> Text:
    dots = Text("…", style="dim")
    if line.cell_len >= width:
        line.truncate(width - 1)
    return dots + line if before else line + dots
