"""Links between notes: from every format, to the section that they mean, wherever it went."""

from __future__ import annotations

from pathlib import Path

import pytest

from memd import Memory
from memd.ingest.linking import Link, anchor, links
from memd.store import links as store
from tests.ingest.notebook import take_in


def edges(memory: Memory, folder: Path) -> set[tuple[str, str]]:
    """The edges of a store, by the first words of both ends."""
    texts = {one.id: " ".join(one.text.split()[:2]) for one in memory.list(scope=str(folder), limit=1000)}
    with memory.store.reading() as db:
        ids = dict(db.execute("SELECT seq, id FROM memory").fetchall())
        found = store.edges(db)
        for edge in found:
            assert edge in store.linked(db, [edge.source])
            assert edge in store.linked(db, [edge.target])
    return {(texts[ids[edge.source]], texts[ids[edge.target]]) for edge in found}


def test_links_lead_to_the_section_they_name_and_follow_it(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    (notes / "sub").mkdir(parents=True)
    (notes / "a.md").write_text("# Start\nSee [b](sub/b.md#two-words), [[b]] and [[C#Deep|c]].\n")
    (notes / "sub/b.md").write_text("# One\nfirst\n\n# Two words!\nback to [a](../a.md)\n")
    (notes / "c.org").write_text("* Top\nx\n* Deep\n[[file:a.md]] [[file:sub/b.md::*One][b]]\n")
    with Memory.open(tmp_path / "home", encode="off") as memory:
        take_in(memory, notes)
        expected = {
            ("# Start", "# Two"), ("# Start", "# One"), ("# Start", "* Deep"),
            ("# Two", "# Start"), ("* Deep", "# Start"), ("* Deep", "# One"),
        }  # fmt: skip
        assert edges(memory, notes) == expected
        (notes / "sub").rename(notes / "other")
        take_in(memory, notes)
        assert edges(memory, notes) == expected - {("# Start", "# Two"), ("* Deep", "# One")}
        (notes / "c.org").unlink()
        take_in(memory, notes)
        assert edges(memory, notes) == {("# Start", "# One"), ("# Two", "# Start")}
        with memory.store.reading() as db:
            assert not store.is_empty(db)


def test_of_several_notes_of_a_name_the_nearest_is_meant(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    for name in ("x", "y"):
        (notes / name).mkdir(parents=True)
        (notes / name / "log.md").write_text(f"# Log {name}\n{name}\n")
    (notes / "y/from.md").write_text("# From y\n[[log]]\n")
    (notes / "top.md").write_text("# Top level\n[[y/log]]\n")
    with Memory.open(tmp_path / "home", encode="off") as memory:
        take_in(memory, notes)
        with memory.store.reading() as db:
            found = {
                tuple(
                    db.execute("SELECT text FROM memory WHERE seq = ?", (seq,)).fetchone()[0].split("\n")[0]
                    for seq in e
                )
                for e in store.edges(db)
            }
    assert found == {("# From y", "# Log y"), ("# Top level", "# Log y")}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.md", "[x](b.md) [y](<c d.md>) [z](e%20f.md 'title')", ["/n/b.md", "/n/c d.md", "/n/e f.md"]),
        ("a.md", "![i](i.png) [u](https://e.org/x.md) [r][ref]\n\n[ref]: ../up.md", ["/n/i.png", "/up.md"]),
        ("a.md", "`[x](b.md)` ``[[c]]``\n\n```\n[d](d.md)\n```\n\n    [[e]]\n", []),
        ("a.md", "| a | b |\n| - | - |\n| [x](b.md) | y |", ["/n/b.md"]),
        ("a.rst", "`text <b.rst>`_ :doc:`c` :doc:`t <d>` `u <https://e.org>`_", ["/n/b.rst", "/n/c.rst", "/n/d.rst"]),
        ("a.adoc", "xref:b.adoc#x[b] <<c.adoc#y,c>> link:https://e.org[e]", ["/n/b.adoc", "/n/c.adoc"]),
        ("a.org", "[[file:b.org][b]] [[./c.org::*Head]] [[https://e.org][e]]", ["/n/b.org", "/n/c.org"]),
        ("a.txt", "nothing \0 [](  ) [[]] ](", []),
    ],
)  # fmt: skip
def test_links_are_read_off_every_format(name: str, text: str, expected: list[str]) -> None:
    assert [link.path for link in links(Path("/n") / name, text)] == expected


def test_wiki_links_and_anchors() -> None:
    assert links(Path("/n/a.md"), "[[B|alias]] ![[dir/C.md#Head Ing]] [[#here]]") == (
        Link("", "b", ""),
        Link("dir", "c", "head-ing"),
        Link("/n/a.md", "", "here"),
    )
    assert anchor("  Two Words, & more! ") == "two-words--more"
