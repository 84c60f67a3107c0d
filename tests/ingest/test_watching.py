"""The watcher over real folders: whatever happens to them, the store follows."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import rule

from memd import Memory
from memd.errors import BadInput, NotFound
from memd.ingest import settling
from memd.ingest.watcher import Watcher
from memd.model import StoredMemory, WatchState
from tests.ingest.notebook import Notebook, differences, flags
from tests.waiting import eventually


class Desk:
    """A folder of notes, a store, and a watcher between them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.notes = base / "notes"
        self.notes.mkdir()
        self.memory = Memory.open(base / "home", encode="off")
        self.watcher = self._watcher()

    def _watcher(self) -> Watcher:
        def remember(commits: object) -> None:
            self.memory.remember_many(commits, restate=False)  # type: ignore[arg-type]

        return Watcher(self.memory.store, self.memory.notes, remember, self.memory.clock)

    def restart(self, meanwhile: Callable[[], None]) -> None:
        """Let another watcher take over, after something happened."""
        self.watcher.stop()
        meanwhile()
        self.watcher = self._watcher()
        self.watcher.start()

    def put(self, name: str, text: str | bytes) -> Path:
        path = self.notes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def watch(self, path: Path | None = None, **options: object) -> None:
        """Watch it, and wait until it is caught up with."""
        path = path or self.notes
        self.watcher.add(str(path), **{"scope": "global", **options})  # type: ignore[arg-type]
        assert eventually(lambda: self.state(path).state == "watching")

    def state(self, path: Path | None = None) -> WatchState:
        (found,) = [one for one in self.watcher.status() if one.watch.path == str(path or self.notes)]
        return found

    def texts(self, scope: str = "global") -> list[str]:
        """What holds, in the order of the files."""
        return [one.text for one in self.held(scope)]

    def held(self, scope: str = "global") -> list[StoredMemory]:
        found = [one for one in self.memory.list(scope=scope, limit=10_000) if one.scope == scope]
        return sorted(found, key=lambda one: (one.source.path, one.position or 0))

    def one(self, text: str) -> StoredMemory:
        (found,) = [one for one in self.held() if one.text == text]
        return found

    def becomes(self, *texts: str) -> bool:
        return eventually(lambda: self.texts() == list(texts))

    def close(self) -> None:
        self.watcher.stop()
        self.memory.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path.resolve())
    yield desk
    desk.close()


ABC = "# A\none\n\n# B\ntwo\n\n# C\nthree\n"
A, B, C = "# A\none", "# B\ntwo", "# C\nthree"


def test_an_edit_supersedes_the_section_that_changed_and_no_other(desk: Desk) -> None:
    desk.put("n.md", ABC)
    desk.watch()
    before = {one.text: one.id for one in desk.held()}
    desk.put("n.md", ABC.replace("two", "2"))
    assert desk.becomes(A, "# B\n2", C)
    after = {one.text: one for one in desk.held()}
    assert (after[A].id, after[C].id) == (before[A], before[C])
    assert after["# B\n2"].supersedes == (before[B],)
    assert desk.memory.show(before[B]).superseded_by == after["# B\n2"].id


def test_a_section_pushed_down_says_where_it_stands_now(desk: Desk) -> None:
    desk.put("n.md", ABC)
    desk.watch()
    id_ = desk.one(C).id
    desk.put("n.md", "# New\nfirst\n\n" + ABC)
    assert desk.becomes("# New\nfirst", A, B, C)
    assert (desk.one(C).id, desk.one(C).source.span, desk.one(C).position) == (id_, (10, 11), 3)


def test_a_rename_and_an_edit_of_it_at_once_keep_identity(desk: Desk) -> None:
    path = desk.put("n.md", ABC)
    desk.watch()
    before = {one.text: one.id for one in desk.held()}
    moved = path.rename(desk.notes / "m.md")
    moved.write_text(ABC.replace("two", "2"))
    assert desk.becomes(A, "# B\n2", C)
    assert eventually(lambda: {one.source.path for one in desk.held()} == {str(moved)})
    assert (desk.one(A).id, desk.one("# B\n2").supersedes) == (before[A], (before[B],))


