"""`make demo` works through the real command, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_runs_to_its_end_and_cleans_up(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/demo.py"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for shown in ("memd ingest .", "memd recall", "lexical", "semantic", "just missed", "memories", "together"):
        assert shown in done.stdout
    assert list(tmp_path.glob("memd*")) == []
