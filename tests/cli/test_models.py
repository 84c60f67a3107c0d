"""model and reindex as their users run them: a daemon that changes encoders under way, and one that is killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from memd.config import Config
from memd.daemon import process
from tests.cli.command import Memd
from tests.cli.test_output import valid
from tests.exports import export
from tests.waiting import eventually

TEXTS = ("the lighthouse keeper logs the weather", "the pier closes at dusk", "the harbour ships fear the storm")


@pytest.fixture
def memd(tmp_path: Path) -> Iterator[Memd]:
    """The command over a fresh data folder that uses a small encoder, `small`; `pooled` and `odd` can be added."""
    (tmp_path / "work").mkdir()
    command = Memd(tmp_path / "home", tmp_path / "work")
    export(tmp_path / "small", 64)
    export(tmp_path / "odd", 72, seed=8)
    export(tmp_path / "pooled", 1024, outputs=("sentence_embedding",), seed=9)
    command("model", "add", str(tmp_path / "small"))
    command("model", "use", "small", "--no-daemon")
    yield command
    process.stop(Config.load(tmp_path / "home", {}))


def many(memd: Memd, count: int) -> None:
    lines = [json.dumps({"text": f"{TEXTS[n % 3]}, day {n}"}) + "\n" for n in range(count)]
    memd("remember", "--jsonl", stdin="".join(lines).encode())


def test_the_way_from_one_to_another_and_back(memd: Memd, tmp_path: Path) -> None:
    ids = [memd.remember(text) for text in TEXTS]
    assert memd.json("reindex", "--wait")["pending"] == 0
    pid = memd.json("daemon", "status")["pid"]
    for name, dimension in (("odd", 72), ("pooled", 1024)):
        added = valid(memd("model", "add", str(tmp_path / name), "--json").answer, "model add")["data"]
        assert added["encoder"]["dimension"] == dimension and not added["known"]
        used = valid(memd("model", "use", name, "--json").answer, "model use")["data"]
        assert used["name"] == name and used["passages"] == 3
        done = valid(memd("reindex", "--wait", "--json").answer, "reindex")
        assert done["data"]["encoded"] == 3 and done["degraded"] == []
        found = memd.json("recall", "the pier at dusk", "--without", "lexical")
        assert found["hits"][0]["memory"]["id"] == ids[1] and found["degraded"] == []
        assert memd.json("stats")["encoder"] == added["encoder"]["fingerprint"]
    listed = valid(memd("model", "list", "--json").answer, "model list")["data"]["encoders"]
    assert [encoder["name"] for encoder in listed if encoder["in_use"]] == ["pooled"] and len(listed) == 4
    assert memd.json("model", "use", "small")["chosen_by"] == "home"
    memd("reindex", "--wait", "--all")
    info = valid(memd("model", "info", "--json").answer, "model info")["data"]
    assert (info["name"], info["encoded"], info["tokens"]) == ("small", 3, True)
    assert memd.json("daemon", "status")["pid"] == pid  # the same daemon all the way


def test_without_the_daemon(memd: Memd, tmp_path: Path) -> None:
    for text in TEXTS:
        memd("remember", "--no-daemon", text)
    memd("model", "add", str(tmp_path / "odd"))
    assert memd.json("model", "use", "odd", "--no-daemon")["pending"] == 3
    assert "3 passages wait" in memd("recall", "--no-daemon", "pier").err
    assert memd.json("reindex", "--no-daemon")["encoded"] == 3
    assert memd.json("reindex", "--no-daemon", "--all")["pending"] == 0
    assert memd.json("model", "info", "--no-daemon")["name"] == "odd"
    assert memd("recall", "--no-daemon", "pier").err == ""
    assert memd("daemon", "status", check=False).code == 1


def test_a_daemon_killed_in_the_middle_of_a_switch_goes_on(memd: Memd, tmp_path: Path) -> None:
    many(memd, 2000)
    memd("reindex", "--wait")
    memd("model", "add", str(tmp_path / "odd"))
    memd("model", "use", "odd")
    pid = memd.json("daemon", "status")["pid"]
    assert eventually(lambda: memd.json("model", "info")["pending"] < 2000)
    os.kill(pid, signal.SIGKILL)
    found = memd.json("recall", "the pier, day 7")
    assert found["hits"][0]["memory"]["text"].startswith("the pier")
    assert memd.json("reindex", "--wait") | {"encoded": 2000, "pending": 0} == memd.json("model", "info")
    assert memd.json("model", "info")["name"] == "odd" and memd.json("daemon", "status")["pid"] != pid


def test_who_waits_may_leave(memd: Memd) -> None:
    many(memd, 2000)
    memd.json("reindex", "--wait")
    waiting = memd.popen("reindex", "--all", "--wait")
    # It has asked, and waits; or was through before that could be seen, on a quick machine.
    assert eventually(lambda: memd.json("stats")["pending"] or waiting.poll() is not None)
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(240) in (0, 130)
    assert memd.json("reindex", "--wait")["encoded"] == 2000


def test_wrong_use_changes_nothing(memd: Memd, tmp_path: Path) -> None:
    before = memd.json("model", "list")
    export(tmp_path / "sixty", 60)
    for words, code, told in (
        (("model", "use", "none"), 1, "builtin, small"),
        (("model", "add", str(tmp_path / "nowhere")), 2, "no folder"),
        (("model", "add", str(tmp_path / "sixty")), 2, "60 dimensions"),
        (("model", "add", str(tmp_path / "odd"), "--name", "builtin"), 2, "--name"),
        (("model", "add", str(tmp_path / "odd"), "--name", "small"), 2, "--name"),
        (("model", "use"), 2, "NAME"),
        (("model", "sue"), 2, "use"),
    ):
        done = memd(*words, check=False)
        assert (done.code, done.out) == (code, b"") and told in done.err and "hint: " in done.err, done
    assert memd.json("model", "list") == before
    answer = memd("model", "use", "none", "--json", check=False).answer
    assert answer["error"]["code"] == "not_found" and valid(answer, "model use")


def test_without_an_encoder_it_is_said(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "words are enough")
    memd("daemon", "stop")
    none = str(tmp_path / "none")
    for words in (("model", "info"), ("reindex",), ("reindex", "--wait"), ("reindex", "--no-daemon")):
        done = memd(*words, check=False, MEMD_ENCODER=none)
        assert done.code == 3 and none in done.err and "hint: " in done.err
    assert memd("model", "use", "builtin", check=False, MEMD_ENCODER=none).code == 2
    assert "MEMD_ENCODER" in memd("model", "list", MEMD_ENCODER=none).err
    memd("daemon", "stop")


def test_a_terminal_shows_the_way(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "x")
    shown = memd.at_terminal("model", "add", str(tmp_path / "odd"))
    assert shown.code == 0 and "memd model use odd" in shown.text
    assert "In use" in memd.at_terminal("model", "use", "odd").text
    assert "1 of 1 passage" in memd.at_terminal("reindex", "--wait").text
    listed = memd.at_terminal("model", "list").text
    assert "builtin" in listed and "odd" in listed and "●" in listed
    assert "odd" in memd.at_terminal("model", "info").text
    (memd.home / "encoders" / "odd" / "encoder.onnx").write_bytes(b"")
    assert "unusable" in memd.at_terminal("model", "list").text
