"""The context block: what matters, quoted, in order, and never over its budget."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from memd.agents import context, touched
from memd.api import Memory
from memd.errors import BadInput
from memd.ingest import read

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "home", encode="off", clock=lambda: NOW) as memory:
        yield memory


@pytest.fixture
def project(tmp_path: Path) -> str:
    folder = tmp_path / "project"
    folder.mkdir()
    return os.path.realpath(folder)


def labels(text: str) -> list[str]:
    return re.findall(r"^([A-Z][^\n]*):$", text, flags=re.MULTILINE)


def blocks(text: str) -> list[str]:
    """What stands between the fences."""
    return [token.content for token in MarkdownIt().parse(text) if token.type == "fence"]


def test_an_empty_store_has_no_context(memory: Memory, project: str) -> None:
    block = context.build(memory, project)
    assert (block.text, block.ids, block.tokens, block.left_out) == ("", (), 0, 0)


def test_sections_stand_in_their_order_and_end_in_ids(memory: Memory, project: str) -> None:
    fix = memory.remember("read_line() of src/loader.py crashed on empty lines", kind="fix", scope=project)
    decision = memory.remember("one SQLite file, WAL", kind="decision", scope=project, event_at=NOW - timedelta(days=3))
    convention = memory.remember("branches are named after tickets", kind="convention", scope=project)
    preference = memory.remember("answers in short sentences", kind="preference")
    pinned = memory.remember("the staging host is down on Fridays", scope=project)
    memory.pin([pinned.id])
    task = memory.tasks.start("release 2.0", scope=project)
    memory.remember("a note of no weight", scope=project)
    _edited(memory, project, "src/loader.py")

    block = context.build(memory, project)
    assert labels(block.text) == [
        "Pinned",
        "Conventions and preferences, most confirmed first",
        "Open tasks",
        "Latest decisions",
        "Known failures of files touched lately",
    ]
    assert block.ids == (pinned.id, preference.id, convention.id, task.memory, decision.id, fix.id)
    first, second, third, fourth, fifth = blocks(block.text)
    assert first == f"- the staging host is down on Fridays [{pinned.id}, note]\n"
    assert f"branches are named after tickets [{convention.id}, said 1x]" in second
    assert third == "- #1 release 2.0 (being worked on)\n"
    assert fourth == f"- 2026-05-04 one SQLite file, WAL [{decision.id}]\n"
    assert fifth.startswith("- src/loader.py: read_line()") and fix.id in fifth
    assert "not instructions to you" in block.text
    assert block == context.build(memory, project)


NYGARD = (
    "# {title}\n\nDate: 2026-03-0{day}\n\n## Status\n\n{status}\n\n"
    "## Context\n\n{title} came up.\n\n## Decision\n\n{words}\n\n## Consequences\n\nNone.\n"
)
MADR = (
    "---\nstatus: accepted\ndate: 2026-03-05\n---\n# Keep two\n\n## Context and Problem Statement\n\nOne burnt.\n\n"
    "## Decision Drivers\n\n* fire\n\n## Decision Outcome\n\nTwo copies.\n\n## Pros and Cons\n\nMany.\n"
)


def test_a_record_of_a_decision_is_one_line_and_only_while_it_is_in_force(
    memory: Memory, project: str, tmp_path: Path
) -> None:
    folder = tmp_path / "notes" / "adr"
    folder.mkdir(parents=True)
    for day, (title, status, words) in enumerate(
        [
            ("1. Use foo", "Accepted", "Foo carries the bar."),
            ("2. Use qux", "Superseded by 3", "Qux is the thing."),
            ("3. Paint it", "Proposed", "All of it is blue."),
        ],
        start=1,
    ):
        text = NYGARD.format(title=title, status=status, words=words, day=day)
        (folder / f"000{day}-x.md").write_text(text, encoding="utf-8")
    (folder / "0004-two.md").write_text(MADR, encoding="utf-8")
    (folder / "0005-rst.rst").write_text("Go slow\n=======\n\nWe go slow.\n", encoding="utf-8")
    memory.remember_many(list(read(tmp_path / "notes", scope=project)))
    (lines,) = blocks(context.build(memory, project).text)
    assert sorted(re.sub(r"^- [\d-]+ | \[\w+\]$", "", line) for line in lines.splitlines()) == [
        "1. Use foo: Foo carries the bar.",
        "Go slow: We go slow.",
        "Keep two: Two copies.",
    ]


def test_what_was_confirmed_more_often_comes_first(memory: Memory, project: str) -> None:
    ids = {text: memory.remember(text, kind="convention", scope=project).id for text in ("once", "thrice", "twice")}
    for text, times in (("thrice", 2), ("twice", 1)):
        for _ in range(times):
            memory.remember(text, kind="convention", scope=project)
    (lines,) = blocks(context.build(memory, project).text)
    assert re.findall(r"^- (\w+) \[(\w+), said (\d)x", lines, flags=re.MULTILINE) == [
        ("thrice", ids["thrice"], "3"),
        ("twice", ids["twice"], "2"),
        ("once", ids["once"], "1"),
    ]


def test_of_other_projects_nothing_is_said(memory: Memory, project: str) -> None:
    memory.remember("theirs", kind="decision", scope="/projects/other")
    memory.tasks.start("their task", scope="/projects/other")
    assert context.build(memory, project).text == ""


def test_what_is_forgotten_or_superseded_has_no_part(memory: Memory, project: str) -> None:
    gone = memory.remember("forgotten rule", kind="convention", scope=project)
    old = memory.remember("outdated rule", kind="convention", scope=project)
    memory.pin([old.id])
    memory.pin([gone.id])
    memory.forget([gone.id])
    new = memory.supersede(old.id, "rule that holds")
    block = context.build(memory, project)
    assert block.ids == (new.id,) and "rule that holds" in block.text
    assert "forgotten rule" not in block.text and "outdated rule" not in block.text and old.id not in block.text


def test_the_open_path_comes_back_and_finished_branches_fold(memory: Memory, project: str) -> None:
    tasks = memory.tasks
    tasks.start("release", scope=project)
    tasks.start("mend the CI", scope=project, under=1)
    tasks.step("find the flake", scope=project)
    tasks.done(2, scope=project, all=True, note="was a race")
    tasks.start("write the notes", scope=project, under=1)
    tasks.start("another goal", scope=project)
    tasks.step("of no interest now", scope=project, under=5)
    tasks.open(4, scope=project)
    whole = context.build(memory, project)
    (lines,) = blocks(whole.text)
    assert lines.splitlines() == [
        "- #1 release (2 of 3 steps finished)",
        "  - #2 mend the CI (done; 1 of 1 steps finished; was a race)",
        "  - #4 write the notes (being worked on)",
        "- #5 another goal (0 of 1 steps finished)",
    ]
    short = context.build(memory, project, whole.tokens - 20)  # the path is what stays
    assert "#1" in short.text and "#4" in short.text and "#2" not in short.text and short.left_out >= 1


def test_failures_are_those_of_the_files_that_are_meant(memory: Memory, project: str) -> None:
    for text in (
        "lib/other/loader.py: another loader failed",
        "loader.py: failed by its bare name",
        "src/loader.py: failed by its path",
        "nothing about any file",
    ):
        memory.remember(text, kind="fix", scope=project)
    _edited(memory, project, "src/loader.py")
    (lines,) = blocks(context.build(memory, project).text)
    assert "by its path" in lines and "bare name" in lines and "another" not in lines and "nothing" not in lines


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git may take its time, on a busy machine."""
    monkeypatch.setattr(touched, "GIT_SECONDS", 120.0)


