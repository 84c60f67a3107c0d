"""The MCP server through another implementation's client: the inspector's command line, from npm."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memd.config import Config
from memd.daemon import process
from tests.agents.servers import COMMAND, environment

INSPECTOR = "@modelcontextprotocol/inspector"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "memd-tests" / "npm"


@functools.cache
def why_not() -> str:
    """Why the inspector can't be run here; empty where it can. Fetches it once, into a cache of the tests' own."""
    if shutil.which("npx") is None:
        return "npx isn't installed"
    try:
        done = _npx("--help", timeout=120)
    except subprocess.TimeoutExpired:
        return f"npx couldn't fetch {INSPECTOR} within two minutes"
    if done.returncode != 0 or "--cli" not in done.stdout:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"npx can't run {INSPECTOR}: {last}"
    return ""


def _npx(*words: str, timeout: float = 240, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    settings = {"cache": str(CACHE), "update_notifier": "false", "fetch_retries": "0"}
    env = {**os.environ, **{f"npm_config_{name}": value for name, value in settings.items()}}
    command = ["npx", "--yes", "--prefer-offline", INSPECTOR, "--cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, env=env, cwd=cwd)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    if reason := why_not():
        pytest.skip(reason)
    (tmp_path / "work" / ".git").mkdir(parents=True)
    yield tmp_path / "home"
    process.stop(Config.load(tmp_path / "home", {}))


def ask(home: Path, method: str, *words: str) -> Any:
    given = environment(home, MEMD_ENCODER=str(home / "none"))
    env = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    done = _npx(*env, *COMMAND, "--method", method, *words, cwd=home.parent / "work")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    "every", [pytest.param(False, id="some"), pytest.param(True, id="every tool", marks=pytest.mark.soak)]
)
def test_the_inspector_lists_calls_and_reads(home: Path, every: bool) -> None:
    """Each question starts node and a server, so `make test` asks a few of them."""
    tools = {tool["name"] for tool in ask(home, "tools/list")["tools"]}
    assert tools == {"remember", "recall", "context", "show", "forget", "supersede", "use"}

    def call(name: str, *arguments: str) -> Any:
        words = [word for argument in arguments for word in ("--tool-arg", argument)]
        result = ask(home, "tools/call", "--tool-name", name, *words)
        assert not result.get("isError"), result
        return result["structuredContent"]

    old = call("remember", "text=the pier has nine lamps", "kind=decision", 'tags=["pier"]')["id"]
    assert call("recall", "query=pier lamps", "limit=3", "explain=true")["hits"][0]["id"] == old
    assert "nine lamps" in ask(home, "resources/read", "--uri", "memory://context/current")["contents"][0]["text"]
    if not every:
        return
    assert old in call("context", "budget=400")["ids"]
    new = call("supersede", f"id={old}", "text=the pier has ten lamps")["id"]
    assert call("show", f'ids=["{old}"]')["memories"][0]["superseded_by"] == new
    assert call("use", f'ids=["{new}"]')["verdict"] == "useful"
    assert len(ask(home, "resources/list")["resources"]) == 1
    assert len(ask(home, "resources/templates/list")["resourceTemplates"]) == 2
    assert "ten lamps" in ask(home, "resources/read", "--uri", f"memory://{new}")["contents"][0]["text"]
    assert "ten lamps" in ask(home, "resources/read", "--uri", "memory://context/current")["contents"][0]["text"]
    assert len(ask(home, "prompts/list")["prompts"]) == 2
    assert call("forget", f'ids=["{new}"]')["memories"][0]["forgotten"]
