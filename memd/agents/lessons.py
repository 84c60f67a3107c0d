"""What a session's words teach, by the rules of `memd.agents.rules`: each lesson is a sentence, word for word.

Only prose is read: no code, no quotations, no tables, no logs. A lesson of the assistant that the user's next prompt
rejects, or its own next words refute, is dropped, as is what the user takes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from memd.agents import rules
from memd.agents.injected import between_tags
from memd.agents.transcripts import USER

SHORTEST, LONGEST = 3, 60  # words of a sentence that can be a lesson
CHARACTERS = 1_500  # of such a sentence; a longer one is data
KINDS = {"cause": "fact"}  # of rules, where a memory's kind is called otherwise
READ = 20_000  # characters of a turn that are read; a longer one is mostly pasted


class Turn(NamedTuple):
    """What somebody said: who, the words, the line of the transcript (0: not known), the time in milliseconds."""

    who: str
    text: str
    line: int
    at: int | None


class Lesson(NamedTuple):
    """A memory to be: kind and text, who said it, and where it stands in the transcript."""

    kind: str
    text: str
    who: str
    span: tuple[int, int] | None
    at: int | None
    tags: tuple[str, ...] = ()


def statements(turns: Sequence[Turn], reply: str | None) -> list[Lesson]:
    """The statements of an exchange that are worth keeping, in order.

    Args:
        turns: what was said.
        reply: what the user said next; None where nothing is known of it.
    """
    found: list[Lesson] = []
    for number, turn in enumerate(turns):
        after = next((later.text for later in turns[number + 1 :] if later.who == USER), reply or "")
        if rules.TAKEN_BACK.match(after) or (turn.who != USER and rules.REJECTED.match(after)):
            continue
        own = [later.text for later in turns[number + 1 :] if later.who != USER]
        if turn.who != USER and any(rules.REFUTED.match(text) for text in own):
            continue
        found += _of(turn)
    return found


def whole(turn: Turn) -> bool:
    """Whether a turn as a whole is a statement that could be a lesson."""
    return any(lesson.text == turn.text.strip() for lesson in _of(turn))


def _of(turn: Turn) -> Iterator[Lesson]:
    table = rules.USER_TABLE if turn.who == USER else rules.ASSISTANT_TABLE
    text = turn.text[:READ]
    before: tuple[int, int] | None = None
    for start, end in sentences(text):
        stop = _without_question(text, start, end) if end - start <= CHARACTERS else end
        rule = kind_of(text[start:stop], table) if end - start <= CHARACTERS else ""
        if rule:
            begin = before[0] if before and rules.LEANING.match(text[start:stop]) else start
            span = (turn.line, turn.line) if turn.line else None
            tags = ("cause",) if rule == "cause" else ()
            yield Lesson(KINDS.get(rule, rule), text[begin:stop].strip(), turn.who, span, turn.at, tags)
        before = (start, end)


def kind_of(sentence: str, table: Sequence[tuple[str, re.Pattern[str]]]) -> str:
    """The kind of rule that a sentence meets; empty for none."""
    words = sentence.split()
    if not SHORTEST <= len(words) <= LONGEST:
        return ""
    plain = " ".join(words).replace("’", "'")
    if any(block.search(plain) for block in rules.BLOCKS):
        return ""
    kind = next((kind for kind, rule in table if rule.search(plain)), "")
    return "" if kind in rules.LASTING and rules.PASSING.search(plain) else kind


def _without_question(text: str, start: int, stop: int) -> int:
    """Where the statement ends that a question hangs on."""
    hung = rules.HUNG_ON.match(text[start:stop])
    return start + hung.end(1) if hung else stop


# --- prose ------------------------------------------------------------------------------------------

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r"<([a-zA-Z][\w-]*)(?:\s[^<>]*)?>")
_QUOTED_LINE = re.compile(r"^(?:[ \t]*>|\t| {4,}|[ \t]*\||[ \t]*#{1,6}\s|[ \t]*[$%]\s).*$", re.MULTILINE)
_LOG_LINE = re.compile(
    r"^[^\S\n]*(?:\[?\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\[?(?:ERROR|WARN(?:ING)?|INFO|DEBUG|FATAL)\b|at \S+\(|File \"|"
    r"Traceback).*$",
    re.MULTILINE,
)
_SAID = re.compile(r"[\"“][^\"“”\n]{15,}[\"”]")  # a quotation of some length is somebody else's word
_BULLET = re.compile(r"^[ \t]*(?:[-*•+]|\d{1,2}[.)])[ \t]+", re.MULTILINE)
_END = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\betc)(?<![.!?…])[.!?…]++[\"'”’)\]*_]*+(?=\s|$)|\n[ \t]*\n\s*|"
    r"\n(?=[ \t]*(?:[-*•+]|\d{1,2}[.)])[ \t])|:\n|(?<=\s)[:;]-?[()DP](?=\s|$)"  # a smiley ends what it smiles at
)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The sentences of the prose in a text, as offsets [start, stop). O(len(text))."""
    bare = text
    bare = between_tags(_TAG, _FENCE.sub(_blank, bare), _blanks)
    bare = _SAID.sub(_blank, bare)
    for pattern in (_QUOTED_LINE, _LOG_LINE, _BULLET):
        bare = pattern.sub(_blank_line, bare)
    start = 0
    for end in _END.finditer(bare):
        yield from _trimmed(bare, start, end.end())
        start = end.end()
    yield from _trimmed(bare, start, len(bare))


def _trimmed(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    part = text[start:stop]
    if body := part.strip():
        begin = start + part.index(body[0])
        yield begin, begin + len(body)


def _blank(match: re.Match[str]) -> str:
    """As long as what it stands for, and the end of a sentence."""
    return _blanks(len(match[0]))


def _blanks(length: int) -> str:
    return ("\n\n" + " " * length)[:length]


def _blank_line(match: re.Match[str]) -> str:
    return " " * len(match[0])
