"""Whatever comes over the socket, the daemon answers what it can and lives."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memd import __version__
from memd.daemon.client import Door
from memd.errors import BadInput, MemdError, NotFound
from memd.store.schema import FORMAT

from .conftest import Line, daemon_in_foreground, request

HELLO = request("hello", {"client": __version__, "protocol": 1}, 0)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One daemon for all tests of this file."""
    from memd.config import Config
    from memd.daemon import process

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("protocol") / "home"
        patch.setenv("MEMD_HOME", str(folder))
        patch.setenv("MEMD_ENCODER", str(folder / "none"))
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        process.start(Config.load())
        yield folder
        process.stop(Config.load())


def alive(home: Path) -> bool:
    with Line(home) as line:
        return "result" in line.greet().ask("status")


def test_the_greeting_may_come_with_the_first_request_and_both_are_answered_in_turn(running: Path) -> None:
    with Line(running) as line:
        line.send(HELLO + request("stats", {}, 1) + request("nothing", {}, "two"))  # type: ignore[arg-type]
        first, second, third = line.read(), line.read(), line.read()
    assert first == {
        "jsonrpc": "2.0",
        "id": 0,
        "result": {"version": __version__, "protocol": 1, "home": str(running), "pid": first["result"]["pid"]},
    }
    assert (second["id"], second["result"]["format"]) == (1, FORMAT)
    assert (third["id"], third["error"]["code"]) == ("two", -32601)


def test_a_request_in_many_pieces(running: Path) -> None:
    with Line(running) as line:
        for byte in HELLO + request("stats", {}, 1):
            line.send(bytes([byte]))
        assert [line.read()["id"], line.read()["id"]] == [0, 1]


def test_a_notification_is_carried_out_and_not_answered(running: Path) -> None:
    with Line(running) as line:
        line.greet()
        item = {"items": [{"text": "said without waiting"}]}
        line.send(json.dumps({"jsonrpc": "2.0", "method": "remember", "params": item}).encode() + b"\n")
        assert line.ask("stats", id_=3)["id"] == 3
        assert line.ask("recall", {"text": "waiting"})["result"]["hits"]


def test_nothing_is_answered_before_the_greeting(running: Path) -> None:
    with Line(running) as line:
        error = line.ask("stats")["error"]
        assert error["data"]["code"] == "protocol"
        assert "hello" in error["message"]
        line.greet()
        assert "result" in line.ask("stats")


@pytest.mark.parametrize("hello", [{"client": "0.0.1", "protocol": 1}, {"client": __version__, "protocol": 2}])
def test_another_version_is_refused_and_so_is_what_follows(running: Path, hello: dict[str, object]) -> None:
    with Line(running) as line:
        line.send(request("hello", hello) + request("remember", {"items": [{"text": "from another version"}]}))
        for answer in (line.read(), line.read()):
            data = answer["error"]["data"]
            assert data["code"] == "version_mismatch"
    with Door(str(running)) as door:
        assert door.call("list", {"scope": "all"})["memories"] == [] or "from another version" not in str(
            door.call("list", {"scope": "all"})
        )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe\x00", -32700),
        (b'"\xed\xa0\x80"', -32700),
        (b"[]", -32700),
        (b"null", -32700),
        (b"{}", -32700),
        (b'{"jsonrpc":"1.0","id":1,"method":"stats"}', -32700),
        (b'{"jsonrpc":"2.0","id":{},"method":"stats"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32700),
        (b"[" * 100_000, -32700),
        (b'{"a":' * 100_000, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"stats","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"stats","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"stats","params":{"x":1}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"__init__"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"recall"}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"recall","params":{"text":"x","since":"soon"}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"recall","params":{"text":"\\ud800"}}', None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_bad_lines_get_an_error_and_the_connection_goes_on(running: Path, line: bytes, code: int | None) -> None:
    with Line(running) as client:
        client.greet()
        client.send(line + b"\n")
        error = client.read()["error"]
        assert error["data"]["exit_code"] == 2
        assert error["message"]
        if code is not None:
            assert error["code"] in (code, -32600)
        assert "result" in client.ask("stats")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
