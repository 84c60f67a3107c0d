"""`memd install`, `uninstall` and `doctor --agent` as people run them: processes, files, exit codes, a terminal."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from memd.agents.install.agent import Place
from memd.agents.install.program import program
from memd.agents.install.registry import AGENTS
from memd.config import Config
from memd.daemon import process
from tests.cli.command import Memd

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def memd(tmp_path: Path) -> Iterator[Memd]:
    """The command with a home folder of its own, in a repository, with no agent on the search path."""
    for folder in ("home", "bin", "work/.git", "work/src"):
        (tmp_path / folder).mkdir(parents=True)
    env = {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin"), "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}"}
    for variable in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "COPILOT_HOME", "VIRTUAL_ENV"):
        env[variable] = ""
    yield Memd(tmp_path / "memd", tmp_path / "work" / "src", env)
    process.stop(Config.load(tmp_path / "memd", {}))


def valid(name: str, answer: Any) -> Any:
    jsonschema.validate(answer, json.loads((ROOT / "schemas" / f"{name}.json").read_bytes()))
    return answer["data"]


def test_without_a_name_it_lists_what_is_there(memd: Memd, tmp_path: Path) -> None:
    (tmp_path / "home" / ".codex").mkdir()
    (tmp_path / "bin" / "gemini").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "gemini").chmod(0o755)
    (tmp_path / "home" / ".cursor").mkdir()
    (tmp_path / "home" / ".cursor" / "mcp.json").write_text("{\n  nonsense")
    memd("install", "codex", "--scope", "project")
    found = {agent["name"]: agent for agent in valid("install", memd("install", "--json").answer)["agents"]}
    assert {name for name, agent in found.items() if agent["there"]} == {"codex", "gemini-cli", "cursor"}
    assert found["codex"]["installed"] == ["project"] and "line 2, column 3" in found["cursor"]["trouble"]
    shown = memd.at_terminal("install").text
    assert "memd install gemini-cli" in shown and "memd doctor --agent codex" in shown
    assert [line[:3] for line in memd("install").lines][1] == ["codex", "there", "project"]


@pytest.mark.parametrize("agent", AGENTS)
def test_it_goes_in_and_out(memd: Memd, tmp_path: Path, agent: str) -> None:
    made = valid("install", memd("install", agent, "--json").answer)
    paths = [Path(file["path"]) for file in made["files"]]
    assert all(path.is_relative_to(tmp_path / "home") and path.is_file() for path in paths)
    assert made["next"] and all(file["difference"] and file["copy"] is None for file in made["files"])
    again = valid("install", memd("install", agent, "--json").answer)
    assert all(file["action"] == "unchanged" and not file["difference"] for file in again["files"])
    out = valid("uninstall", memd("uninstall", agent, "--json").answer)
    assert {file["action"] for file in out["files"]} == {"removed"} and list((tmp_path / "home").iterdir()) == []
    assert memd("uninstall", agent, check=False).code == 1


def test_a_dry_run_writes_nothing_and_shows_all(memd: Memd, tmp_path: Path) -> None:
    data = valid("install", memd("install", "claude-code", "--dry-run", "--json").answer)
    assert data["dry_run"] and '+  "mcpServers": {' in data["files"][0]["difference"]
    assert list((tmp_path / "home").iterdir()) == [] and not memd.home.exists()
    shown = memd.at_terminal("install", "claude-code", "--dry-run")
    assert b"\x1b[32m+" in shown.out and "Nothing was written." in shown.text
    assert b"\x1b[32m" not in memd.at_terminal("install", "claude-code", "--dry-run", NO_COLOR="1").out


def test_a_project_has_its_own_files(memd: Memd, tmp_path: Path) -> None:
    memd("install", "claude-code", "--scope", "project")
    assert (tmp_path / "work" / ".mcp.json").is_file() and (tmp_path / "work" / ".claude" / "settings.json").is_file()
    done = memd("uninstall", "claude-code", check=False)
    assert done.code == 1 and "memd uninstall claude-code --scope project" in done.err
    memd("uninstall", "claude-code", "--scope", "project")
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == [".git", "src"]


def test_a_malformed_file_is_named_with_its_place(memd: Memd, tmp_path: Path) -> None:
    file = tmp_path / "home" / ".gemini" / "settings.json"
    file.parent.mkdir()
    file.write_text('{\n  "theme": "x",\n}\n')
    done = memd("install", "gemini-cli", "--json", check=False)
    answer = json.loads(done.out)
    assert done.code == 2 and answer["error"]["code"] == "malformed_file" and answer["error"]["hint"]
    assert f"{file}, line 2, column 15" in answer["error"]["message"]
    assert file.read_text() == '{\n  "theme": "x",\n}\n'


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("install", "emacs"), "claude-code, codex, cursor"),
        (("uninstall", "emacs"), "claude-code, codex, cursor"),
        (("install", "codex", "--scope", "all"), "user, project"),
        (("uninstall",), "memd uninstall --help"),
        (("doctor", "--agent", "emacs"), "claude-code, codex, cursor"),
    ],
)
def test_wrong_uses_say_what_there_is(memd: Memd, words: tuple[str, ...], told: str) -> None:
    done = memd(*words, check=False)
    assert done.code == 2 and told in done.err


def test_the_command_is_the_memd_that_ran(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "memd"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    path = {"PATH": str(script.parent)}
    assert program(path, str(script)) == ("memd",)
    assert program({"PATH": ""}, str(script)) == (str(script),)
    assert program({**path, "VIRTUAL_ENV": str(tmp_path)}, str(script)) == (str(script),)  # on the path for now only
    other = tmp_path / "other" / "memd"
    other.parent.mkdir()
    shutil.copy(script, other)
    assert program(path, str(other)) == (str(other),)
    link = tmp_path / "linked" / "memd"
    link.parent.mkdir()
    link.symlink_to(script)
    assert program({"PATH": str(link.parent)}, str(script)) == ("memd",)
    assert program({}, str(ROOT / "cli" / "memd_cli" / "__main__.py")) == (sys.executable, "-m", "memd_cli")


def test_the_doctor_says_what_is_missing(memd: Memd) -> None:
    done = memd("doctor", "--agent", "codex", "--json", check=False)
    assert done.code == 3
    (check,) = valid("doctor", done.answer)["checks"]
    assert check["status"] == "failed" and check["hint"] == "memd install codex"


def test_many_at_once_end_as_one(memd: Memd, tmp_path: Path) -> None:
    file = tmp_path / "home" / ".claude.json"
    file.write_text('{"a": 1}')
    running = [memd.popen("install", "claude-code") for _ in range(4)]
    assert [process.wait(240) for process in running] == [0] * 4
    assert list(json.loads(file.read_text())["mcpServers"]) == ["memd"]
    memd("uninstall", "claude-code")
    assert file.read_text() == '{"a": 1}' and [path.name for path in file.parent.iterdir()] == [".claude.json"]


def test_a_data_folder_that_can_not_be_made_is_said_before_anything_is_written(memd: Memd, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = memd("install", "claude-code", "--json", check=False, MEMD_HOME=str(tmp_path / "file" / "home"))
    assert done.code == 3 and done.answer["error"]["code"] == "file_unusable"
    assert list((tmp_path / "home").iterdir()) == []


def test_place_is_the_users_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Place.here(Path("/x")).home == tmp_path