def test_a_file_of_one_section_that_is_renamed_and_edited_at_once_is_superseded(desk: Desk) -> None:
    path = desk.put("n.md", "# A\none\n")
    desk.watch()
    before = desk.one(A).id
    draft = desk.put(".draft", "# A\nother\n")
    path.rename(desk.notes / "m.md")
    draft.replace(desk.notes / "m.md")
    assert desk.becomes("# A\nother")
    assert desk.one("# A\nother").supersedes == (before,)


def test_a_folder_that_moves_keeps_identity(desk: Desk) -> None:
    desk.put("old/n.md", ABC)
    desk.watch()
    before = [one.id for one in desk.held()]
    (desk.notes / "old").rename(desk.notes / "new")
    assert eventually(lambda: all("/new/" in one.source.path for one in desk.held()))
    assert [one.id for one in desk.held()] == before


def test_what_is_deleted_is_out_of_sight_until_it_is_back(desk: Desk) -> None:
    path = desk.put("n.md", ABC)
    desk.watch()
    before = [one.id for one in desk.held()]
    path.unlink()
    assert desk.becomes()
    assert desk.memory.show(before[0]).forgotten_at is not None
    desk.put("again.md", ABC)
    assert desk.becomes(A, B, C)
    assert [one.id for one in desk.held()] == before


def test_what_is_deleted_takes_what_it_had_replaced_along(desk: Desk) -> None:
    path = desk.put("n.md", "# A\none\n")
    desk.watch()
    desk.put("n.md", "# A\ntwo\n")
    assert desk.becomes("# A\ntwo")
    path.unlink()
    assert desk.becomes()


def test_going_to_another_branch_and_back_makes_nothing_new(desk: Desk) -> None:
    desk.put("n.md", ABC)
    desk.watch()
    for _ in range(3):
        desk.put("n.md", ABC.replace("two", "2"))
        assert desk.becomes(A, "# B\n2", C)
        desk.put("n.md", ABC)
        assert desk.becomes(A, B, C)
    assert desk.memory.stats().memories + desk.memory.stats().forgotten == 4


def test_what_the_user_forgot_or_said_is_the_users(desk: Desk) -> None:
    path = desk.put("n.md", ABC)
    desk.watch()
    desk.memory.forget([desk.one(A).id])
    desk.memory.remember(B)
    path.unlink()
    assert desk.becomes(B)
    desk.put("n.md", ABC)
    assert desk.becomes(B, C) or sorted(desk.texts()) == sorted([B, C])


def test_what_the_user_replaced_stays_replaced(desk: Desk) -> None:
    desk.put("n.md", ABC)
    desk.watch()
    desk.memory.supersede(desk.one(A).id, "one is wrong")
    desk.put("n.md", ABC.replace("two", "2"))
    assert eventually(lambda: sorted(desk.texts()) == ["# B\n2", C, "one is wrong"])
    (desk.notes / "n.md").unlink()
    assert desk.becomes("one is wrong")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_listed_and_kept(desk: Desk) -> None:
    path = desk.put("in/n.md", "# A\none\n")
    desk.watch()
    path.parent.chmod(0)
    try:
        desk.restart(lambda: None)
        assert eventually(lambda: [one.why for one in desk.state().skipped] == ["permission denied"])
        assert desk.texts() == [A]
    finally:
        path.parent.chmod(0o700)


def test_the_same_text_in_two_notes_is_one_memory_until_both_are_gone(desk: Desk) -> None:
    first = desk.put("1.md", "# A\none\n")
    second = desk.put("2.md", "# A\none\n")
    desk.watch()
    id_ = desk.one(A).id
    first.unlink()
    assert eventually(lambda: desk.one(A).source.path == str(second))
    assert desk.one(A).id == id_
    desk.put("2.md", "# A\nother\n")
    assert desk.becomes("# A\nother")


