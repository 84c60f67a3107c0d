"""`memd check`, and what `memd doctor` says of the same."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3

from tests.cli.command import Memd


def test_a_store_in_use_is_found_sound_and_one_that_was_changed_past_memd_is_not(memd: Memd) -> None:
    assert memd("check", check=False).code == 1, "there is none yet"
    id_ = memd.remember("we deploy with make release")
    memd.remember("the dev server listens on port 8080")
    found = memd("check")
    assert found.lines == [["sound", "true"], ["memories", "2"], ["passages", "2"]]
    db = sqlite3.connect(str(memd.home / "memd.db"))
    db.execute("DELETE FROM passage_fts WHERE rowid = 1")
    db.commit()
    db.close()
    found = memd("check", check=False)
    assert found.code == 3 and found.lines[0] == ["sound", "false"]
    assert found.lines[3][:2] == ["trouble", "words"] and id_ in found.lines[3][2]
    shown = memd.at_terminal("check")
    assert shown.code == 3 and "✗" in shown.text and "all of its words" in shown.text
    answer = memd("check", "--json", check=False).answer
    assert not answer["ok"] and answer["data"]["troubles"][0]["part"] == "words"
    (doctor,) = [
        one for one in memd("doctor", "--json", check=False).answer["data"]["checks"] if one["name"] == "agreement"
    ]
    assert doctor["status"] == "failed" and id_ in doctor["finding"]
