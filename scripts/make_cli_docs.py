"""Writes ``docs/cli.md``: the help text of every command, as the command prints it at 80 columns.

python scripts/make_cli_docs.py           # write
python scripts/make_cli_docs.py --check   # exit with 1 when it isn't current
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"

HEAD = """\
# The command line

Made by `scripts/make_cli_docs.py` from the commands' own help texts.

## Output

At a terminal: tables, colours (none with `NO_COLOR`), matched words marked. In a pipe: plain lines.
With `--json`: one object, `{"ok", "command", "data" | "error": {"code", "message", "hint"}, "degraded",
"took_ms"}`; its JSON Schema is `schemas/COMMAND.json`. What goes wrong is said on standard error, as
`memd: what is wrong` and `hint: what to do`; what could not take part, as `memd: degraded: what`.

Plain lines are a record each, fields split by tabs. In a field a backslash, tab, line feed and carriage
return are written `\\\\`, `\\t`, `\\n` and `\\r`, so that a record is always one line, and what else can't be seen or
would be obeyed by a terminal `\\x1b`, `\\u202e` or `\\U000e0041`; `show --text` alone gives a text to the byte.

| command | fields |
| --- | --- |
| `remember` | id |
| `recall` | id, score, kind, time, scope, tags (by commas), passage |
| `recall --explain` | the same, then below each hit `why`, channel, rank, score, share; \
lines of `term`, `entity`, `time`, `channel`, `missed`, `stage` |
| `context` | the block, as it is |
| `task` | number, state, depth, parent, title, `current`, what it waits for, note, steps finished of all |
| `list`, `forget`, `restore`, `tag` | id, kind, time, scope, tags, text |
| `show` | `name: value` a line, an empty line, the text as it is |
| `show --text` | the text as it is, and nothing else |
| `ingest`, `stats`, `daemon status` | name, value |
| `watch list`, `watch remove` | kind, path, scope, included globs, excluded globs (by commas), since |
| `watch add`, `watch status` | state, kind, path, scope, `events` or `polling`, files, sections, changes, why; \
below each lines of `skipped`, path, why |
| `config` | name, value; a setting also where the value comes from |
| `doctor` | `ok`, `warning` or `failed`; check; finding; hint |
| `install AGENT`, `uninstall` | `made`, `changed`, `removed` or `unchanged`; file; where the copy of how it was lies |
| `install` | agent; `there` or nothing; scopes that have memd (by commas); what can't be read |
| `bench` | tables, aligned by blanks; for programs there is `--json` |

| exit code | |
| --- | --- |
| 0 | done |
| 1 | nothing found |
| 2 | wrong use; the store is as it was |
| 3 | the store or the daemon can't serve |
| 130, 141 | interrupted; the reader of the output went away |

"""


def document() -> str:
    """All of ``docs/cli.md``."""
    os.environ.update(COLUMNS="80", NO_COLOR="1", TERM="dumb", _TYPER_FORCE_DISABLE_TERMINAL="1")
    from memd_cli.app import command

    return HEAD + "\n".join(_section(path) for path in _paths(command(), []))


def _paths(command: Any, path: list[str]) -> Iterator[list[str]]:
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from _paths(below, [*path, name])


def _section(path: list[str]) -> str:
    from memd_cli.app import run

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        run([*path, "--help"])
    lines = [line.rstrip() for line in printed.getvalue().strip("\n").splitlines()]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join([f"## {' '.join(['memd', *path])}", "", "```text", *lines, "```", ""])


def main(arguments: list[str]) -> int:
    """Write or check the file; the exit code."""
    text = document()
    if "--check" in arguments:
        if FILE.read_text(encoding="utf-8") != text:
            print("docs/cli.md is not current; run python scripts/make_cli_docs.py", file=sys.stderr)
            return 1
        return 0
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
