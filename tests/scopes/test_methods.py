"""No method of the daemon, asked in one project, shows or changes what another has.

What scope means: finding is bound to it. Whoever asks in a project, by whatever words and filters, gets what lies in it
and what is global, nothing else unless asked. An id, `all` or another project's folder is asked for by name: who
has an id was given it, and may use it anywhere. Figures of the whole store (`stats`, `lifecycle`) have no texts.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memd.api import Memory
from memd.daemon.methods import Methods, Traffic
from memd.errors import MemdError
from memd.model import CHANNELS, KINDS

from .world import ID, LURES, SUBJECTS, World

MANY = max(3, int(os.environ.get("FUZZ", "0")) // 25)  # stores
Asks = list[dict[str, Any]]


def _recall(world: World) -> Asks:
    now = datetime.now(UTC)
    asks: Asks = [
        {"text": f"{subject} {word}", "min_relevance": 0.0, "limit": 1000, "explain": True}
        for subject in SUBJECTS
        for word in ("port", "src/harbour.py", "on 7 May 2023 Ada", "`harbour_cache` KeyError", "MAX")
    ]
    asks += [
        {"text": world.lure(), "without": list(set(CHANNELS) - {channel}), "min_relevance": 0} for channel in CHANNELS
    ]
    asks += [{"text": world.lure(), **more} for more in _filters(world)]
    asks += [
        {"text": "what of the harbour", "superseded": True, "min_relevance": 0, "explain": True},
        {"text": "what of the harbour", "as_of": now.isoformat(), "min_relevance": 0, "explain": True},
        {"text": "what of the ledger", "as_of": (now + timedelta(days=1)).isoformat(), "superseded": True},
        {"text": "what of the ledger", "gists": True, "budget": 100_000, "limit": 1000, "explain": True},
    ]
    return asks


def _filters(world: World) -> Asks:
    return [
        {"tags": ["shared"]},
        {"source": world.foreign[0]},
        {"source": "zq"},
        {"source": "Ada"},
        {"kinds": list(KINDS)},
        {"since": "2000-01-01T00:00:00Z"},
        {"until": "2100-01-01T00:00:00Z"},
    ]


def _list(world: World) -> Asks:
    more = [
        {},
        {"forgotten": True},
        {"superseded": True},
        {"before": world.ids[world.foreign[0]][-1]},
        *_filters(world),
    ]
    return [{"limit": 10_000, **each} for each in more]


def _each(world: World, **more: Any) -> Asks:
    return [{"ids": [id_], **more} for id_ in world.own()]


def _task(world: World) -> Asks:
    return [{"number": number} for number in range(1, 12)]


def _note(world: World) -> dict[str, Any]:
    """A note of ours that has another project's path, links to its notes, and says what it says."""
    path = next((memory.source.path for memory in world.others().values() if memory.source.path), "/x.md")
    section = {
        "text": world.lure(),
        "first": 1,
        "last": 1,
        "headings": ["h"],
        "links": [(path, "", ""), ("", "note", "")],
    }
    return {"path": path, "device": 1, "inode": 1, "mtime_ns": 1, "size": 1, "digest": "00" * 16, "sections": [section]}


def _hooks(world: World) -> Asks:
    foreign = next((word for word, scope in world.owner.items() if word.startswith("s-") and scope != world.here), "s")
    asks = []
    for event in ("SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SessionEnd"):
        for session in ("s-mine", foreign.upper()):
            told = {"session_id": session, "cwd": world.here, "prompt": f"Which port has the harbour? {world.lure()}"}
            asks.append({"agent": "claude-code", "event": event, "payload": json.dumps(told), "folder": world.here})
    return asks


