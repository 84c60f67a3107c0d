"""Reading files and folders: which are notes, what they become, and what is skipped, with its reason."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.errors import BadInput
from memd.ingest import frontmatter, read
from memd.model import NewMemory
from memd.store.validation import check_tags


def put(root: Path, name: str, content: str | bytes = "some text\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def names(root: Path, memories: list[NewMemory]) -> list[str]:
    found = [Path(memory.source.path).relative_to(root).as_posix() for memory in memories]
    return list(dict.fromkeys(found))


def test_a_file_becomes_an_episode_of_its_sections(tmp_path: Path) -> None:
    path = put(tmp_path, "guide.md", "# A\n\none\n\n# B\n\ntwo\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    first, second = read(path, scope="/project")
    assert (first.text, second.text) == ("# A\n\none", "# B\n\ntwo")
    assert (first.source.span, second.source.span) == ((1, 3), (5, 7))
    assert (first.position, second.position) == (0, 1)
    assert first.episode == second.episode == first.source.path == str(path)
    assert (first.kind, first.scope, first.source.via) == ("document", "/project", "ingest")
    assert first.event_at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, f"{number % 2}/{number}.md", f"# {number}\ntext\n# More\ntext {number}\n")
    assert list(read(tmp_path, scope=None)) == list(read(tmp_path, scope=None))


def test_a_folder_gives_its_notes_in_order_and_leaves_the_rest(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.rst", "a.txt", "README", ".github/notes.md", "C.MD"):
        put(tmp_path, name)
    for name in ("code.py", ".hidden/x.md", "node_modules/p/README.md", "env/pyvenv.cfg", "env/lib/x.md", "photo.png"):
        put(tmp_path, name)
    for name in ("requirements-dev.txt", "requirements/test.txt", "lib/CMakeLists.txt"):
        put(tmp_path, name)
    skipped: list[Path] = []
    found = names(tmp_path, list(read(tmp_path, scope=None, on_skip=lambda path, why: skipped.append(path))))
    assert found == sorted(found, key=lambda name: (tmp_path / name).parts)
    assert set(found) == {"b.md", "a/z.rst", "a.txt", "README", ".github/notes.md", "C.MD"}
    assert skipped == []


def test_gitignore_files_are_obeyed_up_to_the_repository(tmp_path: Path) -> None:
    put(tmp_path, ".git/info/exclude", "secret.md\n")
    put(tmp_path, ".gitignore", "build/\n*.tmp.md\n!docs/kept.tmp.md\n!\n")
    put(tmp_path, "docs/.gitignore", "/draft.md\n!secret.md\n")
    for name in ("a.md", "secret.md", "build/x.md", "b.tmp.md", "docs/kept.tmp.md", "docs/draft.md"):
        put(tmp_path, name)
    put(tmp_path, "docs/deep/draft.md")
    put(tmp_path, "docs/secret.md")
    expected = {"a.md", "docs/kept.tmp.md", "docs/deep/draft.md", "docs/secret.md"}
    assert set(names(tmp_path, list(read(tmp_path, scope=None)))) == expected
    inside = names(tmp_path, list(read(tmp_path / "docs", scope=None)))
    assert set(inside) == {name for name in expected if name.startswith("docs/")}


def test_what_cannot_be_read_is_skipped_with_its_reason(tmp_path: Path) -> None:
    put(tmp_path, "binary.md", b"a\0b")
    put(tmp_path, "latin.txt", b"caf\xe9")
    put(tmp_path, "good.md")
    put(tmp_path, "empty.md", "\n \n")
    with put(tmp_path, "large.txt").open("wb") as file:
        file.truncate(17 * 2**20)
    (tmp_path / "link.md").symlink_to(tmp_path / "good.md")
    os.mkfifo(tmp_path / "pipe.md")
    skipped: dict[str, str] = {}
    memories = list(read(tmp_path, scope=None, on_skip=lambda path, why: skipped.update({path.name: why})))
    assert names(tmp_path, memories) == ["good.md"]
    assert skipped == {
        "binary.md": "binary",
        "latin.txt": "not UTF-8 (at byte 3)",
        "large.txt": "larger than 16 MiB",
        "link.md": "a symbolic link",
        "pipe.md": "not a regular file",
    }


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses such names")
def test_a_name_that_is_not_utf8_is_skipped(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.md", "w") as file:
        file.write("text")
    skipped: list[tuple[str, str]] = []
    assert list(read(tmp_path, scope=None, on_skip=lambda path, why: skipped.append((path.name, why)))) == []
    assert skipped == [("caf\ufffd.md", "its name isn't UTF-8")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_skipped(tmp_path: Path) -> None:
    put(tmp_path, "closed/a.md")
    (tmp_path / "closed").chmod(0)
    reasons: list[str] = []
    try:
        assert list(read(tmp_path, scope=None, on_skip=lambda path, why: reasons.append(why))) == []
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert reasons == ["permission denied"]


def test_a_file_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = put(tmp_path, "server.log", b"\xef\xbb\xbfone\r\n\r\ntwo\r\n")
    (memory,) = read(path, scope=None)
    assert memory.text == "one\r\n\r\ntwo"


@pytest.mark.parametrize("content", [b"a\0b", b"\xff\xfe\xfd"])
def test_a_named_file_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadInput):
        read(put(tmp_path, "x.md", content), scope=None)


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read(tmp_path / "nothing", scope=None)


def test_progress_counts_every_file(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path, f"{number}.md", b"\0" if number == 1 else b"text")
    seen: list[tuple[int, int]] = []
    list(read(tmp_path, scope=None, on_progress=lambda done, total: seen.append((done, total))))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("text", "date", "tags"),
    [
        (
            "---\ndate: 2024-03-01\ntags: [Build, 'two words', '#x']\n---\nbody",
            (2024, 3, 1),
            ("build", "two-words", "x"),
        ),
        ("---\ndate: 2024-03-01T10:00:00+02:00\ntags: a, b c\n---\nbody", (2024, 3, 1, 8), ("a", "b-c")),
        ('+++\ndate = 2024-03-01\ntags = ["a", "a"]\n+++\nbody', (2024, 3, 1), ("a",)),
        ('---\ntags: ["a,b", "\\x01", 2024, "", "#", [c]]\n---\nbody', None, ("a-b", "2024")),
        ("---\ndate: yesterday\ntags: 7\n---\nbody", None, ()),
    ],
)
def test_front_matter_gives_date_and_tags(
    tmp_path: Path, text: str, date: tuple[int, ...] | None, tags: tuple[str, ...]
) -> None:
    (memory,) = read(put(tmp_path, "note.md", text), scope=None)
    assert memory.text == text
    assert memory.tags == tags
    if date:
        assert memory.event_at == datetime(*date, tzinfo=UTC)  # type: ignore[arg-type,misc]


@given(
    st.sampled_from(["---\n", "+++\n"]),
    st.lists(st.sampled_from(["date: ", "tags: ", "[", "{", "2024-13-45", "&a ", "*a", ": ", "\n", "- ", "'", "!!x "])),
)
def test_malformed_front_matter_is_text_like_any_other(fence: str, parts: list[str]) -> None:
    facts = frontmatter.facts(fence + "".join(parts) + "\n" + fence + "body")
    check_tags(facts.tags)
