"""Encrypted stores as people meet them: by the command, beside the daemon, and what is said when the key is away."""

from __future__ import annotations

import json
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memd.api import Memory
from memd.config import Config
from memd.daemon import service
from memd.daemon.client import Door
from memd.store import backups, cipher, keys, moving
from memd_cli import doctor
from memd_cli.inprocess import InProcess
from tests.cli.command import Done, Memd
from tests.crypt.conftest import files_with

TEXT = "the harbourmaster keeps the ledgers"
PASSPHRASE = "a lantern for the tide"


def code_of(done: Done) -> str:
    """The name of the error in a JSON answer."""
    return str(done.answer["error"]["code"])


def typed(*lines: str) -> list[bytes]:
    """What a person types, line by line."""
    return [f"{line}\n".encode() for line in lines]


def store_of(memd: Memd) -> Path:
    return memd.home / "memd.db"


def test_encrypt_moves_the_store_and_its_backups_under_a_running_daemon(memd: Memd, ring: Path) -> None:
    memd("remember", TEXT)
    with Memory.open(memd.home, encode="off"):  # which keeps the store from being moved
        assert code_of(memd("encrypt", "--json", check=False)) == "store_busy" and list(ring.iterdir()) == []
    memd("backup")
    assert len(files_with(memd.home, "harbourmaster")) >= 2
    done = memd.json("encrypt")
    assert done["encryption"] == "key" and len(done["backups"]) == 1 and done["left"] == [] and done["memories"] == 1
    assert [file.name for file in ring.iterdir()] == [f"memd-{done['key']}"]
    assert files_with(memd.home, "harbourmaster", "SQLite format 3") == []
    assert memd.json("daemon", "status")["encryption"] == "key"  # it ran, so it runs again
    assert [row[-1] for row in memd("recall", "harbourmaster").lines] == [TEXT]
    assert code_of(memd("encrypt", "--passphrase", "--json", check=False)) == "conflict"


