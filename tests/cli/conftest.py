"""Data folders with real daemons behind the real command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memd.config import Config
from memd.daemon import process
from tests.cli.command import Memd


def _stop(home: Path) -> None:
    (home / "config.toml").unlink(missing_ok=True)
    process.stop(Config.load(home, {}))


@pytest.fixture
def memd(tmp_path: Path) -> Iterator[Memd]:
    """The command over a fresh data folder, outside of any repository; its daemon has no encoder, to start sooner."""
    (tmp_path / "work").mkdir()
    yield Memd(tmp_path / "home", tmp_path / "work", {"MEMD_ENCODER": str(tmp_path / "none")})
    _stop(tmp_path / "home")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memd]:
    """The command with the encoder, over a folder that a module's tests share; a few memories are there."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "work" / ".git").mkdir(parents=True)
    command = Memd(folder / "home", folder / "work")
    for kind, tag, text in TEXTS:
        command("remember", "-k", kind, "-t", tag, text)
    command("remember", "-s", "global", "--at", "2023-05-07", "--who", "ada", "always sign the tags of a release")
    yield command
    _stop(folder / "home")


TEXTS = (
    ("decision", "deploy", "we deploy with make release, and only from main"),
    ("fix", "parser", "the tokenizer crashed on empty lines; read_line() now returns None there"),
    ("note", "office", "the coffee machine wants descaling every month"),
)
