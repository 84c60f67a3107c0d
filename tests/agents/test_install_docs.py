"""The pages of docs/agents say what is so: files, events, entries, commands and links."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from memd.agents.install.agent import PROJECT, SCOPES, USER, Place
from memd.agents.install.parts import JsonServer, TomlServer
from memd.agents.install.registry import AGENTS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "agents"
PLACE = Place(Path("/home/ada"), Path("/project"), {"PATH": ""}, mac=False)


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def test_every_agent_has_its_page_and_its_line() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} >= {*AGENTS, "README"}
    for name, agent in AGENTS.items():
        assert re.search(
            rf"^\| {re.escape(agent.title)} \| .*\b{len(agent.events)} events.*\({name}\.md\) \|$", page("README"), re.M
        )


@pytest.mark.parametrize("name", AGENTS)
def test_every_file_is_named(name: str) -> None:
    for scope in SCOPES:
        for target in AGENTS[name].files(PLACE, scope, ("memd",)):
            root, sign = (PLACE.home, "~/") if scope == USER else (PLACE.project, "")
            told = f"{sign}{target.path.relative_to(root)}"
            assert told in page(name) or (scope == USER and f"{Path(told).parent}" in page(name)), told


@pytest.mark.parametrize("name", AGENTS)
def test_every_event_is_named(name: str) -> None:
    for event in AGENTS[name].events:
        assert f"`{event.name.partition(' ')[0]}`" in page(name), event.name
        for tool in filter(None, event.matcher.split("|")):
            assert tool in page(name), tool


@pytest.mark.parametrize("name", AGENTS)
def test_the_entry_shown_is_the_entry_written(name: str) -> None:
    (part,) = [
        part
        for target in AGENTS[name].files(PLACE, PROJECT, ("memd",))
        for part in target.parts
        if isinstance(part, (JsonServer, TomlServer))
    ]
    shown = re.search(r"```(json|toml)\n(.*?)```", page(name), re.S)
    assert shown
    value: Any = json.loads(shown[2]) if shown[1] == "json" else tomllib.loads(shown[2])
    for key in part.parent:
        value = value[key]
    assert value == {"memd": part.entry}


@pytest.mark.parametrize("name", [*AGENTS, "README"])
def test_commands_and_links_hold(name: str) -> None:
    from memd_cli.app import app

    command: Any = typer.main.get_command(app)
    for block in re.findall(r"```sh\n(.*?)```", page(name), re.S):
        for line in block.splitlines():
            program, verb, *words = shlex.split(line, comments=True)
            assert program == "memd"
            command.commands[verb].make_context(verb, list(words))
            assert all(word in AGENTS for word in words if not word.startswith("-"))
    for target in re.findall(r"\]\(([^)#]+)\)", page(name)):
        assert (PAGES / target).exists(), target
