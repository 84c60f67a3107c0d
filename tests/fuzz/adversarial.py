"""Texts made to break what reads them, and everything that reads a text without a model, by name."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import strategies as st

from memd.agents import fence, injected, lessons, tools
from memd.ingest import asciidoc, conventions, frontmatter, linking, markdown, org, plain, restructuredtext
from memd.text import chunking, dialogue, redaction, words
from memd.text.entities import extract
from memd.text.times import parse
from memd.truth import statements

NOW = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)

# What the readers' patterns begin with, repeat, or end at.
_WORDS = (
    "a b A Z 0 9 - -- --- = == ==== _ ____ * ** # ## ` `` ``` ~~~ > < << >> ( ) [ ] [[ ]] { } | || : :: "
    "; , . .. / // \\ \" ' ! ? @ $ % ^ & + http:// https://a.b/ ]( )[ ]: link: xref: file: key= token= "
    "password password= pass api_key curl -----BEGIN eyJaaaaaaaa xoxb- sk- AKIA ghp_ aB3dE5gH deadbeef "
    "1234567890 2024-01-01 12:30 yesterday monday 2023 é \u0301 \u200b \u200d 🙂 中 ß İ <div> <!-- --> <private> "
    "</private> a@b.c v1.2.3 a.b a/b FooBar foo_bar foo() Error E123 ABC-123 #12 --opt C:\\ ![ &amp; |- "
    ":tag: ://"
)
PIECES = (
    *_WORDS.split(),
    " ", "  ", "\t", "\n", "\n\n", "\r\n", "\r", "    ", "token: ", "pwd is ", "Authorization: Bearer ", "curl -u a:",
    "mysql -p", "-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\n", "a: b\n", "last week", "in ",
    "3 days ago", "the ", "may ", "between ", "and ", "to ", "from ", "of ", "first ", "q1 ", "- ", "1. ", "> ", "* ",
    "+ ", "&a ", "*a ", "- [ ] ", "[x]: y\n", "| a ", "|\n", "TODO ", "* TODO ", "#+DATE: ", "=== ", "----\n",
    "no longer ", "now ", "is ", "not ", "moved to ", "User: ", "I ", "we ", "decided ", "because ", "should ",
    "never ", "*** Update File: ", "<memd-context>", "```memory\n", "\x1b[31m", "error: ", "PRIVATE KEY", "AccountKey=",
)  # fmt: skip


def _links(suffix: str) -> Callable[[str], object]:
    return lambda text: linking.links(Path("/notes/a" + suffix), text)


def _turns(text: str) -> object:
    said = [lessons.Turn("user", text, 1, None), lessons.Turn("assistant", text, 2, None)]
    return lessons.statements(said, text)


READERS: dict[str, Callable[[str], object]] = {
    "times": lambda text: parse(text, NOW),
    "entities": extract,
    "redaction": redaction.redact,
    "passages": chunking.cut,
    "words": words.terms,
    "dialogue": lambda text: (dialogue.asks(text), dialogue.speaker(text)),
    "statements": lambda text: [statements.parse(part) for part in statements.split(text[:2_000])],
    "markdown": lambda text: list(markdown.sections(text)),
    "prose": markdown.prose,
    "rst": lambda text: list(restructuredtext.sections(text)),
    "asciidoc": lambda text: (list(asciidoc.sections(text)), asciidoc.facts(text)),
    "org": lambda text: (list(org.sections(text)), org.facts(text)),
    "plain": lambda text: list(plain.sections(text)),
    "yaml front matter": lambda text: frontmatter.facts(f"---\n{text}\n---\n"),
    "toml front matter": lambda text: frontmatter.facts(f"+++\n{text}\n+++\n"),
    "decision": lambda text: conventions.decided(text, frontmatter.Facts()),
    "links of markdown": _links(".md"),
    "links of rst": _links(".rst"),
    "links of asciidoc": _links(".adoc"),
    "links of org": _links(".org"),
    "fence": fence.fenced,
    "line": lambda text: (fence.line(text, 100), fence.quoted(text)),
    "injected": lambda text: injected.wrapped(injected.without_injected(text)),
    "flat": injected.flat,
    "lessons": _turns,
    "patch": lambda text: tools.edits("apply_patch", {"input": text}),
    "output": lambda text: tools.error_lines(tools.output_text(text)),
}


def repeated(size: int) -> st.SearchStrategy[str]:
    """Texts of about `size` characters: a head, a short unit over and over, a tail."""
    pieces = st.sampled_from(PIECES)
    few = st.lists(pieces, max_size=2).map("".join)
    unit = st.lists(pieces, min_size=1, max_size=3).map("".join)
    return st.builds(lambda head, unit, tail: head + unit * (size // len(unit)) + tail, few, unit, few)


def mixed() -> st.SearchStrategy[str]:
    """Short texts of such pieces and of any characters, halves of surrogate pairs too."""
    characters = st.characters() | st.sampled_from("\ud800\udfff\0\x1b\u202e\u2028\u0085\ufeff")
    return st.lists(st.sampled_from(PIECES) | st.text(characters, max_size=6), max_size=40).map("".join)


@contextmanager
def seconds_of_work(limit: float) -> Iterator[None]:
    """Fail what takes more processor time than this; other processes' work isn't counted."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {limit:g} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
