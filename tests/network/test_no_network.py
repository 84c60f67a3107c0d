"""memd works where there is no network, and where there is one it asks for none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from memd.config import Config
from memd.daemon import process
from memd.daemon.client import rendezvous
from tests.cli.command import COMMAND

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
CALL = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "recall", "arguments": {"query": "what needs FFmpeg", "weak": True}},
}

# The main paths, each a line of a shell; `memd` is the command. A line that fails fails the test.
PATHS = f"""
memd remember "The deploy needs FFmpeg 7." --json
memd recall "what needs FFmpeg" --json
memd recall --explain --min-relevance 0 "https://example.com/page and 10.0.0.1"
memd list; memd stats; memd audit; memd conflicts || test $? = 1
memd ingest notes
memd ingest --git repo
memd watch add notes --wait 0 || memd watch add notes
memd watch status
memd task start "Mend the deploy"
memd context
memd backup
memd export --to export.jsonl
memd import export.jsonl --dry-run
memd lifecycle run
memd reindex --wait
memd doctor || test $? = 3
memd install claude-code --dry-run
echo '{{"session_id":"s","cwd":"/","hook_event_name":"SessionStart"}}' | memd hook SessionStart
echo '{{"session_id":"s","cwd":"/","prompt":"which tool does the deploy need?"}}' | memd hook UserPromptSubmit
(echo '{json.dumps(HELLO)}'; echo '{{"jsonrpc":"2.0","method":"notifications/initialized"}}'; echo '{json.dumps(CALL)}'; until grep -qs FFmpeg mcp.txt; do sleep 0.1; done) | memd mcp > mcp.txt
grep -q FFmpeg mcp.txt
memd daemon status
"""  # noqa: E501

AUDIT = """
import os, sys

def watch(event, arguments, known=(1, -1)):
    if not event.startswith("socket."):
        return
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"):
        told = f"{event} {arguments[:2]}"
    elif event == "socket.__new__" and arguments[1] not in known:
        told = f"{event} family {arguments[1]}"
    elif event in ("socket.connect", "socket.bind", "socket.sendto") and not isinstance(arguments[1], (str, bytes)):
        told = f"{event} {arguments[1]}"
    else:
        told = ""
    with open(os.environ["NETWORK_LOG"], "a") as log:
        log.write(f"{told or 'local'}\\n")
    if told:
        raise OSError(f"no network: {told}")

sys.addaudithook(watch)
"""


class Walked(NamedTuple):
    """What came of `PATHS`: run once, watched, in a namespace without a network where that is permitted."""

    namespace: bool
    done: subprocess.CompletedProcess[str]
    asked: list[str]
    foreign_sockets: set[str]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    place = tmp_path_factory.mktemp("network")
    (place / "notes").mkdir()
    (place / "notes" / "a.md").write_text("# Deploy\n\nIt needs FFmpeg; see https://example.com/x and [b](b.md).\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q", str(place / "repo")], check=True)
    commit = ["commit", "-q", "--allow-empty", "-m", "Deploy with FFmpeg"]
    subprocess.run([*git, "-C", str(place / "repo"), *commit], check=True)
    (place / "watch").mkdir()
    (place / "watch" / "sitecustomize.py").write_text(AUDIT)
    log = place / "network.log"
    log.touch()
    namespace = _namespace()
    try:
        done = _run(place, namespace, log)
        yield Walked(bool(namespace), done, log.read_text().splitlines(), _foreign_sockets(place / "home"))
    finally:
        process.stop(Config.load(place / "home", {}))


def _run(place: Path, before: tuple[str, ...], log: Path) -> subprocess.CompletedProcess[str]:
    """All of `PATHS`, in one shell."""
    memd = f'memd() {{ "{COMMAND[0]}" -m memd_cli "$@"; }}\n'
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MEMD_", "XDG_"))}
    paths = os.pathsep.join([str(place / "watch"), *filter(None, [os.environ.get("PYTHONPATH")])])
    home = {"MEMD_HOME": str(place / "home"), "HOME": str(place), "TMPDIR": str(place)}
    return subprocess.run(
        [*before, "sh", "-c", f"set -ex\n{memd}{PATHS}"],
        cwd=place, env={**kept, **home, "PYTHONPATH": paths, "NETWORK_LOG": str(log)},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


def _namespace() -> tuple[str, ...]:
    """What runs a command without a network; empty where that isn't permitted."""
    for before in (("unshare", "-n"), ("unshare", "-rn")):
        with suppress(FileNotFoundError):
            if subprocess.run([*before, "true"], capture_output=True, check=False).returncode == 0:
                return before
    return ()


def test_nothing_asks_for_a_network(walked: Walked) -> None:
    """Every process of memd, watched by an audit hook: no socket but local ones, and no name is looked up."""
    assert walked.done.returncode == 0, (walked.done.stdout[-2000:], walked.done.stderr[-2000:])
    assert "FFmpeg" in walked.done.stdout
    assert walked.asked.count("local") > 20, "nothing was watched"
    assert [line for line in walked.asked if line != "local"] == []
    assert walked.foreign_sockets == set()


def test_all_of_it_works_without_a_network(walked: Walked) -> None:
    if not walked.namespace:
        pytest.skip("needs a network namespace: `unshare -n` as root, or `unshare -rn` where users may, on Linux")
    reach = "import socket\ntry: socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError as e: print(e.errno)"
    alone = subprocess.run([*_namespace(), sys.executable, "-c", reach], capture_output=True, text=True, check=True)
    assert alone.stdout.strip() == "101", "this namespace has a network"  # ENETUNREACH, on loopback even
    assert walked.done.returncode == 0


def _foreign_sockets(home: Path) -> set[str]:
    """The daemon's open sockets, native libraries' included, that are no Unix sockets."""
    found = rendezvous(str(home))
    assert found is not None
    proc = Path(f"/proc/{found[0]}")
    if not proc.is_dir():
        return set()
    before = _sockets(proc)
    assert before
    local = {line.split()[6] for line in (proc / "net" / "unix").read_text().splitlines()[1:]}
    return (before & _sockets(proc)) - local  # one that was closed meanwhile may have been of either kind


def _sockets(proc: Path) -> set[str]:
    """The numbers of a process's open sockets."""
    found = set()
    for fd in (proc / "fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            target = os.readlink(fd)
            if target.startswith("socket:["):
                found.add(target[8:-1])
    return found


def test_the_audit_would_tell(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(AUDIT)
    log = tmp_path / "log"
    for ask in (
        "socket.getaddrinfo('localhost', 80)",
        "socket.socket(socket.AF_INET)",
        "urllib.request.urlopen('http://127.0.0.1:9/')",
    ):
        log.write_text("")
        code = f"import socket, urllib.request\ntry: {ask}\nexcept OSError as e: print(e)"
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "NETWORK_LOG": str(log)}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert "no network" in done.stdout
        assert log.read_text().strip() not in ("", "local")
