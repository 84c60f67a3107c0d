"""kill −9 three hundred times, over client, daemon, lifecycle, watcher, migration, backup and restore.

After each: what was acknowledged is there, the store is sound and its parts agree, the queue drains. What failed names
its part, seed and number; `SOAK_SEED=… make soak ARGS="-k PART"` plays it again.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.crash.kills import PARTS

KILLS = {
    "alone": 40, "clients": 45, "daemon": 60, "lifecycle": 50, "watcher": 35, "migration": 30, "backup": 20,
    "restore": 20,
}  # fmt: skip
assert KILLS.keys() == PARTS.keys() and sum(KILLS.values()) == 300


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", PARTS)
def test_nothing_acknowledged_is_lost(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().getrandbits(32))
    print(f"{part}: seed {seed}, {KILLS[part]} kills")
    PARTS[part](tmp_path, seed, encoder=True).play(KILLS[part])
