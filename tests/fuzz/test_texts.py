"""Readers of notes and texts take anything: nothing is raised, nothing lost, nothing out of bounds."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memd.errors import BadInput
from memd.ingest import asciidoc, frontmatter, linking, markdown, org, plain, restructuredtext
from memd.ingest.lines import split
from memd.store.validation import check_tags
from memd.text import chunking, redaction
from memd.text.entities import extract
from memd.text.times import parse, parse_moment

from .adversarial import NOW, READERS, mixed

MANY = int(os.environ.get("FUZZ", "80"))
FORMATS = {
    "markdown": markdown.sections,
    "rst": restructuredtext.sections,
    "asciidoc": asciidoc.sections,
    "org": org.sections,
    "plain": plain.sections,
}
LINES = st.lists(
    st.sampled_from(
        ["# a", "## b", "a", "===", "---", "", " ", "\t", "= t", "== t ==", "* h", "** TODO [#A] h :x:", "```", "~~~ x",
         "    code", "> q", "- l", "1. l", "+++", "....", "|===", "<div>", "</div>", "<!--", "-->", "a: 1", "...", "\f",
         "\x85", "\u2028", "[a]: b", "`x", "____", "--", "#", "######", "#######", "=======", "****", "\ufeff# x", "\0"]
    ) | st.text(max_size=12),
    max_size=30,
)  # fmt: skip
NOTES = st.builds(lambda lines, end: end.join(lines), LINES, st.sampled_from(["\n", "\r\n", "\r", "\n\n"])) | mixed()


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=MANY // 3)
@given(text=mixed() | NOTES)
def test_no_reader_raises(reader: str, text: str) -> None:
    READERS[reader](text)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=MANY)
@given(text=NOTES)
@example(text="---\na: 1\n---\n# x\n\n## y\n\ntext")
@example(text="= a =\n\n== ==\nb")
def test_sections_are_the_notes_own_lines_in_order_and_leave_nothing_out(name: str, text: str) -> None:
    lines = split(text)
    assert "".join(lines) == text
    last = 0
    for section in FORMATS[name](text):
        assert last < section.first <= section.last <= len(lines)
        assert not "".join(lines[last : section.first - 1]).strip()
        assert section.text == "".join(lines[section.first - 1 : section.last]).rstrip("\r\n")
        assert 0 <= section.body <= len(section.text)
        last = section.last
    assert not "".join(lines[last:]).strip()


HUGE = "9" * 5000


@pytest.mark.parametrize(
    "block",
    [
        f"---\ntags: [0x{'f' * 5000}]\n---\n",  # a number too long to be written in digits
        f"---\ndate: {HUGE}\n---\n",
        f"+++\na = {HUGE}\n+++\n",
        f"+++\ntags = [0x{'f' * 5000}]\n+++\n",
        "---\na: !!bool x\n---\n",
        '---\na: !!int ""\n---\n',
        "---\na: !!timestamp x\n---\n",
        "---\ndate: 2024-13-45\n---\n",
        "---\ndate: 9999-12-31T23:59:59-14:00\n---\n",
        "---\ndate: 0001-01-01T00:00:00+14:00\n---\n",
        "---\n? [a]\n: b\n---\n",
        "---\n" + "[" * 5000 + "\n---\n",
        "+++\n" + "a = " + "[" * 5000 + "\n+++\n",
        "---\ntags: &a [*a]\n---\n",
        "---\na: &a {<<: *a}\n---\n",
    ],
)
def test_front_matter_that_once_stopped_a_folder_from_being_read(block: str) -> None:
    assert frontmatter.facts(block).tags == ()


def test_a_few_lines_of_front_matter_do_not_grow_without_bound() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    assert frontmatter.facts("---\n" + "\n".join(lines) + "\ntags: b\n---\n").tags == ("b",)


YAML = st.recursive(
    st.sampled_from(["a", "~", "yes", "1", "0x1f", "1_000", "1:30", ".inf", "2024-01-01", "!!set {a}", "!!binary aGk=",
                     "!!python/object:x", "<<", "*a", "&a b", "|", ">", "'", '"', "!!omap [a: 1]", "- - a", "? a", "=",
                     "2024-01-01 25:00", "!!float x", "!!null x", "!!pairs [a]", "%TAG", "---"]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: "[" + ", ".join(parts) + "]")
    | st.lists(inner, max_size=3).map(lambda parts: "{" + ", ".join(f"{part}: {part}" for part in parts) + "}"),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=MANY)
@given(
    values=st.lists(st.tuples(st.sampled_from(["date", "tags", "status", "a"]), YAML), max_size=5), toml=st.booleans()
)
def test_front_matter_gives_facts_or_none(values: list[tuple[str, str]], toml: bool) -> None:
    fence, sign = ("+++", " = ") if toml else ("---", ": ")
    block = "\n".join(name + sign + value for name, value in values)
    found = frontmatter.facts(f"{fence}\n{block}\n{fence}\ntext")
    check_tags(found.tags)
    assert found.date is None or found.date.tzinfo is not None
    assert isinstance(found.status, str)


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(timezones=ZONES | st.just(UTC)) | st.sampled_from(
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)]
)
_TIME_WORDS = (
    "last next this the in on at of from to between and until since before after ago yesterday today "
    "tomorrow now monday sunday weekend week month year quarter q1 q4 january feb may summer winter "
    "christmas noon midnight morning evening am pm first second last third end beginning early late mid "
    "half 1 2 12 31 99 2023 1999 0 00 9999 2024-02-30 2024-02-29 12:30 25:61 31.12.1999 1/2/3 1st 32nd "
    "days hours minutes decades centuries 's a an few couple every each , . - – / : ( ) 999999999 "
    "99999999999999999999 ½ ٣ ² Ⅷ"
)
TIME_WORDS = st.lists(
    st.sampled_from(_TIME_WORDS.split()) | st.text(max_size=4),
    max_size=12,
)


@settings(max_examples=MANY * 2)
@given(words=TIME_WORDS, glue=st.sampled_from([" ", "", "  ", "-", "\n"]), now=MOMENTS)
@example(words=["99999999999999999999", "years", "ago"], glue=" ", now=NOW)
@example(words=["²", "days", "ago"], glue=" ", now=NOW)
def test_times_lie_in_the_calendar_and_in_the_text(words: list[str], glue: str, now: datetime) -> None:
    text = glue.join(words)
    end = 0
    for span in parse(text, now):
        assert end <= span.begin < span.stop <= len(text)
        assert span.start < span.end
        span.start.astimezone(UTC)
        span.end.astimezone(UTC)
        end = span.stop


@settings(max_examples=MANY)
@given(text=TIME_WORDS.map(" ".join) | mixed(), now=MOMENTS)
def test_one_moment_or_bad_input(text: str, now: datetime) -> None:
    try:
        assert parse_moment(text, now).tzinfo is not None
    except BadInput as error:
        assert len(error.message) < 300


@settings(max_examples=MANY)
@given(text=mixed())
def test_entities_stand_where_they_say(text: str) -> None:
    for entity in extract(text):
        assert 0 <= entity.begin < entity.stop <= len(text)
        assert entity.name


@settings(max_examples=MANY)
@given(text=mixed())
@example(text="<private>a<private>b</private>")
def test_redaction_takes_out_and_adds_nothing_but_marks(text: str) -> None:
    done = redaction.redact(text)
    if not done.kinds:
        assert done.text is text
        return
    rest = done.text
    for kind in done.kinds:
        if kind != redaction.PRIVATE:
            _, mark, rest = rest.partition(redaction.mark(kind))
            assert mark
    assert redaction.redact(text) == done


@settings(max_examples=MANY)
@given(text=mixed())
def test_passages_cover_the_text(text: str) -> None:
    spans = chunking.cut(text)
    assert "".join(text[start:stop] for start, stop in spans) == text
    assert all(start < stop for start, stop in spans) or not text


@settings(max_examples=MANY)
@given(text=NOTES | mixed(), suffix=st.sampled_from([".md", ".rst", ".adoc", ".org", ".txt"]))
def test_links_are_absolute_paths_or_names(text: str, suffix: str) -> None:
    for link in linking.links(Path("/notes/here" + suffix), text):
        assert link.path.startswith("/") or link.stem
        assert "\0" not in link.path
