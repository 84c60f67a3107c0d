"""Out of a damaged store comes all that doesn't lie on damaged pages, and nothing that wasn't in it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite3

from memd.api import Memory
from memd.clock import from_ms
from memd.errors import BadInput, Conflict, MemdError, NotFound, StoreCorrupt
from memd.model import NewMemory, Repair, Source
from memd.store import backups, repair, salvage, schema
from memd.store.pages import Pages
from tests.cli.command import Memd
from tests.store.test_journal import first_format

PAGE = 4096
NOW = 1_800_000_000_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with some of everything, its log written into the file; `copy.db` is a backup of all but a few."""
    home = tmp_path_factory.mktemp("whole")
    with Memory.open(home, encode="off") as memory:
        made = memory.remember_many(
            [
                NewMemory(
                    f"note {n}: the build of part {n} takes {n} minutes, " + "and more " * (n % 60),
                    scope=f"/p/{n % 3}", tags=(f"tag{n % 5}",), episode="talk" if n % 4 == 0 else None,
                    source=Source(who=f"person {n % 3}", via="api"),
                )
                for n in range(300)
            ]
        )  # fmt: skip
        ids = [one.id for one in made]
        memory.remember_many([NewMemory("long " * 4000, scope="/p/0"), NewMemory("longer " * 9000, scope="/p/1")])
        for n in range(0, 60, 3):
            memory.supersede(ids[n], f"instead of note {n} this holds", why="it changed")
        memory.forget(ids[100:110])
        memory.use(ids[150:160], who="ada")
        memory.pin(ids[170:175])
        memory.tasks.start("mend the store", scope="/p/0")
        memory.tasks.step("read its pages", scope="/p/0")
        memory.purge(ids[200:202])
        backups.make(home / "memd.db", home / "copy.db")
        memory.remember_many([NewMemory(f"said after the copy, number {n}") for n in range(20)])
    return home


def texts(home: Path) -> dict[str, str]:
    """All memories, forgotten or not, by id."""
    with Memory.open(home, encode="off") as memory:
        found = memory.list(scope="all", superseded=True, limit=10_000)
        found += memory.list(scope="all", forgotten=True, limit=10_000)
        return {one.id: one.text for one in found}


def mended(tmp_path: Path, damaged: bytes, log: bytes = b"", **given: object) -> tuple[Repair, Path]:
    """Repair these bytes; what it came to, and the data folder of the result. The damaged file stays as it is."""
    source = tmp_path / "damaged" / "memd.db"
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(damaged)
    beside = source.with_name("memd.db-wal")
    beside.unlink(missing_ok=True)
    if log:
        beside.write_bytes(log)
    home = tmp_path / "mended"
    shutil.rmtree(home, ignore_errors=True)
    done = repair.repair(source, home / "memd.db", NOW, **given)  # type: ignore[arg-type]
    assert source.read_bytes() == damaged and (not log or beside.read_bytes() == log)
    assert sorted(path.name for path in source.parent.iterdir()) == ["memd.db", *(["memd.db-wal"] if log else [])]
    with Memory.open(home, encode="off") as memory:
        assert memory.audit().troubles == () and memory.check().troubles == ()
        for n in range(3):
            memory.remember(f"it takes new ones, {n}", scope="/new")
        assert memory.recall("it takes new ones", scope="/new", min_relevance=0).hits
        memory.forget([one.id for one in memory.list(scope="/new") if one.scope == "/new"])
    return done, home


def kept(before: dict[str, str], home: Path) -> dict[str, str]:
    """What came out of what went in; nothing else may have."""
    after = texts_again(home)
    assert after.items() <= before.items(), "a text that wasn't there"
    return after


def texts_again(home: Path) -> dict[str, str]:
    """`texts`, without those that were put in to see whether it takes any."""
    return {id_: text for id_, text in texts(home).items() if not text.startswith("it takes new ones")}


def numbered(home: Path) -> dict[Any, Any]:
    """Each text by its memory's number, and each number by its memory's id."""
    with Memory.open(home, encode="off") as memory, memory.store.reading() as db:
        rows = db.execute("SELECT seq, id, text FROM memory").fetchall()
    return {seq: text for seq, _, text in rows} | {id_: seq for seq, id_, _ in rows}


