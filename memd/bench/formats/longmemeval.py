"""LongMemEval (Wu et al., ICLR 2025): questions to a chat assistant, each with a history of sessions of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memd.bench.collection import Collection, Question
from memd.model import NewMemory

ABSTENTION = "_abs"  # ends the id of a question that its history doesn't answer

_WEEKDAY = re.compile(r"\s*\([^)]*\)\s*")
_DATES = ("%Y/%m/%d %H:%M", "%Y/%m/%d")


def read(path: Path) -> list[Collection]:
    """One collection a question: each turn of either side a memory, each session an episode with its date.

    Turns marked `has_answer` are gold, and so are the sessions named in `answer_session_ids`. The question is
    asked at its own date.
    """
    return [_collection(entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def _collection(entry: Mapping[str, Any]) -> Collection:
    turns = list(_turns(entry))
    sessions = [session for _, session, _, _ in turns]
    answerable = not entry["question_id"].endswith(ABSTENTION)
    question = Question(
        key=entry["question_id"],
        text=entry["question"],
        gold=tuple(key for key, _, _, answers in turns if answers) if answerable else (),
        category=entry["question_type"],
        groups=tuple(dict.fromkeys(name for name in entry["answer_session_ids"] if name in set(sessions)))
        if answerable
        else (),
        now=_date(entry["question_date"]) if entry.get("question_date") else None,
        answerable=answerable,
    )
    return Collection(
        name=entry["question_id"],
        keys=[key for key, _, _, _ in turns],
        memories=[memory for _, _, memory, _ in turns],
        groups=sessions,
        questions=[question],
    )


def _turns(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, NewMemory, bool]]:
    """Key, session, memory and whether it answers, for every turn that says something, in the file's order."""
    history = zip(entry["haystack_session_ids"], entry["haystack_dates"], entry["haystack_sessions"], strict=True)
    for place, (session, date, turns) in enumerate(history):
        for position, turn in enumerate(turns):
            if not turn["content"].strip():
                continue
            memory = NewMemory(
                f"{turn['role']}: {turn['content']}",
                kind="turn",
                scope="global",
                event_at=_date(date),
                episode=f"{place}/{session}",
                position=position,
            )
            # A history may hold a session twice; its place tells the turns apart.
            yield f"{place}/{session}/{position}", session, memory, bool(turn.get("has_answer"))


def _date(text: str) -> datetime:
    """A date such as `2024/02/29 (Thu) 09:30`, taken as UTC."""
    plain = _WEEKDAY.sub(" ", text).strip()
    for layout in _DATES:
        try:
            return datetime.strptime(plain, layout).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is not a date")
