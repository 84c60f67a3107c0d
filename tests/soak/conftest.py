from collections.abc import Iterator
from pathlib import Path

import pytest

from memd.config import Config
from memd.daemon import process


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh data folder; its daemons have the encoder."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MEMD_HOME", str(folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    yield folder
    process.stop(Config.load(folder, {}), timeout=60)
