"""basic-memory's folders of notes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.errors import BadInput
from memd.exchange.foreign import READERS
from memd.exchange.records import Trouble
from tests.exchange.foreign.makers import only, read, texts

KIND = "basic-memory"
NOTE = """---
title: Brewing Methods
type: note
permalink: kitchen/brewing-methods
tags:
- coffee
- slow mornings
created: 2026-03-01T12:00:00+00:00
---

# Brewing Methods

How we make it, see [[Kitchen]].

## Observations
- [method] Pour over is clearer #brewing (made by hand)
- [decision] Water at 96 degrees
- [Tech Debt] The grinder
  is worn
- No category, but a #hashtag
- [x] buy beans
- [/] order filters
- [00:01:02] a spoken line
- [a link](there)

## Relations
- pairs_with [[Dessert|Sweets]] (mostly)
- "is part of" [[Kitchen]]
- some sentence about [[Kitchen]] that goes on

> - [quoted] is none

```
- [code] is none
```
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "kitchen").mkdir()
    (tmp_path / "kitchen" / "Brewing Methods.md").write_text(NOTE)
    return tmp_path


def test_observations_and_relations_are_memories_with_the_title_before_them(notes: Path) -> None:
    said = [one.text for one in read(KIND, notes) if one.kind != "document"]
    assert said == [
        "Brewing Methods\n[method] Pour over is clearer #brewing (made by hand)",
        "Brewing Methods\n[decision] Water at 96 degrees",
        "Brewing Methods\n[Tech Debt] The grinder\nis worn",
        "Brewing Methods\nNo category, but a #hashtag",
        "Brewing Methods pairs_with [[Dessert|Sweets]] (mostly)",
        'Brewing Methods "is part of" [[Kitchen]]',
    ]


def test_the_rest_is_kept_by_heading_word_for_word(notes: Path) -> None:
    said = [one.text for one in read(KIND, notes) if one.kind == "document"]
    assert said == [
        "# Brewing Methods\n\nHow we make it, see [[Kitchen]].",
        "## Observations\n- [x] buy beans\n- [/] order filters\n- [00:01:02] a spoken line\n- [a link](there)",
        "## Relations\n- some sentence about [[Kitchen]] that goes on\n\n"
        "> - [quoted] is none\n\n```\n- [code] is none\n```",
    ]


def test_kinds_tags_times_and_lines(notes: Path) -> None:
    records = read(KIND, notes)
    assert (only(records, "96 degrees").kind, only(records, "Pour over").kind) == ("decision", "procedure")
    assert only(records, "Pour over").tags == ("method", "brewing", "coffee", "slow-mornings")
    assert only(records, "grinder").tags[0] == "tech-debt"
    assert {one.recorded_at.isoformat() for one in records if one.recorded_at} == {"2026-03-01T12:00:00+00:00"}
    assert only(records, "96 degrees").source.span == (17, 17)
    assert only(records, "grinder").source.span == (18, 19)
    assert only(records, "96 degrees").source.path == str(notes / "kitchen" / "Brewing Methods.md")
    assert [one.position for one in records] == sorted(one.position or 0 for one in records)


def test_a_note_that_opts_out_is_text_alone(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\npermalink: a\nbm_parse_semantics: false\n---\n- [decision] not one\n")
    assert texts(KIND, tmp_path) == ["- [decision] not one"]


def test_without_front_matter_the_file_gives_the_title_and_the_time(tmp_path: Path) -> None:
    (tmp_path / "Plain.md").write_text("- [idea] works\n")
    (record,) = read(KIND, tmp_path)
    assert record.text == "Plain\n[idea] works"
    assert record.recorded_at


def test_a_folder_fits_by_its_permalinks(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert READERS[KIND].fits(notes)
    other = tmp_path_factory.mktemp("other")
    (other / "README.md").write_text("# Hello\n")
    assert not READERS[KIND].fits(other)
    assert READERS[KIND].origin(other)  # but may be said to be one
    (other / "README.md").unlink()
    with pytest.raises(BadInput, match="Markdown"):
        READERS[KIND].origin(other)


def test_hidden_folders_and_links_are_left_alone(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = texts(KIND, notes)
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.md"
    secret.write_text("- [fact] not mine\n")
    (notes / "link.md").symlink_to(secret)
    (notes / "folder").symlink_to(secret.parent)
    (notes / ".obsidian").mkdir()
    (notes / ".obsidian" / "x.md").write_text("- [fact] settings\n")
    assert texts(KIND, notes) == before


def test_a_file_that_is_no_text_is_named_and_the_others_follow(notes: Path) -> None:
    (notes / "a.md").write_bytes(b"\x00\x01\xff\xfe" * 100)
    troubles: list[Trouble] = []
    assert len(list(READERS[KIND].read(notes, troubles.append))) == 9
    assert [trouble.why.startswith("a.md") for trouble in troubles] == [True]


def test_only_what_was_edited_is_new(notes: Path) -> None:
    before = {one.key for one in read(KIND, notes)}
    file = notes / "kitchen" / "Brewing Methods.md"
    file.write_text(NOTE.replace("96 degrees", "93 degrees").replace("# Brewing", "A line more\n\n# Brewing", 1))
    after = read(KIND, notes)
    assert {one.text for one in after if one.key not in before} == {
        "Brewing Methods\n[decision] Water at 93 degrees",
        "A line more",
    }


@given(
    st.lists(
        st.one_of(
            st.text(max_size=60),
            st.sampled_from(
                ["- [a] b", "- x [[y]]", "---", "tags: [a, b]", "created: 2026-13-45", "# h", "> q", "```"]
            ),
        ),
        max_size=12,
    )
)
def test_any_text_is_read(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("notes")
    (folder / "n.md").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    troubles: list[Trouble] = []
    records = list(READERS[KIND].read(folder, troubles.append))
    assert len({one.key for one in records}) == len(records)
    said = "".join(one.text for one in records)
    front = lines and lines[0].startswith("---")
    if not troubles and not front:  # no word of it is lost
        for line in lines:
            for word in line.split():
                if word.isalnum() and len(word) > 3:
                    assert word in said
