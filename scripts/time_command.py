"""What a script waits for: piped `memd recall` and `memd remember` against a warm daemon, beside a bare interpreter.

Each is run in turn with `python -c pass`, on a throw-away data folder with made-up memories; medians, and their ratio
to the bare interpreter's, which holds on a busy machine as well.

    .venv/bin/python scripts/time_command.py [PAIRS]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memd.daemon.client import Door

MEMORIES = 1000
BARE = "python -c pass"
WORDS = ("harbour", "deploy", "parser", "cache", "token", "release", "branch", "socket", "ledger", "index", "queue")


def run(home: str, *command: str, stdin: str = "") -> float:
    """Milliseconds that a command takes, its output going into pipes. Raises CalledProcessError where it fails."""
    environment = {**os.environ, "MEMD_HOME": home}
    begin = time.perf_counter()
    subprocess.run(command, env=environment, cwd=home, input=stdin, capture_output=True, text=True, check=True)
    return (time.perf_counter() - begin) * 1e3


def text(number: int) -> str:
    first, second, third = (WORDS[number // len(WORDS) ** place % len(WORDS)] for place in range(3))
    return f"The {first} of the {second} failed before the {third}; number {number} mended it."


def measure(home: str, pairs: int) -> dict[str, list[float]]:
    memd = str(Path(sys.executable).parent / "memd")
    lines = "".join(json.dumps({"text": text(number)}) + "\n" for number in range(MEMORIES))
    run(home, memd, "remember", "--jsonl", stdin=lines)
    with Door(home) as door:
        door.call("wait_encoded", {"timeout_s": 300})
    times: dict[str, list[float]] = {BARE: [], "memd recall": [], "memd remember": []}
    for number in range(-3, pairs):  # the first few warm up
        for name, command in (
            (BARE, (sys.executable, "-c", "pass")),
            ("memd recall", (memd, "recall", text(number % MEMORIES))),
            (BARE, (sys.executable, "-c", "pass")),
            ("memd remember", (memd, "remember", text(MEMORIES + 3 + number))),
        ):
            took = run(home, *command)
            if number >= 0:
                times[name].append(took)
    return times


def main() -> None:
    pairs = int(sys.argv[1]) if sys.argv[1:] else 40
    with tempfile.TemporaryDirectory(prefix="memd-time-") as home:
        try:
            times = measure(home, pairs)
        finally:
            subprocess.run(
                [str(Path(sys.executable).parent / "memd"), "daemon", "stop"],
                env={**os.environ, "MEMD_HOME": home},
                capture_output=True,
                check=False,
            )
    bare = statistics.median(times[BARE])
    print(f"{MEMORIES:,} memories, {pairs} rounds in turn, medians")
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:<16} {middle:6.1f} ms  {middle / bare:5.2f} × {BARE}")


if __name__ == "__main__":
    main()
