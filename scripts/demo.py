"""What `make demo` runs: this repository's notes and history, through the real `memd` command.

Every step is a command that a person could type, run on a throw-away data folder with a daemon of its
own. Both are gone when the demo ends, however it ends.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import terminal

REPOSITORY = Path(__file__).resolve().parent.parent
QUESTIONS = (("what happens to recall when the encoder is missing?",), ("what is fusion.py for?",))
QUESTION_TO_HISTORY = "what was done about ingest this year?"
QUESTION_WITHOUT_HISTORY = "where does memd keep its files?"
COLUMNS = 100  # where the output is no terminal
POLL_SECONDS = 0.1


class DemoFailed(Exception):
    """A step did not do what it should; the message says which."""


class Demo:
    """One run: the throw-away home, the command, and how long each step took."""

    def __init__(self, home: Path, console: Console) -> None:
        self.console = console
        self.environment = {**os.environ, "MEMD_HOME": str(home)}
        self.command = _command()
        self.times: list[tuple[str, float]] = []

    def run(self) -> None:
        self.step("start the daemon", "daemon", "start")
        self.step("ingest the Markdown", "ingest", ".")
        has_commits = _has_commits()
        last = (QUESTION_TO_HISTORY, "--kind", "commit") if has_commits else (QUESTION_WITHOUT_HISTORY,)
        if has_commits:
            self.step("ingest the git history", "ingest", "--git")
        else:
            self.console.print("[dim]This copy has no git history (a downloaded archive, say): that step is left out.")
        with self.timed("encode it all"):
            self.wait_until_encoded()
        for number, words in enumerate((*QUESTIONS, last), 1):
            self.step(f"recall {number}", "recall", *words, "--limit", "3", "--explain")
        self.step("show what is stored", "stats")
        self.report()

    def step(self, name: str, *arguments: str) -> None:
        """Shows a command, runs it on this terminal, and notes how long it took."""
        self.console.print(f"\n[bold green]$[/] [bold]memd {shlex.join(arguments)}", highlight=False)
        with self.timed(name):
            code = self.run_shown([*self.command, *arguments])
        if code:
            raise DemoFailed(f"memd {shlex.join(arguments)} ended with exit code {code}")

    def run_shown(self, command: list[str]) -> int:
        """Runs a command so that it prints what people see, tables and all, even where this output is a log."""
        if self.console.is_terminal:
            return subprocess.run(command, cwd=REPOSITORY, env=self.environment, check=False).returncode
        environment = {**self.environment, "TERM": "dumb", "COLUMNS": str(COLUMNS)}
        return terminal.run(command, cwd=REPOSITORY, environment=environment, columns=COLUMNS, show=self.write)

    def write(self, text: str) -> None:
        self.console.file.write(text)
        self.console.file.flush()

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.times.append((name, time.perf_counter() - began))

    def wait_until_encoded(self) -> None:
        """Watches the daemon's queue run empty. Words are findable before that; meaning comes with it."""
        self.console.print()
        stats = self.stats()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task("encoding passages", total=stats["passages"])
            while True:
                progress.update(task, total=stats["passages"], completed=stats["passages"] - stats["pending"])
                if not stats["pending"]:
                    return
                time.sleep(POLL_SECONDS)
                stats = self.stats()

    def stats(self) -> dict[str, Any]:
        done = subprocess.run(
            [*self.command, "stats", "--json"],
            cwd=REPOSITORY, env=self.environment, stdout=subprocess.PIPE, check=False,
        )  # fmt: skip
        if done.returncode:
            raise DemoFailed(f"memd stats ended with exit code {done.returncode}")
        answer = json.loads(done.stdout)
        if answer["degraded"]:
            raise DemoFailed("; ".join(answer["degraded"]))
        stats: dict[str, Any] = answer["data"]
        return stats

    def report(self) -> None:
        table = Table("step", "seconds", title="How long it took")
        table.columns[1].justify = "right"
        for name, seconds in self.times:
            table.add_row(name, f"{seconds:.2f}")
        table.add_section()
        table.add_row("together", f"{sum(seconds for _, seconds in self.times):.2f}", style="bold")
        self.console.print()
        self.console.print(table)

    def stop(self) -> None:
        """Stops the daemon, if one runs; says nothing."""
        subprocess.run(
            [*self.command, "daemon", "stop"],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip


def _command() -> list[str]:
    """The `memd` installed beside this Python."""
    beside = Path(sys.executable).parent / "memd"
    if not beside.exists():
        raise DemoFailed(f"there is no {beside}: run `make setup` first")
    return [str(beside)]


def _has_commits() -> bool:
    head = ["git", "-C", str(REPOSITORY), "rev-parse", "--quiet", "--verify", "HEAD"]
    try:
        return subprocess.run(head, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the daemon is stopped then too
    console = Console(width=None if sys.stdout.isatty() else COLUMNS)
    home = Path(tempfile.mkdtemp(prefix="memd-demo-"))
    try:
        demo = Demo(home, console)
        try:
            demo.run()
        finally:
            demo.stop()
    except DemoFailed as reason:
        console.print(f"[red]The demo failed:[/] {reason}", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(home, ignore_errors=True)
    console.print("The daemon is stopped and the demo's data folder removed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
