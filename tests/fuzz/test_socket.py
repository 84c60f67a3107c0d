"""Whatever clients do on the socket, each request gets its answer or a typed error, and others are served meanwhile."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memd import __version__
from memd.config import Config
from memd.daemon import process
from memd.daemon import protocol as p
from memd.daemon.client import Door, rendezvous
from memd.errors import ProtocolError
from tests.daemon.conftest import Line, daemon_in_foreground, request
from tests.waiting import PATIENCE, eventually

from . import params

MANY = int(os.environ.get("FUZZ", "80"))
HELLO = request("hello", {"client": __version__, "protocol": 1}, 0)
MIB = 1 << 20


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One daemon for this file, without an encoder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("socket") / "home"
        patch.setenv("MEMD_HOME", str(folder))
        patch.setenv("MEMD_ENCODER", str(folder / "none"))
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        process.start(Config.load())
        yield folder
        process.stop(Config.load())


@pytest.fixture
def hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A daemon of little patience: what takes a minute takes two seconds there."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MEMD_HOME", str(folder))
    monkeypatch.setenv("MEMD_ENCODER", str(tmp_path / "none"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    less = "STALL_TIMEOUT = 2.0; server.CROWDED_TIMEOUT = 0.4; server._LOOK = 0.1; server.PLACE_TIMEOUT = 1.0"
    child = daemon_in_foreground(folder, f"from memd.daemon import server; server.{less}")
    yield folder
    child.terminate()
    child.wait(240)
    assert child.stderr is not None
    child.stderr.close()


def serves(home: Path) -> bool:
    """Whether a new client gets its answer, long before those who dawdle or wait are through."""
    with Door(str(home), start=False, timeout=PATIENCE) as door:
        return "memories" in door.call("stats", {})


# --- anything, in any order -------------------------------------------------------------------------

METHODS = ["recall", "list", "stats", "task_list", "conflicts", "history", "show", "tag", "lifecycle", "nothing"]


def _methods() -> dict[str, Any]:
    import threading

    from memd.daemon.methods import Methods, Traffic

    return {name: kind for name, (kind, _) in Methods(None, "", Traffic(), threading.Event())._table.items()}  # type: ignore[arg-type]


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line: a request of a method with whatever parameters, or what is none."""
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return draw(st.binary(max_size=200)).replace(b"\n", b" ")
    if kind == 1:
        return json.dumps(draw(params.WRONG)).encode()
    method = draw(st.sampled_from(METHODS))
    struct = TABLE.get(method)
    given = draw(params.of(struct) if struct else params.WRONG)
    line = json.dumps({"jsonrpc": "2.0", "id": draw(st.integers(0, 9) | st.none()), "method": method, "params": given})
    if kind == 2:  # cut, or with a piece doubled
        raw = line.encode()
        at, to = sorted((draw(st.integers(0, len(raw))), draw(st.integers(0, len(raw)))))
        return raw[:at] + raw[to:] if draw(st.booleans()) else raw[:to] + raw[at:]
    return line.encode()


TABLE = _methods()


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(
    said=st.lists(lines(), min_size=1, max_size=6), cuts=st.lists(st.integers(1, 400), max_size=4), hang=st.booleans()
)
@example([b'{"jsonrpc":"2.0","id":1,"method":"stats","params":' + b"[" * 50_000], [], False)
@example([b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"stats"}'], [7], False)
@example([b'{"jsonrpc":"2.0","id":1,"method":"list","params":{"limit":1e999}}'], [], False)
@example(
    said=[b'{"jsonrpc":"2.0","id":1,"method":"list","params":{"limit":' + b"9" * 5000 + b"}}"], cuts=[], hang=False
)
@example([b'{"jsonrpc":"2.0","id":"\\ud800","method":"stats"}'], [], False)
@example([b'{"jsonrpc":"2.0","id":1,"id":2,"method":"stats","method":"list"}'], [], False)
def test_each_line_gets_its_answer_in_turn(running: Path, said: list[bytes], cuts: list[int], hang: bool) -> None:
    stream = (
        HELLO + b"".join(line + b"\n" for line in said) + request("hello", {"client": __version__, "protocol": 1}, 4711)
    )
    with Line(running) as client:
        for cut in cuts:
            client.send(stream[:cut])
            stream = stream[cut:]
        if hang:  # in the midst of a request, or of an answer
            client.send(stream[: len(stream) // 2])
            return
        client.send(stream)
        answers = []
        while (answer := client.read()) is not None and answer["id"] != 4711:
            answers.append(answer)
        assert answer is not None, "it hung up"
    assert len(answers) <= len(said) + 1
    for answer in answers:
        assert answer["jsonrpc"] == "2.0"
        assert ("result" in answer) != ("error" in answer)
        if "error" in answer:
            told = answer["error"]["data"]
            assert answer["error"]["code"] != -32603, answer
            assert told["exit_code"] in (1, 2)
            assert len(told["message"]) <= 1001


def test_requests_of_many_connections_interleaved_byte_by_byte(running: Path) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(Line(running)) for _ in range(8)]
        words = [HELLO + request("recall", {"text": f"word {n}"}, n) for n in range(len(clients))]
        for place in range(max(map(len, words))):
            for client, said in zip(clients, words, strict=True):
                client.send(said[place : place + 1])
        for number, client in enumerate(clients):
            assert client.read()["id"] == 0
            answer = client.read()
            assert (answer["id"], answer["result"]["query"]) == (number, f"word {number}")


def test_clients_that_hang_up_in_the_middle_of_an_answer(running: Path) -> None:
    with Door(str(running)) as door:
        door.call("remember", {"items": [{"text": "x" * MIB, "scope": "/long"}]})
    for _ in range(20):
        with Line(running) as client:
            client.send(HELLO + request("list", {"scope": "/long"}))
            client.sock.recv(100)
    assert serves(running)


# --- bounds -----------------------------------------------------------------------------------------


def test_too_many_values_are_refused_before_they_are_made(running: Path) -> None:
    values = ",".join(["[1]"] * 600_000)
    with Line(running) as client:
        client.greet()
        client.send(b'{"jsonrpc":"2.0","id":1,"method":"show","params":{"ids":[' + values.encode() + b"]}}\n")
        assert "values" in client.read()["error"]["message"]
        assert "result" in client.ask("stats")


def test_a_text_may_have_any_number_of_commas() -> None:
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"text": ',[{"\\' * 1_200_000}})
    assert p.read_request(text.encode()).method == "x"
    many = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x", "params": [",", "]"] * 500_001})
    with pytest.raises(ProtocolError, match="values"):
        p.read_request(many.encode())


