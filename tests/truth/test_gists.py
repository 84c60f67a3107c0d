"""Gists: which memories they stand for, what they quote, and that nothing of them outlives a member."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.api import Memory
from memd.errors import BadInput, Conflict, NotFound
from memd.gists.centrality import chosen, lexrank, likeness
from memd.gists.clusters import MOST, stars
from memd.gists.making import Gister
from memd.gists.sentences import sentences
from memd.model import Gist, Query

DEPLOY = (
    "The deploy script deploy.sh needs AWS_PROFILE to be set. It fails without a word otherwise.",
    "deploy.sh takes the environment as its first argument, and AWS_PROFILE picks the account.",
    "Before running deploy.sh, set AWS_PROFILE=staging.",
    "deploy.sh must be run with AWS_PROFILE set; otherwise it fails silently.",
)
DATABASE = (
    "The tests need Postgres 16 on port 5433.",
    "Postgres for the tests runs on port 5433 in docker compose.",
    "The test database is Postgres 16; docker compose starts it on port 5433.",
)
OTHERS = ("The front end is built with vite.", "We use pytest-xdist with four workers in CI.")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path) as opened:
        yield opened


def made(memory: Memory) -> tuple[Gist, ...]:
    memory.lifecycle.run()
    return memory.gists(scope="all").gists


def fill(memory: Memory, *texts: str, scope: str = "global") -> dict[str, str]:
    """Id by text."""
    return {text: memory.remember(text, scope=scope).id for text in texts}


def test_a_gist_quotes_memories_about_the_same_word_for_word(memory: Memory) -> None:
    ids = fill(memory, *DEPLOY, *OTHERS, *DATABASE)
    found = {frozenset(gist.members): gist for gist in made(memory)}
    assert set(found) == {frozenset(ids[text] for text in texts) for texts in (DEPLOY, DATABASE)}
    for gist in found.values():
        assert gist.quotes
        for quote in gist.quotes:
            text = memory.show(quote.id).text
            assert quote.id in gist.members and text[quote.start : quote.end] == quote.text
        assert 2 * sum(len(quote.text) for quote in gist.quotes) <= sum(len(memory.show(m).text) for m in gist.members)
    shown = memory.show(gist.id)
    assert (shown.kind, shown.members) == ("gist", gist.members)
    assert shown.text == "\n".join(quote.text for quote in gist.quotes)
    assert memory.gists().waiting == 0 and not memory.lifecycle.waits()
    assert memory.audit().sound and memory.store.check() == []


@pytest.mark.parametrize("what", ["forget", "supersede", "resolve", "purge"])
def test_a_gist_goes_at_once_when_a_member_no_longer_holds(memory: Memory, what: str) -> None:
    ids = list(fill(memory, *DATABASE).values())
    (gist,) = made(memory)
    if what == "forget":
        memory.forget([ids[0]])
    elif what == "supersede":
        memory.supersede(ids[0], "The tests use SQLite.")
    elif what == "resolve":
        memory.resolve(memory.remember("The tests use SQLite alone.").id, ids[0])
    else:
        memory.purge([ids[0]])
    assert memory.gists().gists == ()  # before any maintenance
    with pytest.raises(NotFound):
        memory.show(gist.id)
    assert made(memory) == ()  # two are left, which make no gist
    assert memory.audit().sound and memory.store.check() == []


def test_a_gist_comes_back_with_its_member_and_takes_in_new_ones(memory: Memory) -> None:
    ids = list(fill(memory, *DATABASE).values())
    (before,) = made(memory)
    memory.forget([ids[0]])
    made(memory)
    memory.restore([ids[0]])
    (after,) = made(memory)
    assert after.members == before.members
    assert made(memory) == (after,)  # what is as it was stays
    new = memory.remember("For the tests, docker compose runs Postgres 16 and maps port 5433.").id
    (grown,) = made(memory)
    assert grown.members == (*ids, new) and grown.id != after.id


def test_scopes_are_kept_apart_and_what_was_only_said_is_left_out(memory: Memory) -> None:
    for scope, text in zip(("/a", "/b", "/c"), DATABASE, strict=True):
        memory.remember(text, scope=scope)
    for text in DEPLOY:
        memory.remember(text, scope="/a", kind="turn")
    assert made(memory) == ()
    fill(memory, *DATABASE[1:], scope="/a")
    (gist,) = made(memory)
    assert gist.scope == "/a" and memory.gists(scope="/b").gists == () and memory.gists(scope="/a").gists == (gist,)


def test_near_duplicates_make_one_of_a_sentence_once_they_have_their_vectors(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        fill(
            memory,
            "Run make lint before every push.",
            "Before every push, run make lint!",
            "Run make lint before push.",
        )
        memory.compare()
        assert made(memory) == () and memory.gists().waiting == 3  # they wait for their vectors
    with Memory.open(tmp_path) as memory:
        memory.encode_pending()
        (gist,) = made(memory)
        assert len(gist.members) == 3 and len(gist.quotes) == 1


def test_recall_shows_none_unless_asked(memory: Memory) -> None:
    ids = fill(memory, *DEPLOY, *DATABASE, *OTHERS)
    found = made(memory)
    asked = Query("which port has the Postgres of the tests", min_relevance=0)
    plain = memory.ask(asked).hits
    assert {hit.memory.kind for hit in plain} == {"note"}
    with_gists = memory.recall(asked.text, min_relevance=0, gists=True).hits
    gist = next(gist for gist in found if ids[DATABASE[0]] in gist.members)
    assert with_gists[0].memory.id == gist.id
    assert with_gists[0].score == plain[0].score and with_gists[0].excerpt.text == memory.show(gist.id).text
    assert not {hit.memory.id for hit in with_gists} & set(gist.members)
    narrowed = memory.recall(asked.text, min_relevance=0, gists=True, kinds=["note"]).hits
    assert [hit.memory.id for hit in narrowed] == [hit.memory.id for hit in plain]


@given(st.integers(1, 120), st.booleans())
@settings(max_examples=20)
def test_a_budget_is_never_passed(filled: Memory, budget: int, gists: bool) -> None:
    hits = filled.recall("how do we deploy and test", min_relevance=0, budget=budget, gists=gists).hits
    assert sum(filled.count_tokens(hit.excerpt.text) for hit in hits) <= budget
    everything = filled.recall("how do we deploy and test", min_relevance=0, gists=gists).hits
    assert [hit for hit in everything if hit in hits] == list(hits)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    with Memory.open(tmp_path_factory.mktemp("home")) as opened:
        fill(opened, *DEPLOY, *DATABASE, *OTHERS)
        made(opened)
        yield opened


@pytest.mark.parametrize("budget", [0, -1, 100_001, True, "many"])
def test_a_budget_that_is_none(memory: Memory, budget: object) -> None:
    with pytest.raises(BadInput, match="budget"):
        memory.recall("x", budget=budget)


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_whatever_happens_every_gist_is_whole(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Random changes and steps of the maintenance, in any order, by two at once."""
    chance = random.Random(seed)
    with Memory.open(tmp_path_factory.mktemp("home")) as memory:
        makers = [Gister(memory.store, lambda: 0), Gister(memory.store, lambda: 0)]
        texts = [*DEPLOY, *DATABASE, *OTHERS]
        ids: list[str] = []
        for _ in range(25):
            move = chance.choice(["remember", "remember", "forget", "restore", "supersede", "step", "step", "sweep"])
            if move == "remember" or not ids:
                ids.append(memory.remember(chance.choice(texts)).id)
            elif move == "forget":
                memory.forget([chance.choice(ids)])
            elif move in ("restore", "supersede"):
                try:
                    one = chance.choice(ids)
                    if move == "restore":
                        memory.restore([one])
                    else:
                        ids.append(memory.supersede(one, f"{memory.show(one).text} Since {chance.random()}.").id)
                except Conflict:  # it doesn't hold, or its text is there again
                    pass
            elif move == "step":
                chance.choice(makers).step()
            else:
                chance.choice(makers).sweep()
            members: list[str] = []
            for gist in memory.gists(scope="all").gists:
                members += gist.members
                for id_ in gist.members:
                    one_of = memory.show(id_)
                    assert one_of.forgotten_at is None and one_of.superseded_by is None
                for quote in gist.quotes:
                    assert memory.show(quote.id).text[quote.start : quote.end] == quote.text
            assert len(members) == len(set(members))
        assert memory.audit().sound and memory.store.check() == []


