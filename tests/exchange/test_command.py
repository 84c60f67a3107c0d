"""`memd export` and `memd import` as they are run: through the daemon, without it, killed, signed, piped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from memd.config import Config
from memd.daemon import process
from memd_cli.main import main
from tests.cli.command import COMMAND, Memd


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Memd, Memd]]:
    """The command over two data folders, without an encoder, to start sooner."""
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(Memd(tmp_path / name / "home", tmp_path / name, {"MEMD_ENCODER": str(tmp_path / "none")}))
    yield made[0], made[1]
    for memd in made:
        (memd.home / "config.toml").unlink(missing_ok=True)
        process.stop(Config.load(memd.home, {}))


@pytest.fixture
def lone(pair: tuple[Memd, Memd], tmp_path: Path) -> tuple[Memd, Memd, Path]:
    """Two stores, and an export of the first."""
    one, two = pair
    one("remember", "--no-daemon", "-t", "web", "we deploy with make release, from main")
    one("remember", "--no-daemon", "-s", "global", "MAX_SIZE: 10")
    file = tmp_path / "one.jsonl"
    one("export", "--to", str(file), "--no-daemon")
    return one, two, file


def test_there_and_back_through_the_daemon(lone: tuple[Memd, Memd, Path], tmp_path: Path) -> None:
    _, two, file = lone
    tried = two("import", "--dry-run", str(file))
    assert tried.lines[0] == ["added", "2"] and not two.home.exists()
    done = two("import", str(file))
    assert done.lines == tried.lines and "get their vectors in the background" in done.err
    assert "not signed" in done.err
    out = tmp_path / "two.jsonl"
    two("export", "--to", str(out))
    assert out.read_bytes() == file.read_bytes()
    assert two("export").out == file.read_bytes() and two("export", "--to", "-").out == file.read_bytes()
    assert two("audit").lines[0] == ["sound", "true"]
    again = two("import", "--json", "-", stdin=file.read_bytes()).answer["data"]
    assert again["known"] == 2 and not again["added"]
    assert (file.stat().st_mode & 0o777, out.stat().st_mode & 0o777) == (0o600, 0o600)


def test_without_the_daemon(lone: tuple[Memd, Memd, Path]) -> None:
    _, two, file = lone
    assert two("import", "--no-daemon", str(file)).lines[0] == ["added", "2"]
    assert not (two.home / "daemon.pid").exists()
    assert two("export", "--no-daemon").out == file.read_bytes()


class InProcess:
    """The command in this process, without the daemon, over a data folder of its own: what it starts costs nothing."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """The exit code, and what was said on standard output and error."""
        self._monkeypatch.setenv("MEMD_HOME", str(self.home))
        self._monkeypatch.setenv("MEMD_ENCODER", str(self.home / "none"))
        self._capfd.readouterr()
        code = main([*words, "--no-daemon"])
        said = self._capfd.readouterr()
        return code, said.out, said.err

    def signed(self, *words: str) -> dict[str, str]:
        """Who signed what is imported."""
        found: dict[str, str] = json.loads(self("import", "--json", *words)[1])["data"]["signed"]
        return found


def test_a_signed_file_is_known_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    one, two = (InProcess(tmp_path / name, monkeypatch, capfd) for name in ("one", "two"))
    file = tmp_path / "signed.jsonl"
    monkeypatch.setenv("MEMD_EXCHANGE_NAME", "ada")
    one("remember", "port 80")
    signer = json.loads(one("export", "--sign", "--json", "--to", str(file))[1])["data"]["signer"]
    assert "first file signed by ada" in two("import", "--dry-run", str(file))[2] and not two.home.exists()
    first = two.signed(str(file))
    assert (first["standing"], first["signer"], first["fingerprint"]) == ("new", "ada", signer["fingerprint"])
    assert two.signed(str(file))["standing"] == "known" and one.signed(str(file))["standing"] == "own"
    assert (one.home / "signing.pem").stat().st_mode & 0o777 == 0o600

    for given in (
        file.read_bytes().replace(b"port 80", b"port 81"),
        file.read_bytes().replace(b'"signer":"ada"', b'"signer":"eve"'),
    ):
        forged = tmp_path / "forged.jsonl"
        forged.write_bytes(given)
        for words in ([], ["--skip-bad"]):
            code, _, said = two("import", *words, str(forged))
            assert code == 2 and ("was changed after it was signed" in said or "doesn't hold" in said)

    monkeypatch.setenv("MEMD_EXCHANGE_NAME", "eve=AAAA, ada")  # would write a key of ada's into the configuration
    assert one("export", "--sign", "--to", str(tmp_path / "no.jsonl"))[0] == 2 and not (tmp_path / "no.jsonl").exists()
    monkeypatch.setenv("MEMD_EXCHANGE_NAME", "ada")

    (one.home / "signing.pem").unlink()
    one("export", "--sign", "--to", str(file))  # ada again, with another key
    code, _, said = two("import", str(file))
    assert code == 2 and "by another key" in said
    assert json.loads(two("list", "--json")[1])["data"]["total"] == 1
    assert "not signed" in two("import", "--dry-run", str(unsigned(file)))[2]


def unsigned(file: Path) -> Path:
    """The same without its signature."""
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    return file


def test_what_goes_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"MEMD_HOME": str(tmp_path / "home"), "MEMD_ENCODER": str(tmp_path / "none")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "one.jsonl"
    assert main(["remember", "--no-daemon", "port 80"]) == main(["export", "--to", str(file)]) == 0
    for words, why in (
        (["import", str(tmp_path / "nowhere")], "nowhere"),
        (["import", str(tmp_path)], "none of the files that memd knows"),
        (["import", "--from", "diary", str(file)], "no files from 'diary'"),
        (["import", "--from", "memd", str(tmp_path)], "is a folder"),
        (["import", "--scope", "/nowhere=global", str(file)], "Nothing in the file is of the scope /nowhere"),
        (["import", "--scope", "/a", "--scope", "/b", str(file)], "one scope"),
        (["export", "--json"], "--to FILE"),
        (["export", "--to", str(tmp_path / "no" / "such" / "file")], "can't be written"),
        (["export", "--since", "gibberish", "--to", str(file)], "--since"),
        (["export", "--scope", "all", "--to", str(file)], "scope"),
    ):
        capfd.readouterr()
        assert main([*words, "--no-daemon"]) == (3 if why == "can't be written" else 2)
        said = capfd.readouterr()
        assert why in said.err + said.out, words
    other = tmp_path / "diary.txt"
    other.write_text("dear diary")
    assert main(["export", "--to", str(other)]) == 2
    assert "is there, and no export" in capfd.readouterr().err and other.read_text() == "dear diary"
    assert main(["export", "--to", str(file)]) == 0  # an export takes the place of another
    assert [path for path in file.parent.iterdir() if path.name.startswith(".")] == []


def test_into_a_scope(lone: tuple[Memd, Memd, Path]) -> None:
    _, two, file = lone
    two("import", "--no-daemon", "--scope", ".", str(file))
    scopes = {one["scope"] for one in two("list", "--no-daemon", "--json", "-s", "all").answer["data"]["memories"]}
    assert scopes == {str(two.cwd)}


def test_a_selection(lone: tuple[Memd, Memd, Path]) -> None:
    one, _, _ = lone
    lines = [json.loads(line) for line in one("export", "--no-daemon", "--tag", "web").text.splitlines()]
    assert [line["type"] for line in lines] == ["memd-export", "memory", "end"]
    assert lines[0]["selection"] == {"tags": ["web"]} and lines[1]["tags"] == ["web"]


def stored(home: Path) -> int:
    """How many memories are in a store that another process makes and fills."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'memd.db'}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM memory").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_killed_at_any_moment_and_run_again(pair: tuple[Memd, Memd], tmp_path: Path) -> None:
    one, two = pair
    items = [{"text": f"note {n} says that part{n} of the harbour has {n} cranes", "tags": ["x"]} for n in range(1500)]
    one("remember", "--jsonl", "--no-daemon", stdin=b"".join(json.dumps(item).encode() + b"\n" for item in items))
    content = one("export", "--no-daemon").out
    file = tmp_path / "one.jsonl"
    file.write_bytes(content)
    (two.home).mkdir(parents=True)
    kills = 0
    for _ in range(2):
        before = stored(two.home)
        running = subprocess.Popen(
            [*COMMAND, "import", "--no-daemon", str(file)],
            cwd=two.cwd,
            env=os.environ | two.env | {"MEMD_HOME": str(two.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while running.poll() is None and stored(two.home) == before:  # until a batch more is there
            time.sleep(0.002)
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            kills += 1
        running.wait()
    two("import", "--no-daemon", str(file))
    assert kills
    assert two("export", "--no-daemon").out == content
    assert two("check").code == 0
    assert two("audit", "--no-daemon").lines[0] == ["sound", "true"]
