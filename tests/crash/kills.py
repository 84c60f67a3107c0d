"""kill −9 at random moments, part by part; after each, what was acknowledged is there and the store agrees with itself.

A part is told a seed and a number of kills. The seed chooses what is done and when it is killed, so that a failure,
which names both, can be played again: `Part(folder, seed).play(number)`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from memd.api import Memory
from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, rendezvous
from memd.model import NewMemory
from memd.store import backups, schema
from tests.crash.acts import sentence
from tests.crash.ledger import Ledger
from tests.ingest.notebook import Notebook, differences
from tests.store.older import format_1_store
from tests.waiting import eventually

ACTS = Path(__file__).with_name("acts.py")


class Victim:
    """A process doing one thing, whose output is kept."""

    def __init__(self, act: str, home: Path, argument: object, env: dict[str, str]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, str(ACTS), act, str(home), str(argument)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
        )  # fmt: skip
        self.lines: list[bytes] = []
        self._begun = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.lines.append(line)
            self._begun.set()
        self._begun.set()

    def wait_begun(self) -> None:
        assert self._begun.wait(240)

    def kill(self) -> None:
        """SIGKILL; what it said is complete afterwards."""
        self._child.kill()
        self.end()

    def end(self, killed: bool = True) -> None:
        """Wait until it has ended, of itself or by us; anything it complained of fails the test."""
        code = self._child.wait(240)
        self._reader.join()
        assert self._child.stdout is not None and self._child.stderr is not None
        complaint = self._child.stderr.read().decode()
        self._child.stdout.close()
        self._child.stderr.close()
        assert code == 0 or (killed and code == -signal.SIGKILL and not complaint), complaint


class Part:
    """One part of memd that is killed again and again.

    Args:
        folder: an empty one, for data folders and what else is needed.
        seed: of all that is left to chance.
        encoder: whether vectors are made; the queue is drained after each kill then.
    """

    def __init__(self, folder: Path, seed: int, *, encoder: bool) -> None:
        self.folder = folder
        self.seed = seed
        self.encoder = encoder
        self.home = folder / "home"
        self.chance = random.Random(seed)
        self.env = {**os.environ, "MEMD_HOME": str(self.home)}
        if not encoder:
            self.env["MEMD_ENCODER"] = str(folder / "none")
        self.killed = self.kills = 0
        self.prepare()

    def play(self, kills: int) -> None:
        """Kill so many times, or a few more. Raises AssertionError, with seed and number, for whatever was lost."""
        self.kills = kills
        try:
            while self.killed < kills:
                self.round()
        except BaseException as error:
            error.add_note(f"{type(self).__name__}, seed {self.seed}, after {self.killed} kills of {kills}")
            raise
        finally:
            self.finish()

    def prepare(self) -> None:
        """Make what the rounds share."""

    def round(self) -> None:
        """Do something, kill it, look at what is left; count the kill."""
        raise NotImplementedError

    def finish(self) -> None:
        """Let go of processes."""

    def verify(self, ledger: Ledger) -> None:
        """All that was acknowledged is there, all parts agree, and the queue drains."""
        with Memory.open(self.home, encode="off") as memory:
            troubles = ledger.troubles(memory)
            assert not troubles, troubles[:10]
            if self.encoder:
                memory.encode_pending()
                assert memory.pending() == 0
                assert not (troubles := memory.check().troubles), troubles

    def pause(self, most: float) -> None:
        """Leave it to chance how long to wait."""
        time.sleep(self.chance.uniform(0, most))


class Alone(Part):
    """Processes that write without a daemon, two at a time; one of them is killed."""

    def round(self) -> None:
        if self.killed % 8 == 0:
            shutil.rmtree(self.home, ignore_errors=True)
            self.ledger = Ledger()
        victims = [Victim("alone", self.home, self.chance.getrandbits(32), self.env) for _ in range(2)]
        for victim in victims:
            victim.wait_begun()
        self.pause(0.6)
        victims[0].kill()
        self.killed += 1
        self.pause(0.1)
        victims[1].kill()
        self.killed += 1
        for victim in victims:
            self.ledger.read(victim.lines)
        self.verify(self.ledger)


class WithDaemon(Part):
    """What needs a daemon in the data folder."""

    def finish(self) -> None:
        process.stop(Config.load(self.home, {}), timeout=60)

    def start(self) -> None:
        """See to it that a daemon answers."""
        with _environment(self.env), Door(str(self.home), timeout=240) as door:
            door.call("status", {})

    def daemon(self) -> int:
        """The process id of the last daemon that said where it listens; 0 where none did."""
        return (rendezvous(str(self.home)) or (0,))[0]

    def kill_daemon(self) -> None:
        """SIGKILL to whoever answers."""
        os.kill(self.daemon(), signal.SIGKILL)
        self.killed += 1


class Clients(WithDaemon):
    """Clients of a daemon are killed; it goes on, whole requests and half ones."""

    def round(self) -> None:
        if self.killed % 12 == 0:
            self.finish()
            shutil.rmtree(self.home, ignore_errors=True)
            self.ledger = Ledger()
        self.start()
        victims = [Victim("client", self.home, self.chance.getrandbits(32), self.env) for _ in range(3)]
        for victim in victims:
            victim.wait_begun()
            self.pause(0.2)
        for victim in victims:
            victim.kill()
            self.killed += 1
            self.ledger.read(victim.lines)
        with Door(str(self.home), start=False, timeout=240) as door:
            assert eventually(lambda: door.call("status", {})["connections"] == 1), "the others' are still held"
        self.verify(self.ledger)


class Daemon(WithDaemon):
    """The daemon is killed under clients that go on with the next one."""

    def round(self) -> None:
        self.finish()
        shutil.rmtree(self.home, ignore_errors=True)
        ledger = Ledger(asked_again=3)
        victims = [Victim("client", self.home, self.chance.getrandbits(32), self.env) for _ in range(2)]
        for victim in victims:
            victim.wait_begun()
        killed = 0
        for _ in range(min(3, self.kills)):
            assert eventually(lambda killed=killed: self.daemon() not in (0, killed))
            self.pause(1.2)
            killed = self.daemon()
            self.kill_daemon()
        self.pause(0.5)
        for victim in victims:
            victim.kill()
            ledger.read(victim.lines)
        self.finish()
        self.verify(ledger)


class Lifecycle(Part):
    """A pass that moves every memory to fewer bits, folds its uses and gives pages back."""

    def prepare(self) -> None:
        self.texts = [sentence(self.chance, 20) for _ in range(500 if self.encoder else 200)]
        then = datetime.now(UTC) - timedelta(days=1)
        self.now = then + timedelta(days=400)
        original = self.folder / "original"
        with Memory.open(original, encode="off", clock=lambda: then) as memory:
            done = memory.remember_many([NewMemory(text, pinned=n % 5 == 0) for n, text in enumerate(self.texts)])
            for n in (1, 2, 3):
                memory.use([one.id for one in done[n :: 2 * n]])
            if self.encoder:
                memory.encode_pending()
        self.original = original / "memd.db"
        self._copy()
        began = time.perf_counter()
        with Memory.open(self.home, encode="off") as memory:
            memory.lifecycle.run(now=self.now)
            self.expected = _tiers(memory)
        self.takes = time.perf_counter() - began

    def round(self) -> None:
        self._copy()
        victim = Victim("maintain", self.home, self.now.isoformat(), self.env)
        victim.wait_begun()
        self.pause(1.1 * self.takes)
        victim.kill()
        self.killed += 1
        with Memory.open(self.home, encode="off") as memory:
            assert not (troubles := memory.check().troubles), troubles
            assert sorted(one.text for one in memory.list(limit=5000)) == sorted(self.texts)
            memory.lifecycle.run(now=self.now)
            assert not (troubles := memory.check().troubles), troubles
            assert _tiers(memory) == self.expected, "the pass that was killed, and the next, come to what one does"

    def _copy(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        shutil.copy(self.original, self.home / "memd.db")


def _tiers(memory: Memory) -> list[tuple[Any, ...]]:
    """What a pass leaves: every memory's place in the lifecycle, and the sizes of what is kept of its vectors."""
    with memory.store.reading() as db:
        return db.execute(
            "SELECT l.memory, l.stability, l.tier, l.tier_at, l.due, length(l.past), p.encoder, v.bits, length(v.code),"
            " length(t.code), (SELECT count(*) FROM use AS u WHERE u.memory = l.memory) FROM life AS l"
            " JOIN passage AS p ON p.memory = l.memory LEFT JOIN vector AS v ON v.passage = p.id"
            " LEFT JOIN token_code AS t ON t.passage = p.id ORDER BY p.id"
        ).fetchall()


