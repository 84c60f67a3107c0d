"""LoCoMo (Maharana et al., ACL 2024): long conversations, with questions and the turns that answer them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memd.bench.collection import Collection, Question
from memd.model import NewMemory

_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_SESSION = re.compile(r"session_(\d+)")
_DATE = "%I:%M %p on %d %B, %Y"
_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}


def read(path: Path) -> list[Collection]:
    """One collection a conversation: each turn a memory, each session an episode dated by its heading."""
    return [_collection(sample) for sample in json.loads(path.read_text(encoding="utf-8"))]


def _collection(sample: Mapping[str, Any]) -> Collection:
    turns = list(_turns(sample["conversation"]))
    keys = [key for key, _, _ in turns]
    return Collection(
        name=sample["sample_id"],
        keys=keys,
        memories=[memory for _, _, memory in turns],
        groups=[session for _, session, _ in turns],
        questions=list(_questions(sample["qa"], frozenset(keys))),
    )


def _turns(conversation: Mapping[str, Any]) -> Iterator[tuple[str, str, NewMemory]]:
    """Key, session and memory of every turn, in order."""
    for session in sorted(int(match[1]) for match in map(_SESSION.fullmatch, conversation) if match):
        name = f"session_{session}"
        at = datetime.strptime(conversation[f"{name}_date_time"], _DATE).replace(tzinfo=UTC)
        for position, turn in enumerate(conversation[name]):
            text = f"{turn['speaker']}: {turn['text']}"
            if turn.get("blip_caption"):
                text += f" [shares {turn['blip_caption']}]"
            yield (
                turn["dia_id"],
                name,
                NewMemory(text, kind="turn", scope="global", event_at=at, episode=name, position=position),
            )


def _questions(qa: list[Mapping[str, Any]], keys: frozenset[str]) -> Iterator[Question]:
    for number, entry in enumerate(qa, start=1):
        named = (
            f"D{session}:{turn}" for text in entry.get("evidence") or () for session, turn in _EVIDENCE.findall(text)
        )
        gold = tuple(dict.fromkeys(key for key in named if key in keys))
        if gold:
            category = _CATEGORIES.get(entry["category"], str(entry["category"]))
            yield Question(str(number), entry["question"], gold, category)
