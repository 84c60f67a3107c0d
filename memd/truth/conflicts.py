"""Whether two texts say different things of the same: by rules on what they share and on the one thing in which
they differ. Being unlike is never enough: the subject must be the same, and the difference must exclude.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from memd.text.words import listed
from memd.truth import lexicon as lex
from memd.truth.statements import DETERMINERS, Statement, Token, parse, split

SPAN = 4  # words of a name at most


_CHANGES = lex.MOVING | lex.REMOVING | lex.REPLACING


class Difference(NamedTuple):
    """Why two statements can't both hold.

    Attributes:
        rule: number, version, path, date, name, negation, moved, replaced or removed.
        one, other: the differing words of each, as written.
        newer: 1 where the second says itself that it is the newer ("now", "no longer", "moved to"), -1 where the
            first does, else 0.
        quotes: the two statements.
    """

    rule: str
    one: str
    other: str
    newer: int
    quotes: tuple[str, str]


def find(one: str, other: str) -> Difference | None:
    """The first difference between two texts that excludes; None where they can both hold. O(statements²)."""
    seconds = [parse(part) for part in split(other)]
    for first in map(parse, split(one)):
        for second in seconds:
            if found := compare(first, second):
                return found
    return None


def compare(one: Statement, other: Statement) -> Difference | None:
    """Whether two statements exclude each other."""
    if one.keys.isdisjoint(other.keys) or one.text == other.text:
        return None
    if found := _moved(one, other):
        return found
    found = _value(one, other) if one.finite and other.finite else None
    return found or (_negation(one, other) if _tells_of(one) and _tells_of(other) else None)


def _tells_of(statement: Statement) -> bool:
    """It is a sentence, if perhaps with a verb that no list has."""
    return statement.finite or statement.words[0] in DETERMINERS


# --- the same but for one value -----------------------------------------------------------------------


def _value(one: Statement, other: Statement) -> Difference | None:
    if one.negative != other.negative or one.conditions != other.conditions or _is_event(one) or _is_event(other):
        return None
    common, left, right = _apart(one, other)
    if not _share_enough(common):
        return None
    values, words = _kinds(left)
    other_values, other_words = _kinds(right)
    if not words and not other_words and len(values) == len(other_values) == 1:
        return _of_values(one, other, values[0], other_values[0])
    if not values and not other_values and words and other_words:
        return _of_names(one, other, words, other_words)
    return None


def _of_values(one: Statement, other: Statement, left: Token, right: Token) -> Difference | None:
    kinds = {left.kind, right.kind}
    if len(kinds) > 1 and not (
        kinds <= {"number", "version"} or (len(kinds) == 2 and "number" in kinds and _numbers(kinds))
    ):
        return None
    kind = left.kind.split()[0]
    if kind == "path" and _DIGITS.sub("", left.key) == _DIGITS.sub("", right.key):
        return None  # one of a series, of which there are many
    if kind in ("flag",) and one.verb in lex.MANY:
        return None
    if "against" in (left.lead, right.lead):
        return None
    if {"support", "test"} & {one.verb, other.verb} and not {"min", "max"} & {token.key for token in one.tokens}:
        return None
    if kind == "path" and (
        left.role == "subject" or right.role == "subject" or one.verb in lex.MANY - {"us", "read", "load"}
    ):
        return None
    if left.role == "subject" and right.role == "subject" and kind in ("number", "version", "date", "flag"):
        return None
    if kind == "path" and not (left.lead and right.lead) and not (_is_copula(one) and _is_copula(other)):
        return None
    if kind in ("date", "path") and left.lead != right.lead and not (kind == "path" and one.verb in lex.LIGHT):
        return None
    return _difference(kind, one, other, [left], [right])


_DIGITS = re.compile(r"[\d.]+")


def _numbers(kinds: Iterable[str]) -> bool:
    return all(kind.startswith("number") for kind in kinds)


def _of_names(one: Statement, other: Statement, left: list[Token], right: list[Token]) -> Difference | None:
    if len(left) > SPAN or len(right) > SPAN or not (_together(left, one) and _together(right, other)):
        return None
    if any(token.key in lex.PLACES for token in (*left, *right)) or {*map(_low, (*left, *right))} & _RELATIVE:
        return None
    if _relation(one) != _relation(other) or _adds_up(left, one) or _adds_up(right, other):
        return None
    roles = {token.role for token in (*left, *right)}
    if roles == {"subject"}:
        owned = one.verb in lex.OWNING or (_is_copula(one) and _is_copula(other) and _named(left) and _named(right))
        return _difference("name", one, other, left, right) if owned and _named(left) and _named(right) else None
    if roles != {"object"} or left[0].lead != right[0].lead:
        return None
    if _is_copula(one) != _is_copula(other):
        return None
    if _is_copula(one):
        adjectives = any(_is_adjective(token) for token in (*left, *right))
        return None if adjectives and not left[0].lead else _difference("name", one, other, left, right)
    if left[0].lead == "for":
        return None  # one thing may be for many
    if left[0].lead and left[0].lead == _lead_after_verb(left[0], one):
        many = _ANYWHERE if _is_passive(one) and _is_passive(other) else lex.MANY - {"us", "hav"} | lex.EVENT
        excludes = one.verb not in many
    else:
        excludes = one.verb in _CHOOSING and _has_role(one) and _has_role(other)
    return _difference("name", one, other, left, right) if excludes else None


def _adds_up(tokens: list[Token], statement: Statement) -> bool:
    """There is more than one name, or more than names: "the colour and the texture", "books that I read"."""
    return any(word in _JOINING for word in statement.words[tokens[0].place : tokens[-1].place + 1])


_JOINING = frozenset({"and", "or", "that", "i", "we", "you", "they", "it", "he", "she"})
_RELATIVE = {
    "last",
    "next",
    "previous",
    "first",
    "second",
    "third",
    "other",
    "another",
    "old",
    "former",
    "some",
    "most",
    "more",
}
_CHOOSING = {"us", "choos", "pick", "prefer", "adopt", "run", "call", "nam", "set"}


def _low(token: Token) -> str:
    return token.text.lower()


def _is_copula(statement: Statement) -> bool:
    if statement.imperative:
        return False
    return statement.verb in ("call", "nam") or (not statement.verb and bool(_COPULAS & set(statement.words)))


def _is_adjective(token: Token) -> bool:
    word = token.text.lower()
    if token.text != word or any(map(str.isdigit, word)):
        return False
    return word in _ADJECTIVES or word.endswith(
        ("ed", "able", "ible", "ful", "ous", "ive", "ing", "less", "ical", "ent", "ant")
    )


_ADJECTIVES = listed("""
    fast slow big small large good bad new old easy hard simple complex stable flaky clean empty full red green
    blue thread-safe safe strict lazy eager important critical short long high low heavy light free cheap
    expensive ready done rare common local global static dynamic internal external generic idempotent stateless
    stateful
