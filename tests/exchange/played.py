"""Stores with random histories, made through the doors that people use; and imports as `memd import` does them."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory
from memd.errors import MemdError
from memd.exchange import checking
from memd.exchange.desk import Tally, together
from memd.exchange.lines import Selection
from memd.exchange.reading import ExportFile
from memd.exchange.records import Report
from memd.exchange.taking import batches
from memd.home import STORE
from memd.ingest import read_notes
from memd.model import NewMemory, Source

SCOPES = ("global", "/srv/app", "/srv/lib")
TEXTS = (
    "The server listens on port 80.",
    "The server listens on port 443.",
    "the server now listens on port 9090",
    "We deploy from main with make release, on Fridays.",
    "We no longer deploy on Fridays.",
    "Uploads are limited to 10 MB.",
    "MAX_SIZE: 10",
    "MAX_SIZE: 20",
    "ada: did the tests pass?",
    "Voilà — 日本語, \t a tab,\na line and 🙂.",
    "parse_header() in src/http.py fails on E1234",
    "a" * 3000,
)
KINDS = ("note", "decision", "fact", "turn", "commit", "convention")


BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Hands:
    """A clock that goes forward mostly, and stands still or goes back at times."""

    now: datetime = BEGUN

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Stores:
    """Stores in folders of their own, closed and removed at the end."""

    clock: Hands = field(default_factory=Hands)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Stores:
        # Without a tokenizer: it takes longer to load than all that happens here.
        self.stack.enter_context(patch.dict(os.environ, MEMD_ENCODER="/nowhere"))
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def folder(self) -> Path:
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory()))

    def new(self) -> Memory:
        folder = self.folder()
        (folder / STORE).write_bytes(_empty())
        with closing(sqlite3.connect(folder / STORE)) as db, db:  # each store has an id of its own
            db.execute("UPDATE meta SET value = ? WHERE key = 'store'", (secrets.token_hex(16),))
        return self.stack.enter_context(Memory.open(folder, encode="off", clock=self.clock))


@cache
def _empty() -> bytes:
    """The file of an empty store: making one takes longer than all else here."""
    with tempfile.TemporaryDirectory() as folder:
        Memory.open(folder, encode="off").close()
        return (Path(folder) / STORE).read_bytes()


Step = tuple[Any, ...]

_times = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
_which = st.integers(0, 30)
_new = st.fixed_dictionaries(
    {
        "text": st.sampled_from(TEXTS),
        "kind": st.sampled_from(KINDS),
        "scope": st.sampled_from(SCOPES),
        "tags": st.lists(st.sampled_from(("web", "Ops", "später")), max_size=2).map(tuple),
        "event_at": _times,
        "episode": st.none() | st.sampled_from(("chat", "log")),
        "importance": st.sampled_from((0.5, 0.9)),
        "pinned": st.booleans(),
        "source": st.sampled_from((Source(), Source("ada", "cli", "/srv/app/notes.md", (3, 4), "s1"))),
    }
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("remember"), _new),
        st.tuples(st.just("ingest"), _new),
        st.tuples(st.just("supersede"), _which, st.sampled_from(TEXTS), st.sampled_from(("", "decided"))),
        st.tuples(st.just("forget"), _which),
        st.tuples(st.just("restore"), _which),
        st.tuples(st.just("purge"), _which),
        st.tuples(st.just("tag"), _which, st.sampled_from(("x", "y"))),
        st.tuples(st.just("untag"), _which, st.sampled_from(("x", "web"))),
        st.tuples(st.just("use"), _which, st.sampled_from(("useful", "cited", "useless"))),
        st.tuples(st.just("pin"), _which, st.booleans()),
        st.tuples(st.just("resolve"), _which, _which, st.booleans()),
        st.tuples(st.just("compare")),
        st.tuples(st.just("task"), st.sampled_from(SCOPES), st.sampled_from(("ship it", "test it"))),
        st.tuples(st.just("step"), st.sampled_from(SCOPES), st.sampled_from(("write", "read"))),
        st.tuples(st.just("done"), st.sampled_from(SCOPES), st.booleans()),
        st.tuples(st.just("block"), st.sampled_from(SCOPES), st.integers(1, 4), st.integers(1, 4)),
        st.tuples(st.just("notes"), st.lists(st.sampled_from(TEXTS[:7]), max_size=3)),
        st.tuples(st.just("watch"), st.sampled_from(SCOPES)),
        st.tuples(st.just("maintain")),
        st.tuples(st.just("wait"), st.sampled_from((0.001, 1.0, 86_400.0, 40 * 86_400.0, 400 * 86_400.0, -3600.0))),
    ),
    max_size=25,
)


def play(memory: Memory, clock: Hands, history: Sequence[Step], folder: Path) -> None:
    """Let a history happen; what can't happen doesn't."""
    for name, *rest in history:
        with suppress(MemdError):
            _DO[name](memory, clock, folder, *rest)
        clock.now += timedelta(milliseconds=7)


def _id(memory: Memory, which: int) -> str:
    with memory.store.reading() as db:
        rows = db.execute("SELECT id FROM memory ORDER BY seq").fetchall()
    return rows[which % len(rows)][0] if rows else "none"


def _notes(memory: Memory, clock: Hands, folder: Path, sections: list[str]) -> None:
    file = folder / "notes.md"
    parts = (f"# Part {n}\n\n{text}\n\nSee [other](notes.md#part-0).\n" for n, text in enumerate(sections))
    file.write_text("".join(parts))
    memory.notes.take(list(read_notes(folder)), "/srv/app")


def _watch(memory: Memory, clock: Hands, folder: Path, scope: str) -> None:
    from memd.store import watches

    with memory.store.writing() as db:
        watches.put(db, "notes", f"{scope}/notes", scope, ["*.md"], [], False, 1)


def _wait(memory: Memory, clock: Hands, folder: Path, seconds: float) -> None:
    clock.now += timedelta(seconds=seconds)


_DO: dict[str, Callable[..., object]] = {
    "remember": lambda m, c, f, new: m.remember(**new),
    "ingest": lambda m, c, f, new: m.remember_many([NewMemory(**new)], restate=False),
    "supersede": lambda m, c, f, n, text, why: m.supersede(_id(m, n), text, why=why),
    "forget": lambda m, c, f, n: m.forget([_id(m, n)]),
    "restore": lambda m, c, f, n: m.restore([_id(m, n)]),
    "purge": lambda m, c, f, n: m.purge([_id(m, n)]),
    "tag": lambda m, c, f, n, tag: m.tag([_id(m, n)], add=[tag]),
    "untag": lambda m, c, f, n, tag: m.tag([_id(m, n)], remove=[tag]),
    "use": lambda m, c, f, n, verdict: m.use([_id(m, n)], verdict=verdict, who="ada", session="s1"),
    "pin": lambda m, c, f, n, on: m.lifecycle.pin([_id(m, n)], pinned=on),
    "resolve": lambda m, c, f, n, k, both: m.resolve(_id(m, n), _id(m, k), both=both),
    "compare": lambda m, c, f: m.compare(),
    "task": lambda m, c, f, scope, title: m.tasks.start(title, scope=scope),
    "step": lambda m, c, f, scope, title: m.tasks.step(title, scope=scope),
    "done": lambda m, c, f, scope, all: m.tasks.done(scope=scope, note="it went well", all=all),
    "block": lambda m, c, f, scope, n, k: m.tasks.block(n, scope=scope, on=[k]),
    "notes": _notes,
    "watch": _watch,
    "maintain": lambda m, c, f: m.lifecycle.run(),
    "wait": _wait,
}


def exported(memory: Memory, selection: Selection | None = None, name: str = "mine") -> bytes:
    """What `memd export` writes."""
    return b"".join(memory.export(selection or Selection(), name))


def imported(
    memory: Memory,
    content: bytes,
    folder: Path,
    *,
    scopes: dict[str, str] | None = None,
    dry_run: bool = False,
    stop_after: int | None = None,
    batch: int | None = None,
) -> Report:
    """What `memd import` does, cut short after so many batches; `batch` lines each."""
    path = folder / "given.jsonl"
    path.write_bytes(content)
    with path.open("rb") as file:
        given = ExportFile(file, path.name)
        survey = given.survey()
        lines = (checking.record(raw) for _, raw in given.records())
        parts = [[line] for line in lines] if batch == 1 else list(batches(lines, lambda _: 1))
        if dry_run:
            return memory.taker.rehearse(parts, survey.origin, scopes or {})
        report = Tally().report(survey.origin, dry_run=False)
        for number, part in enumerate(parts):
            if number == stop_after:
                return report
            report = together(report, memory.taker.take(part, survey.origin, scopes or {}))
        return together(report, memory.taker.take([], survey.origin, scopes or {}, last=True))


def check_sound(memory: Memory) -> None:
    """The journal holds, the memories are as it says, and the store's parts agree."""
    audit = memory.audit()
    assert audit.sound, audit.troubles
    found = memory.check()
    assert found.sound, found.troubles
