"""`memd backup` and `memd restore --from`, as people run them, with the daemon at work."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command import Memd


def test_a_copy_is_made_beside_a_running_daemon_and_put_back_under_it(memd: Memd) -> None:
    memd("remember", "before the copy")
    made = memd("backup", "--json").answer["data"]["backup"]
    assert made["memories"] == 1 and Path(made["path"]).parent.name == "backups"
    memd("remember", "after the copy")
    back = memd("restore", "--from", "latest", "--json").answer["data"]
    assert back["backup"]["path"] == made["path"]
    assert [row[-1] for row in memd("list").lines] == ["before the copy"]
    assert memd("daemon", "status", "--json").answer["data"]["running"]
    again = memd("restore", "--from", back["replaced"], "--json").answer["data"]
    assert again["backup"]["memories"] == 2
    assert [row[-1] for row in memd("list").lines] == ["after the copy", "before the copy"]


def test_old_copies_go_when_asked(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "one")
    folder = tmp_path / "copies"
    for _ in range(3):
        last = memd("backup", "--to", f"{folder}/", "--keep", "2", "--json").answer["data"]
    assert len(last["deleted"]) == 1
    listed = memd("backup", "--list", "--to", str(folder)).lines
    assert [row[0] for row in listed] == sorted(map(str, folder.iterdir()), reverse=True) and len(listed) == 2


def test_a_file_can_be_named_and_is_never_overwritten(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "one")
    target = tmp_path / "one.db"
    memd("backup", "--to", str(target))
    before = target.read_bytes()
    refused = memd("backup", "--to", str(target), check=False)
    assert refused.code == 2 and "exists" in refused.err and target.read_bytes() == before
    assert memd("backup", "--to", str(target), "--keep", "3", check=False).code == 2


def test_what_is_no_backup_changes_nothing(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "one")
    (tmp_path / "note.txt").write_text("not a store")
    for words in (
        ["--from", str(tmp_path / "note.txt")],
        ["--from", "/nowhere.db"],
        ["--from", "latest"],
        ["ab", "--from", "x"],
    ):
        refused = memd("restore", *words, check=False)
        assert refused.code in (1, 2, 3) and "Traceback" not in refused.err and "hint:" in refused.err
    assert [row[-1] for row in memd("list").lines] == ["one"]


def test_no_copy_of_nothing(memd: Memd) -> None:
    done = memd("backup", check=False)
    assert done.code == 1 and "no store" in done.err
    assert memd("backup", "--list", check=False).code == 1


def test_a_backup_comes_back_on_a_machine_that_has_no_store_yet(memd: Memd, tmp_path: Path) -> None:
    memd("remember", "carried over")
    memd("backup", "--to", str(tmp_path / "one.db"))
    fresh = Memd(tmp_path / "fresh" / "home", memd.cwd, memd.env)
    fresh("restore", "--from", str(tmp_path / "one.db"))
    assert [row[-1] for row in fresh("list", "--no-daemon").lines] == ["carried over"]
