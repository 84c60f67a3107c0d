"""Every method of the daemon, asked with whatever fits or doesn't fit its parameters, answers or refuses in words.

The methods are taken from the daemon's own table, so that a new one is asked, too.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memd.api import Memory
from memd.daemon.methods import Methods, Traffic
from memd.errors import MESSAGE, BadInput, MemdError
from memd.model import Query
from memd.store import memories

from . import params

MANY = int(os.environ.get("FUZZ", "250"))
SLOW = {"wait_encoded"}  # waits as long as it is told to


class Asked:
    """A store with a few memories, and the methods over it, without a socket between."""

    def __init__(self, memory: Memory, home: Path) -> None:
        self.memory = memory
        self.methods = Methods(memory, str(home), Traffic(), threading.Event())
        self.kinds = {name: kind for name, (kind, _) in self.methods._table.items()}

    def ask(self, method: str, given: Any) -> Any:
        """The answer, as it would travel. Raises MemdError."""
        raw = json.dumps(given).encode()
        return msgspec.json.decode(msgspec.json.encode(self.methods.answer(method, msgspec.Raw(raw))))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    home = tmp_path_factory.mktemp("methods")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMD_ENCODER", str(home / "none"))
        with Memory.open(home, encode="off") as memory:
            memory.remember_many([params.example(number) for number in range(20)])
            yield Asked(memory, home)


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_method_answers_or_refuses_in_words(asked: Asked, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(sorted(set(asked.kinds) - SLOW)))
    given = data.draw(params.of(asked.kinds[method]))
    try:
        asked.ask(method, given)
    except MemdError as error:
        assert error.message
        assert len(error.message) <= MESSAGE + 1
        assert error.exit_code < 3 or error.code == "encoder_unavailable", error.message


def test_the_store_is_sound_after_all_that(asked: Asked) -> None:
    assert asked.ask("audit", {})["sound"]
    for scope in ("global", "all", "/p"):
        assert asked.ask("list", {"scope": scope, "limit": 10_000})["total"] >= 0


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("audit", {"number": 10**30}),
        ("audit", {"number": 2**63}),
        ("audit", {"number": -1}),
        ("maintain", {"now": "9999-12-31T23:59:59-14:00"}),
        ("lifecycle", {"now": "0001-01-01T00:00:00+14:00"}),
        ("remember", {"items": [{"text": "x", "event_at": "9999-12-31T23:59:59-14:00"}]}),
        ("remember", {"items": [{"text": "x", "event_at": "0001-01-01T00:00:00+14:00"}]}),
        ("recall", {"text": "x", "min_relevance": 2.0}),
        ("recall", {"text": "x", "min_relevance": -0.1}),
        ("recall", {"text": "x", "min_relevance": 1e308}),
        ("recall", {"text": "x", "without": ["lexical"] * 65}),
        ("list", {"kinds": ["note"] * 300_000}),
        ("show", {"ids": ["a"] * 10_001}),
        ("remember", {"items": [{"text": "x"}] * 100_001}),
        ("notes_take", {"notes": [], "scope": "all"}),
        ("notes_take", {"notes": [], "scope": "here"}),
        ("notes_sweep", {"root": "notes", "found": []}),
    ],
)
def test_what_is_out_of_bounds_is_refused(asked: Asked, method: str, given: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        asked.ask(method, given)


NOTE = {"path": "/n/a.md", "device": 1, "inode": 1, "mtime_ns": 1, "size": 1, "digest": "00" * 16}


@pytest.mark.parametrize(
    "wrong",
    [{"digest": "é"}, {"digest": "0"}, {"size": 2**63}, {"inode": 10**30}, {"path": "a.md"}, {"path": "/a\0"}]
    + [{"sections": [{"text": "x", "first": first, "last": last}]} for first, last in ((0, 1), (2, 1), (1, 2**60))],
)
def test_a_note_that_can_not_have_been_read_is_refused(asked: Asked, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        asked.ask("notes_take", {"notes": [NOTE | wrong]})


def test_a_scope_may_be_too_long_for_a_path(asked: Asked) -> None:
    assert asked.ask("context", {"scope": "/" + "é" * 4000})["tokens"] >= 0


def test_errors_do_not_repeat_a_book(asked: Asked) -> None:
    for method, asks in (("show", {"ids": ["x" * 10_000_000]}), ("list", {"scope": "y" * 4096})):
        with pytest.raises(MemdError) as refused:
            asked.ask(method, asks)
        assert len(refused.value.message) <= MESSAGE + 1
    assert len(BadInput("m" * 5000, "h" * 5000).hint) == MESSAGE + 1


@pytest.mark.parametrize("share", [float("nan"), 1.01, True, "0.5"])
def test_a_share_in_process(asked: Asked, share: Any) -> None:
    with pytest.raises(BadInput):
        asked.memory.ask(Query("x", min_relevance=share))


def test_a_time_at_the_end_of_memds_calendar(asked: Asked) -> None:
    end = datetime(8999, 12, 31, tzinfo=UTC)
    asked.memory.lifecycle.run(now=end, dry_run=True)
    asked.memory.remember("a text of the last day", event_at=end)
    assert asked.memory.list(since=datetime(8999, 1, 1, tzinfo=UTC))[0].event_at == end


def test_an_answer_is_bounded_however_long_the_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "AT_ONCE", 1000)
    with Memory.open(tmp_path, encode="off") as memory:
        asked = Asked(memory, tmp_path)
        ids = [memory.remember(f"{number} {'harbour ' * 50}").id for number in range(5)]
        for method, asks in (("list", {}), ("recall", {"text": "harbour", "min_relevance": 0})):
            with pytest.raises(BadInput, match="fewer"):
                asked.ask(method, asks)
            assert asked.ask(method, {**asks, "limit": 2})
        assert len(asked.ask("show", {"ids": ids[:2]})["memories"]) == 2
        with pytest.raises(BadInput, match="fewer"):
            asked.ask("show", {"ids": ids})
        with pytest.raises(BadInput, match="fewer"):
            asked.ask("forget", {"ids": ids})
        assert asked.ask("list", {"limit": 1})["total"] == 5
