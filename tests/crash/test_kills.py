"""Twelve times kill −9, over all parts, without the encoder; `tests/soak/test_kills.py` does it three hundred times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.kills import PARTS

KILLS = {"alone": 2, "clients": 3, "daemon": 1, "lifecycle": 2, "watcher": 1, "migration": 1, "backup": 2, "restore": 1}
assert KILLS.keys() == PARTS.keys() and sum(KILLS.values()) >= 12


@pytest.mark.parametrize("part", PARTS)
def test_nothing_acknowledged_is_lost(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    PARTS[part](tmp_path, seed=1, encoder=False).play(KILLS[part])
