"""Secrets and private parts of a text, taken out before anything is stored.

What has the form of a known credential is found by detect-secrets' detectors and the forms below; what has none, by
its name (`password = …`, `Authorization: Bearer …`) or, where it has neither, by its randomness. A mark that names the
kind stands where it was. Hashes, UUIDs and lock files have randomness too, so that alone convicts only what no digest
is written in: long runs of mixed case and digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import log2
from typing import NamedTuple

from memd.text.credentials import FORMS, NAMED, PLACEHOLDER, known_forms

PRIVATE = "private"
SHORTEST = 12  # characters: a shorter group of a form is its prefix

_OPEN, _CLOSE = "<private>", "</private>"
_TAG = re.compile(r"</?private>", re.IGNORECASE)

# A line is worth the detectors' time when it has a run that a credential could be.
_WORTH = re.compile(r"(?<![A-Za-z0-9_\-+/=.~])(?=[A-Za-z_\-+/=.~]*\d)[A-Za-z0-9_\-+/=.~]{20}")

_RUN = re.compile(r"(?<![A-Za-z0-9+/_\-=])[A-Za-z0-9+/_\-]{32,200}={0,2}(?![A-Za-z0-9+/_\-=])")
_DIGEST_BEFORE = re.compile(
    r"(?:sha\d{1,3}|md5|blake\d\w?|integrity|digest|checksum|hash|nonce|base64,|\bh1:|ssh-\w+|ecdsa-[\w-]+)[\"'\s:=_-]*$",
    re.I,
)
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[a-z]{7}|[A-Z]{7}")  # names and paths have words, random runs hardly ever
_BITS_RANDOM = 4.2  # bits a character (Shannon): 40 random base64 characters have 4.6 to 4.9, paths and names below 4.2


class Span(NamedTuple):
    """Characters [start, stop) of a text, and what they are."""

    start: int
    stop: int
    kind: str


class Redacted(NamedTuple):
    """A text without its secrets, and what was taken out, in order of the text (kinds, one for each)."""

    text: str
    kinds: tuple[str, ...]


def redact(text: str, allowed: Iterable[str] = ()) -> Redacted:
    """Take out private parts and secrets. O(len(text)).

    Args:
        text: any text.
        allowed: secrets that are none (documented examples, test keys): left as they are wherever they stand.

    Returns:
        The text, the very same object where there is nothing to take out.
    """
    spans = list(private_parts(text)) if "<" in text else []
    spans += secrets(text, frozenset(allowed))
    if not spans:
        return Redacted(text, ())
    parts, kinds, end = [], [], 0
    for span in _apart(spans):
        parts += [text[end : span.start], "" if span.kind == PRIVATE else mark(span.kind)]
        kinds.append(span.kind)
        end = span.stop
    return Redacted("".join((*parts, text[end:])), tuple(kinds))


def mark(kind: str) -> str:
    """What stands in the place of a secret."""
    return f"[redacted: {kind}]"


def private_parts(text: str) -> Iterator[Span]:
    """`<private>…</private>`, nested ones whole; one that isn't closed goes on to the end."""
    depth, start = 0, 0
    for tag in _TAG.finditer(text):
        if tag.group().lower() == _OPEN:
            start = start if depth else tag.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield Span(start, tag.end(), PRIVATE)
    if depth:
        yield Span(start, len(text), PRIVATE)


def secrets(text: str, allowed: frozenset[str] = frozenset()) -> list[Span]:
    """The secrets of a text, in any order; they may overlap."""
    found = [*_formed(text), *_named(text), *_random(text)]
    return [span for span in found if text[span.start : span.stop] not in allowed]


def _formed(text: str) -> Iterator[Span]:
    """What has the form of a known credential."""
    for kind, clues, form in FORMS:
        if not any(clue in text for clue in clues):
            continue
        group = "secret" if "secret" in form.groupindex else 0
        for match in form.finditer(text):
            if not (group and PLACEHOLDER.match(match.group(group))):
                yield Span(match.start(group), match.end(group), kind)
    for start, line in _lines(text):
        for kind, form in known_forms():
            for match in form.finditer(line):
                group = match.lastindex if match.lastindex and len(match.group(match.lastindex)) >= SHORTEST else 0
                if not PLACEHOLDER.match(match.group(group)):
                    yield Span(start + match.start(group), start + match.end(group), kind)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are worth a look, each with the place where it begins."""
    end = 0
    for match in _WORTH.finditer(text):
        if match.start() >= end:
            start = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", match.end())
            end = len(text) if end < 0 else end
            yield start, text[start:end]


def _named(text: str) -> Iterator[Span]:
    """What stands behind a name that says it is a secret."""
    lower = text.lower()
    for rule in NAMED:
        if not any(clue in lower for clue in rule.clues):
            continue
        for match in rule.form.finditer(text):
            value = match.group("secret")
            if rule.holds(value, bool(match.groupdict().get("quote"))):
                yield Span(match.start("secret"), match.end("secret"), rule.kind)


def _random(text: str) -> Iterator[Span]:
    """Long runs of mixed case and digits that no digest, name or path looks like."""
    for match in _RUN.finditer(text):
        run = match.group()
        if is_random(run) and not _DIGEST_BEFORE.search(text, max(0, match.start() - 24), match.start()):
            yield Span(match.start(), match.end(), "high-entropy string")


def is_random(run: str) -> bool:
    """Whether a run of characters is drawn by lot, as far as it can be told: no digest in hex, no words, no path."""
    digits, upper, lower = len(_DIGITS.findall(run)), sum(map(str.isupper, run)), sum(map(str.islower, run))
    if digits < 3 or upper < 4 or lower < 4 or run.count("/") + run.count("-") + run.count("_") > len(run) // 8:
        return False
    return not _WORD.search(run) and entropy(run) >= _BITS_RANDOM


def entropy(run: str) -> float:
    """Bits a character, -Σ p·log₂ p over its characters (Shannon 1948); 0 for an empty run."""
    shares = [run.count(character) / len(run) for character in set(run)]
    return -sum(share * log2(share) for share in shares)


def _apart(spans: Sequence[Span]) -> list[Span]:
    """Overlapping and touching spans as one, which has the kind of the first and longest; in order of the text."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.stop)):
        if joined and span.start < joined[-1].stop:
            last = joined[-1]
            kind = PRIVATE if PRIVATE in (last.kind, span.kind) else last.kind
            joined[-1] = Span(last.start, max(last.stop, span.stop), kind)
        else:
            joined.append(span)
    return joined
