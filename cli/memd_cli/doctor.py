"""doctor: whether everything works, found out by doing it.

What writes is done on a throw-away store in the data folder: the same disk, the same permissions, the same
code, and nothing of the user's is ever touched, not even the list of changes. The real store is read, its
newest memory recalled, and the daemon asked. Each check is a function that returns what it found, or raises
`Finding`; one that fails never keeps the others from running.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memd.errors import MemdError
from memd_cli.session import Session
from memd_cli.verbs import Outcome

if TYPE_CHECKING:
    from memd.config import Config

OK, WARNING, FAILED = "ok", "warning", "failed"

# Two sentences that mean alike and one that doesn't; every sentence encoder tells them apart.
RELATED = ("The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium.")

LEAST_FREE = 200 * 1024 * 1024  # bytes: room for a transaction and its log

COMPARED = 4_000  # passages up to which the words are compared too, which takes half a millisecond each

PROBE = "memd doctor was here: the quick brown ferret keeps 7 ledgers"
PROBE_OTHER = "an unrelated line about the colour of paint"


class Finding(Exception):
    """A check that isn't well: how bad, what was found, what to do."""

    def __init__(self, status: str, finding: str, hint: str) -> None:
        super().__init__(finding)
        self.status, self.finding, self.hint = status, finding, hint


Check = Callable[["Config"], str]


def doctor(session: Session) -> Outcome:
    """Run every check, of memd or of one agent; exit code 3 when one failed."""
    checks: list[dict[str, str]] = []
    if session.options.get("agent"):
        return _outcome(_agent_checks(session, session.options["agent"]))
    config = _settings(checks)
    if config is not None:
        _ask_for_key(session, config)
    with session.progress("Checking", len(CHECKS)) as step:
        for name, check in CHECKS:
            if config is not None:
                checks.append(_run(name, check, config))
            step(1)
    return _outcome(checks)


def _ask_for_key(session: Session, config: Config) -> None:
    """The file is looked at in this process, which must know its passphrase. Where it stays unknown a check says so."""
    from memd.errors import StoreLocked
    from memd.store.keys import keys

    with suppress(MemdError):
        try:
            keys.of(config.store)
        except StoreLocked:
            if not session.json:
                from memd_cli.crypt import asked

                asked(session)


def _agent_checks(session: Session, name: str) -> list[dict[str, str]]:
    """What memd does in an agent, by the commands in its files."""
    from memd.agents.install import trial
    from memd.agents.install.program import program
    from memd.agents.install.registry import agent
    from memd_cli.install import here

    chosen, checks = agent(name), []
    with session.progress(f"Trying memd in {chosen.title}") as step:
        for found in trial.steps(chosen, here(), program()):
            checks.append({"name": found.name, "status": found.status, "finding": found.finding, "hint": found.hint})
            step(1)
    return checks


def _outcome(checks: list[dict[str, str]]) -> Outcome:
    failed = sum(check["status"] == FAILED for check in checks)
    warnings = sum(check["status"] == WARNING for check in checks)
    data = {"checks": checks, "failed": failed, "warnings": warnings}
    return Outcome(data, exit_code=3 if failed else 0)


def _settings(checks: list[dict[str, str]]) -> Config | None:
    """The settings themselves: without them nothing else can be looked at."""
    from memd.config import Config

    found: list[Config] = []

    def check(_: Any) -> str:
        found.append(Config.load())
        return str(found[0].file) if found[0].file.exists() else "all at their defaults"

    checks.append(_run("settings", check, None))
    return found[0] if found else None


def _run(name: str, check: Callable[[Any], str], config: Config | None) -> dict[str, str]:
    """One check's line."""
    try:
        status, finding, hint = OK, check(config), ""
    except Finding as error:
        status, finding, hint = error.status, error.finding, error.hint
    except MemdError as error:
        status, finding, hint = FAILED, error.message, error.hint
    except Exception as error:  # a check that breaks is a finding too
        status, finding, hint = (
            FAILED,
            f"{type(error).__name__}: {error}",
            "Report this with the output of memd doctor --json.",
        )
    return {"name": name, "status": status, "finding": finding, "hint": hint}


