"""A text as statements, and a statement as what the rules compare: its subject, its words, its values, its sense."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from memd.text.words import listed
from memd.truth import lexicon as lex

MOST = 40  # statements of a text that are looked at
LONGEST = 400  # characters of a statement

_BREAK = re.compile(r"(?<=[a-z0-9)\]`'\"][.!?])\s+(?=[A-Z`\"'(\[])|(?<=[a-z0-9)][.;!?])\s+|\n+|\s+[—–]\s+|;\s+")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+|^#+\s+")
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# A line that goes on in the next: it is long, ends without a stop, and what follows is no setting of its own.
_WRAPPED = re.compile(r"(?<=[^\n]{50})(?<![.!?:;|])[ \t]*\n[ \t]*(?=[a-z(`](?!\w*[ \t]*[=:]))")
# Prompts, tables, directives, fields, tags, images and targets of links.
_MARKUP = re.compile(r"\s*(?:>>>|\.\.\s|\$\s|[|│├└┌╭╰<]|:[\w-]+:|!?\[[^\]]*\](?:[:(]|$))")
# What is set to more than a value, imports, definitions, pairs of quoted keys. `max_size = 10` is a statement.
_LINE_OF_CODE = re.compile(
    r"\s*(?:[\w.]+\s*=\s*[^=\s].*[({\[]|from \S+ import\b|import [\w.]+$|(?:def|class) \w+[(:]"
    r"|(?:yield|return|await) [\w.]*[({\[]"
    r"|[\"']\w+[\"']\s*:|\w+\()"
)
_MOMENT = "|".join([*lex.MONTHS, *lex.DAYS, "last", "then", r"v?\d", r"\w+ \d"])
_REASON = re.compile(
    rf"(?:,?\s+(?:because|so that|in order to|due to|which|as it|as they|since (?:it|they|we|the|that|{_MOMENT})"
    r"|thanks to|for (?:now|historical reasons|compatibility)|as of|effective|starting"
    r"|to (?:avoid|prevent|keep|save|make))\b.*)$|\s*\([^()]*\)",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"https?://\S+|~?[\w.@-]*/[\w./@{}*-]*|--?[a-z][\w-]*|\d{1,2}:\d\d\b|v?\d+(?:\.\d+)+(?:[-+][\w.]+)?|\d[\d,_]*(?:\.\d+)?|%"
    r"|[A-Za-z_][\w']*(?:[.\-+#@][\w+#]+)*|[:=]"
)
_GLUED = re.compile(r"(\d[\d,_]*(?:\.\d+)?)([a-z%]+)$", re.IGNORECASE)


_AUXILIARY = listed("""
    is are was were isn't aren't wasn't weren't has have can can't must mustn't should shouldn't will won't does
    doesn't do don't did didn't cannot may : =
