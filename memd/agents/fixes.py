"""Commands that failed and then passed: what they said, and the change that lay between. Pure.

A pass counts for a failure where it is the same command, or a broader one (`pytest` after `pytest tests/a.py`). The
change is the edits between the last failure and the pass, or, where nothing was edited, the commands that set
something up. Where neither lies between, it was chance, and nothing is learnt.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from memd.agents.lessons import Lesson
from memd.agents.transcripts import ASSISTANT
from memd.store.sessions import Event

FILES = 6  # edited files that a fix names
CHANGES = 900  # characters of changes that it quotes
STEPS = 3  # commands in place of edits
REACH = 80  # events between a failure and its pass; what lies further apart belongs to something else

_LEAD = re.compile(
    r"^\s*(?:cd\s+[^;&|]+(?:&&|;)\s*|(?:\w+=(?:\"[^\"]*\"|'[^']*'|\S*)\s+)+|(?:sudo|time|timeout\s+\S+)\s+)"
)
_TAIL = re.compile(
    r"\s*(?:2>&1|[12]?>\s*\S+|\|\s*(?:tail|head|grep|tee|cat|less|sed|awk|sort|uniq|wc)\b.*|;\s*echo\b.*)\s*$",
    re.DOTALL,
)
# Commands that answer by failing, or only look: nothing is mended by their passing.
_LOOKING = frozenset(
    [
        "ls",
        "cat",
        "head",
        "tail",
        "grep",
        "rg",
        "find",
        "which",
        "type",
        "test",
        "[",
        "diff",
        "cmp",
        "sed",
        "awk",
        "echo",
        "pwd",
        "stat",
        "file",
        "wc",
        "tree",
        "curl",
        "wget",
        "ping",
        "man",
        "sleep",
        "kill",
        "pkill",
        "pgrep",
        "ps",
        "true",
        "false",
        "memd",
        "jq",
        "read",
        "export",
        "source",
        "cd",
        "touch",
        "tee",
    ]
)
_LOOKING_GIT = frozenset(["status", "log", "diff", "show", "grep", "branch", "ls-files", "rev-parse", "blame", "stash"])
_SETTING_UP = re.compile(
    r"\b(?:install|add|sync|ci|update|upgrade|migrate|generate|build|compile|init|bootstrap|link|chmod|mkdir|createdb|"
    r"start|up|restart|reset|clean|enable|pull|checkout|submodule|setup|seed|rm|mv|ln|export|use)\b"
)


def found(events: Sequence[Event], scope: str) -> list[Lesson]:
    """What a session's events teach, in order.

    Args:
        events: edits and commands, as `sessions.events` gives them.
        scope: the project's root, from which files are named.
    """
    lessons: list[Lesson] = []
    open_: dict[tuple[str, ...], int] = {}
    for number, event in enumerate(events):
        if event.kind != "command" or event.outcome is None or not (key := _key(event.what)):
            continue
        if event.outcome == 0:
            open_[key] = number
            continue
        for failed in [failed for failed in open_ if failed[: len(key)] == key]:
            begin = open_.pop(failed)
            if number - begin <= REACH and (lesson := _lesson(events[begin : number + 1], scope)):
                lessons.append(lesson)
    return lessons


def _lesson(span: Sequence[Event], scope: str) -> Lesson | None:
    failure, between, success = span[0], span[1:-1], span[-1]
    edits = [event for event in between if event.kind == "edit" and event.outcome != 0]
    steps = [e for e in between if e.kind == "command" and e.outcome == 1 and _sets_up(e.what)]
    if not failure.detail or not (edits or steps):
        return None
    parts = [f"`{bare(failure.what)}` failed:", failure.detail]
    if edits:
        named = list(dict.fromkeys(_within(event.what, scope) for event in edits))
        shown = ", ".join(named[:FILES]) + (f" and {len(named) - FILES} more" if len(named) > FILES else "")
        parts.append(f"It passed after a change to {shown}:" if any(e.detail for e in edits) else
                     f"It passed after a change to {shown}.")  # fmt: skip
        parts.append(_changes(edits))
    else:
        parts.append("It passed after: " + "; ".join(f"`{bare(step.what)}`" for step in steps[-STEPS:]))
    lines = [line for event in (failure, success) for line in (event.first_line, event.last_line) if line]
    return Lesson(
        kind="fix",
        text="\n".join(part for part in parts if part),
        who=ASSISTANT,
        span=(min(lines), max(lines)) if lines else None,
        at=success.at,
        tags=(),
    )


def _changes(edits: Sequence[Event]) -> str:
    """The changed lines, cut at a line's end."""
    told = "\n".join(event.detail for event in edits if event.detail)
    if len(told) <= CHANGES:
        return told
    return told[:CHANGES].rpartition("\n")[0] + "\n…"


def bare(command: str) -> str:
    """A command without what leads it in and out: folders, variables, redirections, filters."""
    line = command.strip()
    while match := _LEAD.match(line):
        line = line[match.end() :]
    while (cut := _TAIL.sub("", line)) != line:
        line = cut
    return line.strip()


def _key(command: str) -> tuple[str, ...]:
    """The words by which a command is known again; empty where its failing or passing says nothing."""
    line = bare(command)
    words = [word for word in line.split() if not word.startswith("-")]
    if not words or "\n" in line or os.path.basename(words[0]) in _LOOKING:
        return ()
    if words[0] == "git" and (len(words) < 2 or words[1] in _LOOKING_GIT):
        return ()
    return tuple(words)


def _sets_up(command: str) -> bool:
    words = bare(command).split()
    return (
        bool(words) and (words[0] not in _LOOKING or words[0] == "export") and bool(_SETTING_UP.search(bare(command)))
    )


def _within(path: str, scope: str) -> str:
    return path[len(scope) + 1 :] if path.startswith(scope + os.sep) else path
