"""The fuzz and scope tests over hundreds of times as many examples; each runs in `make test` with a few."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
EXAMPLES = 2000  # of each property; stores for the scope test are a twenty-fifth of it


@pytest.mark.soak
@pytest.mark.parametrize("file", [*sorted((TESTS / "fuzz").glob("test_*.py")), TESTS / "scopes" / "test_methods.py"])
def test_many_examples(file: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout", "3600", str(file)]
    environment = {**os.environ, "FUZZ": str(EXAMPLES)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
