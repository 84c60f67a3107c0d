"""A folder of notes that things happen to, and what a store has to say of it in the end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from memd import Memory
from memd.ingest import read_notes

WORDS = ("harbour", "lantern", "pulley", "ledger", "orchard", "anvil", "copper", "thimble")
TITLES = ("Setup", "Usage", "Notes")
NAMES = ("a.md", "b.md", "c.txt", "d.rst", "e.org", "é x.md", "AGENTS.md")
FOLDERS = ("", "docs", "docs/deep", "adr", "new\nline")


def take_in(memory: Memory, folder: Path, scope: str | None = None) -> Any:
    """What `memd ingest` does with a folder."""
    scope = scope or str(folder)
    unknown: list[str] = []
    found = list(read_notes(folder, on_kept=lambda path: unknown.append(str(path))))
    taken = memory.notes.take(found, scope)
    return taken + memory.notes.sweep(scope, str(folder), [note.path for note in found], unknown)


def told(memory: Memory, scope: str) -> list[tuple[Any, ...]]:
    """All that holds, and where it stands. Not when: an unchanged section is as old as it was."""
    found = memory.list(scope=scope, limit=10_000)
    return sorted(
        (one.source.path, one.position, one.text, one.kind, one.tags, one.source.span, one.episode) for one in found
    )


def words(memory: Memory, scope: str) -> dict[str, set[str]]:
    """For each word, the texts that have it, and the texts whose neighbours have it, by the word index."""
    living = "JOIN passage AS p ON p.id = f.rowid JOIN memory AS m ON m.seq = p.memory"
    found: dict[str, set[str]] = {}
    with memory.store.reading() as db:
        for word in WORDS:
            for column in ("text", "context"):
                rows = db.execute(
                    f"SELECT m.text FROM passage_fts AS f {living} JOIN scope AS s ON s.id = m.scope"
                    " WHERE passage_fts MATCH ? AND s.path = ?"
                    " AND m.superseded_at IS NULL",
                    (f"{column}: {word}", scope),
                )
                found[f"{column}: {word}"] = {row[0] for row in rows}
    return found


def afresh(folder: Path) -> tuple[list[tuple[Any, ...]], dict[str, set[str]]]:
    """What a store that never saw the folder before makes of it."""
    with tempfile.TemporaryDirectory() as home, Memory.open(home, encode="off") as memory:
        take_in(memory, folder)
        return told(memory, str(folder)), words(memory, str(folder))


SECTIONS = st.lists(
    st.tuples(st.sampled_from(("", *TITLES)), st.lists(st.sampled_from(WORDS), min_size=1, max_size=3)), max_size=4
)


def document(sections: list[tuple[str, list[str]]], suffix: str) -> str:
    """A note in the format of its suffix."""
    lines = []
    for title, body in sections:
        if title:
            lines += {".org": [f"* {title}"], ".rst": [title, "=" * len(title)]}.get(suffix, [f"# {title}"])
        lines += ["", " ".join(body), ""]
    return "\n".join(lines)


SPOILT = (b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf# Setup\r\n\r\nanvil")


class Notebook(RuleBasedStateMachine):
    """Creates, edits, renames, moves and deletes; subclasses keep a store up with it."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="memd-notes-"))
        self.folder = self.base / "notes"
        self.folder.mkdir()

    @initialize(sections=SECTIONS)
    def some_notes(self, sections: list[tuple[str, list[str]]]) -> None:
        self.put("a.md", document(sections, ".md"))

    def put(self, name: str, text: str) -> None:
        path = self.folder / name
        if path.is_dir():
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, newline="")
        except (FileExistsError, NotADirectoryError):
            pass

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def folders(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_dir())

    @rule(folder=st.sampled_from(FOLDERS), name=st.sampled_from(NAMES), sections=SECTIONS)
    def create(self, folder: str, name: str, sections: list[tuple[str, list[str]]]) -> None:
        self.put(f"{folder}/{name}" if folder else name, document(sections, Path(name).suffix))

    @rule(which=st.integers(0, 99), at=st.integers(0, 9), word=st.sampled_from(WORDS), end=st.sampled_from("\n\r"))
    def edit(self, which: int, at: int, word: str, end: str) -> None:
        if files := self.files():
            path = files[which % len(files)]
            lines = path.read_bytes().decode(errors="replace").split("\n")
            lines[at % len(lines)] += f" {word}" + ("\r" if end == "\r" else "")
            path.write_text("\n".join(lines), newline="")

    @rule(which=st.integers(0, 99), sections=SECTIONS)
    def save_by_renaming(self, which: int, sections: list[tuple[str, list[str]]]) -> None:
        if files := self.files():
            path = files[which % len(files)]
            draft = path.with_name(f".{path.name}.swp")
            draft.write_text(document(sections, path.suffix))
            draft.replace(path)

    @rule(which=st.integers(0, 99), folder=st.sampled_from(FOLDERS), name=st.sampled_from(NAMES))
    def move(self, which: int, folder: str, name: str) -> None:
        files = self.files()
        target = self.folder / folder / name
        if files and target.parent.is_dir() and not target.is_dir():
            files[which % len(files)].replace(target)

    @rule(which=st.integers(0, 99), name=st.sampled_from(("moved", "docs", "adr", "node_modules")))
    def move_folder(self, which: int, name: str) -> None:
        folders, target = self.folders(), self.folder / name
        if folders and not target.exists():
            folders[which % len(folders)].rename(target)

    @rule(which=st.integers(0, 99))
    def delete(self, which: int) -> None:
        if files := self.files():
            files[which % len(files)].unlink()

    @rule(which=st.integers(0, 99))
    def delete_folder(self, which: int) -> None:
        if folders := self.folders():
            shutil.rmtree(folders[which % len(folders)])

    @rule(
        which=st.integers(0, 99),
        content=st.sampled_from((b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf# Setup\r\n\r\nanvil")),
    )
    def spoil(self, which: int, content: bytes) -> None:
        if files := self.files():
            files[which % len(files)].write_bytes(content)

    @rule(ignored=st.sampled_from(("", "docs/\n", "*.txt\n!c.txt\n", "b.md\n")), own=st.booleans())
    def ignore(self, ignored: str, own: bool) -> None:
        (self.folder / (".memdignore" if own else ".gitignore")).write_text(ignored)

    def teardown(self) -> None:
        shutil.rmtree(self.base, ignore_errors=True)


def differences(memory: Memory, folder: Path) -> str:
    """In which a store differs from one that takes the folder in afresh; empty when in nothing."""
    expected, expected_words = afresh(folder)
    found, found_words = told(memory, str(folder)), words(memory, str(folder))
    lines = [f"missing {one}" for one in expected if one not in found]
    lines += [f"too much {one}" for one in found if one not in expected]
    lines += [f"{key}: {found_words[key] ^ expected_words[key]}" for key in found_words
              if found_words[key] != expected_words[key]]  # fmt: skip
    return "\n".join(lines)


def flags(memory: Memory) -> list[str]:
    """What is wrong with the store itself."""
    return [f"{trouble.part}: {trouble.what}" for trouble in memory.check().troubles]
