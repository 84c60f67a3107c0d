"""`memd doctor --agent`: the server and the hooks that stand in an agent's files, at work; and opencode's plugin."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memd.agents.install.opencode import plugin
from memd.agents.install.registry import AGENTS
from memd.config import Config
from memd.daemon import process
from tests.cli.command import Memd
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def memd(tmp_path: Path) -> Iterator[Memd]:
    """The command with a home folder of its own, in a repository."""
    for folder in ("home", "work/.git"):
        (tmp_path / folder).mkdir(parents=True)
    env = {"HOME": str(tmp_path / "home"), "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}", "VIRTUAL_ENV": ""}
    for variable in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "COPILOT_HOME"):
        env[variable] = ""
    yield Memd(tmp_path / "memd", tmp_path / "work", env)
    process.stop(Config.load(tmp_path / "memd", {}))


def checks(memd: Memd, agent: str) -> dict[str, Any]:
    answer = memd("doctor", "--agent", agent, "--json", check=False).answer
    return {check["name"]: check for check in answer["data"]["checks"]}


def checks_in_peace(memd: Memd, agent: str) -> dict[str, Any]:
    """The same; again where half a second for a hook, or ten to read a transcript, is too short for a busy machine."""
    found: dict[str, Any] = {}

    def is_told() -> bool:
        found.update(checks(memd, agent))
        failed = [check["finding"] for check in found.values() if check["status"] == "failed"]
        return not any("gave up" in finding or "wasn't kept" in finding for finding in failed)

    eventually(is_told)
    return found


@pytest.mark.parametrize("agent", AGENTS)
def test_what_was_installed_works(memd: Memd, agent: str) -> None:
    memd("install", agent)
    tree = {
        path: path.read_bytes() for path in memd.home.parent.rglob("*") if path.is_file() and "memd/" not in str(path)
    }
    found = checks_in_peace(memd, agent)
    assert {name: check for name, check in found.items() if check["status"] == "failed"} == {}
    assert {"server", "tools", "remember", "recall", *(event.name for event in AGENTS[agent].events)} <= found.keys()
    assert all(path.read_bytes() == data for path, data in tree.items())
    assert not (memd.home / "memd.db").exists()  # the user's own store wasn't so much as made


def test_commands_that_do_not_work_are_found(memd: Memd, tmp_path: Path) -> None:
    memd("install", "claude-code")
    for path in (tmp_path / "home" / ".claude.json", tmp_path / "home" / ".claude" / "settings.json"):
        path.write_text(path.read_text().replace(sys.executable, str(tmp_path / "gone" / "python")))
    settings = tmp_path / "home" / ".claude" / "settings.json"
    settings.write_text(settings.read_text().replace('"Stop"', '"NotStop"'))
    found = checks(memd, "claude-code")
    assert found["server"]["status"] == "failed" and "can't be started" in found["server"]["finding"]
    assert found["SessionStart"]["hint"] == "memd install claude-code" and "127" in found["SessionStart"]["finding"]
    assert found["Stop"]["finding"] == "this hook is missing"
    assert memd("doctor", "--agent", "claude-code", check=False).code == 3
    memd("install", "claude-code")  # as it says
    assert not [check for check in checks_in_peace(memd, "claude-code").values() if check["status"] == "failed"]


HARNESS = """
import { pathToFileURL } from "node:url"
const [file, script] = process.argv.slice(2)
const steps = JSON.parse(script)
const { Memd } = await import(pathToFileURL(file))
const messages = steps.find((step) => step.messages)?.messages ?? []
const client = { session: { messages: async () => ({ data: messages }) } }
const hooks = await Memd({ client, directory: process.cwd() })
const seen = []
for (const { name, input, output } of steps.filter((step) => step.name)) {
  await hooks[name](input, output)
  seen.push(output)
}
console.log(JSON.stringify(seen))
"""


@pytest.mark.skipif(
    shutil.which("node") is None, reason="opencode's plugin is JavaScript, and there is no node to run it"
)
def test_opencodes_plugin_brings_and_keeps(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "The ferret ledger listens on port 4711, because 4710 is taken.", "--kind", "decision")
    for name, text in (("memd.mjs", plugin((sys.executable, "-m", "memd_cli")).content), ("harness.mjs", HARNESS)):
        (tmp_path / name).write_text(text)
    decided = "We decided to keep the receipts for seven years, because the auditors ask for them."
    asked = {"type": "text", "text": "how long do we keep receipts?"}
    answered = {"id": "p2", "type": "text", "text": decided}
    failing = {
        "id": "p3",
        "type": "tool",
        "tool": "bash",
        "callID": "c1",
        "state": {"status": "completed", "input": {"command": "make x"}, "output": "No rule", "metadata": {"exit": 2}},
    }
    messages = [
        {"info": {"id": "m1", "role": "user", "time": {"created": 1}}, "parts": [asked]},
        {"info": {"id": "m2", "role": "assistant", "time": {"created": 2}}, "parts": [failing, answered]},
    ]

    def said(session: str, text: str) -> dict[str, Any]:
        parts = [{"type": "text", "text": text}]
        return {
            "name": "chat.message",
            "input": {"sessionID": session},
            "output": {"message": {"id": "m"}, "parts": parts},
        }

    tool = {"tool": "bash", "sessionID": "s1", "args": {"command": "make x"}}
    idle = {"event": {"type": "session.idle", "properties": {"sessionID": "s1"}}}
    child = {"event": {"type": "session.created", "properties": {"info": {"id": "s2", "parentID": "s1"}}}}
    steps = [
        {"messages": messages},
        said("s1", "Which port does the ferret ledger listen on?"),
        {"name": "tool.execute.after", "input": tool, "output": {"output": "No rule", "metadata": {"exit": 2}}},
        {"name": "event", "input": child, "output": {}},
        said("s2", "Which port does the ferret ledger listen on?"),
        {"name": "event", "input": idle, "output": {}},
    ]
    command = ["node", str(tmp_path / "harness.mjs"), str(tmp_path / "memd.mjs"), json.dumps(steps)]
    done = subprocess.run(command, cwd=memd.cwd, env=memd.environ({}), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, _, _, inner, _ = json.loads(done.stdout)
    added = first["parts"][1:]
    assert added and all(part["synthetic"] and part["messageID"] == "m" for part in added)
    assert "4711" in "".join(part["text"] for part in added)
    assert len(inner["parts"]) == 1  # a subagent's prompt is nobody's
    for _ in range(50):
        kept = memd("recall", "how long do we keep the receipts", check=False).text
        if "seven years" in kept:
            break
    assert "seven years" in kept


@pytest.mark.skipif(
    shutil.which("node") is None, reason="opencode's plugin is JavaScript, and there is no node to run it"
)
@pytest.mark.parametrize("program", [("/nowhere/memd",), ("false",), ("echo", "plain words")])
def test_opencodes_plugin_fails_open(tmp_path: Path, program: tuple[str, ...]) -> None:
    (tmp_path / "memd.mjs").write_text(plugin(program).content)
    (tmp_path / "harness.mjs").write_text(HARNESS)
    parts = [{"type": "text", "text": "hello"}]
    message = {"name": "chat.message", "input": {"sessionID": "s"}, "output": {"message": {"id": "m"}, "parts": parts}}
    idle = {"event": {"type": "session.idle", "properties": {"sessionID": "s"}}}
    steps = [message, {"name": "event", "input": idle, "output": {}}]
    command = ["node", str(tmp_path / "harness.mjs"), str(tmp_path / "memd.mjs"), json.dumps(steps)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["parts"] == parts
