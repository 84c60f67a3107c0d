"""The log tells where things went wrong, never what was said, and doesn't grow without end."""

from __future__ import annotations

from pathlib import Path

from memd.config import Config
from memd.daemon import logs
from memd.daemon.client import Door

from .conftest import Line, request

SECRET = "xylophone"


def test_errors_are_logged_with_their_place_and_without_the_text(home: Path, door: Door) -> None:
    door.call("remember", {"items": [{"text": f"the password is {SECRET}"}]})
    with Line(home) as line:
        line.greet()
        line.ask("remember", {"items": [{"text": SECRET, "kind": SECRET}]})
        line.ask("show", {"ids": [SECRET]})
        line.ask(SECRET, {SECRET: SECRET})
        line.ask("recall", {"text": 5, "scope": SECRET})
        line.send(SECRET.encode() + b"\n")
        line.read()
    shown = logs.tail(Config.load().log, 100)
    assert sum("memd.daemon" in line for line in shown) >= 6
    assert any("remember refused (bad_input)" in line and " > " in line for line in shown)
    assert all(SECRET not in line for line in shown)


def test_logs_rotate(home: Path, door: Door) -> None:
    door.call("status", {})
    config = Config.load()
    wrong = request("recall", {}) * 500
    with Line(home) as line:
        line.greet()
        for _ in range(30):
            line.send(wrong)
            for _ in range(500):
                line.read()
    assert config.log.with_name("daemon.log.1").exists()
    files = list(home.glob("daemon.log*"))
    assert len(files) <= 1 + logs.OLD_LOGS
    assert sum(file.stat().st_size for file in files) <= (1 + logs.OLD_LOGS) * logs.LOG_BYTES
    assert len(logs.tail(config.log, 20_000)) > 1000
    if Path("/proc").exists():
        pid = door.call("status", {})["pid"]
        assert Path(f"/proc/{pid}/fd/2").readlink() == config.log, "its last words go to the newest one"


def test_follow_goes_through_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    log.write_text("old\n")
    lines = logs.follow(log, poll=0.01)
    with log.open("a") as file:
        file.write("one\ntw")
    assert next(lines) == "one"
    with log.open("a") as file:
        file.write("o\n")
    assert next(lines) == "two"
    log.rename(tmp_path / "daemon.log.1")
    log.write_text("three\n")
    assert next(lines) == "three"


def test_where_names_the_chain_and_not_the_message() -> None:
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError as error:
        said = logs.where(error)
    assert "RuntimeError at test_logs." in said
    assert "after ValueError at test_logs." in said
    assert SECRET not in said
