"""An agent in one project sees nothing of another, by no tool, resource, prompt or completion of the MCP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from tests.agents.servers import Session, client

from .world import LURES, SUBJECTS, World

# How each tool is called in the project `here`; ids are those that may be found there.
RULES: dict[str, Any] = {
    "context": lambda world: [{"budget": 20_000}],
    "recall": lambda world: (
        [
            {"query": f"{subject} {word}", "weak": True, "limit": 50, "explain": True}
            for subject in SUBJECTS
            for word in ("port", "on 7 May 2023 Ada", "KeyError")
        ]
        + [{"query": world.lure(), "tags": ["shared"], "as_of": "2100-01-01", "weak": True, "limit": 50}]
    ),
    "show": lambda world: [{"ids": [id_]} for id_ in world.own()],
    "remember": lambda world: [{"text": world.lure()}, {"text": LURES[0]}],
    "supersede": lambda world: [{"id": id_, "text": f"{world.lure()} {n}"} for n, id_ in enumerate(world.own()[:5])],
    "use": lambda world: [{"ids": [id_]} for id_ in world.own()[:5]],
    "forget": lambda world: [{"ids": [id_]} for id_ in world.own()[:2]],
}
RESOURCES = {"memory://context/current"}
TEMPLATES = {
    "memory://context/{scope}": lambda world: ["memory://context/global", "memory://context/nowhere"],
    "memory://{id}": lambda world: [f"memory://{id_}" for id_ in world.own()],
}
PROMPTS = {
    "bootstrap": lambda world: [{}, {"task": world.lure()}],
    "review": lambda world: [{}, {"days": "3650"}],
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("tools") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        with Memory.open(home) as memory:
            world = World(memory, tmp_path_factory.mktemp("w"), 11)
            world.before = world.others()  # type: ignore[attr-defined]
        world.home = home  # type: ignore[attr-defined]
        yield world
        process.stop(Config.load(home, {}))


@pytest.fixture(scope="module")
def session(world: World) -> Iterator[Session]:
    with start_blocking_portal() as portal, Session(portal, client(world.home, Path(world.here))) as session:  # type: ignore[attr-defined]
        yield session


def nothing_foreign(world: World, answer: Any) -> str:
    shown = answer.model_dump_json()
    assert not world.foreigners(shown), shown[:2000]
    return str(shown)


def test_every_tool(world: World, session: Session) -> None:
    tools = {tool.name for tool in session.do("list_tools").tools}
    assert tools == set(RULES), "say how a new tool is called in one project"
    shown = "".join(
        nothing_foreign(world, session.result(tool, **given)) for tool, rule in RULES.items() for given in rule(world)
    )
    assert any(id_ in shown for id_ in world.ids[world.here])


def test_every_resource_and_prompt(world: World, session: Session) -> None:
    assert {str(found.uri) for found in session.do("list_resources").resources} == RESOURCES
    templates = {found.uri_template for found in session.do("list_resource_templates").resource_templates}
    assert templates == set(TEMPLATES)
    assert {found.name for found in session.do("list_prompts").prompts} == set(PROMPTS)
    for uri in [*RESOURCES, *(uri for rule in TEMPLATES.values() for uri in rule(world))]:
        try:
            nothing_foreign(world, session.do("read_resource", uri))
        except AssertionError:
            raise
        except Exception as error:
            assert not world.foreigners(str(error))
    for name, rule in PROMPTS.items():
        for given in rule(world):
            nothing_foreign(world, session.do("get_prompt", name, given))


def test_there_are_no_completions_that_could_tell(session: Session) -> None:
    assert session.client.server_capabilities.completions is None


def test_beginnings_of_ids_are_no_search(world: World, session: Session) -> None:
    """An agent uses ids that it was given, whole; by beginnings it could come upon anything."""
    id_ = world.ids[world.foreign[0]][0]
    for beginning in (id_[:-1], id_[:6], id_[:1], "", " ", "%", "*", id_ + "0"):
        for tool, given in (
            ("show", {"ids": [beginning]}),
            ("use", {"ids": [beginning]}),
            ("forget", {"ids": [beginning]}),
            ("supersede", {"id": beginning, "text": "x"}),
        ):
            result = session.result(tool, **given)
            assert result.is_error
            nothing_foreign(world, result)
        with pytest.raises(Exception, match=r"id|ID|memory") as refused:
            session.do("read_resource", f"memory://{beginning}")
        assert not world.foreigners(str(refused.value))


def test_nothing_of_the_others_was_changed(world: World) -> None:
    with Memory.open(world.home) as memory:  # type: ignore[attr-defined]
        world.memory = memory
        assert json.loads(json.dumps(list(world.others()))) == list(world.before)  # type: ignore[attr-defined]
        assert world.others() == world.before  # type: ignore[attr-defined]
