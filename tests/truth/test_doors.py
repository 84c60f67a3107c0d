"""Every door that changes what memd knows leaves an entry in the journal; a new one without a place here fails."""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory
from memd.daemon.methods import Methods, Traffic
from memd.ingest import read_notes
from memd.ingest.keeping import NoteKeeper
from memd.ingest.watcher import Watcher
from memd.lifecycle.keeper import Keeper
from memd.model import NewMemory
from memd.store import watches
from memd.tasks import Tasks

# What memd knows, by table; the rest is made from it, or says how far some work has come.
KNOWLEDGE = {
    "memory": "id, text, kind, scope, source, event_at, episode, position, said, forgotten_at, superseded_at",
    "tag": "name, memory",
    "saying": "memory, said_at, source",
    "version": "old, new, until, why",
    "conflict": "one, other, rule, settled_at, how",
    "twin": "one, other",
    "use": "memory, at, verdict, who",
    "life": "memory, importance, pinned",
    "task": "number, memory, state, note, focus",
    "task_need": "task, needs",
    "watch": "kind, path, scope, include, exclude, poll",
    "gist": "id",
    "gist_quote": "gist, memory, start, stop",
}


class Stage:
    """A store in which something can happen through every door."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.folder = base / "notes"
        self.folder.mkdir()
        (self.folder / "n.md").write_text("# One\nfirst\n\n# Two\nsecond\n")
        self.memory = Memory.open(base / "home", encode="off")
        self.ids = [self.memory.remember(text).id for text in ("CI runs on Jenkins", "CI runs on Drone", "the third")]
        self.memory.compare()
        self.memory.notes.take(list(read_notes(self.folder)), str(self.folder))
        self.memory.tasks.start("a goal", scope="global")
        self.memory.tasks.step("a step", scope="global")
        self.memory.lifecycle.run()
        memory = self.memory
        self.gone = memory.remember("gone").id
        memory.forget([self.gone])
        memory.pin([self.ids[0]])
        self.other = base / "other"
        self.other.mkdir()
        with memory.store.writing() as db:
            watches.put(db, "notes", str(self.other), "global", (), (), False, 0)
        self.watcher = Watcher(memory.store, memory.notes, memory.remember_many, memory.clock)
        self.methods = Methods(self.memory, str(base), Traffic(), threading.Event(), self.watcher)

    def knowledge(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.memory.store.reading() as db:
            return {table: _rows(db, table, columns) for table, columns in KNOWLEDGE.items()}

    def ask(self, method: str, **params: Any) -> Any:
        return self.methods.answer(method, msgspec.Raw(json.dumps(params).encode()))

    def moved(self) -> list[Any]:
        """The notes, one section further down."""
        (self.folder / "n.md").write_text("# Zero\nnew\n\n# One\nfirst\n\n# Two\nsecond\n")
        return list(read_notes(self.folder))


def _rows(db: sqlite3.Connection, table: str, columns: str) -> list[tuple[Any, ...]]:
    return sorted(db.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.watcher.stop()
    made.memory.close()


Act = Callable[[Stage], object]

CHANGES: dict[str, Act] = {
    "Memory.remember": lambda s: s.memory.remember("new"),
    "Memory.remember_many": lambda s: s.memory.remember_many([NewMemory("the third")]),
    "Memory.supersede": lambda s: s.memory.supersede(s.ids[2], "the fourth"),
    "Memory.compare": lambda s: (s.memory.remember("the third thing is CI"), s.memory.compare()),
    "Memory.resolve": lambda s: s.memory.resolve(s.ids[1], s.ids[0]),
    "Memory.forget": lambda s: s.memory.forget([s.ids[2]]),
    "Memory.restore": lambda s: s.memory.restore([s.gone]),
    "Memory.purge": lambda s: s.memory.purge([s.ids[2]]),
    "Memory.tag": lambda s: s.memory.tag([s.ids[2]], add=["t"]),
    "Memory.use": lambda s: s.memory.use([s.ids[2]]),
    "Memory.pin": lambda s: s.memory.pin([s.ids[2]]),
    "Memory.unpin": lambda s: s.memory.unpin([s.ids[0]]),
    "Tasks.start": lambda s: s.memory.tasks.start("another goal", scope="global"),
    "Tasks.step": lambda s: s.memory.tasks.step("another step", scope="global"),
    "Tasks.done": lambda s: s.memory.tasks.done(2, scope="global"),
    "Tasks.drop": lambda s: s.memory.tasks.drop(2, scope="global"),
    "Tasks.block": lambda s: s.memory.tasks.block(2, scope="global"),
    "Tasks.open": lambda s: s.memory.tasks.open(2, scope="global"),
    "Keeper.use": lambda s: s.memory.lifecycle.use([s.ids[2]]),
    "Keeper.pin": lambda s: s.memory.lifecycle.pin([s.ids[2]]),
    "Keeper.run": lambda s: _alike(s).memory.lifecycle.run(),
    "NoteKeeper.take": lambda s: s.memory.notes.take(s.moved(), str(s.folder)),
    "NoteKeeper.sweep": lambda s: s.memory.notes.sweep(str(s.folder), str(s.folder), []),
    "Watcher.add": lambda s: s.watcher.add(str(s.folder), scope="global", poll=True),
    "Watcher.remove": lambda s: s.watcher.remove(str(s.other)),
    "remember": lambda s: s.ask("remember", items=[{"text": "new"}]),
    "supersede": lambda s: s.ask("supersede", old=s.ids[2], text="the fourth"),
    "resolve": lambda s: s.ask("resolve", keep=s.ids[1], other=s.ids[0], both=True),
    "forget": lambda s: s.ask("forget", ids=[s.ids[2]]),
    "restore": lambda s: s.ask("restore", ids=[s.gone]),
    "purge": lambda s: s.ask("purge", ids=[s.ids[2]]),
    "tag": lambda s: s.ask("tag", ids=[s.ids[2]], add=["t"]),
    "use": lambda s: s.ask("use", ids=[s.ids[2]]),
    "pin": lambda s: s.ask("pin", ids=[s.ids[2]]),
    "maintain": lambda s: _alike(s).ask("maintain"),
    "task_start": lambda s: s.ask("task_start", title="another goal", scope="global"),
    "task_step": lambda s: s.ask("task_step", title="another step", scope="global"),
    "task_done": lambda s: s.ask("task_done", number=2, scope="global"),
    "task_drop": lambda s: s.ask("task_drop", number=2, scope="global"),
    "task_block": lambda s: s.ask("task_block", number=2, scope="global"),
    "task_open": lambda s: s.ask("task_open", number=2, scope="global"),
    "notes_take": lambda s: s.ask("notes_take", notes=msgspec.to_builtins(s.moved()), scope=str(s.folder)),
    "notes_sweep": lambda s: s.ask("notes_sweep", root=str(s.folder), found=[], scope=str(s.folder)),
    "watch_add": lambda s: s.ask("watch_add", path=str(s.folder), poll=True),
    "watch_remove": lambda s: s.ask("watch_remove", path=str(s.other)),
}  # fmt: skip

# What changes something that isn't knowledge of memories, and tells the journal all the same.
TOLD = {
    "Memory.reindex": lambda s: s.memory.reindex(),
    "Memory.use_encoder": lambda s: s.memory.use_encoder("builtin"),
    "reindex": lambda s: s.ask("reindex"),
    "use_encoder": lambda s: s.ask("use_encoder", name="builtin"),
}

# What only reads.
READS: dict[str, Act] = {
    "Memory.without_secrets": lambda s: s.memory.without_secrets("x"),
    "Memory.history": lambda s: s.memory.history(s.ids[0]),
    "Memory.audit": lambda s: s.memory.audit(),
    "Memory.check": lambda s: s.memory.check(),
    "Memory.recall": lambda s: s.memory.recall("CI"),
    "Memory.show": lambda s: s.memory.show(s.ids[0]),
    "Memory.gists": lambda s: s.memory.gists(),
    "Memory.list": lambda s: s.memory.list(),
    "Memory.count": lambda s: s.memory.count(),
    "Memory.count_tokens": lambda s: s.memory.count_tokens("x"),
    "Memory.stats": lambda s: s.memory.stats(),
    "Memory.wait_encoded": lambda s: s.memory.wait_encoded(0),
    "Memory.pending": lambda s: s.memory.pending(),
    "Memory.encode_pending": lambda s: s.memory.encode_pending(),
    "Memory.encoder_info": lambda s: s.memory.encoder_info(),
    "Tasks.list": lambda s: s.memory.tasks.list(scope="global"),
    "Tasks.open_path": lambda s: s.memory.tasks.open_path("global"),
    "Keeper.vitality": lambda s: s.memory.lifecycle.vitality(s.ids),
    "Keeper.status": lambda s: s.memory.lifecycle.status(),
    "Keeper.waits": lambda s: s.memory.lifecycle.waits(),
    "NoteKeeper.seen": lambda s: s.memory.notes.seen(str(s.folder), str(s.folder)),
    "NoteKeeper.count": lambda s: s.memory.notes.count(str(s.folder), str(s.folder)),
    "Watcher.watched": lambda s: s.watcher.watched(),
    "Watcher.status": lambda s: s.watcher.status(),
    "recall": lambda s: s.ask("recall", text="CI"),
    "show": lambda s: s.ask("show", ids=s.ids),
    "list": lambda s: s.ask("list"),
    "history": lambda s: s.ask("history", id=s.ids[0]),
    "audit": lambda s: s.ask("audit"),
    "gists": lambda s: s.ask("gists"),
    "context": lambda s: s.ask("context"),
    "task_list": lambda s: s.ask("task_list", scope="global"),
    "lifecycle": lambda s: s.ask("lifecycle"),
    "stats": lambda s: s.ask("stats"),
    "status": lambda s: s.ask("status"),
    "wait_encoded": lambda s: s.ask("wait_encoded", timeout_s=0),
    "encoder": lambda s: s.ask("encoder"),
    "watch_list": lambda s: s.ask("watch_list"),
    "watch_status": lambda s: s.ask("watch_status"),
}

# Not looked at here, and why.
APART = {
    "Memory.open": "opens",
    "Memory.close": "closes",
    "Memory.ask": "as recall",
    "Memory.export": "reads; tests/exchange",
    "Memory.conflicts": "compares what waits, as compare",
    "conflicts": "the same",
    "take_in": "an import, whose entries tests/exchange looks at",
    "hook": "sessions; what it stores goes through remember and use",
    "transcript_take": "the same",
    "unlock": "gives a key",
    "Watcher.start": "a thread",
    "Watcher.stop": "a thread",
}


def _alike(stage: Stage) -> Stage:
    """With memories that make a gist."""
    for text in (
        "Run make lint before every push.",
        "Before every push, run make lint.",
        "Run make lint before a push.",
    ):
        stage.memory.remember(text)
    stage.memory.encode_pending()
    return stage


def _public(kind: type) -> set[str]:
    return {
        f"{kind.__name__}.{name}"
        for name, value in vars(kind).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod))
    }


def test_every_door_has_its_place_here(stage: Stage) -> None:
    doors = set(stage.methods._table)
    for kind in (Memory, Tasks, Keeper, NoteKeeper, Watcher):
        doors |= _public(kind)
    placed = {*CHANGES, *TOLD, *READS, *APART}
    assert doors - placed == set(), "does it change what memd knows? then it needs an entry in the journal"
    assert placed - doors == set()


@pytest.mark.parametrize("door", CHANGES)
def test_what_changes_is_in_the_journal(stage: Stage, door: str) -> None:
    before, entries = stage.knowledge(), stage.memory.audit().entries
    CHANGES[door](stage)
    assert stage.knowledge() != before
    audit = stage.memory.audit()
    assert audit.entries > entries and audit.sound, audit.troubles


@pytest.mark.parametrize("door", TOLD)
def test_what_concerns_the_store_as_a_whole_is_told(stage: Stage, door: str) -> None:
    entries = stage.memory.audit().entries
    TOLD[door](stage)
    assert stage.memory.audit().entries > entries


def test_what_reads_changes_nothing(stage: Stage) -> None:
    for door, act in READS.items():
        before, entries = stage.knowledge(), stage.memory.audit().entries
        act(stage)
        assert (stage.knowledge(), stage.memory.audit().entries) == (before, entries), door


def test_a_section_that_moves_is_told(stage: Stage) -> None:
    (one,) = [found for found in stage.memory.list(scope="all") if found.text.startswith("# Two")]
    stage.memory.notes.take(stage.moved(), str(stage.folder))
    last = stage.memory.history(one.id).changes[-1]
    assert (last.what, last.source.span) == ("move", (7, 8)) and last.source.path.endswith("n.md")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE memory SET kind = 'decision' WHERE id = :id", "The kind, scope or time of {} is not as the journal"),
        ("UPDATE memory SET event_at = 5 WHERE id = :id", "The kind, scope or time of {} is not as the journal"),
        ('UPDATE memory SET source = \'{{"who":"eve"}}\' WHERE id = :id', "The source of {} is not as the journal"),
        ("INSERT INTO tag VALUES ('x', (SELECT seq FROM memory WHERE id = :id))", "The tags of {} are not as the"),
        ("UPDATE life SET pinned = 1 WHERE memory = (SELECT seq FROM memory WHERE id = :id)", "The pin of {} is not"),
        ("UPDATE memory SET superseded_at = 5 WHERE id = :id", "{} no longer holds, and what replaced what says"),
        ("DELETE FROM version WHERE new = (SELECT seq FROM memory WHERE id = :id)", "{} doesn't stand in the place of"),
    ],
)
def test_an_audit_names_what_was_altered_beside_the_text(tmp_path: Path, statement: str, said: str) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        old = memory.remember("the port is 8080", tags=["net"]).id
        new = memory.supersede(old, "the port is 9090").id
        memory.pin([new])
        memory.unpin([new])
        memory.tag([new], add=["kept"], remove=["net"])
        memory.remember("the port is 9090", tags=["again"])
        assert memory.audit().sound
        with memory.store.writing() as db:
            db.execute(statement.replace("{{", "{").replace("}}", "}"), {"id": new})
        assert any(trouble.startswith(said.format(new)) for trouble in memory.audit().troubles), memory.audit()


def test_an_audit_names_a_memory_that_was_taken_out(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember("kept")
        memory.remember("taken out")
        with memory.store.writing() as db:
            db.execute("PRAGMA defer_foreign_keys = ON")
            for table in ("unchecked", "ungisted", "life", "passage"):
                db.execute(f"DELETE FROM {table} WHERE memory = 2")
            db.execute("DELETE FROM memory WHERE seq = 2")
        (trouble,) = memory.audit().troubles
        assert "entry 2 of the journal" in trouble and "nobody purged it" in trouble
