"""Coding memory: commit messages, and changelog entries with the commits they are about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from memd.bench.collection import Collection, Question
from memd.model import NewMemory


def read(path: Path) -> list[Collection]:
    """One collection: the commits in the order of their time, no episodes."""
    data = json.loads(path.read_text(encoding="utf-8"))
    commits = sorted(data["memories"], key=lambda commit: commit["at"])
    memories = [
        NewMemory(commit["text"], kind="commit", scope="global", event_at=datetime.fromtimestamp(commit["at"], UTC))
        for commit in commits
    ]
    questions = [
        Question(str(number), query["q"], tuple(query["gold"])) for number, query in enumerate(data["queries"], start=1)
    ]
    return [Collection(path.stem, [commit["id"] for commit in commits], memories, [], questions)]
