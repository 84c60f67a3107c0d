"""Encrypted stores, with a keyring that is a folder: containers have no secret service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memd.config import Config
from memd.daemon import process
from tests.cli.command import Memd

RING = Path(__file__).parent / "ring"


@pytest.fixture(autouse=True)
def _extra() -> None:
    for package in ("sqlcipher3", "keyring"):
        pytest.importorskip(package, reason="the extra `encryption` isn't installed")


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """What lies in the keyring of `memd`: a file a secret."""
    (tmp_path / "ring").mkdir()
    return tmp_path / "ring"


@pytest.fixture
def memd(tmp_path: Path, ring: Path) -> Iterator[Memd]:
    """The command over a fresh data folder, with a keyring of its own; its daemon has no encoder, to start sooner."""
    (tmp_path / "work").mkdir()
    paths = os.pathsep.join(path for path in (str(RING), os.environ.get("PYTHONPATH", "")) if path)
    yield Memd(
        tmp_path / "home",
        tmp_path / "work",
        {
            "MEMD_ENCODER": str(tmp_path / "none"),
            "PYTHONPATH": paths,
            "PYTHON_KEYRING_BACKEND": "folder_keyring.FolderKeyring",
            "FOLDER_KEYRING": str(ring),
        },
    )
    process.stop(Config.load(tmp_path / "home", {}))


def files_with(folder: Path, *words: str) -> list[str]:
    """The files that hold any of these words, as bytes, in whatever case."""
    wanted = [word.lower().encode() for word in words]
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(word in path.read_bytes().lower() for word in wanted)
    ]