""")


def _is_passive(statement: Statement) -> bool:
    return bool(_BE & set(statement.words)) and bool(statement.verb)


_BE = frozenset({"is", "are", "was", "were", "be", "been"})
_COPULAS = _BE | {":", "=", "isn't", "aren't", "wasn't", "weren't", "becomes", "became", "has", "have"}
# What is used or named in one place may be so in another. Stems.
_ANYWHERE = frozenset(
    {"us", "mention", "import", "support", "includ", "requir", "need", "cover", "test", "read", "allow"}
)


def _lead_after_verb(token: Token, statement: Statement) -> str:
    """The preposition that leads the phrase of a token, where the phrase stands after the verb."""
    return token.lead if token.role == "object" else ""


def _has_role(statement: Statement) -> bool:
    """It says what for: "use X for Y", "use X as Y", "in Y"."""
    return any(token.lead in ("for", "as", "in", "to") for token in statement.tokens) or any(
        word in ("for", "as", "to", "in", "when") for word in statement.words[2:]
    )


def _named(tokens: list[Token]) -> bool:
    return all(token.text[:1].isupper() or token.text.startswith("@") for token in tokens)


def _together(tokens: list[Token], statement: Statement) -> bool:
    """The words stand side by side (stop words aside), in one role."""
    if len({token.role for token in tokens}) > 1:
        return False
    places = [token.place for token in tokens]
    between = [token for token in statement.tokens if places[0] <= token.place <= places[-1]]
    return len(between) == len(tokens) and len({token.lead for token in tokens}) == 1


def _relation(statement: Statement) -> str:
    return "" if statement.verb in lex.LIGHT - {"us"} | {"call", "nam"} else statement.verb


# --- the same, denied ---------------------------------------------------------------------------------


def _negation(one: Statement, other: Statement) -> Difference | None:
    if one.negative == other.negative or one.conditions != other.conditions or _is_event(one) or _is_event(other):
        return None
    common, left, right = _apart(one, other)
    if (left and right) or not _share_enough(common):
        return None
    rest = left or right
    if len(rest) > 1 or any(_limits(token) for token in rest) or (rest and len(common) < 2):
        return None
    if rest and rest[0].role == "subject":
        return None
    if not any(token.role == "subject" or token.kind != "word" or len(common) > 1 for token in common):
        return None
    return Difference("negation", _denial(one), _denial(other), _newer(one, other), (one.text, other.text))


def _limits(token: Token) -> bool:
    return (
        token.kind != "word"
        or token.key in lex.PLACES
        or token.lead in ("on", "in", "for", "with", "under", "at", "during")
    )


def _denial(statement: Statement) -> str:
    """The words that carry the sense: what denies, or what has an opposite."""
    found = [word for word in statement.words if word in lex.NEGATIONS or word == "off"]
    keys = {**{value: value for value in lex.OPPOSITES.values()}}
    found += [token.text for token in statement.tokens if token.key in keys]
    return " ".join(dict.fromkeys(found)) or (statement.tokens[-1].text if statement.tokens else "")


# --- what says itself that something changed ----------------------------------------------------------


def _moved(one: Statement, other: Statement) -> Difference | None:
    for first, second, swapped in ((one, other, False), (other, one, True)):
        change = _change(second)
        if change is None or _change(first) is not None or first.negative:
            continue
        if found := _outdated(first, change):
            left, right = found, change.after or change.cue
            newer = -1 if swapped else 1
            if swapped:
                left, right = right, left
            return Difference(change.rule, _text(left), _text(right), newer, (one.text, other.text))
    return None


class _Change(NamedTuple):
    """A change that a statement tells of: of what, from what, to what."""

    rule: str
    of: list[Token]
    before: list[Token]
    after: list[Token]
    cue: list[Token]


def _change(statement: Statement) -> _Change | None:
    if (found := _instead(statement)) is not None:
        return found
    cue = next(
        (t for t in statement.tokens if t.key in _CHANGES and _tells(t, statement)),
        None,
    )
    if cue is None or statement.negative:
        return None
    rest = [token for token in statement.tokens if token is not cue]
    if cue.key in lex.REMOVING:
        return _Change("removed", rest, [], [], [cue])
    ahead = [token for token in rest if token.place < cue.place]
    behind = [token for token in rest if token.place > cue.place]
    if cue.key in lex.REPLACING:
        after = [token for token in behind if token.lead in ("with", "by")]
        before = [token for token in behind if token not in after and token.lead not in ("for", "as", "in")]
        of = [token for token in behind if token.lead in ("for", "as", "in")]
        if ahead and not before:
            before, ahead = ahead, []
        return _Change("replaced", ahead + of, before, after, [cue]) if before and after else None
    after = [token for token in behind if token.lead == "to"]
    if after and after[0].text.lower() in lex.AIMS and len(after) > 1:
        return None  # what for, not whereto
    before = [token for token in behind if token.lead == "from"]
    of = ahead + [token for token in behind if token not in after and token not in before]
    return _Change("moved", of, before, after, [cue]) if after else None


def _tells(token: Token, statement: Statement) -> bool:
    """The word is the statement's verb, not a noun ("the change log")."""
    word = token.text.lower()
    return (token.role == "verb" and not word.endswith("ing")) or word.endswith("ed") or word in ("went", "grew", "cut")