class Watcher(WithDaemon):
    """The daemon while it takes in notes that change."""

    def prepare(self) -> None:
        self.notes = Notebook()
        self.start()
        with Door(str(self.home), timeout=240) as door:
            door.call("watch_add", {"path": str(self.notes.folder.resolve()), "scope": str(self.notes.folder)})

    def round(self) -> None:
        for number in range(self.chance.randint(1, 12)):
            folder = self.chance.choice(("", "docs/", "adr/"))
            sections = [(self.chance.choice(("Setup", "Usage", "")), sentence(self.chance)) for _ in range(4)]
            text = "".join(f"# {title}\n\n{body}\n\n" if title else f"{body}\n\n" for title, body in sections)
            self.notes.put(f"{folder}{self.chance.choice('abcd')}{number}.md", text)
            if self.chance.random() < 0.2:
                self.notes.delete(self.chance.randrange(99))
        self.start()
        self.pause(0.8)
        self.kill_daemon()
        self.start()
        last = [""]
        with Memory.open(self.home, encode="off") as memory:

            def same() -> bool:
                last[0] = differences(memory, self.notes.folder)
                return not last[0]

            assert eventually(same), last[0]
            assert not (troubles := memory.check().troubles), troubles
        if self.encoder:
            with Door(str(self.home), timeout=200) as door:
                assert door.call("wait_encoded", {"timeout_s": 240})["pending"] == 0

    def finish(self) -> None:
        super().finish()
        self.notes.teardown()