def test_one_of_two_notes_with_the_same_text_changes(desk: Desk) -> None:
    desk.put("1.md", "# A\none\n")
    desk.put("2.md", "# A\none\n")
    desk.watch()
    desk.put("2.md", "# A\nother\n")
    assert desk.becomes(A, "# A\nother")
    desk.put("1.md", "# A\nother\n")
    assert desk.becomes("# A\nother")
    desk.put("2.md", "# A\none\n")
    assert desk.becomes("# A\nother", A)


def test_what_changed_while_nobody_watched_is_caught_up_with(desk: Desk) -> None:
    desk.put("1.md", ABC)
    gone = desk.put("2.md", "# D\nfour\n")
    desk.watch()

    def meanwhile() -> None:
        desk.put("1.md", ABC.replace("one", "1"))
        desk.put("3.md", "# E\nfive\n")
        gone.unlink()

    desk.restart(meanwhile)
    assert desk.becomes("# A\n1", B, C, "# E\nfive")


def test_a_half_written_file_is_read_once_it_is_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "OPEN_S", 15.0)  # a busy machine may make each pause longer; at the end it is closed
    monkeypatch.setattr(settling, "LONGEST_S", 60.0)
    desk.watch()
    with (desk.notes / "n.md").open("w") as file:
        for part in ("# A\n", "on", "e\n"):
            file.write(part)
            file.flush()
            time.sleep(0.15)  # a slow writer; each pause is shorter than what counts as quiet
    assert desk.becomes(A)
    assert desk.memory.stats().memories == 1
    assert desk.memory.stats().forgotten == 0


def test_editors_leave_nothing_behind(desk: Desk) -> None:
    path = desk.put("n.md", "# A\none\n")
    desk.watch()
    id_ = desk.one(A).id
    for name in (".n.md.swp", "n.md~", "#n.md#", ".#n.md", "4913", ".~lock.n.md#", "n.md.tmp", "._n.md"):
        desk.put(name, "# A\nswap\n")
    path.rename(desk.notes / "n.md~")  # as vim saves: the old one aside, a new one in its place
    desk.put("n.md", "# A\nnew\n")
    assert desk.becomes("# A\nnew")
    assert desk.one("# A\nnew").supersedes == (id_,)


def test_globs_and_ignore_files_say_what_is_a_note(desk: Desk) -> None:
    for name in ("a.md", "b.log", "drafts/c.md", "d.txt", "skip/e.md"):
        desk.put(name, f"text of {name}\n")
    desk.put(".memdignore", "skip/\n")
    desk.watch(include=("*.md", "*.log"), exclude=("drafts/",))
    assert desk.texts() == ["text of a.md", "text of b.log"]
    desk.put(".memdignore", "*.log\n")
    assert desk.becomes("text of a.md", "text of skip/e.md")
    desk.watch()
    assert desk.becomes("text of a.md", "text of d.txt", "text of drafts/c.md", "text of skip/e.md") or sorted(
        desk.texts()
    ) == ["text of a.md", "text of d.txt", "text of drafts/c.md", "text of skip/e.md"]


def test_what_cannot_be_taken_in_is_listed(desk: Desk) -> None:
    desk.put("good.md", "# A\none\n")
    desk.put("binary.md", b"a\0b")
    desk.put("latin.md", b"caf\xe9")
    os.truncate(desk.put("huge.md", ""), 17 << 20)
    (desk.notes / "loop").symlink_to(desk.notes)
    (desk.notes / "link.md").symlink_to(desk.notes / "good.md")
    desk.watch()
    assert desk.texts() == [A]
    listed = {Path(one.path).name: one.why for one in desk.state().skipped}
    assert listed == {
        "binary.md": "binary",
        "latin.md": "not UTF-8 (at byte 3)",
        "huge.md": "larger than 16 MiB",
        "link.md": "a symbolic link",
    }
    desk.put("latin.md", "# B\ntwo\n")
    assert desk.becomes(A, B)
    assert eventually(lambda: len(desk.state().skipped) == 3)


def test_a_note_that_becomes_binary_is_retired(desk: Desk) -> None:
    desk.put("n.md", "# A\none\n")
    desk.watch()
    desk.put("n.md", b"\0\0")
    assert desk.becomes()


