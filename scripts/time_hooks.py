"""What an agent waits for at each hook: `memd hook EVENT` on recorded payloads against a warm daemon, beside Python.

Every event is run in turn with `python -c pass`, on a throw-away data folder with made-up memories and a session that
has a transcript; medians, and their ratio to the bare interpreter's, which holds on a busy machine as well.

    .venv/bin/python scripts/time_hooks.py [ROUNDS]
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memd.agents.install import payloads
from memd.agents.payloads import EVENTS
from memd.daemon.client import Door

MEMORIES = 1000
BARE = "python -c pass"
MOST = 6.0  # the ratio that each event keeps at the median
AGENT = "claude-code"
WORDS = ("harbour", "deploy", "parser", "cache", "token", "release", "branch", "socket", "ledger", "index", "queue")
KINDS = ("note", "decision", "convention", "turn", "fix")


def run(home: str, *command: str, stdin: str = "") -> float:
    """Milliseconds that a command takes, its output going into pipes. Raises CalledProcessError where it fails."""
    environment = {**os.environ, "MEMD_HOME": home}
    begin = time.perf_counter()
    subprocess.run(command, env=environment, cwd=home, input=stdin, capture_output=True, text=True, check=True)
    return (time.perf_counter() - begin) * 1e3


def text(number: int) -> str:
    first, second, third = (WORDS[number // len(WORDS) ** place % len(WORDS)] for place in range(3))
    return f"The {first} of the {second} failed before the {third}; number {number} mended it."


def hook() -> list[str]:
    """The command as it is installed; the module where it isn't."""
    beside = Path(sys.executable).parent / "memd"
    found = str(beside) if beside.exists() else shutil.which("memd")
    return [found] if found else [sys.executable, "-m", "memd_cli"]


def measure(home: str, rounds: int) -> dict[str, list[float]]:
    project = Path(home, "project")
    (project / ".git").mkdir(parents=True)
    transcript = Path(home, "transcript.jsonl")
    memd = hook()
    with Door(home) as door:
        items = [
            {"text": text(n), "kind": KINDS[n % len(KINDS)], "scope": str(project)} for n in range(MEMORIES)
        ]  # the context block has all of its sections to choose from
        for begin in range(0, MEMORIES, 250):
            door.call("remember", {"items": items[begin : begin + 250]})
        door.call("wait_encoded", {"timeout_s": 300})
    times: dict[str, list[float]] = {BARE: [], **{event: [] for event in EVENTS}}
    for number in range(-2, rounds):  # the first few warm up
        session = f"session-{number}"
        transcript.write_text(payloads.transcript(AGENT, session, str(project)), encoding="utf-8")
        for event in EVENTS:
            payload = payloads.payload(AGENT, event, event, session, str(project), str(transcript))
            if event == "UserPromptSubmit":
                payload["prompt"] = f"{text(number % MEMORIES)} Why?"
            bare = run(home, sys.executable, "-c", "pass")
            took = run(home, *memd, "hook", event, "--agent", AGENT, stdin=json.dumps(payload))
            if number >= 0:
                times[BARE].append(bare)
                times[event].append(took)
    return times


def main() -> int:
    rounds = int(sys.argv[1]) if sys.argv[1:] else 40
    with tempfile.TemporaryDirectory(prefix="memd-hooks-") as home:
        try:
            times = measure(home, rounds)
            log = Path(home, "hooks.log")
            failed = log.read_text(encoding="utf-8") if log.exists() else ""
        finally:
            subprocess.run(
                [*hook(), "daemon", "stop"], env={**os.environ, "MEMD_HOME": home}, capture_output=True, check=False
            )
    bare = statistics.median(times[BARE])
    print(f"{MEMORIES:,} memories, {rounds} rounds in turn, medians")
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:<20} {middle:6.1f} ms  {middle / bare:5.2f} × {BARE}")
    if failed:
        print(f"{failed.count(chr(10))} gave up, as they do in half a second:\n{failed}", file=sys.stderr)
    worst = max(statistics.median(times[event]) for event in EVENTS) / bare
    return 1 if worst > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