class Migration(Part):
    """The first opening of a store of the first format: it is copied, then moved."""

    def prepare(self) -> None:
        self.texts = [sentence(self.chance) for _ in range(300)]
        self.original = self.folder / "older.db"
        format_1_store(self.original, self.texts)
        self._copy()
        began = time.perf_counter()
        with Memory.open(self.home, encode="off"):
            self.takes = time.perf_counter() - began

    def round(self) -> None:
        self._copy()
        victim = Victim("migrate", self.home, "", self.env)
        victim.wait_begun()
        self.pause(1.1 * self.takes)
        victim.kill()
        self.killed += 1
        with Memory.open(self.home, encode="off") as memory:
            assert memory.stats().format == schema.FORMAT
            assert not (troubles := memory.check().troubles), troubles
            assert sorted(one.text for one in memory.list(limit=5000)) == sorted(self.texts)
        copies = backups.listed(self.home / backups.FOLDER)
        assert any(copy.format == 1 and copy.memories == len(self.texts) for copy in copies)
        assert all(backups.verify(Path(copy.path)) == copy for copy in copies)
        assert _litter(self.home) == []

    def _copy(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        shutil.copy(self.original, self.home / "memd.db")


class Backup(Part):
    """Copies made while a writer writes; both are killed."""

    def round(self) -> None:
        if self.killed % 8 == 0:
            shutil.rmtree(self.home, ignore_errors=True)
            self.ledger = Ledger()
            with Memory.open(self.home, encode="off") as memory:
                memory.remember_many([NewMemory(sentence(self.chance, 60)) for _ in range(300)])
        writer = Victim("alone", self.home, self.chance.getrandbits(32), self.env)
        copier = Victim("backup", self.home, 0, self.env)
        writer.wait_begun()
        copier.wait_begun()
        self.pause(0.5)
        copier.kill()
        self.killed += 1
        writer.kill()
        self.killed += 1
        self.ledger.read(writer.lines)
        self.verify(self.ledger)
        copies = backups.listed(self.home / backups.FOLDER)
        assert all(backups.verify(Path(copy.path)) == copy and copy.memories >= 300 for copy in copies)
        made = backups.make(self.home / "memd.db", self.home / backups.FOLDER / backups.name(datetime.now(UTC)))
        assert backups.listed(self.home / backups.FOLDER)[0] == made
        assert _litter(self.home) == []


class Restore(Part):
    """A copy is put in the place of a store whose writer was killed: the one or the other is there, whole."""

    def prepare(self) -> None:
        self.copied = [sentence(self.chance) for _ in range(200)]
        with Memory.open(self.folder / "other", encode="off") as memory:
            memory.remember_many([NewMemory(text) for text in self.copied])
        self.copy = Path(backups.make(self.folder / "other" / "memd.db", self.folder / "copy.db").path)
        self.takes = 0.0

    def round(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        ledger = Ledger()
        writer = Victim("alone", self.home, self.chance.getrandbits(32), self.env)
        writer.wait_begun()
        self.pause(0.3)
        writer.kill()
        ledger.read(writer.lines)
        victim = Victim("restore", self.home, self.copy, self.env)
        victim.wait_begun()
        if not self.takes:
            began = time.perf_counter()
            victim.end()
            self.takes = time.perf_counter() - began
        else:
            self.pause(1.1 * self.takes)
            victim.kill()
            self.killed += 1
        kept = self._kept()
        if not kept:  # it hadn't come to replace it
            self.verify(ledger)
            kept = self._restored_again()
        with Memory.open(self.home, encode="off") as memory:
            assert not (troubles := memory.check().troubles), troubles
            assert sorted(one.text for one in memory.list(limit=5000)) == sorted(self.copied)
        assert len(kept) == 1
        aside = self.folder / "aside"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        shutil.copy(kept[0].path, aside / "memd.db")
        with Memory.open(aside, encode="off") as memory:
            assert ledger.troubles(memory) == []
        assert _litter(self.home) == []

    def _kept(self) -> list[backups.Backup]:
        """What was there before, where the copy has taken its place."""
        return backups.listed(self.home / backups.FOLDER)

    def _restored_again(self) -> list[backups.Backup]:
        Victim("restore", self.home, self.copy, self.env).end(killed=False)
        return self._kept()


def _litter(home: Path) -> list[str]:
    """Files that nobody will ever need."""
    ours = {"memd.db", "memd.db-wal", "memd.db-shm", "daemon.lock", "backups"}
    return sorted(
        str(path)
        for path in (*home.iterdir(), *(home / backups.FOLDER).glob("*"))
        if path.name not in ours and not (path.parent.name == backups.FOLDER and path.suffix == ".db")
    )


class _environment:
    """The environment of daemons that are started meanwhile."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env

    def __enter__(self) -> None:
        self._before = dict(os.environ)
        os.environ.update(self._env)

    def __exit__(self, *_: object) -> None:
        os.environ.clear()
        os.environ.update(self._before)


PARTS: dict[str, type[Part]] = {
    part.__name__.lower(): part for part in (Alone, Clients, Daemon, Lifecycle, Watcher, Migration, Backup, Restore)
}