@pytest.mark.parametrize("name", ["é ü.md", "new\nline.md", "tab\t.md", "  .md", "日本.md", "A.MD"])
def test_names_are_taken_as_they_are(desk: Desk, name: str) -> None:
    path = desk.put(name, "\ufeff# A\r\none\r\n\r\n# B\r\ntwo\r\n")
    desk.watch()
    assert desk.texts() == ["# A\r\none", "# B\r\ntwo"]
    assert desk.held()[0].source.path == str(path)
    path.rename(desk.notes / "plain.md")
    assert eventually(lambda: desk.held()[0].source.path.endswith("plain.md"))


def test_a_rename_of_letter_case_alone_is_followed(desk: Desk) -> None:
    path = desk.put("notes.md", "# A\none\n")
    desk.watch()
    id_ = desk.one(A).id
    path.rename(desk.notes / "Notes.md")
    assert eventually(lambda: desk.one(A).source.path.endswith("/Notes.md"))
    assert desk.one(A).id == id_


def test_a_file_is_watched_by_itself_whatever_it_is_called(desk: Desk) -> None:
    path = desk.put("journal.dat", "one\n")
    desk.put("other.md", "other\n")
    desk.watch(path)
    assert desk.texts() == ["one"]
    draft = desk.put("draft", "two\n")
    draft.replace(path)
    assert desk.becomes("two")


def test_a_missing_folder_keeps_its_memories_until_it_is_back(desk: Desk) -> None:
    desk.put("n.md", ABC)
    desk.watch()
    desk.notes.rename(desk.base / "away")
    assert eventually(lambda: desk.state().state == "missing")
    assert desk.texts() == [A, B, C]
    desk.put("n.md", ABC.replace("two", "2"))
    assert desk.becomes(A, "# B\n2", C)
    desk.put("n.md", ABC)
    assert desk.becomes(A, B, C)


def test_of_watches_inside_each_other_the_inner_has_its_files(desk: Desk) -> None:
    desk.put("a.md", "# A\none\n")
    desk.put("in/b.md", "# B\ntwo\n")
    desk.watch()
    assert desk.texts() == [A, B]
    desk.watch(desk.notes / "in", scope="/inner")
    assert eventually(lambda: (desk.texts(), desk.texts("/inner")) == ([A], [B]))
    desk.put("in/b.md", "# B\n2\n")
    assert eventually(lambda: desk.texts("/inner") == ["# B\n2"])
    desk.watcher.remove(str(desk.notes / "in"), forget=True)
    assert desk.becomes(A, "# B\n2")
    assert desk.texts("/inner") == []


def test_removing_a_watch_keeps_or_forgets_what_it_took(desk: Desk) -> None:
    desk.put("n.md", ABC)
    desk.watch()
    desk.watcher.remove(str(desk.notes))
    assert desk.texts() == [A, B, C]
    desk.watch()
    _, taken = desk.watcher.remove(str(desk.notes), forget=True)
    assert (desk.texts(), taken.retired) == ([], 3)
    desk.watch()
    assert desk.becomes(A, B, C)
    with pytest.raises(NotFound):
        desk.watcher.remove(str(desk.base))


