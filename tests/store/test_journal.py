"""The journal tells every change, and whether anybody changed what it tells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory
from memd.model import NewMemory, Source
from memd.store import journal


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path, encode="off") as opened:
        yield opened


def filled(memory: Memory) -> list[str]:
    source = Source(who="mia", via="mcp", path="/n/notes.md", span=(3, 9), session="s1")
    ids = [memory.remember(f"fact {number}", source=source).id for number in range(3)]
    memory.remember("fact 0")
    memory.remember_many([NewMemory(text="read from a file")], restate=False)
    memory.tag([ids[1]], add=["kept"])
    memory.forget([ids[2]])
    memory.restore([ids[2]])
    memory.supersede(ids[0], "fact zero", why="spelt out")
    return ids


def tampered(memory: Memory, *statements: str) -> list[str]:
    """What an audit says after these statements, which somebody carries out past memd."""
    with memory.store.writing() as db:
        for trigger in ("journal_stays", "journal_is_true"):
            db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            db.execute(statement)
    return list(memory.audit().troubles)


def test_every_change_is_told_in_order_with_where_it_came_from(memory: Memory) -> None:
    ids = filled(memory)
    changes = memory.history(ids[0]).changes
    assert [change.what for change in changes] == ["remember", "again", "remember", "supersede"]
    assert changes[0].source == Source(who="mia", via="mcp", path="/n/notes.md", span=(3, 9), session="s1")
    assert changes[3].details["why"] == "spelt out"
    assert [change.what for change in memory.history(ids[2]).changes] == ["remember", "forget", "restore"]
    assert memory.history(ids[1]).changes[1].details == {"add": "kept"}
    audit = memory.audit()
    assert audit.sound and audit.entries == 10 and len(audit.link) == 64
    with memory.store.reading() as db:
        texts = "".join(row[0] for row in db.execute("SELECT payload FROM journal"))
    assert "fact" not in texts and "read from" not in texts


def test_uses_and_pins_are_told(memory: Memory) -> None:
    id_ = memory.remember("used").id
    memory.use([id_], who="mia")
    memory.pin([id_])
    memory.unpin([id_])
    changes = memory.history(id_).changes
    assert [change.what for change in changes] == ["remember", "use", "pin", "unpin"]
    assert (changes[1].details["verdict"], changes[1].source.who) == ("useful", "mia")
    assert memory.audit().sound


def test_a_change_and_its_entry_are_one_transaction(memory: Memory) -> None:
    id_ = memory.remember("kept").id
    before = memory.audit()
    with pytest.raises(RuntimeError), memory.store.writing() as db:
        db.execute("UPDATE memory SET said = 2 WHERE id = ?", (id_,))
        journal.append(db, 0, [("again", 1, {})])
        raise RuntimeError
    assert memory.audit() == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE journal SET payload = '{}' WHERE seq = 3", "Entry 3 (remember of "),
        ("UPDATE journal SET at = at + 1 WHERE seq = 4", "Entry 4 (again of "),
        ("UPDATE journal SET op = 'restore' WHERE seq = 7", "Entry 7 "),
        ("UPDATE journal SET memory = 1 WHERE seq = 6", "Entry 6 "),
        ("UPDATE journal SET link = x'00' WHERE seq = 5", "Entry 5 "),
        ("DELETE FROM journal WHERE seq IN (4, 5)", "Entries 4 to 5 of the journal are missing"),
        ("DELETE FROM journal WHERE seq > 8", "Entries 9 to 10, the last of the journal, are missing"),
        ("UPDATE memory SET text = 'another fact' WHERE seq = 2", "The text of "),
        ("UPDATE memory SET forgotten_at = 5 WHERE seq = 2", "is forgotten, and the journal"),
        ("INSERT INTO version (old, new, at, until, why) VALUES (2, 3, 0, 0, '')", "the journal doesn't say so"),
    ],
)
def test_an_audit_names_what_was_changed(memory: Memory, statement: str, said: str) -> None:
    filled(memory)
    troubles = tampered(memory, statement)
    assert said in troubles[0]


def test_the_store_itself_refuses_to_change_the_journal(memory: Memory) -> None:
    filled(memory)
    for statement in ("DELETE FROM journal WHERE seq = 1", "UPDATE journal SET at = 0 WHERE seq = 1"):
        with pytest.raises(Exception, match="append-only"), memory.store.writing() as db:
            db.execute(statement)
    assert memory.audit().sound


def test_a_journal_written_anew_is_told_by_a_link_kept_elsewhere(memory: Memory) -> None:
    filled(memory)
    before = memory.audit()
    memory.remember("one more")
    assert memory.audit(before.entries, before.link).sound
    assert not memory.audit(before.entries, "00" * 32).sound
    assert not memory.audit(before.entries + 50, before.link).sound


def test_a_purged_memory_leaves_the_chain_whole_and_nothing_to_guess_at(memory: Memory) -> None:
    ids = filled(memory)
    digest = journal_text(memory, ids[1])
    with memory.store.writing() as db:
        seq = db.execute("SELECT seq FROM memory WHERE id = ?", (ids[1],)).fetchone()[0]
        journal.blank(db, seq)
    assert [trouble.split()[0] for trouble in memory.audit().troubles] == [
        ids[1]
    ]  # the chain holds; its row is still there
    assert digest not in journal_text(memory, None)


def journal_text(memory: Memory, id_: str | None) -> str:
    with memory.store.reading() as db:
        if id_ is not None:
            return str(db.execute("SELECT lower(hex(digest)) FROM memory WHERE id = ?", (id_,)).fetchone()[0])
        return "".join(row[0] or "" for row in db.execute("SELECT payload FROM journal"))


def test_an_older_store_gets_a_journal_of_what_is_there(tmp_path: Path) -> None:
    first_format(tmp_path / "memd.db")
    with Memory.open(tmp_path, encode="off") as memory:
        audit = memory.audit()
        assert audit.sound and audit.entries == 3
        kept, gone = memory.show("01a"), memory.show("01b")
        assert [change.what for change in memory.history(kept.id).changes] == ["found"]
        assert [change.what for change in memory.history(gone.id).changes] == ["found", "forget"]
        assert [hit.memory.id for hit in memory.recall("kept", as_of=gone.recorded_at).hits] == ["01a"]


def first_format(path: Path) -> None:
    """A store of format 1 with a living and a forgotten memory, as an older memd left it."""
    from sqlite_utils import Database

    from memd.store import migrations, schema

    connection = sqlite3.connect(str(path))
    only = migrations.Migrations("memd")
    only(name="m001_tables")(lambda db: migrations.run_script(db.conn, schema.M001_TABLES))
    only.apply(Database(connection, execute_plugins=False))
    for seq, (id_, text, forgotten_at) in enumerate((("01a", "kept", None), ("01b", "gone", 7)), start=1):
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        connection.execute(
            "INSERT INTO memory (seq, id, text, digest, kind, scope, source, recorded_at, speaker, asks, said_at,"
            " forgotten_at) VALUES (?, ?, ?, ?, 'note', 1, '{}', 5, 1, 0, 5, ?)",
            (seq, id_, text, digest, forgotten_at),
        )
        connection.execute("INSERT INTO passage (memory, ordinal, start, stop) VALUES (?, 0, 0, 4)", (seq,))
        if forgotten_at is None:
            row = (seq, text, "", "s1")
            connection.execute("INSERT INTO passage_fts (rowid, text, context, mark) VALUES (?, ?, ?, ?)", row)
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["a", "b", "forget", "restore", "tag"]), min_size=1, max_size=12), st.data())
def test_any_single_byte_of_an_entry_matters(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], data: st.DataObject
) -> None:
    with Memory.open(tmp_path_factory.mktemp("home"), encode="off") as memory:
        first = memory.remember("first").id
        for step in steps:
            if step == "forget":
                memory.forget([first])
            elif step == "restore":
                memory.restore([first])
            elif step == "tag":
                memory.tag([first], add=["t"])
            else:
                memory.remember(step)
        audit = memory.audit()
        assert audit.sound
        seq = data.draw(st.integers(1, audit.entries))
        place = data.draw(st.integers(1, 20))
        troubles = tampered(
            memory,
            f"UPDATE journal SET payload = substr(payload, 1, {place - 1}) || '#' || substr(payload, {place + 1})"
            f" WHERE seq = {seq}",
        )
        assert troubles[0].startswith(f"Entry {seq} ")