def test_many_requests_on_one_connection_wait_for_their_turn(running: Path) -> None:
    with Line(running) as client, ThreadPoolExecutor(1) as pool:
        client.greet()
        sent = pool.submit(client.send, b"".join(request("stats", {}, number) for number in range(3000)))
        time.sleep(0.1)
        assert serves(running)
        assert [client.read()["id"] for _ in range(3000)] == list(range(3000))
        sent.result()


def test_half_a_request_is_not_waited_for_for_ever(hasty: Path) -> None:
    with Line(hasty) as drip, Line(hasty) as silent:
        begun = time.monotonic()
        silent.send(HELLO + b'{"jsonrpc"')
        with pytest.raises(OSError):
            while time.monotonic() - begun < PATIENCE:  # a byte now and then is no progress
                drip.send(b" ")
                time.sleep(0.05)
        assert time.monotonic() - begun > 1.5
        silent.read()
        assert silent.read() is None


def test_an_answer_that_nobody_takes_is_not_waited_for_for_ever(hasty: Path) -> None:
    with Door(str(hasty)) as door:
        door.call("remember", {"items": [{"text": f"{n}" + "x" * MIB} for n in range(2)]})
    with Line(hasty) as client:
        client.send(HELLO + request("list", {}))
        assert eventually(lambda: hung_up(client))
    assert serves(hasty)


def hung_up(client: Line) -> bool:
    with suppress(BlockingIOError):
        try:
            return client.sock.send(b"\n", socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) == 0
        except OSError as error:
            if isinstance(error, BlockingIOError):
                raise
            return True
    return False


@pytest.mark.parametrize(
    "said", [b"", b" ", HELLO + b'{"jsonrpc"', b"x" * (2 * MIB)], ids=["nothing", "a byte", "half", "much"]
)
def test_a_crowd_that_dawdles_keeps_nobody_out(hasty: Path, said: bytes) -> None:
    with ExitStack() as stack:
        found = rendezvous(str(hasty))
        assert found is not None
        for _ in range(200):
            sock = stack.enter_context(socket.socket(socket.AF_UNIX))
            sock.connect(found[1])
            sock.setblocking(False)
            with suppress(BlockingIOError, ConnectionError):
                sock.send(said)
        assert serves(hasty)


def test_clients_that_wait_leave_room_for_others(running: Path) -> None:
    with Door(str(running)) as door:
        door.call("remember", {"items": [{"text": "what will never have a vector here"}]})
    with ExitStack() as stack:
        for _ in range(128):
            stack.enter_context(Line(running)).send(HELLO + request("wait_encoded", {"timeout_s": 3600}))
        assert serves(running)


def test_memory_is_bounded_whatever_is_sent(running: Path) -> None:
    def rss() -> int:
        with Door(str(running)) as door:
            return int(door.call("status", {})["rss_bytes"])

    before = rss()
    bad = [
        b"x" * (24 * MIB),
        b'{"jsonrpc":"2.0","id":1,"method":"show","params":{"ids":[' + b'"",' * (6 * MIB) + b'""]}}',
    ]

    def send(number: int) -> None:
        with suppress(OSError), Line(running) as client:
            client.greet()
            client.send(bad[number % 2] + b"\n")
            assert "error" in client.read()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert serves(running)
    assert rss() - before < 128 * MIB


def test_the_client_does_not_read_an_answer_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from memd.daemon import client as thin
    from memd.errors import DaemonUnavailable

    monkeypatch.setattr(thin, "MAX_LINE", MIB)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    (tmp_path / "daemon.pid").write_bytes(f"{os.getpid()}\n{tmp_path / 's'}\n".encode())

    def chatter() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock, suppress(OSError):
                    while True:
                        sock.sendall(b"x" * 65536)

    threading.Thread(target=chatter, daemon=True).start()
    with Door(str(tmp_path), start=False) as door, pytest.raises(DaemonUnavailable):
        door.call("stats", {})
    listener.close()