def _instead(statement: Statement) -> _Change | None:
    words = statement.words
    at = next(
        (i for i, word in enumerate(words[:-1]) if (word, words[i + 1]) in (("instead", "of"), ("rather", "than"))),
        None,
    )
    if at is None:
        return None
    ends = next((i for i in range(at + 2, len(words)) if words[i] in lex.PREPOSITIONS), len(words))
    before = [token for token in statement.tokens if at + 1 < token.place < ends]
    rest = [token for token in statement.tokens if token not in before and token.key not in ("instead", "rather")]
    after = [token for token in rest if token.place < at and token.role == "object" and not token.lead]
    return (
        _Change("replaced", [token for token in rest if token not in after], before, after, [])
        if before and after
        else None
    )


def _outdated(first: Statement, change: _Change) -> list[Token] | None:
    """What of `first` no longer holds after `change`; None where it can hold."""
    if _is_event(first) or first.verb == "mean" or not first.finite:
        return None
    keys = {token.key for token in first.tokens}
    of = [token for token in change.of if not _is_weak(token)]
    if change.rule == "removed":
        there = [token for token in first.tokens if token.key in {token.key for token in of}]
        telling = (
            any(token.kind != "word" or _is_name(token) for token in there)
            or len(there) > 1
            or 2 * len(there) >= len(keys)
        )
        return there if of and telling and all(token.key in keys for token in of) else None
    if any(token.key in keys for token in change.after):
        return None
    if change.before:
        there = [token for token in first.tokens if token.key in {token.key for token in change.before}]
        if len({token.key for token in there}) < len({token.key for token in change.before}):
            return None
        known = [token for token in of if token.key in keys]
        if of and 2 * len(known) < len(of):
            return None
        if not of and change.rule == "replaced" and first.verb not in _USING:
            return None
        return there
    if not of or any(token.key not in keys for token in of):
        return None
    subject = {token.key for token in of}
    rest = [token for token in first.tokens if token.key not in subject and not _is_weak(token)]
    values, words = _kinds(rest)
    aims, names = _kinds(change.after)
    if aims and not names:
        match = [
            token
            for token in values
            if token.kind.split()[0] == aims[0].kind.split()[0] or {token.kind, aims[0].kind} <= {"number", "version"}
        ]
        beside = len(match) == 1 and any(
            token.key in subject and token.place == match[0].place - 1 for token in first.tokens
        )
        return match if len(match) == 1 and (not words or beside) else None
    if values or not words or len(words) > SPAN or not _together(words, first) or words[0].role == "subject":
        return None
    return (
        None
        if any(token.key in lex.PLACES for token in words) or (_is_adjective(words[0]) and not words[0].lead)
        else words
    )