METHODS = st.sampled_from(
    ["hello", "recall", "remember", "show", "list", "forget", "restore", "tag", "stats", "status"]
)
NAMES = st.sampled_from(
    ["text", "items", "ids", "limit", "scope", "since", "until", "kinds", "tags", "add", "before", "now"]
)
REQUESTS = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "id": st.integers() | st.text() | JSON, "method": METHODS | st.text()},
    optional={"params": JSON | st.dictionaries(NAMES, JSON | st.just([{"text": "x"}]), max_size=4)},
).map(lambda value: json.dumps(value, ensure_ascii=True).encode())
LINES = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()) | REQUESTS


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(LINES, min_size=1, max_size=5), greet=st.booleans(), whole=st.booleans())
def test_no_line_ends_the_daemon(running: Path, lines: list[bytes], greet: bool, whole: bool) -> None:
    lines = [line.replace(b"\n", b" ") for line in lines]
    with Line(running) as client:
        if greet:
            client.greet()
        client.send(b"\n".join(lines) + (b"\n" if whole else b""))
        if not whole:  # hang up in the middle of a request
            return
        client.send(request("hello", {"client": __version__, "protocol": 1}, 4711))
        while (answer := client.read())["id"] != 4711:
            assert answer["jsonrpc"] == "2.0"
            assert ("result" in answer) != ("error" in answer)
            if "error" in answer:
                assert answer["error"]["code"] != -32603, "a fuzzed request found a defect"
    assert alive(running)


def test_a_line_over_the_limit_is_refused(home: Path) -> None:
    child = daemon_in_foreground(home, "from memd.daemon import protocol; protocol.MAX_LINE = 1 << 20")
    with Line(home) as line:
        line.greet()
        with suppress(ConnectionError):  # it may hang up while we are still sending
            line.send(b"x" * (3 << 20))
        answer = line.read()
        assert "limit" in answer["error"]["message"]
        with suppress(ConnectionResetError):  # the other way to learn that it hung up
            assert line.sock.recv(1) == b""
    assert alive(home)
    child.terminate()
    assert child.wait(240) == 0
    assert child.stderr is not None
    child.stderr.close()


def test_long_texts_travel(running: Path) -> None:
    text = "a million words, nearly: 🙂 e\u0301 \u2028 " * 40_000
    with Door(str(running)) as door:
        ids = [one["id"] for one in door.call("remember", {"items": [{"text": text}]})["remembered"]]
        assert door.call("show", {"ids": ids})["memories"][0]["text"] == text


def test_errors_come_back_as_their_types(running: Path) -> None:
    with Door(str(running)) as door:
        with pytest.raises(NotFound):
            door.call("show", {"ids": ["zzzzzzzzzzzzz"]})
        with pytest.raises(BadInput):
            door.call("remember", {"items": [{"text": "x", "kind": "no such kind"}]})
        with pytest.raises(BadInput):
            door.call("remember", {"items": [{"text": "\udc80"}]})
        with pytest.raises(MemdError, match="no method"):
            door.call("frobnicate", {})
        assert door.call("stats", {})["format"] == FORMAT


def test_more_clients_than_connections(running: Path) -> None:
    doors = [Door(str(running)) for _ in range(300)]
    try:
        for _ in range(2):
            assert {door.call("status", {})["home"] for door in doors} == {str(running)}
        assert doors[0].call("status", {})["connections"] <= 128
    finally:
        for door in doors:
            door.close()


def test_memory_does_not_grow_with_use(running: Path) -> None:
    with Door(str(running)) as door:

        def use(times: int) -> int:
            for number in range(times):
                door.call("recall", {"text": f"number {number}"})
                if number % 50 == 0:
                    with Door(str(running)) as other:
                        other.call("remember", {"items": [{"text": "the same words"}]})
            return int(door.call("status", {})["rss_bytes"])

        before = use(500)
        assert use(1500) - before < 8 * 1024 * 1024