def pages_of(data: bytes, text: str) -> set[int]:
    """The pages on which a short text stands, found by its bytes; the first is counted from 0."""
    found, at = set(), data.find(text.encode())
    while at >= 0:
        found.add(at // PAGE)
        at = data.find(text.encode(), at + 1)
    return found


def broken(data: bytes, numbers: set[int], how: str, chance: random.Random) -> bytes:
    """These pages damaged."""
    changed = bytearray(data)
    for number in numbers:
        page = slice(number * PAGE, (number + 1) * PAGE)
        if how == "random":
            changed[page] = chance.randbytes(PAGE)
        elif how == "zeroed":
            changed[page] = bytes(PAGE)
        else:
            for _ in range(40):
                changed[number * PAGE + chance.randrange(PAGE)] ^= 1 << chance.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize(
    ("share", "how"), [(0.01, "random"), (0.05, "zeroed"), (0.05, "random"), (0.2, "random"), (0.2, "flipped")]
)
def test_only_what_lies_on_damaged_pages_is_lost(whole: Path, tmp_path: Path, share: float, how: str) -> None:
    check_share(whole, tmp_path, share, how, seed=1)


def test_lost_memories_keep_their_places_though_all_were_stored_in_one_millisecond(tmp_path: Path) -> None:
    home = tmp_path / "whole"
    with Memory.open(home, encode="off", clock=lambda: from_ms(NOW)) as memory:
        made = memory.remember_many([NewMemory(f"note {n}: " + "much more " * 60) for n in range(900)])
    data = (home / "memd.db").read_bytes()
    rows = set().union(*(pages_of(data, f"note {n}: much") for n in range(900)))
    index = set().union(*(pages_of(data, one.id) for one in made)) - rows
    lost = {*sorted(rows)[::2], *index}  # so that their ids are unknown, and others are made at that time
    done, _ = mended(tmp_path, broken(data, lost, "zeroed", random.Random(1)))  # holds it against the journal
    assert done.lost_count > 100


@pytest.mark.soak
@pytest.mark.parametrize(
    ("share", "how"),
    [(share, how) for how in ("random", "zeroed", "flipped") for share in (0.01, 0.05, 0.2, 0.5)][:-1],
)  # with flipped bits on half of the pages, a text on a whole page may lose
def test_the_same_many_times(whole: Path, tmp_path: Path, share: float, how: str) -> None:
    for seed in range(2, 12):
        check_share(whole, tmp_path, share, how, seed)


def check_share(whole: Path, tmp_path: Path, share: float, how: str, seed: int) -> None:
    data, before = (whole / "memd.db").read_bytes(), texts(whole)
    chance = random.Random(f"{seed} {share} {how}")
    count = len(data) // PAGE
    numbers = set(chance.sample(range(count), max(1, round(share * count))))
    done, home = mended(tmp_path, broken(data, numbers, how, chance))
    # A flipped bit in an id can't be told from a whole one; in a text it can.
    after = texts_again(home) if how == "flipped" else kept(before, home)
    assert set(after.values()) <= set(before.values())
    was, now = numbered(whole), numbered(home)
    for id_, text in before.items():
        places = pages_of(data, text)  # a long text isn't in one piece
        # A number with a flipped bit may be that of another memory: one of the two texts has it then.
        driven_out = how == "flipped" and now.get(was[id_], text) in before.values() and now.get(was[id_]) != text
        if places and not places & numbers and not driven_out:
            assert id_ in after, f"{id_} lies on page {places}, which is whole"
    missing = before.keys() - after.keys()
    if how == "flipped":
        return
    assert not {one.id for one in done.lost if one.id} & after.keys()
    if share <= 0.05:
        assert len(missing) <= done.lost_count <= len(missing) + 2, "each lost memory is known to be; two were purged"
    if not numbers & {0, 1} and how == "random" and len(numbers) >= 10:
        assert done.damaged_pages >= 0.5 * len(numbers), "but for pages that hold the rest of a record, or nothing"


def test_a_whole_store_comes_out_as_it_is(whole: Path, tmp_path: Path) -> None:
    before = texts(whole)
    done, home = mended(tmp_path, (whole / "memd.db").read_bytes())
    assert kept(before, home) == before
    assert (done.lost_count, done.damaged_pages, done.tables, done.journal) == (0, 0, (), ())
    with Memory.open(whole, encode="off") as one, Memory.open(home, encode="off") as other:
        for table in ("tag", "saying", "use", "version", "task", "task_need", "life"):
            query = f"SELECT * FROM {table} ORDER BY 1, 2"
            with one.store.reading() as mine, other.store.reading() as its:
                rows = mine.execute(query).fetchall()
                assert its.execute(query).fetchall()[: len(rows)] == rows, table
        ids = [id_ for id_, text in before.items() if text.startswith("instead of")]
        assert other.history(ids[0]).replacements == one.history(ids[0]).replacements
        assert [task.title for task in other.tasks.list(scope="/p/0").tasks] == ["mend the store", "read its pages"]


@pytest.mark.parametrize("size", [16, 100, PAGE, 3 * PAGE])
def test_a_beginning_that_is_gone(whole: Path, tmp_path: Path, size: int) -> None:
    data, before = (whole / "memd.db").read_bytes(), texts(whole)
    done, home = mended(tmp_path, b"\xaa" * size + data[size:])
    assert kept(before, home) == before and done.lost_count == 0
    with Memory.open(home, encode="off") as memory:
        assert {memory.show(id_).superseded_by is not None for id_ in list(before)[:5]} <= {True, False}


@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_a_file_that_was_cut_short(whole: Path, tmp_path: Path, part: float) -> None:
    data, before = (whole / "memd.db").read_bytes(), texts(whole)
    size = int(len(data) * part) + 77
    done, home = mended(tmp_path, data[:size])
    after = kept(before, home)
    for id_, text in before.items():
        if (places := pages_of(data, text)) and max(places) < size // PAGE:
            assert id_ in after
    assert done.lost_count + len(after) >= len(before) or done.damaged_pages or part < 0.5


def test_damaged_indexes_words_and_vectors_cost_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Memory.open(home, encode="inline") as memory:
        memory.remember_many([NewMemory(f"fact {n}: the port of service {n} is {8000 + n}") for n in range(60)])
    before = texts(home)
    source = home / "memd.db"
    with sqlite3.connect(str(source)) as db:
        rows = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE rootpage > 0 AND (name LIKE 'passage%' OR type = 'index'"
            " OR name IN ('vector', 'token_code', 'entity', 'mention', 'change'))"
        ).fetchall()
    numbers = {row[0] - 1 for row in rows}
    damaged = broken(source.read_bytes(), numbers, "random", random.Random(3))
    done, other = mended(tmp_path, damaged)
    assert kept(before, other) == before and done.lost_count == 0
    with Memory.open(other) as memory:
        memory.encode_pending()
        assert "8007" in memory.recall("which port has service 7").hits[0].memory.text


def with_log(tmp_path: Path) -> tuple[bytes, bytes, dict[str, str], list[str]]:
    """A store and its log, as a kill leaves them: all texts, and the ids of those that are in the log alone."""
    home = tmp_path / "home"
    with Memory.open(home, encode="off") as memory:
        memory.remember_many([NewMemory(f"note {n}: in the file") for n in range(200)])
    memory = Memory.open(home, encode="off")
    late = [memory.remember(f"late {n}: in the log").id for n in range(40)]
    data, log = (home / "memd.db").read_bytes(), (home / "memd.db-wal").read_bytes()
    memory.close()
    return data, log, texts(home), late


def test_the_log_counts(tmp_path: Path) -> None:
    data, log, before, late = with_log(tmp_path)
    done, home = mended(tmp_path, data, log)
    assert kept(before, home) == before and late and not done.notes


@pytest.mark.parametrize("damage", ["flip", "header", "cut", "middle"])
def test_a_damaged_log_costs_what_is_damaged_in_it(tmp_path: Path, damage: str) -> None:
    data, log, before, late = with_log(tmp_path)
    changed = bytearray(log)
    frames = (len(log) - 32) // (PAGE + 24)
    if damage == "flip":
        changed[32 + (frames // 2) * (PAGE + 24) + 600] ^= 0x10
    elif damage == "header":
        changed[:32] = bytes(32)
    elif damage == "middle":
        start = 32 + (frames // 2) * (PAGE + 24)
        changed[start : start + 2 * (PAGE + 24)] = b"\x55" * (2 * (PAGE + 24))
    else:
        del changed[32 + (frames - 3) * (PAGE + 24) + 1000 :]
    done, home = mended(tmp_path, data, bytes(changed))
    after = kept(before, home)
    assert all(id_ in after for id_ in before if id_ not in late)
    assert len(late) - sum(id_ in after for id_ in late) <= 3, "the frames after the damaged one count too"
    assert done.notes or damage == "cut"


def test_what_is_lost_comes_from_a_backup(whole: Path, tmp_path: Path) -> None:
    data, before = (whole / "memd.db").read_bytes(), texts(whole)
    held = texts_in(whole / "copy.db", tmp_path / "held")
    count = len(data) // PAGE
    numbers = set(random.Random(5).sample(range(count), count // 4))
    damaged = broken(data, numbers, "random", random.Random(6))
    alone, home = mended(tmp_path, damaged)
    without = kept(before, home)
    done, home = mended(tmp_path, damaged, backup=whole / "copy.db")
    after = kept(before, home)
    assert after.keys() == without.keys() | (held.keys() & before.keys())
    assert done.from_backup == len(after) - len(without) and done.lost_count < alone.lost_count
    with Memory.open(home, encode="off") as memory:
        assert len(memory.list(scope="all", tags=["tag1"], limit=1000)) > 45


def texts_in(copy: Path, home: Path) -> dict[str, str]:
    home.mkdir()
    shutil.copyfile(copy, home / "memd.db")
    return texts(home)


def test_a_journal_with_gaps_goes_on_in_a_new_segment(whole: Path, tmp_path: Path) -> None:
    data = (whole / "memd.db").read_bytes()
    pages = Pages(whole / "memd.db")
    found = salvage.Salvage(pages)
    numbers = [n for n in range(2, pages.count + 1) if found.table_of(n) == "journal"]
    pages.close()
    done, home = mended(tmp_path, broken(data, {n - 1 for n in numbers[1:3]}, "random", random.Random(2)))
    assert done.lost_count == 0 and len(done.journal) == 1 and "lost" in done.journal[0]
    with Memory.open(home, encode="off") as memory:
        audit = memory.audit()
        assert audit.sound and len(audit.gaps) == 1 and "lost in a damage" in audit.gaps[0]
        with memory.store.writing() as db:  # and it still tells of what is changed afterwards
            db.execute("DROP TRIGGER journal_is_true")
            db.execute("UPDATE journal SET at = at + 1 WHERE seq = (SELECT max(seq) FROM journal)")
        assert not memory.audit().sound


def test_nobody_takes_the_place_of_what_is_lost(whole: Path, tmp_path: Path) -> None:
    data, before = (whole / "memd.db").read_bytes(), texts(whole)
    last = max(id_ for id_ in before if before[id_].startswith("said after"))
    _, home = mended(tmp_path, broken(data, pages_of(data, before[last]), "zeroed", random.Random(1)))
    with Memory.open(home, encode="off") as memory:
        with pytest.raises(NotFound, match="lost"):
            memory.show(last)
        assert memory.history(last).changes[0].what in ("remember", "lost")


def test_an_older_format(tmp_path: Path) -> None:
    source = tmp_path / "old.db"
    first_format(source)
    data = source.read_bytes()
    _, home = mended(tmp_path, data)
    assert texts(home).items() >= {("01a", "kept"), ("01b", "gone")}
    _, home = mended(tmp_path, b"\0" * 100 + data[100:])
    assert texts(home).items() >= {("01a", "kept"), ("01b", "gone")}
    with Memory.open(home, encode="off") as memory:
        assert memory.stats().format == schema.FORMAT


def test_an_encrypted_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlcipher3", reason="the extra `encryption` isn't installed")
    pytest.importorskip("cryptography", reason="reading damaged encrypted pages takes cryptography")
    from memd.store import cipher, moving
    from memd.store.keys import passphrase_key

    monkeypatch.setenv("MEMD_PASSPHRASE", "correct horse")
    home = tmp_path / "home"
    with Memory.open(home, encode="off") as memory:
        memory.remember_many([NewMemory(f"note {n}: in the file") for n in range(200)])
    before = texts(home)
    moving.move(home / "memd.db", passphrase_key("correct horse"))
    data = (home / "memd.db").read_bytes()
    assert cipher.is_encrypted(data[:16]) and b"in the file" not in data
    done, other = mended(tmp_path, broken(data, {20, 40, 41}, "random", random.Random(4)))
    after = kept(before, other)
    assert done.damaged_pages == 3 and len(after) >= len(before) - 60
    assert b"in the file" not in (other / "memd.db").read_bytes()


def test_what_is_no_store_is_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        repair.repair(tmp_path / "none.db", tmp_path / "new.db", NOW)
    (tmp_path / "noise.db").write_bytes(random.Random(1).randbytes(40 * PAGE))
    with pytest.raises(StoreCorrupt, match="Nothing that memd wrote"):
        repair.repair(tmp_path / "noise.db", tmp_path / "new.db", NOW)
    (tmp_path / "empty.db").write_bytes(b"")
    with pytest.raises(StoreCorrupt):
        repair.repair(tmp_path / "empty.db", tmp_path / "new.db", NOW)
    with pytest.raises(Conflict):
        repair.repair(whole / "memd.db", whole / "copy.db", NOW)
    with Memory.open(tmp_path / "other", encode="off") as memory:
        memory.remember("another store")
    with pytest.raises(BadInput, match="another store"):
        repair.repair(whole / "memd.db", tmp_path / "new.db", NOW, backup=tmp_path / "other" / "memd.db")
    assert not list(tmp_path.glob("new.db*"))


@settings(max_examples=4, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # each takes a second
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 30_000), st.integers(0, 2**32)), max_size=6), st.booleans())
def test_whatever_is_damaged_nothing_wrong_comes_out(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, damages: list[tuple[float, int, int]], cut: bool
) -> None:
    data, before = bytearray((whole / "memd.db").read_bytes()), texts(whole)
    for place, size, seed in damages:
        start = int(place * len(data))
        noise = random.Random(seed).randbytes(size)[: len(data) - start]
        data[start : start + len(noise)] = noise
    if cut and damages:
        del data[int(damages[0][0] * len(data)) :]
    folder = tmp_path_factory.mktemp("damage")
    try:
        done, home = mended(folder, bytes(data))
    except MemdError as error:
        assert isinstance(error, StoreCorrupt)  # nothing at all was left
        return
    after = kept(before, home)
    assert not {one.id for one in done.lost if one.id} & after.keys()


# --- the command --------------------------------------------------------------------------------------


@pytest.fixture
def damaged(memd: Memd) -> Iterator[Memd]:
    """The command over a data folder whose store is damaged, and was backed up before."""
    memd("remember", "--jsonl", stdin=b"".join(b'{"text": "fact %d of many"}\n' % n for n in range(100)))
    memd("backup")
    memd("daemon", "stop")
    store = memd.home / "memd.db"
    data = bytearray(store.read_bytes())
    data[: 2 * PAGE] = b"\xff" * (2 * PAGE)
    store.write_bytes(bytes(data))
    yield memd


def test_the_error_names_the_way_out_and_repair_goes_it(damaged: Memd) -> None:
    store = damaged.home / "memd.db"
    before = store.read_bytes()
    refused = damaged("list", check=False)
    assert refused.code == 3 and "memd repair" in refused.err
    beside = damaged("repair", "--json").answer["data"]
    assert beside["memories"] == 100 and beside["replaced"] is None and store.read_bytes() == before
    assert Path(beside["target"]).parent == damaged.home
    done = damaged("repair", "--with", "latest", "--replace", "--json").answer["data"]
    assert done["target"] == str(store) and Path(done["replaced"]).read_bytes() == before
    assert len(damaged("list", "-n", "1000").lines) == 100
    assert damaged("audit", "--json").answer["data"]["sound"]


def test_another_place_may_be_named(damaged: Memd, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    lines = damaged("repair", "--to", str(tmp_path / "there")).lines
    assert ["target", str(tmp_path / "there" / "memd.db")] in lines and ["memories", "100"] in lines
    again = damaged("repair", "--to", str(tmp_path / "there"), check=False)
    assert again.code == 2 and "exists" in again.err


def test_a_purge_says_that_it_can_not_reach_into_the_damaged_one(damaged: Memd) -> None:
    damaged("repair", "--replace")
    id_ = damaged("list", "-n", "1").lines[0][0]
    done = damaged("forget", "--purge", "--yes", id_, "--json", check=False)
    left = [place for place in done.answer["data"]["places"] if place["left"]]
    assert done.code == 3 and len(left) == 1 and "damaged" in left[0]["place"] and "rm " in left[0]["left"]
