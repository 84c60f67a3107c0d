"""The MCP server as a process: it outlives the daemon, ends with its client, and says nothing but the protocol."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from memd.config import Config
from memd.daemon import process
from memd.daemon.client import Door, rendezvous
from tests.agents.servers import COMMAND, Session, client, environment
from tests.waiting import ended, eventually


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "work").mkdir()
    yield tmp_path / "home"
    process.stop(Config.load(tmp_path / "home", {}))


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Without an encoder, which these tests don't ask anything."""
    return {"MEMD_ENCODER": str(tmp_path / "none")}


@pytest.fixture
def session(home: Path, bare: dict[str, str]) -> Iterator[Session]:
    with start_blocking_portal() as portal, Session(portal, client(home, home.parent / "work", **bare)) as session:
        yield session


def daemon_pid(home: Path) -> int:
    found = rendezvous(str(home))
    assert found is not None
    return found[0]


def test_it_starts_the_daemon_and_outlives_its_restart(session: Session, home: Path) -> None:
    assert rendezvous(str(home)) is None
    first = session.tool("remember", text="stored before the restart")["id"]
    before = daemon_pid(home)
    process.stop(Config.load(home, {}))
    assert session.tool("show", ids=[first])["memories"][0]["text"] == "stored before the restart"
    assert daemon_pid(home) != before


def test_a_daemon_killed_among_the_calls_loses_none(session: Session, home: Path) -> None:
    session.tool("remember", text="the first")
    before = daemon_pid(home)
    stored = []
    for number in range(60):
        if number % 20 == 10:
            killer = threading.Timer(0.002, os.kill, (daemon_pid(home), signal.SIGKILL))
            killer.start()
        stored.append(session.tool("remember", text=f"memory number {number}")["id"])
        if number % 20 == 12:
            killer.join()
    assert daemon_pid(home) != before
    assert len(set(stored)) == 60
    with Door(str(home)) as door:
        texts = {memory["text"] for memory in door.call("show", {"ids": stored})["memories"]}
    assert texts == {f"memory number {number}" for number in range(60)}


def test_a_data_folder_that_cant_be_used_is_a_tool_error(home: Path, bare: dict[str, str]) -> None:
    home.write_text("a file where the folder should be")
    with start_blocking_portal() as portal, Session(portal, client(home, home.parent / "work", **bare)) as session:
        result = session.result("context")
        assert result.is_error and str(home) in result.content[0].text
        assert {tool.name for tool in session.do("list_tools").tools} >= {"recall"}
    home.unlink()


def started(home: Path, bare: dict[str, str], **options: object) -> subprocess.Popen[bytes]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(COMMAND, cwd=home.parent, env=environment(home, **bare), **pipes)  # type: ignore[call-overload,no-any-return]


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def greet(server: subprocess.Popen[bytes]) -> dict:  # type: ignore[type-arg]
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(json.dumps(HELLO).encode() + b"\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())  # type: ignore[no-any-return]


def test_it_ends_at_the_end_of_its_input(home: Path, bare: dict[str, str]) -> None:
    server = started(home, bare)
    assert greet(server)["result"]["serverInfo"]["name"] == "memd"
    out, err = server.communicate(timeout=240)
    assert (server.returncode, out, err) == (0, b"", b"")


def test_it_ends_with_its_parent_though_another_holds_its_input(home: Path, bare: dict[str, str]) -> None:
    code = f"import subprocess; p = subprocess.Popen({COMMAND!r}); print(p.pid, flush=True); p.wait()"
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=home.parent,
        env=environment(home, **bare),
    )  # fmt: skip
    assert parent.stdout is not None and parent.stdin is not None
    pid = int(parent.stdout.readline())
    try:
        assert "result" in greet(parent)
        parent.kill()
        parent.wait(timeout=240)
        assert eventually(lambda: ended(pid))
    finally:
        parent.stdin.close()
        parent.stdout.close()


def test_an_interrupt_ends_it_at_once(home: Path, bare: dict[str, str]) -> None:
    with started(home, bare) as server:
        greet(server)
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=240) == -signal.SIGINT


# Says a word whenever something of the SDK is imported, and goes on saying it, in both ways, while the server serves.
TALKATIVE = """
import os, sys, threading, time

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("mcp.server"):
            print("stray import", name, flush=True)
            os.write(1, b"stray bytes\\n")

def chatter():
    while "memd.agents.server" not in sys.modules:
        time.sleep(0.001)
    while True:
        print("stray print", flush=True)
        os.write(1, b"stray bytes\\n")
        time.sleep(0.005)

sys.meta_path.insert(0, Finder())
threading.Thread(target=chatter, daemon=True).start()
"""


def test_standard_output_carries_the_protocol_alone(home: Path, bare: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "stray").mkdir()
    (tmp_path / "stray" / "sitecustomize.py").write_text(TALKATIVE)
    path = os.pathsep.join([str(tmp_path / "stray"), *filter(None, [os.environ.get("PYTHONPATH")])])
    server = started(home, {**bare, "PYTHONPATH": path}, stderr=(tmp_path / "err").open("wb"))
    assert greet(server)["id"] == 1
    assert server.stdin is not None and server.stdout is not None
    for number in range(2, 30):
        server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping"}).encode() + b"\n")
        server.stdin.flush()
        assert json.loads(server.stdout.readline()) == {"jsonrpc": "2.0", "id": number, "result": {}}
    out, _ = server.communicate(timeout=240)
    said = (tmp_path / "err").read_bytes()
    assert out == b"" and b"stray print" in said and b"stray bytes" in said and b"stray import" in said


def test_what_is_no_json_is_passed_over(home: Path, bare: dict[str, str]) -> None:
    server = started(home, bare)
    assert server.stdin is not None
    server.stdin.write(b"this is no JSON\n\xff\xfe\n{}\n")
    server.stdin.flush()
    assert server.stdout is not None
    answers = [greet(server)]
    while "result" not in answers[-1]:  # it may answer what is no request with an error
        answers.append(json.loads(server.stdout.readline()))
    assert answers[-1]["id"] == 1
    server.communicate(timeout=240)
    assert server.returncode == 0


def test_a_text_that_was_cut_in_an_emoji_is_taken(home: Path, bare: dict[str, str]) -> None:
    with started(home, bare) as server:
        greet(server)
        for id_, words in ((7, "cut \\ud83d"), (8, "whole \\ud83d\\ude00")):
            call = {"name": "remember", "arguments": {"text": "WORDS"}}
            line = json.dumps({"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": call})
            assert server.stdin and server.stdout
            server.stdin.write(line.replace("WORDS", words).encode() + b"\n")
            server.stdin.flush()
            answer = json.loads(server.stdout.readline())
            assert answer["id"] == id_ and not answer["result"]["isError"]
        server.stdin.close()
        assert server.wait(240) == 0
    with Door(str(home)) as door:
        texts = [memory["text"] for memory in door.call("list", {"scope": "all"})["memories"]]
    assert sorted(texts) == ["cut ?", "whole \N{GRINNING FACE}"]


def test_no_other_command_imports_the_sdk() -> None:
    code = "import sys, memd_cli.app, memd_cli.verbs, memd.api, memd.daemon.process; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"mcp", "mcp_types", "pydantic", "anyio", "starlette", "httpx"}