def versions(_: Config) -> str:
    """memd, Python and the libraries that matter."""
    from importlib.metadata import PackageNotFoundError, version

    from memd import __version__

    found = []
    for name in ("onnxruntime", "tokenizers", "numpy"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            raise Finding(FAILED, f"{name} isn't installed", "Reinstall memd.") from None
    return ", ".join([f"memd {__version__}", f"Python {platform.python_version()}", *found])


def sqlite(_: Config) -> str:
    """SQLite by using it: full-text search and vector search in memory."""
    try:
        import pysqlite3
        import sqlite_vec
    except ImportError as error:
        raise Finding(FAILED, f"{error.name} isn't installed", "Reinstall memd.") from None
    db = pysqlite3.connect(":memory:")
    try:
        db.execute("CREATE VIRTUAL TABLE words USING fts5 (text, tokenize='porter unicode61')")
        db.execute("INSERT INTO words VALUES ('ferrets running')")
        if not db.execute("SELECT 1 FROM words WHERE words MATCH 'run'").fetchone():
            raise Finding(FAILED, "FTS5 doesn't find a word by its stem", "Reinstall memd's pysqlite3.")
        db.enable_load_extension(True)
        sqlite_vec.load(db)
        distance, vec = db.execute(
            "SELECT vec_distance_hamming(vec_bit(X'0F'), vec_bit(X'FF')), vec_version()"
        ).fetchone()
        if distance != 4:
            raise Finding(FAILED, f"sqlite-vec counts {distance} bits where 4 differ", "Reinstall sqlite-vec.")
        return f"SQLite {pysqlite3.sqlite_version} with FTS5, sqlite-vec {vec}"
    finally:
        db.close()


def folder(config: Config) -> str:
    """The data folder: there, ours, private, writable."""
    home = config.home
    if not home.exists():
        raise Finding(WARNING, f"{home} isn't there yet", "The first memory makes it.")
    info = home.stat()
    if info.st_uid != os.getuid():
        raise Finding(FAILED, f"{home} belongs to another user", "Set MEMD_HOME to a folder of your own.")
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise Finding(FAILED, f"{home} can't be written", f"chmod u+rwx {home}")
    if info.st_mode & 0o077:
        raise Finding(WARNING, f"{home} can be read by others ({stat.filemode(info.st_mode)})", f"chmod 700 {home}")
    return f"{home}, {stat.filemode(info.st_mode)}"


def disk(config: Config) -> str:
    """Room to write, and for the store to be copied."""
    place = config.home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    needed = max(LEAST_FREE, config.store.stat().st_size if config.store.exists() else 0)
    if free < needed:
        status = WARNING if free > LEAST_FREE else FAILED
        raise Finding(status, f"{_size(free)} free", f"Make room for {_size(needed)}.")
    return f"{_size(free)} free"


def store(config: Config) -> str:
    """The real store, read only: SQLite's own check, the format, the counts."""
    import pysqlite3

    from memd.store import cipher
    from memd.store.keys import keys
    from memd.store.schema import APPLICATION_ID, FORMAT

    if not config.store.exists():
        raise Finding(WARNING, "no memories yet", 'Try: memd remember "we deploy with make release"')
    mode = stat.S_IMODE(config.store.stat().st_mode)
    key = keys.of(config.store)
    try:
        with closing(cipher.connect(config.store, key, "ro", timeout=5)) as db:
            application = db.execute("PRAGMA application_id").fetchone()[0]
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if application != APPLICATION_ID:
                raise Finding(FAILED, f"{config.store} isn't a memd store", "Move it away, or set MEMD_HOME.")
            if version > FORMAT:
                raise Finding(
                    FAILED, f"the store has format {version}, this memd knows {FORMAT}", "Install a newer memd."
                )
            said = [row[0] for row in db.execute("PRAGMA quick_check(3)")]
            if said != ["ok"]:
                raise Finding(FAILED, f"damaged: {said[0]}", "memd repair, or memd restore --from latest")
            count = db.execute("SELECT count(*) FROM memory WHERE forgotten_at IS NULL").fetchone()[0]
            if version == FORMAT and (left := db.execute("SELECT place, trouble FROM purging LIMIT 1").fetchone()):
                raise Finding(WARNING, f"a purge isn't finished: {left[0]}. {left[1]}".strip(), "memd forget --purge")
    except pysqlite3.DatabaseError as error:
        hint = "memd repair, or memd restore --from latest"
        raise Finding(FAILED, f"{config.store} can't be read: {error}", hint) from None
    if mode & 0o077:
        raise Finding(WARNING, f"{config.store} can be read by others", f"chmod 600 {config.store}")
    return f"{count:,} memories, {_size(config.store.stat().st_size)}, format {version}, quick check ok"


def encryption(config: Config) -> str:
    """Whether the store is encrypted, its key at hand, and nothing plain left beside it."""
    from memd.store import cipher, moving
    from memd.store.keys import keys

    if parts := [path for path in moving.leftovers(config.store) if not _is_moving(config)]:
        raise Finding(WARNING, f"{parts[0]} was left behind when the store was written anew", "memd daemon restart")
    key = keys.of(config.store)
    if key is None:
        return "off"
    if plain := moving.plain_copies(config.store):
        raise Finding(WARNING, f"on, but {len(plain)} of its backups are not: {plain[0]}", "memd encrypt")
    opened_by = "a passphrase" if cipher.kind(key.salt) == "passphrase" else f"the key {cipher.name(key.salt)}"
    return f"on, with {opened_by}; SQLCipher {cipher.version()}"


def _is_moving(config: Config) -> bool:
    """Whether somebody, who holds the daemon's place meanwhile, is at it."""
    from memd.daemon.client import connect
    from memd.daemon.launch import is_held

    return is_held(str(config.home)) and connect(str(config.home)) is None


def agreement(config: Config) -> str:
    """The parts of the store against each other: all of them, or of a large one those that take no reading of texts."""
    from memd.store import Store, consistency

    if not config.store.exists():
        return "nothing to compare"
    store = Store.open(config.store)
    try:
        with store.examining() as db:
            passages = db.execute("SELECT count(*) FROM passage").fetchone()[0]
            compare = consistency.troubles if passages <= COMPARED else consistency.cheap
            found = next(compare(db), None)
    finally:
        store.close()
    if found:
        raise Finding(FAILED, found.what, "See the rest of it with memd check; memd backup first.")
    if passages > COMPARED:
        return f"vectors and versions of {passages:,} passages agree; the words are for memd check to compare"
    return f"words, vectors, versions and journal of {passages:,} passages agree"


def encoder(config: Config) -> str:
    """The encoder: encodes three sentences and compares them."""
    from memd.encoder.library import BUILTIN, Encoders

    encoders = Encoders(config.home)
    encoder = encoders.load_current()
    one, like, other = (encoding.pooled for encoding in encoder.encode(RELATED))
    related, unrelated = float(one @ like), max(float(one @ other), float(like @ other))
    if related < unrelated + 0.1:
        told = "related sentences aren't closer than unrelated ones"
        if encoders.override or encoders.chosen() != BUILTIN:
            raise Finding(WARNING, f"{told}, by {encoder.name}", f"Compare with memd's own: memd model use {BUILTIN}")
        raise Finding(FAILED, told, "Rebuild the encoder.")
    told = f"{encoder.name} {encoder.fingerprint}, dimension {encoder.dimension}"
    return f"{told}, related sentences {related:.2f} alike, unrelated {unrelated:.2f}"


def write_and_recall(config: Config) -> str:
    """remember, show, recall, forget, restore and the file's reopening, in a throw-away store."""
    from memd.api import Memory

    place = config.home if config.home.is_dir() and os.access(config.home, os.W_OK | os.X_OK) else config.home.parent
    if not place.is_dir():
        place = Path(tempfile.gettempdir())
    try:
        folder = tempfile.TemporaryDirectory(prefix=".doctor-", dir=place)
    except OSError as error:
        raise Finding(FAILED, f"nothing can be written in {place} ({error.strerror})", "See the disk's line.") from None
    with folder as inside:
        with Memory.open(Path(inside), encode="inline") as memory:
            kept = memory.remember(PROBE, scope="global").id
            memory.remember(PROBE_OTHER, scope="global")
            _expect(memory.show(kept).text == PROBE, "what was written reads back differently")
        with Memory.open(Path(inside), encode="inline") as memory:  # what is durable outlives a close
            found = memory.recall("which animal keeps ledgers")
            _expect(bool(found.hits) and found.hits[0].memory.id == kept, "recall doesn't find what was written")
            memory.forget([kept])
            _expect(kept not in [hit.memory.id for hit in memory.recall("ferret").hits], "a forgotten memory is found")
            memory.restore([kept])
            _expect(kept in [hit.memory.id for hit in memory.recall("ferret").hits], "a restored memory isn't found")
            missing = found.degraded
    if missing:
        raise Finding(WARNING, f"works, without a part: {missing[0]}", "See the encoder's line.")
    return "wrote, read back, reopened, recalled, forgot, restored; removed again"


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Finding(FAILED, otherwise, "Report this with the output of memd doctor --json.")


def daemon(config: Config) -> str:
    """The daemon, if one runs: its answer, its socket's mode, its version."""
    from memd.daemon import process

    status = process.status(config)
    if status is None:
        return "none runs; the first command that needs it starts it"
    mode = stat.S_IMODE(os.lstat(config.socket).st_mode) if config.socket.exists() else None
    if mode is not None and mode & 0o077:
        raise Finding(FAILED, f"{config.socket} is open to others ({mode:o})", "memd daemon restart")
    return f"answers, memd {status['version']}, process {status['pid']}, {_size(status['rss_bytes'])}"


def queue(config: Config) -> str:
    """The passages that still wait for a vector, and whether somebody works on them."""
    if not config.store.exists():
        return "empty"
    from memd.daemon import process

    status = process.status(config)
    if status is None:
        return "unknown while no daemon runs; it goes on with the next command"
    pending = status["pending"]
    if not pending:
        return "empty: every passage has its vector"
    if status["degraded"]:
        raise Finding(WARNING, f"{pending:,} passages wait, the daemon can't encode", status["degraded"][0])
    from memd_cli.door import Door

    with Door(str(config.home), start=False) as door:
        left = door.call("wait_encoded", {"timeout_s": 2.0})["pending"]
    if left >= pending:
        raise Finding(WARNING, f"{left:,} passages wait and none went in 2 s", "memd daemon logs; memd daemon restart")
    return f"{left:,} passages wait, {pending - left:,} went in 2 s"


def search(config: Config) -> str:
    """A recall in the real store, through the daemon where one runs: its newest memory by its own words."""
    if not config.store.exists():
        return "nothing to search"
    from memd.daemon import process
    from memd_cli.door import Door
    from memd_cli.inprocess import InProcess

    door: Any = Door(start=False) if process.status(config) else InProcess()
    try:
        newest = door.call("list", {"scope": "all", "limit": 1})["memories"]
        if not newest:
            return "nothing to search"
        words = " ".join(newest[0]["text"].split()[:12])
        found = door.call("recall", {"text": words[:400], "scope": newest[0]["scope"], "limit": 50})
    finally:
        door.close()
    if newest[0]["id"] not in [hit["memory"]["id"] for hit in found["hits"]]:
        raise Finding(WARNING, f"{newest[0]['id']} isn't found by its own first words", "memd daemon restart")
    if found["degraded"]:
        raise Finding(WARNING, f"works, without a part: {found['degraded'][0]}", "See the encoder's line.")
    return "found the newest memory by its own words"


CHECKS: tuple[tuple[str, Check], ...] = (
    ("versions", versions),
    ("sqlite", sqlite),
    ("data folder", folder),
    ("disk", disk),
    ("store", store),
    ("encryption", encryption),
    ("agreement", agreement),
    ("encoder", encoder),
    ("write and recall", write_and_recall),
    ("daemon", daemon),
    ("queue", queue),
    ("search", search),
)


def _size(number: float) -> str:
    from memd_cli.render import size

    return size(number)