def test_of_a_store_that_was_cut_short_every_command_says_that_it_is_damaged(memd: Memd, ring: Path) -> None:
    memd("remember", TEXT)
    memd("encrypt")
    memd("daemon", "stop")
    store = store_of(memd)
    os.truncate(store, store.stat().st_size * 6 // 10)
    cut = store.read_bytes()
    for command in (
        *(["decrypt"], ["rekey"], ["encrypt"], ["config", "set", "encryption", "off"]),
        *(["recall", "ledgers"], ["check"], ["audit"], ["backup"], ["unlock"]),
    ):
        done = memd(*command, "--json", check=False)
        assert (done.code, code_of(done)) == (3, "store_corrupt"), command
        assert "memd repair" in done.answer["error"]["hint"], command
    checks = {check["name"]: check for check in memd("doctor", "--json", check=False).answer["data"]["checks"]}
    assert checks["store"]["status"] == "failed" and "memd repair" in checks["store"]["hint"]
    assert store.read_bytes() == cut and len(list(ring.iterdir())) == 1
    memd("key", "export", str(memd.cwd / "kept.key"))  # all the more to be kept
    memd.json("repair", "--replace")  # without a backup, which would have told the key
    assert memd("check").code == 0 and memd.json("config", "get", "encryption")["settings"][0]["value"] == "on"


def test_every_verb_works_on_an_encrypted_store(memd: Memd, ring: Path) -> None:
    memd("config", "set", "encryption", "on")
    assert memd("config", "get", "encryption").lines == [["encryption", "on", "store"]]
    memd("remember", TEXT)  # starts the daemon, which finds the key in the keyring
    [kept] = ring.iterdir()
    keys.keys.offer(kept.read_text(), store_of(memd))
    doors = Door(str(memd.home), start=False), InProcess(memd.home)
    for door in doors:
        one, other = (
            door.call("remember", {"items": [{"text": f"{text} {type(door).__name__}"}]})["remembered"][0]["id"]
            for text in (TEXT, "the proxy listens on port 8080")
        )
        assert door.call("recall", {"text": "harbourmaster ledgers", "explain": True})["hits"]
        door.call("supersede", {"old": other, "text": f"the proxy listens on port 9090 {type(door).__name__}"})
        for method in ("forget", "restore", "use", "pin", "show"):
            door.call(method, {"ids": [one]})
        door.call("tag", {"ids": [one], "add": ["quay"]})
        door.call("task_start", {"title": f"Chart the quay {type(door).__name__}"})
        door.call("history", {"id": other})
        for method in ("list", "stats", "conflicts", "context", "lifecycle", "maintain", "task_list", "status"):
            door.call(method, {})
        assert door.call("audit", {})["sound"]
        door.call("purge", {"ids": [one]})
    for door in doors:
        door.close()
    assert memd("check").code == 0
    payload = json.dumps({"session_id": "s1", "cwd": str(memd.cwd), "prompt": "who keeps the ledgers?"}).encode()
    assert memd("hook", "UserPromptSubmit", "--agent", "claude-code", stdin=payload).code == 0
    copy = memd.json("backup")["backup"]
    assert copy["encrypted"] and copy["memories"] >= 4
    assert memd.json("restore", "--from", "latest")["backup"]["path"] == copy["path"]
    checks = {check["name"]: check for check in memd("doctor", "--json", check=False).answer["data"]["checks"]}
    assert checks["store"]["status"] == checks["encryption"]["status"] == checks["agreement"]["status"] == "ok"
    assert checks["encryption"]["finding"].startswith("on, with the key ")
    assert files_with(memd.home, "harbourmaster", "ledgers", "proxy", "SQLite format 3") == []
    memd("config", "set", "encryption", "off")
    assert memd("config", "get", "encryption").lines == [["encryption", "off", "store"]]
    memd("daemon", "stop")
    assert files_with(memd.home, "harbourmaster") == ["memd.db"]  # the copies stay as they are
    assert memd("config", "set", "encryption", "maybe", check=False).code == 2


def test_a_passphrase_store_is_locked_until_the_passphrase_comes(memd: Memd) -> None:
    memd("remember", TEXT, "--no-daemon")
    memd("encrypt", "--passphrase", MEMD_PASSPHRASE=PASSPHRASE)
    for words in (["recall", "harbourmaster"], ["recall", "harbourmaster", "--no-daemon"], ["rekey"], ["unlock"]):
        locked = memd(*words, "--json", check=False)
        assert locked.code == 3 and code_of(locked) == "store_locked", (words, locked)
        assert "memd unlock" in locked.answer["error"]["hint"]
    status = memd.json("daemon", "status")
    assert status["locked"] and status["encryption"] == "passphrase"
    payload = json.dumps({"session_id": "s1", "cwd": str(memd.cwd), "prompt": "ledgers?"}).encode()
    assert memd("hook", "UserPromptSubmit", stdin=payload).code == 0  # never in the agent's way
    for words in (["recall", "x"], ["recall", "x", "--no-daemon"]):
        wrong = memd(*words, "--json", check=False, MEMD_PASSPHRASE="another lantern")
        assert wrong.code == 3 and code_of(wrong) == "wrong_key"
    assert memd.json("unlock", MEMD_PASSPHRASE=PASSPHRASE) == {"encryption": "passphrase", "unlocked": True}
    assert [row[-1] for row in memd("recall", "harbourmaster").lines] == [TEXT]
    assert memd.json("unlock") == {"encryption": "passphrase", "unlocked": False}
    found = memd("recall", "harbourmaster", "--no-daemon", MEMD_PASSPHRASE=PASSPHRASE)
    assert [row[-1] for row in found.lines] == [TEXT]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_passphrase_stands_in_no_command_line_log_or_environment_of_the_daemon(memd: Memd, tmp_path: Path) -> None:
    memd("encrypt", "--passphrase", MEMD_PASSPHRASE=PASSPHRASE)
    memd("remember", TEXT, MEMD_PASSPHRASE=PASSPHRASE)  # starts the daemon, and hands it over
    place = Path("/proc") / str(memd.json("daemon", "status")["pid"])
    for file in ("environ", "cmdline"):
        assert PASSPHRASE.encode() not in (place / file).read_bytes()
    assert files_with(tmp_path, PASSPHRASE) == []
    assert memd.json("daemon", "stop")["stopped"]
    assert memd.json("daemon", "start")["locked"]
    assert memd.json("daemon", "stop")["stopped"]


def test_a_key_file_serves_machines_without_a_keyring(memd: Memd, tmp_path: Path) -> None:
    none = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    memd("remember", TEXT, "--no-daemon")
    before = store_of(memd).read_bytes()
    refused = memd("encrypt", "--json", check=False, **none)
    assert refused.code == 3 and code_of(refused) == "keyring_unavailable"
    assert "--passphrase" in refused.answer["error"]["hint"] and "--key-file" in refused.answer["error"]["hint"]
    assert store_of(memd).read_bytes() == before
    file = tmp_path / "keys" / "memd.key"
    assert memd.json("encrypt", "--key-file", str(file), **none)["key_file"] == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert code_of(memd("recall", "x", "--no-daemon", "--json", check=False, **none)) == "store_locked"
    file.chmod(0o644)
    open_to_all = memd("recall", "x", "--no-daemon", "--json", check=False, MEMD_KEY_FILE=str(file), **none)
    assert open_to_all.code == 2 and "chmod 600" in open_to_all.answer["error"]["hint"]
    file.chmod(0o600)
    for door in (["--no-daemon"], []):
        found = memd("recall", "harbourmaster", *door, MEMD_KEY_FILE=str(file), **none)
        assert [row[-1] for row in found.lines] == [TEXT]


def test_a_key_lost_from_the_keyring_is_told_and_can_be_put_back(memd: Memd, ring: Path, tmp_path: Path) -> None:
    memd("remember", TEXT, "--no-daemon")
    name = memd.json("encrypt")["key"]
    file = tmp_path / "copy.key"
    assert memd.json("key", "export", str(file)) == {"key": name, "file": str(file)}
    assert memd("key", "export", str(file), check=False).code == 2  # nothing is overwritten
    (ring / "locked").touch()
    refused = memd("recall", "harbourmaster", "--json", check=False)
    assert code_of(refused) == "store_locked" and "KeyringLocked" in refused.answer["error"]["message"]
    (ring / "locked").unlink()
    (ring / f"memd-{name}").unlink()
    before = store_of(memd).read_bytes()
    lost = memd("recall", "harbourmaster", "--no-daemon", "--json", check=False)
    assert lost.code == 3 and code_of(lost) == "store_locked"
    assert name in lost.answer["error"]["message"] and "memd key import" in lost.answer["error"]["hint"]
    (tmp_path / "other.key").write_text("ab" * 32 + "\n")
    (tmp_path / "other.key").chmod(0o600)
    assert code_of(memd("key", "import", str(tmp_path / "other.key"), "--json", check=False)) == "wrong_key"
    assert store_of(memd).read_bytes() == before
    memd("key", "import", str(file))  # and the daemon, which waits, has it too
    assert [row[-1] for row in memd("recall", "harbourmaster").lines] == [TEXT]
    assert (ring / f"memd-{name}").read_text() == file.read_text().strip()


def test_rekey_changes_key_or_kind(memd: Memd, ring: Path) -> None:
    memd("remember", TEXT)
    first = memd.json("encrypt")["key"]
    second = memd.json("rekey")
    assert second["encryption"] == "key" and second["key"] != first
    assert {file.name for file in ring.iterdir()} == {f"memd-{first}", f"memd-{second['key']}"}
    assert memd.json("rekey", "--passphrase", MEMD_NEW_PASSPHRASE=PASSPHRASE)["encryption"] == "passphrase"
    assert [row[-1] for row in memd("recall", "harbourmaster").lines] == [TEXT]  # the daemon was told
    assert code_of(memd("rekey", "--passphrase", "--json", check=False, MEMD_PASSPHRASE=PASSPHRASE)) == "bad_input"
    assert memd.json("decrypt", MEMD_PASSPHRASE=PASSPHRASE)["encryption"] == "off"
    assert [row[-1] for row in memd("recall", "harbourmaster").lines] == [TEXT]
    for words in ("decrypt", "rekey", "unlock"):
        assert code_of(memd(words, "--json", check=False)) == "conflict"


def test_without_the_extra_an_encrypted_store_is_named_as_such(memd: Memd, tmp_path: Path) -> None:
    memd("remember", TEXT, "--no-daemon")
    memd("encrypt")
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sqlcipher3.py").write_text("raise ImportError('not installed')\n")
    lacking = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "without"), memd.env["PYTHONPATH"]])}
    before = store_of(memd).read_bytes()
    for words in (["recall", "x"], ["recall", "x", "--no-daemon"], ["backup"], ["decrypt"]):
        refused = memd(*words, "--json", check=False, **lacking)
        assert refused.code == 3 and code_of(refused) == "encryption_missing", (words, refused)
        assert "memdaemon[encryption]" in refused.answer["error"]["hint"]
    assert store_of(memd).read_bytes() == before
    plain = Memd(tmp_path / "plain", memd.cwd, {**memd.env, **lacking})
    plain("remember", TEXT, "--no-daemon")
    assert code_of(plain("encrypt", "--json", check=False)) == "encryption_missing"
    assert [row[-1] for row in plain("recall", "harbourmaster", "--no-daemon").lines] == [TEXT]