# Steps of one memory each in a process of its own, a line after each.
STEPS = """
import sys
from memd.api import Memory
from memd.gists import making
making.SEEDS = 1
with Memory.open(sys.argv[1], encode="off") as memory:
    memory.lifecycle.run(stopped=lambda: print(flush=True))
    sys.stdin.read()
"""


@pytest.mark.parametrize("after", [8, 10, 13])
def test_making_them_may_be_killed_anywhere(tmp_path: Path, after: int) -> None:
    with Memory.open(tmp_path) as memory:
        fill(memory, *DEPLOY, *DATABASE, *OTHERS)
    child = subprocess.Popen(
        [sys.executable, "-c", STEPS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    for _ in range(after):
        child.stdout.readline()
    child.kill()
    child.communicate()
    with Memory.open(tmp_path) as memory:
        assert memory.store.check() == [] and memory.audit().sound
        found = made(memory)
        assert sorted(len(gist.members) for gist in found) == [len(DATABASE), len(DEPLOY)]
        assert memory.store.check() == [] and memory.audit().sound


def test_a_gist_has_no_life_of_its_own(memory: Memory) -> None:
    fill(memory, *DATABASE)
    (gist,) = made(memory)
    for act in (memory.use, memory.forget, memory.pin):
        with pytest.raises(NotFound, match="is a gist"):
            act([gist.id])
    with pytest.raises(NotFound, match="is a gist"):
        memory.supersede(gist.id, "x")


# --- the rules ----------------------------------------------------------------------------------------


@given(st.dictionaries(st.integers(0, 15), st.sets(st.integers(0, 15)), max_size=16))
def test_stars_are_apart_and_have_a_centre(links: dict[int, set[int]]) -> None:
    near: dict[int, set[int]] = {item: set() for item in range(16)}
    for one, others in links.items():
        for other in others - {one}:
            near[one].add(other)
            near[other].add(one)
    found = stars(near)
    taken = [item for star in found for item in star]
    assert len(taken) == len(set(taken))
    for star in found:
        assert 3 <= len(star) <= MOST
        assert any(set(star) - {centre} <= near[centre] for centre in star)


def test_lexrank_prefers_what_others_say_too() -> None:
    words = [["port", "postgres"], ["port", "postgres", "tests"], ["postgres", "tests"], ["cats", "purr"]]
    like = likeness(words)
    scores = lexrank(like)
    assert scores.sum() == pytest.approx(1) and int(np.argmax(scores)) == 1 and int(np.argmin(scores)) == 3
    assert chosen(scores, like, [10] * 4, 25, 3)[0] == 1
    same = likeness([["a", "b"], ["a", "b"], ["c", "d"]])
    assert chosen(lexrank(same), same, [5] * 3, 100, 3) == [0, 2]  # the second says nothing new


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("One thing is so. Another thing is not!", ["One thing is so.", "Another thing is not!"]),
        ("# A heading of the note\n\nIts text stands here.\n", ["Its text stands here."]),
        ("- [ ] the first thing to do\n2. the second thing to do", ["the first thing to do", "the second thing to do"]),
        ("It is written over\ntwo lines, e.g. like this.", ["It is written over\ntwo lines, e.g. like this."]),
        ("```\nnot this line here\n```\nBut this line here.", ["But this line here."]),
        ("Use version 3.11 of the thing.", ["Use version 3.11 of the thing."]),
        ("Yes. No.", []),
    ],
)
def test_sentences(text: str, quoted: list[str]) -> None:
    assert [text[start:stop] for start, stop in sentences(text)] == quoted


@given(st.text(alphabet="ab .!?\n-#`|1", max_size=200))
def test_sentences_are_spans_in_order(text: str) -> None:
    last = 0
    for start, stop in sentences(text):
        assert last <= start < stop <= len(text) and text[start:stop].strip() == text[start:stop]
        last = stop
