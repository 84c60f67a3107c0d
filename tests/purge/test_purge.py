"""Purged is gone: no byte of it is left in any file of memd's, and all the rest is as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite3

from memd.agents.digest import digest
from memd.agents.hooks import Hooks
from memd.api import Memory
from memd.encoder import Encoding
from memd.errors import NotFound
from memd.ingest import read_notes
from memd.model import NewMemory, Source
from memd.store import backups, copies, erasing, journal, purging, sessions
from tests.purge.traces import found, print_of

SECRET = "Wolframite Quixotry: the vestibule password is xanthippe-zwieback, kept by Brumhilda"
WORDS = ("wolframite", "quixotry", "vestibule", "xanthippe", "zwieback", "brumhilda")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "home", encode="inline") as opened:
        opened.remember("deploys go out on Tuesdays")
        yield opened


def take_in(memory: Memory, folder: Path) -> object:
    return memory.notes.take(list(read_notes(folder)), str(folder))


def plain(memory: Memory, _: Path) -> list[str]:
    return [memory.remember(SECRET, tags=["brumhilda"], source=Source(who="brumhilda"), episode="vestibule talks").id]


def forgotten(memory: Memory, _: Path) -> list[str]:
    id_ = memory.remember(SECRET).id
    memory.forget([id_])
    return [id_]


def long(memory: Memory, _: Path) -> list[str]:
    """Several passages, and overflow pages."""
    return [memory.remember("\n\n".join(f"{SECRET}, paragraph {n}." for n in range(200))).id]


def middle_of_a_chain(memory: Memory, _: Path) -> list[str]:
    old = memory.remember("the vault is in the cellar").id
    mid = memory.supersede(old, SECRET, why="Brumhilda said so").id
    memory.supersede(mid, "the vault is in the attic", why="not Wolframite any more")
    return [mid]


def newest_of_a_chain(memory: Memory, _: Path) -> list[str]:
    old = memory.remember("the vault is in the cellar").id
    return [memory.supersede(old, SECRET, why="Brumhilda said so").id]


def in_conflict(memory: Memory, _: Path) -> list[str]:
    one = memory.remember("The wolframite server listens on port 8123.").id
    other = memory.remember("The wolframite server listens on port 9245.").id
    memory.compare()
    assert memory.conflicts().conflicts
    return [one, other]


def said_again(memory: Memory, _: Path) -> list[str]:
    id_ = memory.remember(SECRET).id
    memory.remember(SECRET, source=Source(who="brumhilda", session="zwieback"))
    memory.use([id_], who="brumhilda", recall="what does xanthippe mean")
    memory.pin([id_])
    return [id_]


def near_duplicates(memory: Memory, _: Path) -> list[str]:
    ids = [memory.remember(SECRET + end).id for end in (".", "!")]
    memory.compare()
    return ids


def neighbours(memory: Memory, _: Path) -> list[str]:
    """Its words stand in the rows of those beside it, too."""
    memory.remember("we begin", episode="e")
    id_ = memory.remember(SECRET, episode="e").id
    memory.remember("we end", episode="e")
    return [id_]


def faded(memory: Memory, _: Path) -> list[str]:
    """Its vector went through fewer bits."""
    id_ = memory.remember(SECRET).id
    for days in (30, 300, 3000):
        memory.lifecycle.run(now=datetime.now(UTC) + timedelta(days=days))
    return [id_]


def hidden_code(memory: Memory, _: Path) -> list[str]:
    id_ = memory.remember(SECRET).id
    memory.lifecycle.run(now=datetime.now(UTC) + timedelta(days=200))
    memory.forget([id_])
    return [id_]


def task(memory: Memory, _: Path) -> list[str]:
    memory.tasks.start(SECRET, scope="global")
    memory.tasks.done(scope="global", note="xanthippe is no password")
    return [one.id for one in memory.list(scope="all", kinds=["task"])]


def by_hooks(memory: Memory, folder: Path) -> list[str]:
    """Told of by hooks alone: the turns wait as events until they are taken in."""
    hooks = Hooks(memory, lambda: None)

    def fire(event: str, **parts: object) -> None:
        payload = {"conversation_id": "s1", "workspace_roots": [str(folder)], **parts}
        hooks.handle("cursor", event, json.dumps(payload), str(folder))

    fire("beforeSubmitPrompt", prompt=f"We decided: {SECRET}.")
    fire("postToolUse", tool_name="Shell", tool_input={"command": f"echo '{SECRET}'"}, tool_output="no xanthippe here")
    fire("afterAgentResponse", text=f"Noted: {SECRET}.")
    fire("stop", status="completed")
    fire("sessionEnd", reason="completed")
    with memory.store.reading() as db:
        due = sessions.due(db)
    for session in due:
        digest(memory, session, settle=True)
    ids = [one.id for one in memory.list(scope="all") if "xanthippe" in one.text.casefold()]
    assert ids
    return ids


def watched(memory: Memory, folder: Path) -> list[str]:
    (folder / "vault.md").write_text(f"# Vault\n\nIntro.\n\n## Wolframite\n\n{SECRET}\n\n### Below\n\nMore of it.\n")
    take_in(memory, folder)
    return [one.id for one in memory.list(scope="all") if "Wolframite" in one.text]


DOORS = [
    plain, forgotten, long, middle_of_a_chain, newest_of_a_chain, in_conflict, said_again, near_duplicates, neighbours,
    faded, hidden_code, task, by_hooks, watched,
]  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_no_file_has_a_trace_of_it(memory: Memory, tmp_path: Path, door: Callable[[Memory, Path], list[str]]) -> None:
    folder, home = tmp_path / "folder", tmp_path / "home"
    folder.mkdir()
    ids = door(memory, folder)
    memory.recall("what is the password of the vestibule", explain=True)
    backups.make(memory.store.path, home / backups.FOLDER / "memd-copy.db")
    backups.make(memory.store.path, tmp_path / "elsewhere.db")
    words = ["wolframite"] if door is in_conflict else WORDS
    prints = print_of(memory, ids, words)
    assert found(prints, home), "the search finds it while it is there"
    others = {one.id for one in memory.list(scope="all", superseded=True, limit=1000)} - set(ids)

    done = memory.purge(ids)

    assert done.complete and set(done.memories) == set(ids)
    (tmp_path / "copies").mkdir()
    (tmp_path / "elsewhere.db").rename(tmp_path / "copies" / "elsewhere.db")
    assert found(prints, home, tmp_path / "copies") == []
    assert memory.audit().troubles == () and memory.check().troubles == ()
    assert others <= {one.id for one in memory.list(scope="all", superseded=True, limit=1000)}
    assert memory.recall("on which days do deploys go out", min_relevance=0).hits
    for id_ in ids:
        with pytest.raises(NotFound, match="was purged on"):
            memory.show(id_)
    for copy in (home / backups.FOLDER / "memd-copy.db", tmp_path / "copies" / "elsewhere.db"):
        assert backups.verify(copy)


def test_the_others_of_a_chain_stay_and_the_history_says_that_one_was_purged(memory: Memory) -> None:
    (mid,) = middle_of_a_chain(memory, Path())
    memory.purge([mid])
    history = memory.history(mid)
    assert [(one.text, one.purged_at is not None) for one in history.versions] == [
        ("the vault is in the cellar", False), ("", True), ("the vault is in the attic", False),
    ]  # fmt: skip
    first, _, last = history.versions
    assert first.superseded_by == last.id and [link.why for link in history.replacements] == ["", ""]
    assert [change.what for change in history.changes if change.id == mid][-2:] == ["forget", "purge"]


def test_what_the_purged_one_replaced_holds_again(memory: Memory) -> None:
    (new,) = newest_of_a_chain(memory, Path())
    memory.purge([new])
    assert "the vault is in the cellar" in [hit.memory.text for hit in memory.recall("where is the vault").hits]
    assert memory.audit().sound


def test_a_dry_run_tells_and_changes_nothing(memory: Memory, tmp_path: Path) -> None:
    id_ = memory.remember(SECRET).id
    quoting = memory.remember(f"She said: {SECRET}").id
    backups.make(memory.store.path, tmp_path / "home" / "backups" / "memd-copy.db")
    told = memory.purge([id_], dry_run=True)
    assert told.dry_run and told.memories == (id_,) and told.quoted == (quoting,)
    assert any(place.place.endswith("memd-copy.db") for place in told.places)
    assert memory.show(id_).text == SECRET and memory.audit().sound


def test_an_unknown_id_purges_nothing(memory: Memory) -> None:
    id_ = memory.remember(SECRET).id
    with pytest.raises(NotFound):
        memory.purge([id_, "nothing"])
    assert memory.show(id_).text == SECRET


def test_a_text_that_its_file_still_has_is_not_taken_in_again_until_somebody_says_it(
    memory: Memory, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (section,) = [id_ for id_ in watched(memory, folder) if SECRET in memory.show(id_).text]
    done = memory.purge([section])
    assert done.files == (str(folder / "vault.md"),)
    note = folder / "vault.md"
    note.write_text(note.read_text() + "\n## Another\n\nA new section.\n")
    take_in(memory, folder)
    texts = [one.text for one in memory.list(scope="all")]
    assert any("A new section." in text for text in texts) and not any("xanthippe" in text for text in texts)
    note.rename(folder / "moved.md")
    moved = list(read_notes(folder))
    memory.notes.take(moved, str(folder), gone=[str(note)], moved={str(note): str(folder / "moved.md")})
    assert not any("xanthippe" in one.text for one in memory.list(scope="all"))
    memory.remember(SECRET, scope=str(folder))  # word for word, and by the user: that is another matter
    assert any("xanthippe" in one.text for one in memory.list(scope="all"))


def test_the_mark_goes_when_the_file_no_longer_has_the_text(memory: Memory, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    memory.purge(watched(memory, folder))
    (folder / "vault.md").write_text("# Vault\n\nEmpty by now.\n")
    take_in(memory, folder)
    with memory.store.reading() as db:
        assert db.execute("SELECT count(*) FROM shunned").fetchone()[0] == 0


def test_what_a_transcript_still_says_is_not_taken_in_again(memory: Memory) -> None:
    item = NewMemory(SECRET, source=Source(via="hook", path="/t.jsonl", session="s1", span=(4, 4)))
    (first,) = memory.remember_many([item], restate=False)
    memory.purge([first.id])
    (again,) = memory.remember_many([item], restate=False)
    assert again.id == first.id and again.again
    assert not [one for one in memory.list(scope="all") if "xanthippe" in one.text]


def test_what_nothing_reads_again_leaves_no_mark(memory: Memory) -> None:
    memory.purge([memory.remember(SECRET).id])
    with memory.store.reading() as db:
        assert db.execute("SELECT count(*) FROM shunned").fetchone()[0] == 0


def test_a_reader_of_an_older_state_delays_it_and_that_is_said(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "LOG_WAIT_S", 0.05)
    id_ = memory.remember(SECRET).id
    prints = print_of(memory, [id_], WORDS)
    reader = sqlite3.connect(str(memory.store.path), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM memory").fetchone()
    done = memory.purge([id_])
    assert [place.place for place in done.places if place.left] == ["log"] and not done.complete
    assert memory.purges.waits() and found(prints, tmp_path / "home")
    reader.close()
    assert memory.purges.finish().complete and not memory.purges.waits()
    assert found(prints, tmp_path / "home") == []


def test_a_copy_that_is_not_at_hand_is_named_and_purged_when_it_is(memory: Memory, tmp_path: Path) -> None:
    disk, away = tmp_path / "disk", tmp_path / "away"
    id_ = memory.remember(SECRET).id
    prints = print_of(memory, [id_], WORDS)
    backups.make(memory.store.path, disk / "copy.db")
    disk.rename(away)
    done = memory.purge([id_])
    (left,) = [place for place in done.places if place.left]
    assert left.place == str(disk / "copy.db") and "isn't there" in left.left and not memory.purges.waits()
    away.rename(disk)
    assert memory.purges.waits() and memory.purges.finish().complete
    assert found(prints, tmp_path / "home", disk) == []


def test_a_copy_that_was_deleted_is_not_waited_for(memory: Memory, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    ids = [memory.remember(f"{SECRET} {n}").id for n in range(2)]
    for name in ("one.db", "other.db"):
        backups.make(memory.store.path, disk / name)
    (disk / "one.db").unlink()
    assert memory.purge(ids[:1]).complete and memory.purge(ids[1:]).complete
    assert copies.all_of(tmp_path / "home") == [disk / "other.db"]


def test_a_copy_that_is_damaged_is_named(memory: Memory, tmp_path: Path) -> None:
    id_ = memory.remember(SECRET).id
    copy = Path(backups.make(memory.store.path, tmp_path / "home" / "backups" / "memd-copy.db").path)
    data = bytearray(copy.read_bytes())
    data[4096 * 5 :] = b"\xff" * (len(data) - 4096 * 5)
    copy.write_bytes(bytes(data))
    left = [place for place in memory.purge([id_]).places if place.left]
    assert [place.place for place in left] == [str(copy)] and "rm " in left[0].left
    copy.unlink()
    assert memory.purges.finish().complete and not memory.purges.waits()


def test_a_restored_backup_has_nothing_that_was_purged_since(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Memory.open(home, encode="off") as memory:
        id_ = memory.remember(SECRET).id
        kept = memory.remember("kept").id
        prints = print_of(memory, [id_], WORDS)
        backups.make(memory.store.path, tmp_path / "unknown.db")
        copies.leave_out(home, tmp_path / "unknown.db")  # memd lost sight of it
        memory.purge([id_])
    backups.put_back(tmp_path / "unknown.db", home / "memd.db", home / "backups" / "memd-aside.db")
    with Memory.open(home, encode="off") as memory:
        assert [one.id for one in memory.list(scope="all")] == [kept] and memory.audit().sound
    assert found(prints, home) == []


def test_what_was_purged_is_counted_nowhere(memory: Memory, tmp_path: Path) -> None:
    before = memory.check().memories
    purged, forgotten, _ = [memory.remember(text).id for text in (SECRET, "forgotten", "kept")]
    memory.forget([forgotten])
    memory.purge([purged])
    made = backups.make(memory.store.path, tmp_path / "copy.db")
    assert made.memories == memory.check().memories == before + 2
    assert memory.stats().memories + memory.stats().forgotten == before + 2


def test_logs_and_what_hooks_left_lose_it_too(memory: Memory, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "daemon.log").write_text(f"2026 a library said: {SECRET}\n2026 all is well\n")
    (home / "hooks").mkdir()
    (home / "hooks" / "1.json").write_text(json.dumps({"prompt": SECRET}))
    id_ = memory.remember(SECRET).id
    prints = print_of(memory, [id_], WORDS)
    assert memory.purge([id_]).complete and found(prints, home) == []
    assert "all is well" in (home / "daemon.log").read_text()


def test_half_written_copies_of_killed_processes_go(memory: Memory, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "backups"
    id_ = memory.remember(SECRET).id
    prints = print_of(memory, [id_], WORDS)
    folder.mkdir()
    (folder / "memd-1.db.part").write_bytes(memory.store.path.read_bytes() + SECRET.encode())
    with copies.claimed(folder / "memd-2.db.part"):  # of a process that is at work
        memory.purge([id_])
        assert [path.name for path in folder.iterdir()] == ["memd-2.db.part"]
    assert found(prints, tmp_path / "home") == []


def test_an_older_format_is_purged_as_it_is_and_opens_afterwards(tmp_path: Path) -> None:
    from tests.store.test_journal import first_format

    home = tmp_path / "home"
    home.mkdir()
    first_format(home / "memd.db")
    with Memory.open(home, encode="off") as memory:  # which keeps a copy of format 1
        memory.purge(["01a"])
        (copy,) = backups.listed(home / backups.FOLDER)
        assert copy.format == 1
    old = tmp_path / "old"
    old.mkdir()
    Path(copy.path).rename(old / "memd.db")
    with Memory.open(old, encode="off") as memory:
        assert memory.list(scope="all") == [] and memory.audit().sound
        assert [one.id for one in memory.list(scope="all", forgotten=True)] == ["01b"]


def test_every_table_is_known(memory: Memory) -> None:
    """Who adds a table says in `memd.store.erasing` what becomes of it when a memory is purged."""
    with memory.store.reading() as db:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        rows = db.execute("SELECT name FROM pragma_table_list WHERE type = 'shadow'")
        shadows = {row[0] for row in rows}
        stat = {name for name in tables if name.startswith("sqlite_stat")}
        known = {*erasing.BY_MEMORY, *erasing.BY_PASSAGE, *erasing.BY_HAND, *erasing.WITHOUT_WORDS}
        vectors = {name for name in tables if name.startswith("passage_bits_")}
        assert tables - shadows - stat - vectors - known - {"passage_fts_vocab"} == set()
        # and every column that names a memory or a passage is one that is looked at
        for table in tables - shadows:
            for _, _, target, column, *_ in db.execute(f"PRAGMA foreign_key_list({table})"):
                if target == "memory":
                    assert table in erasing.BY_HAND or table in erasing.WITHOUT_WORDS or (
                        column in erasing.BY_MEMORY.get(table, ()) or table in erasing.BY_PASSAGE
                    ), (table, column)  # fmt: skip


STEPS = st.lists(
    st.sampled_from(
        [
            "again",
            "forget",
            "restore",
            "tag",
            "supersede",
            "use",
            "pin",
            "compare",
            "fade",
            "backup",
            "neighbour",
            "twin",
        ]
    ),
    max_size=8,
)


@settings(max_examples=12)
@given(STEPS, STEPS)
def test_whatever_happened_to_it_nothing_is_left(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str]
) -> None:
    home = tmp_path_factory.mktemp("home")
    with Memory.open(home, encode="inline") as memory:
        ids = [memory.remember(SECRET, episode="e").id]
        for number, step in enumerate([*before, *after]):
            act(memory, ids, step, home / backups.FOLDER / f"memd-{number}.db")
        ids = list(dict.fromkeys(ids))
        prints = print_of(memory, ids, WORDS)
        assert memory.purge(ids).complete
        assert found(prints, home) == []
        assert memory.audit().troubles == () and memory.check().troubles == ()


def act(memory: Memory, ids: list[str], step: str, copy: Path) -> None:
    """Something happens to the memory; those that have its words join `ids`."""
    try:
        {
            "again": lambda: ids.append(memory.remember(SECRET, source=Source(who="zwieback")).id),
            "forget": lambda: memory.forget(ids[-1:]),
            "restore": lambda: memory.restore(ids[-1:]),
            "tag": lambda: memory.tag(ids[-1:], add=["xanthippe"]),
            "supersede": lambda: ids.append(memory.supersede(ids[-1], f"{SECRET}, anew", why="zwieback").id),
            "use": lambda: memory.use(ids[-1:], recall="brumhilda?"),
            "pin": lambda: memory.pin(ids[-1:]),
            "compare": memory.compare,
            "fade": lambda: memory.lifecycle.run(now=datetime.now(UTC) + timedelta(days=400)),
            "backup": lambda: backups.make(memory.store.path, copy),
            "neighbour": lambda: memory.remember("somebody else speaks", episode="e"),
            "twin": lambda: ids.append(memory.remember(f"{SECRET}!").id),
        }[step]()
    except Exception as error:
        if type(error).__name__ not in ("Conflict", "NotFound"):
            raise


def test_what_is_purged_while_it_is_encoded_leaves_no_vector(memory: Memory, tmp_path: Path) -> None:
    """Not even for a passage that got its number since."""
    from memd.store import vectors

    id_ = memory.remember(SECRET).id
    prints = print_of(memory, [id_], WORDS)
    with memory.store.reading() as db:
        (passage, seq, code, ids) = db.execute(
            "SELECT p.id, p.memory, v.code, t.ids FROM passage AS p JOIN vector AS v ON v.passage = p.id"
            " JOIN token_code AS t ON t.passage = p.id ORDER BY p.id DESC LIMIT 1"
        ).fetchone()
        encoder = vectors.current(db)
    count = len(ids) // 2
    tokens, offsets = np.ones((count, 384), np.float32), np.zeros((count, 2), np.int32)
    encoding = Encoding(np.frombuffer(code, "<f4"), tokens, np.frombuffer(ids, "<u2").astype(np.int32), offsets)
    memory.purge([id_])
    again = memory.remember("an innocent text").id
    with memory.store.writing() as db:
        assert encoder is not None
        vectors.put(db, encoder, [(vectors.Waiting(passage, seq, 0, 10), encoding)])
        assert db.execute("SELECT max(id) FROM passage").fetchone()[0] == passage, "the number is in use again"
    assert memory.purge([again]).complete and found(prints, tmp_path / "home") == []


def test_the_audit_tells_a_memory_that_was_blanked_past_memd(memory: Memory) -> None:
    id_ = memory.remember(SECRET).id
    with memory.store.writing() as db:
        db.execute("UPDATE memory SET text = '', purged_at = 1, forgotten_at = 1 WHERE id = ?", (id_,))
    assert any(id_ in trouble for trouble in memory.audit().troubles)
    assert journal.PURGE == "purge"