""")
_ODD = frozenset(lex.NUMBERS)  # words that are numbers
_SUBJECTS = listed("we you i they he she")
_SORTS = listed("option flag command subcommand argument parameter method function class field property endpoint")
_POINTING = listed("it that this these those can't cannot couldn't")
_TALKING = _SUBJECTS | _POINTING | listed("me my us our your let here")
DETERMINERS = listed("the our your their my this each every all a an")
_BEING = listed("is are was were be been being isn't aren't wasn't weren't not")
_TELLING = lex.VERBS | lex.EVENT | lex.MOVING | lex.REMOVING | lex.REPLACING


class Token(NamedTuple):
    """A word or a value of a statement.

    Attributes:
        key: what it is compared by: a stem, or a value in one spelling.
        kind: word, number, version, path, date or flag; a number's with its dimension (`number time`).
        text: as written.
        place: its position in the statement.
        lead: the preposition right before its phrase, else empty.
        role: where it stands: subject, verb or object.
    """

    key: str
    kind: str
    text: str
    place: int
    lead: str
    role: str


class Statement(NamedTuple):
    """A statement taken apart.

    Attributes:
        text: as written.
        tokens: what it says, without stop words.
        verb: the stem of what it says of its subject; empty for `is` and where none is found.
        negative: whether it denies.
        conditions: words that limit when it holds.
        imperative: it begins with its verb.
        finite: it says something of its subject: it isn't a heading, a name or a cry.
        words: all its words in lower case, stop words and all.
        keys: of its tokens.
    """

    text: str
    tokens: tuple[Token, ...]
    verb: str
    negative: bool
    conditions: frozenset[str]
    imperative: bool
    finite: bool
    words: tuple[str, ...]
    keys: frozenset[str]


def split(text: str) -> list[str]:
    """The statements of a text: sentences, list items, lines; at most `MOST`. No questions, markup or code."""
    plain = _WRAPPED.sub(" ", _CODE.sub("\n", text))
    found = []
    for piece in _BREAK.split(plain):
        part = _BULLET.sub("", piece).strip().rstrip(".!?;,")
        if _MARKUP.match(piece) or _LINE_OF_CODE.match(piece):
            continue
        if piece.rstrip(" \t*_`\"')”»").endswith("?"):
            continue  # it asks
        if 6 <= len(part) <= LONGEST and re.search(r"[\s=:]", part):
            found.append(part)
    return found[:MOST]


@lru_cache(maxsize=4096)
def parse(text: str) -> Statement:
    """Take a statement apart."""
    plain = _REASON.sub("", text.replace("`", " ").replace("**", "").replace("’", "'").replace('"', " "))
    raw = _tokens(plain)
    words = tuple(word.lower() for word in raw)
    verb_at = _verb(words)
    negative, skipped = _sense(words)
    tokens: list[Token] = []
    lead = ""
    flips = 0
    verb = ""
    for place, word in enumerate(words):
        role = "subject" if place < verb_at else "verb" if place == verb_at else "object"
        if word in lex.PREPOSITIONS:
            lead = "with" if word == "using" else word
            continue
        if word in skipped or word in ":=" or word in lex.NEGATIONS or word in ("off", "on"):
            continue
        kind, key = _value(raw, place)
        if place == verb_at and key in ("hav", "need"):
            verb = key
        if kind == "unit" or (kind == "word" and word in lex.STOP):
            continue
        if kind == "word":
            if word in lex.CONDITIONS:
                lead = word
                continue
            if key.startswith("non-"):
                flips, key = flips + 1, key[4:]
            if key in lex.OPPOSITES:
                flips += key not in lex.POSITIVE
                key = lex.OPPOSITES[key]
            shaped = raw[place].islower() and word.endswith(("ed", "ten", "en", "ilt", "ept", "un", "old"))
            participle = place > verb_at and not verb and (shaped or words[place - 1] in _BEING)
            after_verb = participle and place == verb_at + 1 and word.endswith("ed")
            if ((role == "verb" or participle) and key in _TELLING) or after_verb:
                verb, role = key, "verb"
        tokens.append(Token(key, kind, raw[place], place, lead, role))
    return Statement(
        text=text,
        tokens=tuple(tokens),
        verb=verb,
        negative=bool((negative + flips) % 2),
        conditions=frozenset(word for word in words if word in lex.CONDITIONS),
        imperative=verb_at == 0,
        finite=_is_finite(words, verb_at, verb),
        words=words,
        keys=frozenset(token.key for token in tokens),
    )


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        word = match.group().rstrip(".,")
        if (glued := _GLUED.match(word)) and glued.group(2).lower() in lex.UNITS:
            found += [glued.group(1), glued.group(2)]
        elif word:
            found.append(word)
    return found


def _verb(words: tuple[str, ...]) -> int:
    """Where the verb stands; -1 where there is none, which makes all of it object."""
    if words and words[0] in ("never", "always", "do", "don't", "please") and len(words) > 1:
        return next((i for i, word in enumerate(words[:4]) if stem(word) in lex.VERBS), 0)
    plain = [i for i, word in enumerate(words) if i and stem(word) in lex.VERBS and words[i - 1] not in lex.PREPOSITIONS
             and words[i - 1] not in ("the", "a", "an")]  # fmt: skip
    helping = next((i for i, word in enumerate(words) if i and word in _AUXILIARY), None)
    first = bool(words) and stem(words[0]) in _TELLING
    if helping is not None and (not plain or helping <= plain[0] + 2):
        return helping
    if first and (not plain or words[0] == _base(words[0]) or words[0].endswith("ed")):
        return 0
    if len(plain) > 1 and plain[1] == plain[0] + 1:  # "the tests live in …"
        return plain[1]
    return plain[0] if plain else (0 if first else -1)


def _is_finite(words: tuple[str, ...], verb_at: int, verb: str) -> bool:
    """Whether it says something of something that it names: not of "it" or "that", and not only to a listener."""
    said = words[2:] if words[1:2] == (":",) else words
    if not said or said[-1] == ":" or said[0] in lex.CHATTER or {words[0], words[0].split("'")[0]} & _POINTING:
        return False
    if len(said) < len(words) and any(word.split("'")[0] in _TALKING for word in said):
        return False  # what somebody says
    if said[-1] in _SORTS and verb_at and not _AUXILIARY & set(said):
        return False  # "gizmo build --quiet option"
    return verb_at >= 0 or bool(verb) or _has_subject(words)


def _has_subject(words: tuple[str, ...]) -> bool:
    """Whether it begins as only a sentence does: what is no verb by the lists is one there ("we vendor …")."""
    if not words or words[0] in _SUBJECTS:
        return bool(words)
    after = lex.PREPOSITIONS | DETERMINERS | {"up", "out", "off", "down"}
    return words[0] in DETERMINERS and any(
        word.endswith("s") and not word.endswith("ss") and following in after for word, following in pairwise(words[2:])
    )


def _base(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _sense(words: tuple[str, ...]) -> tuple[int, frozenset[str]]:
    """How often it denies, and the words that only did that."""
    count = sum(word in lex.NEGATIONS and word not in ("longer",) for word in words)
    if "off" in words:
        count += 1
    skipped = (
        {"turned", "switched", "longer"} & set(words)
        if ("off" in words or "on" in words or "longer" in words)
        else set()
    )
    if "switched" in skipped and "to" in words:
        skipped.discard("switched")
    return count, frozenset(skipped)


def _value(raw: list[str], place: int) -> tuple[str, str]:
    """The kind and key of a token."""
    word = raw[place]
    low = word.lower()
    if word.isalpha() and low not in _ODD and not (place and raw[place - 1][-1:].isdigit()):
        if (low in lex.MONTHS and word[0].isupper()) or low in lex.DAYS or _base(low) in lex.DAYS:
            return "date", low if low in lex.MONTHS else _base(low)
        return "word", stem(low)
    if "/" in word and not low.startswith(("http://", "https://")) and word.strip("/"):
        return "path", word.strip("/")
    if low.startswith(("http://", "https://")):
        return "path", low.rstrip("/")
    if low.startswith("-") and len(low) > 1:
        return "flag", low
    if re.fullmatch(r"\d{1,2}:\d\d", low):
        return "date", low.lstrip("0")
    if re.fullmatch(r"v?\d+(?:\.\d+)+.*", low):
        return "version", low.lstrip("v")
    if re.fullmatch(r"\d[\d,_]*(?:\.\d+)?", low) or (low in lex.NUMBERS and place + 1 < len(raw)):
        number = float(lex.NUMBERS.get(low) or low.replace(",", "").replace("_", ""))
        unit = raw[place + 1].lower() if place + 1 < len(raw) else ""
        unit = unit if unit in lex.UNITS else _base(unit)
        if unit in lex.UNITS:
            dimension, factor = lex.UNITS[unit]
            return f"number {dimension}", f"{number * factor:g}"
        if (
            number.is_integer()
            and 1990 <= number <= 2100
            and unit not in lex.UNITS
            and place
            and raw[place - 1].lower() in ("in", "since", "until")
        ):
            return "date", f"{number:g}"
        return "number", f"{number:g}"
    if place and re.fullmatch(r"[\d,._]+", raw[place - 1]) and (low in lex.UNITS or _base(low) in lex.UNITS):
        return "unit", low
    if low in lex.DAYS or _base(low) in lex.DAYS:
        return "date", _base(low)
    if low in lex.MONTHS and word[0].isupper():
        return "date", low
    if re.search(r"\.\w{1,5}$", low) and re.search(
        r"\.(?:py|js|ts|toml|ya?ml|json|md|txt|cfg|ini|log|sh|sql|rs|go|lock|env|db)$", low
    ):
        return "path", word
    return "word", stem(low)


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without its ending, so that its forms are one; coarser than Porter's, as only equality counts."""
    if word in lex.SAME:
        return lex.SAME[word]
    if not word.isalpha() or len(word) < 4:
        return lex.SAME.get(word, word)
    found = word
    if found.endswith("ies") and len(found) > 4:
        found = found[:-3] + "y"
    elif found.endswith(("sses", "xes", "zes", "ches", "shes")):
        found = found[:-2]
    elif found.endswith("s") and not found.endswith(("ss", "us", "is")):
        found = found[:-1]
    for ending in ("ing", "ed"):
        if found.endswith(ending) and len(found) - len(ending) >= 3:
            found = found[: -len(ending)]
            if len(found) > 3 and found[-1] == found[-2] and found[-1] not in "sl":
                found = found[:-1]
            break
    if found.endswith("ly") and len(found) > 5:
        found = found[:-2]
    if found.endswith("e") and len(found) > 3:
        found = found[:-1]
    if found.endswith("y") and len(found) > 3:
        found = found[:-1] + "i"
    return lex.SAME.get(found, found)
