"""What scripts and hooks call imports the standard library alone on its way to the daemon."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.command import Memd

# Runs a command and tells which modules that brought in, beside the interpreter's own and memd's.
WATCH = """
import sys
before = set(sys.modules)
from memd_cli.main import main
code = main(sys.argv[1:])
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(new - set(sys.stdlib_module_names) - {"memd", "memd_cli"}), code, sorted(sys.modules), file=sys.stderr)
"""
DEAR = {"typing", "re", "json", "argparse", "pathlib", "dataclasses", "inspect", "socket", "subprocess", "asyncio"}


def watched(memd: Memd, *words: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *words],
        capture_output=True, text=True, cwd=memd.cwd, env=memd.environ({}), timeout=240, check=True, input="",
    )  # fmt: skip
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["remember", "we deploy with make release"],
        ["remember", "--json", "-t", "ci", "we deploy with make release"],
        ["recall", "how do we deploy"],
        ["recall", "--json", "--explain", "how do we deploy"],
        ["list"],
        ["list", "--json", "--since", "2020-01-01"],
        ["recall", "--since", "last week", "deploy"],
    ],
)
def test_only_the_standard_library_is_imported(memd: Memd, words: list[str]) -> None:
    memd("remember", "we deploy with make release")  # starts the daemon, which is another matter
    _, told = watched(memd, *words)
    assert told.splitlines()[-1].startswith("[] 0 "), told


def test_dear_modules_of_the_standard_library_stay_out_too(memd: Memd) -> None:
    memd("remember", "we deploy with make release")
    bare = subprocess.run(
        [sys.executable, "-c", "import sys, json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        check=True,
    )
    _, told = watched(memd, "recall", "how do we deploy")
    loaded = set(told.splitlines()[-1].partition("] 0 ")[2].strip("[]").replace("'", "").split(", "))
    anyway = set(json.loads(bare.stdout)) - {"json", "json.decoder", "json.encoder", "json.scanner"}
    assert not (loaded - anyway) & DEAR


def test_the_fast_way_and_typers_answer_alike(memd: Memd) -> None:
    memd("remember", "we deploy with make release")
    fast = memd("recall", "how do we deploy").out
    by_typer = memd("recall", "-n", "010", "how do we deploy", "--no-daemon").out
    assert fast == by_typer
