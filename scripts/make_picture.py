"""Draws docs/recall.svg, the picture in the README, from what the `memd` command really prints.

The commands run on a terminal of their own (a pty) and a throw-away data folder; rich turns the bytes
that they wrote, colours and all, into an SVG. Run it again when the output changes:

    .venv/bin/python scripts/make_picture.py
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

import terminal

COLUMNS = 92
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "recall.svg"
BEFORE: tuple[tuple[str, ...], ...] = (
    ("remember", "The staging host answers only inside the company network.", "--kind", "fact"),
    ("remember", "We chose SQLite over Postgres: one file, no server to run on a laptop.", "--kind", "decision"),
    ("remember", "Fixed ERR_LOCKED in db/pool.py: the test fixture kept a cursor open.", "--kind", "fix"),
)
SHOWN: tuple[tuple[str, ...], ...] = (
    ("remember", "Without the VPN, `make staging` hangs at the upload.", "--kind", "fix", "--tag", "deploy"),
    ("recall", "why does the staging upload hang?", "--limit", "2", "--explain"),
)


def run(home: Path, *arguments: str) -> str:
    """What a command writes to a terminal of `COLUMNS` columns, with its colour codes."""
    written: list[str] = []
    code = terminal.run(
        [str(Path(sys.executable).parent / "memd"), *arguments],
        cwd=home,
        environment={**os.environ, "MEMD_HOME": str(home), "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)},
        columns=COLUMNS,
        show=written.append,
    )
    if code:
        raise SystemExit(f"memd {shlex.join(arguments)} failed:\n{''.join(written)}")
    return "".join(written)


def draw(home: Path) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for arguments in BEFORE:
        run(home, *arguments)
    run(home, "recall", "staging")  # the daemon is warm then
    for arguments in SHOWN:
        console.print(Text.assemble(("$ ", "green"), (f"memd {shlex.join(arguments)}", "bold")))
        console.print(Text.from_ansi(run(home, *arguments)))
    svg = console.export_svg(title="memd", unique_id="memd")
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some renderers would trim the spaces between colours
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