@pytest.mark.parametrize("options", [{"include": ("!",)}, {"scope": "nowhere"}])
def test_a_bad_watch_is_refused(desk: Desk, options: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        desk.watcher.add(str(desk.notes), **{"scope": "global", **options})  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        desk.watcher.add(str(desk.base / "nothing"), scope="global")
    assert desk.watcher.watched() == []


def test_polling_sees_what_events_would_have(desk: Desk) -> None:
    desk.put("n.md", ABC)
    desk.watch(poll=True)
    assert (desk.state().by, desk.state().why) == ("polling", "the watch was told to poll")
    desk.put("n.md", ABC.replace("two", "2"))
    assert desk.becomes(A, "# B\n2", C)
    (desk.notes / "n.md").unlink()
    assert desk.becomes()


@pytest.mark.skipif(not Path("/proc/sys/fs/inotify/max_user_instances").exists(), reason="needs inotify")
def test_without_inotify_it_polls_and_says_why(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchdog.observers import inotify_c

    def refused(*_: object) -> int:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(inotify_c.InotifyFD, "add_callback", refused)
    desk.put("n.md", ABC)
    desk.watch()
    assert desk.state().by == "polling"
    assert "inotify" in desk.state().why
    desk.put("n.md", "# A\none\n")
    assert desk.becomes(A)


def test_thousands_of_events_at_once_are_one_change(desk: Desk) -> None:
    desk.put("keep.md", "# Keep\nit\n")
    desk.watch()
    for number in range(600):
        desk.put(f"d{number % 7}/{number}.md", f"# N{number}\ntext {number}\n")
    assert eventually(lambda: len(desk.texts()) == 601)
    ids = {one.id for one in desk.held()}
    (desk.notes / "d0").rename(desk.base / "aside")
    shutil.copytree(desk.base / "aside", desk.notes / "e0")
    assert eventually(lambda: sum("/e0/" in one.source.path for one in desk.held()) == 86)
    assert eventually(lambda: len(desk.texts()) == 601)
    assert {one.id for one in desk.held()} == ids


def test_a_long_way_to_catch_up_holds_nothing_up(desk: Desk) -> None:
    for many in (1200, 6000):  # a quick machine is through with the first before it notices that something is new
        folder = desk.put(f"{many}/{many}.md", f"# {many}\nnotes\n").parent
        for number in range(1, many):
            desk.put(f"{many}/{number}.md", f"# N{number}\ntext {number}\n")
        desk.watcher.add(str(folder), scope=str(folder))
        assert eventually(lambda folder=folder: desk.state(folder).done > 0)
        assert desk.state(folder).total == many
        desk.put(f"{many}/now.md", "# Now\nsaid\n")
        found = lambda scope=str(folder): desk.memory.recall("said", scope=scope, min_relevance=0.0).hits  # noqa: E731
        assert eventually(lambda found=found: bool(found()))
        before_the_end = desk.state(folder).state == "catching up"
        assert eventually(lambda folder=folder: desk.state(folder).state == "watching")
        assert len(desk.texts(str(folder))) == many + 1
        if before_the_end:
            return
    raise AssertionError("what is new waits until all else is taken in")


def git(repo: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(repo), *identity, *arguments], check=True, capture_output=True)


def test_new_commits_are_taken_in(desk: Desk) -> None:
    git(desk.notes, "init", "-q")
    git(desk.notes, "commit", "--allow-empty", "-m", "First")
    desk.watch(kind="git")
    assert desk.texts() == ["First"]
    git(desk.notes, "commit", "--allow-empty", "-m", "Second")
    assert eventually(lambda: sorted(desk.texts()) == ["First", "Second"])

    def meanwhile() -> None:
        git(desk.notes, "checkout", "-q", "-b", "side", "HEAD~1")
        git(desk.notes, "commit", "--allow-empty", "-m", "Third")

    desk.restart(meanwhile)
    assert eventually(lambda: sorted(desk.texts()) == ["First", "Second", "Third"])
    with pytest.raises(BadInput):
        desk.watcher.add(str(desk.base / "home"), kind="git", scope="global")


class Watching(Notebook):
    """A watcher that sees it all, or part of it: from time to time it is replaced by another."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory.open(self.base / "home", encode="off")
        self.watcher = self._new()
        self.watcher.add(str(self.folder.resolve()), scope=str(self.folder))

    def _new(self) -> Watcher:
        return Watcher(self.memory.store, self.memory.notes, lambda commits: None, self.memory.clock)

    @rule()
    def settle(self) -> None:
        threading.Event().wait(0.15)  # lets some of it be taken in on its own, and not some

    @rule()
    def restart(self) -> None:
        self.watcher.stop()
        self.watcher = self._new()
        self.watcher.start()

    def teardown(self) -> None:
        try:
            last = ["not looked at"]

            def same() -> bool:
                last[0] = differences(self.memory, self.folder)
                return not last[0]

            assert eventually(same), last[0]
            self.watcher.stop()
            assert flags(self.memory) == []
        finally:
            self.watcher.stop()
            self.memory.close()
            super().teardown()


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=6, stateful_step_count=40, deadline=None)
