"""No command, run in one project, shows what another project has."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from memd_cli.app import command
from memd_cli.main import main

from .world import SUBJECTS, World

Lines = list[list[str]]


def _recall(world: World) -> Lines:
    now = datetime.now(UTC).isoformat()
    asks = [
        ["recall", "--min-relevance", "0", "-n", "1000", "--explain", f"{subject} {word}"]
        for subject in SUBJECTS[:2]
        for word in ("port", "on 7 May 2023 Ada")
    ]
    return [
        *asks,
        ["recall", world.lure(), "--as-of", now, "--superseded", "--full", "--min-relevance", "0"],
        ["recall", world.lure(), "--tag", "shared", "--source", "zq", "--min-relevance", "0"],
    ]


def _exported(world: World) -> str:
    file = Path(world.here) / "exported.jsonl"
    main(["export", "-s", world.here, "--to", str(file)])
    return str(file)


# What each command is given, run in the folder `here`. Ids are of what may be found there.
RULES: dict[str, Callable[[World], Lines]] = {
    "recall": _recall,
    "list": lambda world: [["list", "-n", "1000"], ["list", "--forgotten"], ["list", "--source", world.foreign[0]]],
    "context": lambda world: [["context", "--budget", "100000"]],
    "conflicts": lambda world: [["conflicts", "-n", "1000"]],
    "gists": lambda world: [["gists", "-n", "1000"]],
    "task list": lambda world: [["task", "list", "--all"]],
    "task start": lambda world: [["task", "start", "Mend the harbour"]],
    "task step": lambda world: [["task", "step", "Look at the harbour"]],
    "task block": lambda world: [["task", "block", str(number)] for number in (1, 2)],
    "task open": lambda world: [["task", "open", str(number)] for number in (1, 2)],
    "task done": lambda world: [["task", "done", str(number), "--all"] for number in (1, 2)],
    "task drop": lambda world: [["task", "drop", str(number)] for number in (1, 2)],
    "remember": lambda world: [["remember", world.lure()]],
    "supersede": lambda world: [["supersede", world.own()[0], f"{world.lure()} again"]],
    "show": lambda world: [["show", *world.own()]],
    "history": lambda world: [["history", id_] for id_ in world.own()[:6]],
    "tag": lambda world: [["tag", world.own()[0], "--add", "seen"]],
    "use": lambda world: [["use", world.own()[0]]],
    "pin": lambda world: [["pin", world.own()[0]]],
    "unpin": lambda world: [["unpin", world.own()[0]]],
    "resolve": lambda world: [["resolve", world.own()[0], world.own()[1], "--both"]],
    "forget": lambda world: [["forget", world.own()[0], "--dry-run"], ["forget", world.own()[0], "--yes"]],
    "restore": lambda world: [["restore", world.own()[0]]],
    # Without a scope it is a copy of the whole store.
    "export": lambda world: [["export", "-s", world.here, *more] for more in ([], ["--tag", "shared"], ["--sign"])],
    "import": lambda world: [["import", _exported(world), "--dry-run"]],
    "ingest": lambda world: [["ingest", world.here]],
    # Of the whole store: figures, folders and troubles, no texts.
    "stats": lambda world: [["stats"], ["stats", "--lifecycle"]],
    "audit": lambda world: [["audit"]],
    "check": lambda world: [["check"]],
    "doctor": lambda world: [["doctor"]],
    "lifecycle status": lambda world: [["lifecycle", "status"]],
    "lifecycle run": lambda world: [["lifecycle", "run", "--dry-run"]],
    "watch list": lambda world: [["watch", "list"]],
    "watch status": lambda world: [["watch", "status"]],
    "watch add": lambda world: [["watch", "add", world.here]],
    "watch remove": lambda world: [["watch", "remove", world.here]],
    "daemon status": lambda world: [["daemon", "status"]],
    "daemon logs": lambda world: [["daemon", "logs"]],
    "backup": lambda world: [["backup"], ["backup", "--list"]],
    "completion": lambda world: [["completion", "bash"]],
    "config get": lambda world: [["config", "get"]],
    "model info": lambda world: [["model", "info"]],
    "model list": lambda world: [["model", "list"]],
    "install": lambda world: [["install", "--dry-run"]],
    "uninstall": lambda world: [["uninstall", "--dry-run"]],
}
_APART = (
    "config set,config unset,encrypt,decrypt,rekey,unlock,key export,key import,reindex,model use,model add,"
    "daemon run,daemon start,daemon stop,daemon restart,service install,service uninstall,bench recall,bench compare,"
    "bench latency,bench abstention,bench gists,bench quantization,bench forgetting,hook,mcp,repair"
)
APART = set(_APART.split(","))
"""These show no memory: settings, keys, processes, measurements on other files; `repair` reads a file that is no
store any more. `hook` and `mcp` are asked in the tests beside this one."""


def leaves(below: Any, path: str = "") -> Iterator[str]:
    """The commands, as they are typed."""
    inner = getattr(below, "commands", {})
    for name, more in inner.items():
        yield from leaves(more, f"{path} {name}".strip())
    if not inner:
        yield path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("commands") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        patch.setenv("MEMD_HOME", str(home))
        patch.setenv("HOME", str(home.parent))
        with Memory.open(home) as memory:
            world = World(memory, tmp_path_factory.mktemp("w"), 5)
        yield world
        process.stop(Config.load(home, {}))


def test_every_command_has_a_rule() -> None:
    assert set(leaves(command())) - APART == set(RULES), "say how a new command is run in one project"


CASES = [(name, False) for name in RULES] + [(name, True) for name in ("recall", "list", "show", "history", "context")]


@pytest.mark.parametrize(("name", "json_"), CASES)
def test_no_command_shows_what_another_project_has(
    world: World, name: str, json_: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = ""
    for words in RULES[name](world):
        with contextlib.chdir(world.here):
            code = main([*words, *(["--json"] if json_ else [])])
        out, err = capfd.readouterr()
        assert code in (0, 1, 2, 3), (words, err)
        assert "bug in memd" not in out + err
        known = world.foreigners(json.dumps(words))
        assert not world.foreigners(out + err) - known, (words, out[:2000], err[:500])
        heard += out
    if name in ("recall", "list", "show", "history"):
        assert any(owner == world.here and word in heard for word, owner in world.owner.items()), heard[:500]


def test_completions_of_a_shell_tell_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressing tab completes commands and options; no ids, tags or scopes of the store."""
    import subprocess
    import sys

    for line in ("memd show ", "memd recall --tag "):
        words = line.split(" ")
        done = subprocess.run(
            [sys.executable, "-m", "memd_cli"],
            env={
                **os.environ,
                "_MEMD_COMPLETE": "bash_complete",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(words) - 1),
                "_TYPER_COMPLETE_ARGS": line,
            },
            cwd=Path(world.here),
            capture_output=True,
            text=True,
            check=False,
        )
        assert not world.foreigners(done.stdout + done.stderr)
