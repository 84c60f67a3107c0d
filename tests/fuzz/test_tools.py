"""Tools of the MCP server, called with whatever arguments: an answer, or an error in words; the server goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memd.config import Config
from memd.daemon import process
from tests.agents.servers import Session, client

from .params import BIG, TEXTS, TIMES, WRONG

MANY = int(os.environ.get("FUZZ", "40"))
SEVERAL = st.lists(TEXTS, max_size=3)
ARGUMENTS = {
    "text": TEXTS, "query": TEXTS, "kind": TEXTS, "kinds": SEVERAL, "tags": SEVERAL,
    "scope": TEXTS, "limit": BIG, "budget": BIG, "start": BIG, "since": TIMES, "until": TIMES, "as_of": TIMES,
    "happened_at": TIMES, "weak": st.booleans(), "explain": st.booleans(), "ids": SEVERAL, "id": TEXTS,
    "why": TEXTS, "verdict": TEXTS, "roots": WRONG, "ctx": WRONG, "me": WRONG,
}  # fmt: skip


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("tools")
    with pytest.MonkeyPatch.context() as patch, start_blocking_portal() as portal:
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        with Session(portal, client(folder / "home", folder, MEMD_ENCODER=str(folder / "none"))) as session:
            yield session
        process.stop(Config.load(folder / "home", {}))


def _sendable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_arguments(session: Session, data: st.DataObject) -> None:
    tools = {tool.name: list(tool.input_schema["properties"]) for tool in session.do("list_tools").tools}
    name = data.draw(st.sampled_from(sorted(tools)))
    fitting = {argument: ARGUMENTS[argument] for argument in tools[name]}
    given = data.draw(
        st.fixed_dictionaries({}, optional=fitting)
        | st.dictionaries(st.sampled_from(sorted(ARGUMENTS)), WRONG, max_size=3)
    )
    if not _sendable(given):  # the client itself refuses it
        return
    result = session.result(name, **given)
    told = "".join(part.text for part in result.content)
    assert told
    assert "Traceback" not in told
    assert len(told) < 40_000
    if result.is_error:
        assert "is a bug" not in told


def test_arguments_that_a_tool_does_not_take_are_said(session: Session) -> None:
    for tool, arguments in (
        ("recall", {"query": "x", "tag": ["a"]}),
        ("recall", {"query": "x", "roots": None}),
        ("remember", {"text": "x", "ctx": {}}),
        ("show", {"ids": ["1m7yjp75vvg1e"], "\x1b]0;owned\x07`": 1}),
        ("context", {"x" * 100_000: 1}),
    ):
        result = session.result(tool, **arguments)
        (told,) = result.content
        assert result.is_error
        assert "takes no" in told.text
        assert "\x1b" not in told.text
        assert len(told.text) < 500
    assert not session.result("recall", query="x").is_error