# How each method is asked, in the scope `here`; methods that take a scope get it added.
RULES: dict[str, Callable[[World], Asks]] = {
    "remember": lambda world: [{"items": [{"text": text, "scope": world.here} for text in (world.lure(), LURES[0])]}],
    "recall": _recall,
    "list": _list,
    "context": lambda world: [{"budget": 100_000, "session": f"claude-code:{session}"} for session in (
        "", *(word for word in world.owner if word.startswith("s-")))],
    "conflicts": lambda world: [{"limit": 1000}],
    "gists": lambda world: [{"limit": 1000}],
    "task_start": lambda world: [{"title": "Mend the harbour"}],
    "task_step": lambda world: [{"title": "Look at the harbour"}, {"title": "x", "needs": [1, 2]}],
    "task_list": lambda world: [{"all": True}],
    "task_block": lambda world: [{"number": 1, "on": [2]}, {"number": 2}],
    "task_open": _task,
    "task_done": lambda world: [{"all": True}, *_task(world)],
    "task_drop": _task,
    "hook": _hooks,
    "notes_take": lambda world: [{"notes": [_note(world)]}],
    "notes_sweep": lambda world: [{"root": root, "found": []} for root in ("/", *world.foreign)],
    # By id: of what may be found here.
    "show": _each,
    "history": lambda world: [{"id": id_} for id_ in world.own()],
    "use": _each,
    "pin": _each,
    "tag": lambda world: _each(world, add=["seen"]),
    "supersede": lambda world: [{"old": id_, "text": f"{world.lure()} {n}"} for n, id_ in enumerate(world.own())],
    "resolve": lambda world: [{"keep": a, "other": b, "both": True} for a in world.own()[:4] for b in world.own()[:4]],
    "restore": _each,
    "forget": lambda world: _each(world, dry_run=True),
    "purge": lambda world: _each(world, dry_run=True),
    # Of the whole store: figures, states and troubles, no texts.
    **dict.fromkeys(
        ("audit", "lifecycle", "maintain", "stats", "status", "encoder", "reindex", "watch_list", "watch_status"),
        lambda world: [{}],
    ),
    "wait_encoded": lambda world: [{"timeout_s": 0}],
    "use_encoder": lambda world: [{"name": "none"}],
    "take_in": lambda world: [{"origin": {"store": "x", "name": "x", "digest": "x"}, "lines": ["{}"]}],
    "unlock": lambda world: [{"secret": "none"}],
    "watch_add": lambda world: [{"path": world.here}],
    "watch_remove": lambda world: [{"path": world.here}],
    "transcript_take": lambda world: [{"path": "/none"}],
}  # fmt: skip


# Whoever purges a text is told which memories have it too, wherever they lie: by their ids, in no other word.
TELLS_IDS = {"purge"}


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    with Memory.open(tmp_path_factory.mktemp("scopes") / "home") as memory:
        yield memory


def _methods(memory: Memory) -> Methods:
    return Methods(memory, "", Traffic(), threading.Event())


def test_every_method_has_a_rule(memory: Memory) -> None:
    assert set(_methods(memory)._table) == set(RULES), "say how a new method is asked in one scope"


def ask(methods: Methods, method: str, given: dict[str, Any]) -> str:
    """All that a client hears, but for what it said itself."""
    try:
        answer = methods.answer(method, msgspec.Raw(json.dumps(given).encode()))
    except MemdError as error:
        return f"{error.message} {error.hint}"
    return msgspec.json.encode(answer).decode()


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_no_method_shows_or_changes_what_another_project_has(
    memory: Memory, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    world, methods = World(memory, tmp_path_factory.mktemp("w"), seed), _methods(memory)
    before, heard = world.others(), 0
    for method, rule in RULES.items():
        fields = methods._table[method][0].__struct_fields__
        for said in rule(world):
            scoped = {"scope": spelling(world)} if "scope" in fields and method != "supersede" else {}
            shown = ask(methods, method, {**said, **scoped})
            known = world.foreigners(json.dumps(said))  # who names one has it already
            if method in TELLS_IDS:
                shown = ID.sub("", shown)
            assert not world.foreigners(shown) - known, (method, said, shown[:2000])
            heard += bool(world.owner.keys() & set(shown.replace('"', " ").replace(".", " ").split()))
    assert heard > 20, "what is here is shown, or this test tests nothing"
    assert world.others() == before


def spelling(world: World) -> str:
    """The scope, in one of the ways in which a path may be written."""
    return world.dice.choice(["{}", "{}/", "{}/.", "{}//", "{}/sub/.."]).format(world.here)


def test_a_scope_that_is_named_is_asked_for(memory: Memory, tmp_path: Path) -> None:
    world, methods = World(memory, tmp_path, 7), _methods(memory)
    for scope in ("all", world.foreign[0]):
        assert world.foreigners(ask(methods, "list", {"scope": scope, "limit": 10_000}))
    assert world.foreigners(ask(methods, "show", {"ids": world.ids[world.foreign[0]]}))