@pytest.mark.usefixtures("patient")
def test_files_touched_are_also_those_that_git_knows_of(memory: Memory, project: str) -> None:
    def git(*words: str) -> None:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        names = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *names, *words], cwd=project, check=True, capture_output=True, env=environment)

    git("init")
    for name in ("old.py", "committed.py", "changed.py"):
        Path(project, name).write_text("1\n")
    git("add", "old.py")
    for number in range(6):
        git("commit", "--allow-empty", "-m", f"commit {number}")
    git("add", "changed.py", "committed.py")
    git("commit", "-m", "the last")
    Path(project, "changed.py").write_text("2\n")
    for name in ("old.py", "committed.py", "changed.py"):
        memory.remember(f"{name} failed at import", kind="fix", scope=project)
    (lines,) = blocks(context.build(memory, project).text)
    assert re.findall(r"^- (\S+): ", lines, flags=re.MULTILINE) == ["changed.py", "committed.py"]


def test_this_sessions_edits_come_first(memory: Memory, project: str) -> None:
    for name in ("a.py", "b.py"):
        memory.remember(f"{name} failed", kind="fix", scope=project)
    _edited(memory, project, "a.py", session="mine")
    _edited(memory, project, "b.py", session="other")

    def order(session: str) -> list[str]:
        (lines,) = blocks(context.build(memory, project, session=session).text)
        return re.findall(r"^- (\S+): ", lines, flags=re.MULTILINE)

    assert order("") == ["b.py", "a.py"]
    assert order("mine") == ["a.py", "b.py"]


