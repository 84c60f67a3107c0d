"""doctor, config, daemon and completion, by using them."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import memd.encoder
from memd_cli.upkeep import edited
from tests.cli.command import Memd


def checks(memd: Memd, **env: str) -> dict[str, dict[str, str]]:
    answer = memd("doctor", "--json", check=False, **env).answer
    return {check["name"]: check for check in answer["data"]["checks"]}


def test_all_is_well_where_it_is(full: Memd) -> None:
    full("reindex", "--wait")
    before = full.json("stats")
    assert {name: check["status"] for name, check in checks(full).items() if check["status"] != "ok"} == {}
    after = full.json("stats")
    assert before == {**after, "wal_bytes": before["wal_bytes"], "store_bytes": before["store_bytes"]}
    assert not [path.name for path in full.home.iterdir() if path.name.startswith(".doctor")]


def test_a_fresh_machine_has_warnings_only(memd: Memd) -> None:
    found = checks(Memd(memd.home, memd.cwd))
    assert found["store"]["status"] == found["data folder"]["status"] == "warning"
    assert all(check["status"] != "failed" for check in found.values()) and not memd.home.exists()


def test_a_missing_or_damaged_encoder_is_found(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "x")
    assert checks(memd)["encoder"]["status"] == "failed"
    damaged = tmp_path / "damaged"
    shutil.copytree(Path(memd_encoder_file()).parent / "model", damaged)
    with (damaged / "encoder.onnx").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\xff" * 1000)
    found = checks(memd, MEMD_ENCODER=str(damaged))
    assert found["encoder"]["status"] == "failed" and found["encoder"]["hint"]
    assert found["store"]["status"] == "ok"
    assert memd("doctor", check=False).code == 3


def memd_encoder_file() -> str:
    assert memd.encoder.__file__
    return memd.encoder.__file__


def test_open_permissions_are_found(memd: Memd) -> None:
    memd("remember", "x")
    memd.home.chmod(0o755)
    found = checks(memd)["data folder"]
    assert found["status"] == "warning" and found["hint"].startswith("chmod")


def test_a_damaged_store_is_found(memd: Memd) -> None:
    memd("remember", "--jsonl", stdin=b"".join(b'{"text": "memory %d"}\n' % n for n in range(400)))
    memd("daemon", "stop")
    store = memd.home / "memd.db"
    with store.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 60_000)
    found = checks(memd)["store"]
    assert found["status"] == "failed" and found["hint"]
    store.write_bytes(b"no database at all" * 100)
    assert checks(memd)["store"]["status"] == "failed"


def test_settings_are_written_and_taken_back(memd: Memd) -> None:
    assert memd("config", "set", "daemon.idle_exit", "90").lines == [["daemon.idle_exit", "90.0", "file"]]
    file = Path(memd.json("config")["paths"]["file"])
    file.write_text("# mine\n" + file.read_text() + "\n# the end\n")
    assert memd("config", "get", "daemon.idle_exit", MEMD_DAEMON_IDLE_EXIT="5").lines[0][1:] == [
        "5.0",
        "MEMD_DAEMON_IDLE_EXIT",
    ]
    memd("config", "unset", "daemon.idle_exit")
    assert memd("config", "get", "daemon.idle_exit").lines == [["daemon.idle_exit", "0.0", "default"]]
    assert "# mine" in file.read_text() and "# the end" in file.read_text()


def test_a_setting_that_does_not_hold_leaves_the_file_alone(memd: Memd) -> None:
    memd("config", "set", "daemon.idle_exit", "90")
    file = Path(memd.json("config")["paths"]["file"])
    before = file.read_bytes()
    for value in ("soon", "-5", '"', "1\nx = 2"):
        done = memd("config", "set", "--", "daemon.idle_exit", value, check=False)
        assert done.code == 2 and file.read_bytes() == before, value


@given(
    st.integers(0, 9**9),
    st.sampled_from(["", "[daemon]\n", "# x\n[daemon] # y\nidle_exit = 1\n[other]\nidle_exit=2\n", "[a]\nb=1"]),
)
def test_an_edit_changes_one_setting_only(value: int, text: str) -> None:
    import tomllib

    before = tomllib.loads(text)
    after = tomllib.loads(edited(text, "daemon.idle_exit", str(value)))
    assert after == {**before, "daemon": {**before.get("daemon", {}), "idle_exit": value}}
    gone = tomllib.loads(edited(edited(text, "daemon.idle_exit", str(value)), "daemon.idle_exit", None))
    assert gone.get("daemon", {}) == {} and gone.get("other") == before.get("other")


def test_the_daemon_is_started_and_stopped(memd: Memd) -> None:
    assert memd("daemon", "status", check=False).code == 1
    started = memd.json("daemon", "start")
    assert memd.json("daemon", "status")["pid"] == started["pid"]
    assert memd.json("daemon", "restart")["pid"] != started["pid"]
    assert "answers on" in memd("daemon", "logs").text
    assert memd.json("daemon", "stop")["stopped"] and not memd.json("daemon", "stop")["stopped"]


def test_the_daemon_runs_in_the_foreground(memd: Memd) -> None:
    process = memd.popen("daemon", "run", stderr=subprocess.PIPE)
    assert process.stderr
    assert b"answers on" in process.stderr.readline()
    assert memd.json("daemon", "status")["pid"] == process.pid
    process.send_signal(signal.SIGINT)
    assert process.wait(240) in (0, 130)
    process.stderr.close()
    assert memd("daemon", "status", check=False).code == 1


def test_no_daemon_starts_none(memd: Memd) -> None:
    id_ = memd("remember", "--no-daemon", "in process").text.strip()
    assert memd("recall", "--no-daemon", "process").lines[0][0] == id_
    assert memd("daemon", "status", check=False).code == 1
    assert memd("recall", "process").lines[0][0] == id_


@pytest.mark.parametrize(
    ("line", "expected"), [("memd rec", "recall"), ("memd recall --kind de", "decision"), ("memd daemon st", "status")]
)
def test_the_shell_completes(memd: Memd, line: str, expected: str) -> None:
    words = str(len(line.split()) - 1)
    done = memd(check=False, _MEMD_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=words)
    assert expected in done.text.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_installed(memd: Memd, tmp_path: Path, shell: str) -> None:
    done = memd("completion", shell, "--install", "--json", HOME=str(tmp_path))
    assert Path(done.answer["data"]["path"]).is_relative_to(tmp_path)
    assert "memd" in Path(done.answer["data"]["path"]).read_text()
    assert "_MEMD_COMPLETE" in memd("completion", shell).text
