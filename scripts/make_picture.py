"""Draws the pictures in docs/ from what the `memd` command really prints.

The commands run on a terminal of their own (a pty), with a throw-away home and data folder; rich turns the bytes
that they wrote, colours and all, into an SVG. Run it again when the output changes:

    .venv/bin/python scripts/make_picture.py            # all of them
    .venv/bin/python scripts/make_picture.py agents     # docs/agents.svg
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

import terminal

COLUMNS = 92
DOCS = Path(__file__).resolve().parent.parent / "docs"
Line = tuple[str, ...]
# A progress bar: hidden cursor, the bar again and again, and its line erased. A picture has no time for it.
ERASED = re.compile(r"\x1b\[\?25l.*\x1b\[\?25h(?:\r|\x1b\[1A|\x1b\[2K)*", re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """A file in docs/: the commands that it shows, those run before, unseen, and folders of the home folder."""

    name: str
    before: tuple[Line, ...]
    shown: tuple[Line, ...]
    folders: tuple[str, ...] = ()


PICTURES = (
    Picture(
        "recall",
        before=(
            ("remember", "The staging host answers only inside the company network.", "--kind", "fact"),
            (
                "remember",
                "We chose SQLite over Postgres: one file, no server to run on a laptop.",
                "--kind",
                "decision",
            ),
            ("remember", "Fixed ERR_LOCKED in db/pool.py: the test fixture kept a cursor open.", "--kind", "fix"),
            ("recall", "staging"),  # the daemon is warm then
        ),
        shown=(
            ("remember", "Without the VPN, `make staging` hangs at the upload.", "--kind", "fix", "--tag", "deploy"),
            ("recall", "why does the staging upload hang?", "--limit", "2", "--explain"),
        ),
    ),
    Picture(
        "agents",
        before=(("install", "claude-code"), ("install", "codex")),
        shown=(("install",), ("doctor", "--agent", "claude-code")),
        folders=(".claude", ".codex", ".cursor"),
    ),
)


def run(home: Path, *arguments: str) -> str:
    """What a command writes to a terminal of `COLUMNS` columns, with its colour codes."""
    written: list[str] = []
    project = home / "ledger"
    project.mkdir(exist_ok=True)
    program = Path(sys.executable).parent / "memd"
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL", "PYTHONPATH")}
    environment = {
        **kept,
        "HOME": str(home),
        "MEMD_HOME": str(home / "memd"),
        "PATH": f"{program.parent}:{os.defpath}",
        "TERM": "xterm-256color",
        "COLUMNS": str(COLUMNS),
    }
    code = terminal.run(
        [str(program), *arguments], cwd=project, environment=environment, columns=COLUMNS, show=written.append
    )
    told = ERASED.sub("", "".join(written))
    if code:
        raise SystemExit(f"memd {shlex.join(arguments)} failed:\n{told}")
    return told


def draw(picture: Picture, home: Path) -> str:
    """The picture as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for folder in picture.folders:
        (home / folder).mkdir()
    for arguments in picture.before:
        run(home, *arguments)
    for arguments in picture.shown:
        console.print(Text.assemble(("$ ", "green"), (f"memd {shlex.join(arguments)}", "bold")))
        console.print(Text.from_ansi(run(home, *arguments)))
    svg = console.export_svg(title="memd", unique_id="memd")
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some renderers would trim the spaces between colours
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # they would be fetched from the network


def main(names: list[str]) -> None:
    """Draw the pictures of these names, or all."""
    for picture in PICTURES:
        if names and picture.name not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="memd-picture-") as folder:
            home = Path(folder)
            try:
                svg = draw(picture, home)
            finally:
                run(home, "daemon", "stop")
        file = DOCS / f"{picture.name}.svg"
        file.write_text(svg, encoding="utf-8")
        print(f"{file}: {len(svg) / 1024:.0f} KB")


if __name__ == "__main__":
    main(sys.argv[1:])