_USING = {
    "us",
    "",
    "run",
    "build",
    "deploy",
    "writ",
    "stor",
    "serv",
    "back",
    "rely",
    "depend",
    "requir",
    "need",
    "go",
    "hash",
    "format",
    "lint",
    "host",
    "manag",
    "handl",
}


# --- what both have, and what each has alone ----------------------------------------------------------


def _apart(one: Statement, other: Statement) -> tuple[list[Token], list[Token], list[Token]]:
    """Tokens of the first that the second has too, then those that each has alone, weak words left out."""
    mine, theirs = {token.key for token in one.tokens}, {token.key for token in other.tokens}
    common = [token for token in one.tokens if token.key in theirs]
    left = [token for token in one.tokens if token.key not in theirs and not _is_weak(token)]
    right = [token for token in other.tokens if token.key not in mine and not _is_weak(token)]
    return common, left, right


def _is_weak(token: Token) -> bool:
    if token.kind != "word":
        return False
    return token.key in lex.GENERIC or (token.role == "verb" and token.key in lex.LIGHT)


def _share_enough(common: list[Token]) -> bool:
    """Something that tells which thing it is, or two words that do so together ("config file")."""
    telling = [token for token in common if token.role != "verb" or token.key not in lex.LIGHT]
    return len(telling) > 1 or any(token.kind != "word" or token.key not in lex.GENERIC for token in telling)


def _kinds(tokens: Iterable[Token]) -> tuple[list[Token], list[Token]]:
    """Values, and words without verbs that say little."""
    values = [token for token in tokens if token.kind != "word"]
    words = [token for token in tokens if token.kind == "word" and token.role != "verb"]
    strong = [token for token in tokens if token.kind == "word" and token.role == "verb" and token.key not in lex.LIGHT]
    return values, words + strong if not values else words


def _is_event(statement: Statement) -> bool:
    """It tells of something that happened once."""
    stands = {"is", "are"} & set(statement.words)  # "is reported": it always is
    if statement.verb in lex.EVENT and (statement.imperative or any(w.endswith("ed") for w in statement.words)):
        return not stands
    if (
        statement.verb in _CHANGES
        and any(w.endswith("ed") for w in statement.words)
        and not (_BE & set(statement.words))
    ):
        return True  # "the base image upgraded to 12"
    if statement.words[0] in _CHANGING or (statement.imperative and statement.verb in _CHANGES):
        return True
    return statement.verb in ("add", "fix") or bool(_RELATIVE & {"last", "next"} & set(statement.words))


def _is_name(token: Token) -> bool:
    return any(not char.isalpha() for char in token.text) or (not token.text.islower() and not token.text.istitle())


_CHANGING = frozenset(
    {"add", "fix", "update", "bump", "upgrade", "rename", "move", "drop", "remove", "replace", "delete", "switch"}
)
_NOW = frozenset({"now", "nowadays", "currently", "henceforth"})


def _newer(one: Statement, other: Statement) -> int:
    """1 where the second calls itself the newer, -1 where the first does; 0 where neither or both do."""

    def says(statement: Statement) -> bool:
        return bool(_NOW & set(statement.words)) or "longer" in statement.words

    return says(other) - says(one)


def _difference(rule: str, one: Statement, other: Statement, left: list[Token], right: list[Token]) -> Difference:
    return Difference(rule, _text(left), _text(right), _newer(one, other), (one.text, other.text))


def _text(tokens: list[Token]) -> str:
    return " ".join(token.text for token in tokens)
