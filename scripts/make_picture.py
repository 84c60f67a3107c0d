"""Draws docs/recall.svg, the picture in the README, from what the `memd` command really prints.

The commands run on a terminal of their own (a pty) and a throw-away data folder; rich turns the bytes
that they wrote, colours and all, into an SVG. Run it again when the output changes:

    .venv/bin/python scripts/make_picture.py
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 92, 50
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "recall.svg"
BEFORE: tuple[tuple[str, ...], ...] = (
    (
        "remember",
        "Run `make staging` from the release branch; it needs the VPN, or the upload hangs.",
        "-k",
        "procedure",
    ),
    ("remember", "We chose SQLite over Postgres: one file, no server to run on a laptop.", "-k", "decision"),
    ("remember", "Fixed ERR_LOCKED in db/pool.py: the test fixture kept a cursor open.", "-k", "fix"),
)
SHOWN: tuple[tuple[str, ...], ...] = (
    ("remember", "Tests hang on macOS 14: pass --no-watch to the runner.", "--kind", "fix", "--tag", "ci"),
    ("recall", "why does the staging upload hang?", "--limit", "2", "--explain"),
)


def run(home: Path, *arguments: str) -> str:
    """What a command writes to a terminal of `COLUMNS` columns, with its colour codes."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, "MEMD_HOME": str(home), "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    command = [str(Path(sys.executable).parent / "memd"), *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=home)
    os.close(theirs)
    written = b""
    while True:
        try:
            chunk = os.read(ours, 65_536)
        except OSError:  # Linux: the other end is closed
            break
        if not chunk:  # macOS: the same
            break
        written += chunk
    os.close(ours)
    if process.wait():
        raise SystemExit(f"memd {shlex.join(arguments)} failed:\n{written.decode()}")
    return written.decode().replace("\r\n", "\n")


def draw(home: Path) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for arguments in BEFORE:
        run(home, *arguments)
    run(home, "recall", "warm up")
    for arguments in SHOWN:
        console.print(Text.assemble(("$ ", "green"), (f"memd {shlex.join(arguments)}", "bold")))
        console.print(Text.from_ansi(run(home, *arguments)))
    svg = console.export_svg(title="memd", unique_id="memd")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # they would be fetched from the network


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="memd-picture-") as folder:
        home = Path(folder)
        try:
            svg = draw(home)
        finally:
            run(home, "daemon", "stop")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")
    print(f"{PICTURE}: {len(svg) / 1024:.0f} KB")


if __name__ == "__main__":
    main()
