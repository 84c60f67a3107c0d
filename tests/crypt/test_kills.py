"""A store that is written anew while processes are killed, or go on writing: whole, old or new, and nothing lost.

`make soak` runs these for long; each runs in `make test` too, with a share of its rounds that takes seconds.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memd.api import Memory
from memd.errors import StoreBusy
from memd.model import NewMemory
from memd.store import backups, cipher, keys, moving
from memd.store.cipher import Key
from tests.cli.command import Memd
from tests.crypt.conftest import files_with

MEMORIES = 400
COPY = "memd-20260102T000000.000000.db"

# Writes a store anew again and again: with one key, with another, with none. Says what it begins and what is done.
MOVE = """
import sys
from pathlib import Path
from memd.store import moving
from memd.store.cipher import Key
from memd.store.keys import keys
store = Path(sys.argv[1])
both = [keys.keep(Key(bytes.fromhex(words[:32]), bytes.fromhex(words[32:]))) for words in sys.argv[2:]]
while True:
    for key in (*both, None):
        moving.move(store, key)
        print(key.salt.hex() if key else "plain", flush=True)
"""

# Opens the store, remembers, closes, and says what was acknowledged.
WRITE = """
import random, sys, time
from memd.api import Memory
from memd.errors import StoreUnusable
from memd.store.cipher import Key
from memd.store.keys import keys
for words in sys.argv[3:]:
    keys.keep(Key(bytes.fromhex(words[:32]), bytes.fromhex(words[32:])))
number, chance = 0, random.Random(sys.argv[2])
while True:
    number += 1
    time.sleep(chance.uniform(0, 0.2))  # most of the time nobody has it open, as with commands
    try:
        with Memory.open(sys.argv[1], encode="off") as memory:
            said = memory.remember(f"writer {sys.argv[2]} says {number}").id
    except StoreUnusable as error:
        assert error.code == "store_busy", error.message
        continue
    print(said, flush=True)
"""


def rounds(few: int, many: int) -> pytest.MarkDecorator:
    """`few` for every day, `many` for `make soak`."""
    return pytest.mark.parametrize("rounds", [few, pytest.param(many, marks=pytest.mark.soak)])


def spoken(key: Key) -> str:
    return key.salt.hex() + key.raw.hex()


@pytest.fixture
def both() -> tuple[Key, Key]:
    """Two keys that this process knows."""
    return keys.keys.keep(keys.random_key()), keys.keys.keep(keys.random_key())


@rounds(5, 100)
@pytest.mark.timeout(1800)
def test_kill_nine_while_it_is_written_anew_leaves_the_old_or_the_new(
    tmp_path: Path, both: tuple[Key, Key], rounds: int
) -> None:
    store, copy = tmp_path / "memd.db", tmp_path / "backups" / COPY
    with Memory.open(tmp_path, encode="off") as memory:
        ids = {
            one.id for one in memory.remember_many([NewMemory(f"harbourmaster of quay {n}") for n in range(MEMORIES)])
        }
        before = memory.audit()
    backups.make(store, copy)
    chance, seen = random.Random(rounds), set()
    for _ in range(rounds):
        child = subprocess.Popen(
            [sys.executable, "-c", MOVE, str(store), *map(spoken, both)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        child.stdout.readline()  # it is under way
        time.sleep(chance.uniform(0, 0.5))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        seen.add(cipher.encryption(cipher.start_of(store)))
        with Memory.open(tmp_path, encode="off") as memory:  # with the key that the file itself names
            assert {one.id for one in memory.list(scope="all", limit=1000)} == ids
            assert memory.store.check() == [] and memory.audit() == before
        assert backups.verify(copy).memories == MEMORIES
        moving.sweep(store)
        # Whatever it was at, the next one goes through; what it says is done is done: nothing plain is left.
        moving.move(store, both[0])
        assert moving.leftovers(store) == [] and files_with(tmp_path, "harbourmaster") == []
    assert rounds < 20 or seen == {"off", "key"}


@rounds(1, 30)
@pytest.mark.timeout(1800)
def test_what_is_remembered_while_it_is_written_anew_is_kept(
    tmp_path: Path, both: tuple[Key, Key], rounds: int
) -> None:
    store = tmp_path / "memd.db"
    Memory.open(tmp_path, encode="off").close()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path), str(number), *map(spoken, both)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    acknowledged, moved = set(), 0
    try:
        for _ in range(rounds):
            for key in (*both, None):
                acknowledged |= {writer.stdout.readline().strip() for writer in writers if writer.stdout}
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline:
                    try:
                        moving.move(store, key)
                        moved += 1
                        break
                    except StoreBusy:  # writers have their turn
                        time.sleep(0.01)
    finally:
        for writer in writers:
            writer.send_signal(signal.SIGTERM)
    for writer in writers:
        acknowledged |= {line.strip() for line in writer.communicate()[0].splitlines(keepends=True) if line[-1] == "\n"}
    assert [writer.returncode for writer in writers] == [-signal.SIGTERM] * len(writers)
    assert moved and len(acknowledged) >= 6
    with Memory.open(tmp_path, encode="off") as memory:
        with memory.store.reading() as db:
            assert acknowledged <= {row[0] for row in db.execute("SELECT id FROM memory")}
        assert memory.store.check() == [] and memory.audit().sound


@rounds(1, 20)
@pytest.mark.timeout(1800)
def test_the_command_may_be_killed_and_the_daemon_goes_on(memd: Memd, rounds: int) -> None:
    said = memd.remember("the harbourmaster keeps the ledgers")
    chance = random.Random(rounds)
    for number in range(rounds):
        for words in (["encrypt"], ["rekey"], ["decrypt"]):
            with memd.popen(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as command:
                time.sleep(chance.uniform(0.1, 1.2 if number else 0.6))
                command.kill()
            assert memd("recall", "harbourmaster").lines[0][0] == said
    memd("daemon", "stop")
    memd("encrypt", check=False)  # where it isn't yet; its copies else
    assert moving.leftovers(memd.home / "memd.db") == [] and files_with(memd.home, "harbourmaster") == []