def test_the_passphrase_is_asked_for_at_a_terminal_and_not_shown(memd: Memd) -> None:
    memd("remember", TEXT, "--no-daemon")
    done = memd.at_terminal("encrypt", "--passphrase", say=typed(PASSPHRASE, PASSPHRASE))
    assert done.code == 0 and PASSPHRASE not in done.text and "memd unlock" in done.text
    done = memd.at_terminal("recall", "harbourmaster", say=typed("another lantern", PASSPHRASE))
    assert done.code == 0 and "harbourmaster" in done.text and PASSPHRASE not in done.text
    assert [row[-1] for row in memd("recall", "harbourmaster").lines] == [TEXT]  # the daemon has it from now on
    done = memd.at_terminal("recall", "x", "--no-daemon", say=typed(*["wrong one"] * 3))
    assert done.code == 3 and "doesn't open" in done.text
    assert memd.at_terminal("rekey", say=typed(PASSPHRASE, "new lantern 1", "new lantern 2")).code == 2
    assert cipher.kind(cipher.start_of(store_of(memd))) == "passphrase"


def test_doctor_names_what_is_left_plain(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember(TEXT)
    config, store = Config.load(tmp_path, {}), tmp_path / "memd.db"
    copy = Path(backups.make(store, tmp_path / "backups" / backups.name(datetime.now(UTC))).path)
    plain = copy.read_bytes()
    key = keys.random_key()
    moving.move(store, key)
    assert doctor.encryption(config).startswith("on, with the key ")
    copy.write_bytes(plain)
    with pytest.raises(doctor.Finding) as found:
        doctor.encryption(config)
    assert str(copy) in found.value.finding and found.value.hint == "memd encrypt"
    assert moving.move(store, key).backups == (str(copy),)
    (tmp_path / "memd.db.moving").write_bytes(plain)
    with pytest.raises(doctor.Finding) as found:
        doctor.encryption(config)
    assert "left behind" in found.value.finding
    moving.sweep(store)  # as a daemon does when it starts
    assert doctor.encryption(config).startswith("on") and files_with(tmp_path, "harbourmaster") == []


def test_a_service_gets_the_key_file_and_never_the_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMD_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("MEMD_KEY_FILE", "/keys/memd")
    for text in (service.systemd_unit(Config.load(tmp_path)), service.plist(Config.load(tmp_path))):
        assert PASSPHRASE not in text and "/keys/memd" in text