@pytest.mark.parametrize("budget", [0, -1, 100_001, True])
def test_a_budget_that_is_none_is_refused(memory: Memory, project: str, budget: int) -> None:
    with pytest.raises(BadInput):
        context.build(memory, project, budget)
    with pytest.raises(BadInput):
        context.build(memory, "all")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """One store for the property, each example in a scope of its own: with the real tokenizer."""
    with Memory.open(tmp_path_factory.mktemp("home"), encode="off", clock=lambda: NOW) as memory:
        yield memory


TEXTS = st.text(
    st.one_of(
        st.sampled_from(list("`~-#\n \x1b\u202e语")), st.characters(exclude_categories=("Cs",), exclude_characters="\0")
    ),
    min_size=1,
    max_size=600,
).filter(lambda text: text.strip())
ITEMS = st.tuples(st.sampled_from(["decision", "convention", "preference", "note", "task"]), TEXTS, st.booleans())


@settings(max_examples=60)
@given(st.lists(ITEMS, max_size=14), st.integers(1, 900), st.integers(0, 10**9))
def test_it_is_never_over_the_budget_and_every_line_is_a_quotation(
    shared: Memory, items: list[tuple[str, str, bool]], budget: int, number: int
) -> None:
    scope = f"/projects/{number}-{len(items)}-{budget}"
    for kind, text, pinned in items:
        if kind == "task":
            title = " ".join(text.split())[:500]
            if title:
                shared.tasks.start(title, scope=scope)
        else:
            done = shared.remember(text, kind=kind, scope=scope)
            if pinned:
                shared.pin([done.id])
    block = context.build(shared, scope, budget)
    assert block.tokens <= budget
    assert block.tokens == (shared.count_tokens(block.text) if block.text else 0)
    assert block == context.build(shared, scope, budget)
    outside = [token.content for token in MarkdownIt().parse(block.text) if token.type == "inline"]
    assert all(line.startswith("memd's context of ") or line.rstrip(":") in _LABELS for line in outside)
    for lines in blocks(block.text):
        assert all(line.lstrip().startswith("- ") for line in lines.splitlines())
    whole = context.build(shared, scope, 100_000)
    assert whole.left_out == 0 and set(block.ids) <= set(whole.ids)


_LABELS = {
    "Pinned",
    "Conventions and preferences, most confirmed first",
    "Open tasks",
    "Latest decisions",
    "Known failures of files touched lately",
}


def _edited(memory: Memory, project: str, path: str, session: str = "s") -> None:
    """A session's edit, as hooks note it."""
    with memory.store.writing() as db:
        at = int(NOW.timestamp() * 1000)
        db.execute(
            "INSERT OR IGNORE INTO session (agent, key, scope, begun_at, seen_at) VALUES ('claude-code', ?, ?, ?, ?)",
            (session, project, at, at),
        )
        db.execute(
            "INSERT INTO session_event (session, call, kind, what, at)"
            " VALUES ((SELECT id FROM session WHERE key = ?), ?, 'edit', ?, ?)",
            (session, path, os.path.join(project, path), at),
        )


@pytest.mark.usefixtures("patient")
def test_a_look_starts_nothing_that_a_repository_names(memory: Memory, project: str) -> None:
    trap = Path(project, "trap")
    for name in ("fsmonitor", "gpg"):
        program = Path(project, name)
        program.write_text(f"#!/bin/sh\ntouch {trap}\n")
        program.chmod(0o755)
    for words in (
        ("init",),
        ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false",
         "commit", "--allow-empty", "-m", "x"),
        ("config", "core.fsmonitor", str(Path(project, "fsmonitor"))),
        ("config", "gpg.program", str(Path(project, "gpg"))),
        ("config", "log.showSignature", "true"),
    ):  # fmt: skip
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)
    memory.remember("x.py failed", kind="fix", scope=project)
    context.build(memory, project)
    assert not trap.exists()
