"""Recall through the public door: each channel finds what only it can find, and says so."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from memd import Memory
from memd.errors import BadInput
from memd.model import CHANNELS, NewMemory, Recollection, Source
from memd.recall.calibration import fitted

NOW = datetime(2024, 6, 19, 12, 0, tzinfo=UTC)  # a Wednesday

FILLER = (
    "The kitchen sink drips at night.",
    "Bread rises best in a warm oven with the light on.",
    "The train to the coast leaves from platform nine.",
    "Her bicycle has a flat tyre again.",
    "Tomatoes want sun and regular water.",
)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path, clock=lambda: NOW) as opened:
        yield opened


def texts(answer: Recollection) -> list[str]:
    return [hit.memory.text for hit in answer.hits]


def opened(answer: Recollection) -> set[str]:
    assert answer.trace is not None
    return {channel.channel for channel in answer.trace.channels if channel.open}


def test_words_alone_find_what_no_vector_would(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER] + [NewMemory("zqx-7731 goes to the printer")])
    answer = memory.recall("zqx 7731", without=("semantic", "entity"))
    assert texts(answer)[0] == "zqx-7731 goes to the printer"


def test_meaning_alone_finds_what_no_word_would(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    answer = memory.recall("faucet leaking after dark", explain=True)
    assert texts(answer)[0] == FILLER[0]
    assert "lexical" not in {reason.channel for reason in answer.hits[0].contributions}


def test_other_spellings_of_a_name_meet(memory: Memory) -> None:
    memory.remember_many(
        [NewMemory(text) for text in FILLER]
        + [NewMemory(f"Part {number} of the table is done.") for number in range(30)]
        + [NewMemory("createTable() must not be called twice.")]
    )
    answer = memory.recall("what about create_table?", explain=True, without=("semantic", "lexical"))
    assert texts(answer)[0] == "createTable() must not be called twice."
    assert [reason.channel for reason in answer.hits[0].contributions] == ["entity"]


def test_a_named_time_opens_the_temporal_channel(memory: Memory) -> None:
    for days in range(60):
        memory.remember(f"We talked about the release, day {days}.", event_at=NOW - timedelta(days=days))
    answer = memory.recall("what did we say about the release yesterday?", explain=True, limit=1)
    assert "temporal" in opened(answer)
    assert texts(answer) == ["We talked about the release, day 1."]
    assert "temporal" not in opened(memory.recall("what did we say about the release?", explain=True))


def test_a_named_time_is_read_at_the_query_s_own_date(memory: Memory) -> None:
    for days in range(60):
        memory.remember(f"We talked about the release, day {days}.", event_at=NOW - timedelta(days=days))
    answer = memory.recall("what did we say about the release yesterday?", now=NOW - timedelta(days=30), limit=1)
    assert texts(answer) == ["We talked about the release, day 31."]


def test_a_question_after_a_time_prefers_the_turn_that_names_one(memory: Memory) -> None:
    turns = [
        "Ada: So I moved the backups to the second disk, all of the backups.",
        "Bob: The second disk, good.",
        "Ada: It took long, I started to move the backups last Friday.",
    ]
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember_many([NewMemory(text, episode="chat") for text in turns])
    when, where = (memory.recall(f"{what} did Ada move the backups?", explain=True) for what in ("When", "Where"))
    assert texts(when)[0] == turns[2] and "temporal" in opened(when)
    assert texts(where)[0] == turns[0] and "temporal" not in opened(where)


def test_notes_that_name_a_time_are_no_answer_for_that(memory: Memory) -> None:
    memory.remember_many([NewMemory("The backups were moved."), NewMemory("Backups of the disk are due on Friday.")])
    assert "temporal" not in opened(memory.recall("when were the backups moved?", explain=True))


def share_of_spreading(answer: Recollection) -> dict[str, float]:
    """How much of each hit's score came by spreading, by its text."""
    return {
        hit.memory.text: reason.share / hit.score
        for hit in answer.hits
        for reason in hit.contributions
        if reason.channel == "spreading"
    }


def test_activation_spreads_through_the_episode(memory: Memory) -> None:
    parts = [
        "The deploy failed.",
        "Permission denied on the bucket.",
        "We gave the role write access.",
        "Then it went through.",
    ]
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember_many([NewMemory(text, episode="monday") for text in parts])
    answer = memory.recall("why did the deploy fail, permission denied on the bucket?", explain=True)
    gained = share_of_spreading(answer)
    assert set(parts) <= set(gained)
    assert min(gained[part] for part in parts) > 2 * max(gained.get(text, 0) for text in FILLER)


def test_an_episode_that_comes_near_lifts_what_says_little_itself(memory: Memory) -> None:
    parts = [
        "The deploy failed.",
        "Permission denied on the bucket.",
        "We gave the role write access to the bucket.",
        "Lunch was late, and cold.",
    ]
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember_many([NewMemory(text, episode="monday") for text in parts])
    asked = "why did the deploy fail, permission denied on the bucket?"
    gained = share_of_spreading(memory.recall(asked, explain=True))[parts[-1]]
    assert gained > fitted().episode * (1 - gained)  # the most that comes in proportion to its own


def test_the_only_episode_is_no_better_for_being_the_only_one(memory: Memory) -> None:
    fact = "The dev server listens on port 7070."
    memory.remember_many([NewMemory(fact), NewMemory("Staging is deployed every Tuesday.")])
    memory.remember_many([NewMemory(text, episode="notes.md") for text in FILLER[:2]])
    assert texts(memory.recall("dev server port", min_relevance=0))[0] == fact


def test_a_neighbour_s_words_count(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember_many(
        [NewMemory("Which database did we choose?", episode="chat"), NewMemory("The small one.", episode="chat")]
    )
    assert "The small one." in texts(memory.recall("database choose", without=("semantic", "spreading")))


def test_shares_add_up_to_the_score_and_misses_follow_the_hits(memory: Memory) -> None:
    memory.remember_many(
        [NewMemory(f"The release {number} of the tool is out.", episode="log") for number in range(20)]
    )
    answer = memory.recall("release 7 of the tool", explain=True, limit=3)
    for hit in answer.hits:
        assert sum(reason.share for reason in hit.contributions) == pytest.approx(hit.score, abs=1e-5)
    assert answer.trace is not None
    assert answer.trace.missed
    assert answer.trace.missed[0].rank == 4
    assert not {missed.id for missed in answer.trace.missed} & {hit.memory.id for hit in answer.hits}
    assert {channel.channel for channel in answer.trace.channels} == set(CHANNELS)
    assert answer.trace.missed[0].score <= answer.hits[-1].score


def test_recall_stays_in_its_scope(memory: Memory) -> None:
    for scope in ("/work/a", "/work/b", "global"):
        memory.remember(f"The tests run with tox in {scope}.", scope=scope)
    assert set(texts(memory.recall("how do the tests run", scope="/work/a"))) == {
        "The tests run with tox in /work/a.",
        "The tests run with tox in global.",
    }
    assert texts(memory.recall("how do the tests run", scope="/nowhere")) == ["The tests run with tox in global."]
    assert len(memory.recall("how do the tests run", scope="all").hits) == 3


def test_a_query_that_names_a_scope_s_mark_sees_no_more(memory: Memory) -> None:
    memory.remember("secret of the other project", scope="/work/b")
    memory.remember("plain note", scope="/work/a")
    for text in ("s3", "mark : s2", "s2 OR s3", '{mark} : "s2"'):
        assert all(hit.memory.scope != "/work/b" for hit in memory.recall(text, scope="/work/a").hits)


def test_filters_narrow_every_channel(memory: Memory) -> None:
    day = timedelta(days=1)
    memory.remember("The cache is Redis.", kind="decision", tags=("cache",), event_at=NOW - 10 * day)
    memory.remember("The cache was too small.", kind="fact", tags=("cache", "size"), event_at=NOW - 5 * day)
    memory.remember("The cache is fine now.", kind="note", event_at=NOW - day)
    query = "what about the cache"
    assert texts(memory.recall(query, kinds=("decision",))) == ["The cache is Redis."]
    assert texts(memory.recall(query, tags=("cache", "size"))) == ["The cache was too small."]
    assert texts(memory.recall(query, since=NOW - 2 * day)) == ["The cache is fine now."]
    assert texts(memory.recall(query, until=NOW - 7 * day)) == ["The cache is Redis."]
    assert memory.recall(query, kinds=("fix",)).hits == ()


def test_rare_matches_are_found_behind_many_that_the_filter_hides(memory: Memory) -> None:
    memory.remember_many([NewMemory(f"cache note {number}", kind="note") for number in range(300)])
    memory.remember("One fix about the cache, told at some length, with many other words around it.", kind="fix")
    assert len(memory.recall("cache note", kinds=("fix",), without=("semantic",)).hits) == 1


def test_a_long_memory_is_found_by_its_middle_and_shows_that_passage(memory: Memory) -> None:
    filler = "\n\n".join(f"Paragraph {number} says nothing of interest to anyone at all." for number in range(200))
    text = filler + "\n\nThe password rotation happens every ninety days.\n\n" + filler
    memory.remember(text)
    hit = memory.recall("how often are passwords rotated").hits[0]
    assert hit.memory.text == text
    assert "every ninety days" in hit.excerpt.text
    assert hit.excerpt.text == text[hit.excerpt.start : hit.excerpt.end]


def test_one_memory_is_one_hit(memory: Memory) -> None:
    memory.remember(
        "\n\n".join(
            f"The build takes {number} minutes on the old machine, and we should mend it." for number in range(300)
        )
    )
    assert len(memory.recall("how long does the build take").hits) == 1


def test_equal_texts_in_two_scopes_keep_the_order_of_writing(memory: Memory) -> None:
    first = memory.remember("Always squash.", scope="/work/a").id
    second = memory.remember("Always squash.", scope="global").id
    for _ in range(3):
        assert [hit.memory.id for hit in memory.recall("squash", scope="/work/a").hits] == [first, second]


@pytest.mark.parametrize("text", ["", " \n", "a\0b", "\ud800", "x" * 100_001])
def test_what_is_no_question_is_refused(memory: Memory, text: str) -> None:
    with pytest.raises(BadInput):
        memory.recall(text)


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'; DROP TABLE memory; --",
        "a AND",
        "NOT",
        "NEAR(",
        "text:*",
        "^",
        "(((",
        "{text} : x",
        "*",
        "?!…",
        "the of and",
        "🙂",
        "a\u0301",
    ],
)
def test_operators_and_signs_are_only_text(memory: Memory, text: str) -> None:
    memory.remember("A note about nothing.")
    memory.recall(text, explain=True)
    assert memory.stats().memories == 1


def test_an_empty_store_has_no_hits(memory: Memory) -> None:
    answer = memory.recall("anything at all", explain=True)
    assert answer.hits == ()
    assert answer.degraded == ()


def test_without_vectors_recall_goes_by_words_and_says_so(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember("The linter is ruff.")
        answer = memory.recall("linter")
        assert texts(answer) == ["The linter is ruff."]
        assert "1 passage waits" in answer.degraded[0]
        memory.encode_pending()
        assert memory.recall("linter").degraded == ()


def test_words_alone_find_as_many_as_are_asked_for(memory: Memory) -> None:
    memory.remember_many([NewMemory(f"The linter is ruff, said note {number}.") for number in range(150)])
    assert len(memory.recall("linter", limit=120, without=("semantic",)).hits) == 120
    assert len(memory.recall("linter", limit=500, without=("semantic",)).hits) == 150


def test_a_question_that_nothing_answers_has_no_hits(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    answer = memory.recall("which licence does the compiler plugin have?")
    assert answer.hits == ()
    assert answer.withheld == len(FILLER)
    nearest = memory.recall("which licence does the compiler plugin have?", min_relevance=0.0)
    assert len(nearest.hits) == len(FILLER)
    assert nearest.withheld == 0


def test_relevance_falls_from_the_answer_to_the_rest(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    answer = memory.recall("what drips at night in the kitchen?", min_relevance=0.0)
    relevance = [hit.relevance for hit in answer.hits]
    assert texts(answer)[0] == FILLER[0]
    assert relevance[0] is not None and relevance[0] > 0.5
    assert all(other is not None and other < 0.2 for other in relevance[1:])
    chosen = memory.recall("what drips at night in the kitchen?", min_relevance=0.5)
    assert texts(chosen) == [FILLER[0]]
    assert chosen.withheld == len(FILLER) - 1


def test_who_looks_for_words_finds_them_however_unlike_they_are(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember("Everything about the garden, the house and the long way down to the sea, then xylophone practice.")
    assert "xylophone" in texts(memory.recall("xylophone"))[0]


def test_who_names_a_time_finds_what_happened_then(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember("Bread and butter for everyone.", event_at=datetime(2024, 5, 7, tzinfo=UTC))
    assert texts(memory.recall("what happened in May 2024?"))[0] == "Bread and butter for everyone."


def test_a_time_that_is_named_in_passing_is_no_answer(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember("Bread and butter for everyone.", event_at=datetime(2024, 5, 7, tzinfo=UTC))
    asked = "which licence did the compiler plugin have in May 2024?"
    assert memory.recall(asked).hits == ()
    assert texts(memory.recall(asked, min_relevance=0.0))[0] == "Bread and butter for everyone."


def test_a_person_is_found_by_name_and_not_by_being_named_in_passing(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember("The bread is from Oswald Quint.")
    assert "Oswald" in texts(memory.recall("who is Oswald Quint"))[0]
    assert "Oswald" in texts(memory.recall("anything regarding Oswald Quint"))[0]
    assert memory.recall("which licence did the compiler plugin of Oswald Quint have?").hits == ()


@pytest.mark.parametrize(
    ("one", "other", "talks"), [("Ada", "Bob", True), ("Ada", "bob", False), ("Ada", "Ada", False)]
)
def test_a_question_about_one_who_talks_is_likelier_to_be_answered(
    tmp_path: Path, one: str, other: str, talks: bool
) -> None:
    """Small initials are alike to the encoder and to the words, but don't read as speakers."""
    odds = []
    for number, names in enumerate(((one.lower(), other.lower()), (one, other))):
        with Memory.open(tmp_path / str(number), clock=lambda: NOW, encode="inline") as memory:
            turns = [f"{names[0]}: Bread and butter for everyone.", f"{names[1]}: Thank you, how kind."]
            memory.remember_many([NewMemory(text) for text in FILLER])
            memory.remember_many([NewMemory(text, episode="talk") for text in turns])
            likely = memory.recall("what would Ada's political leaning be?").answerable
            assert likely is not None and 0 < likely < 1
            odds.append(likely / (1 - likely))
    assert odds[1] > 4 * odds[0] if talks else odds[1] == odds[0]


def test_an_identifier_is_found_wherever_it_is_named(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember("Bread and butter, says parse_crumbs().")
    assert "parse_crumbs" in texts(memory.recall("which licence did the compiler plugin with parse_crumbs have?"))[0]
    assert "parse_crumbs" in texts(memory.recall("which licence did the compiler plugin with ParseCrumbs have?"))[0]


def test_a_word_is_no_identifier_for_being_quoted(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember("Bread and butter, says `open`.")
    assert memory.recall("which licence did the compiler plugin with `open` have?").hits == ()
    assert memory.recall("which licence did the compiler plugin with table.open have?").hits == ()
    assert "`open`" in texts(memory.recall("`open`"))[0]


def test_what_has_no_vector_yet_is_not_judged(tmp_path: Path) -> None:
    with Memory.open(tmp_path, encode="off") as memory:
        memory.remember("The linter is ruff.")
        answer = memory.recall("ruff config for the compiler")
        assert texts(answer) == ["The linter is ruff."]
        assert answer.hits[0].relevance is None


def test_the_reply_goes_before_the_question_it_answers(memory: Memory) -> None:
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember_many(
        [
            NewMemory(text, episode="chat")
            for text in ("Ada: Which port does the proxy use?", "Bob: The usual one, 8080.")
        ]
    )
    assert texts(memory.recall("what port does the proxy use"))[0] == "Bob: The usual one, 8080."


def test_a_question_passes_on_what_it_has_to_its_reply(memory: Memory) -> None:
    scores = []
    for scope, mark in (("/asked", "?"), ("/told", ".")):
        turns = [f"Ada: Which port does the proxy use{mark}", "Bob: Eighty eighty.", "Ada: Thanks.", "Bob: See you."]
        memory.remember_many([NewMemory(text, scope=scope) for text in FILLER])
        memory.remember_many([NewMemory(text, scope=scope, episode="chat") for text in turns])
        hits = memory.recall("which port does the proxy use", scope=scope, min_relevance=0).hits
        by_text = {hit.memory.text: hit.score for hit in hits}
        scores.append([by_text[turn] for turn in turns])
    asked, told = scores
    assert asked[1] - told[1] == pytest.approx(fitted().reply * asked[0], rel=0.01)
    assert asked[3] == pytest.approx(told[3], rel=0.2)


def test_a_long_turn_that_ends_in_a_question_asks_at_its_end_alone(memory: Memory) -> None:
    text = " ".join(f"The proxy of region {n} listens on port {8000 + n}, and nobody knows why." for n in range(80))
    memory.remember(f"Ada: {text}", scope="/told", episode="told")
    memory.remember(f"Ada: {text} Who chose these ports?", scope="/asked", episode="asked")
    query = "which port does the proxy of region 40 listen on"
    told, asked = (memory.recall(query, scope=scope, min_relevance=0).hits[0] for scope in ("/told", "/asked"))
    assert asked.score == pytest.approx(told.score, rel=0.05)


def test_a_section_of_notes_asks_nobody(memory: Memory) -> None:
    scores = []
    for scope, mark in (("/asked", "?"), ("/told", ".")):
        sections = [f"# Keys\n\nThey hang beside the door. Who rotates them{mark}", "# Licence\n\nMIT, see there."]
        turns = ["Ada: The door was open.", "Bob: It was not."]
        memory.remember_many([NewMemory(text, scope=scope, episode="notes") for text in sections])
        memory.remember_many([NewMemory(text, scope=scope, episode="chat") for text in turns])
        hits = memory.recall("who rotates the keys beside the door", scope=scope, min_relevance=0).hits
        by_text = {hit.memory.text: hit.score for hit in hits}
        scores.append([by_text[section] for section in sections])
    assert scores[0] == pytest.approx(scores[1], rel=0.02)


def scores_of(memory: Memory, query: str, turns: Sequence[NewMemory], **narrow: Any) -> list[float]:
    """The scores of these memories, in a scope of their own."""
    scope = f"/{memory.stats().memories}"
    memory.remember_many([replace(each, scope=scope) for each in (*map(NewMemory, FILLER), *turns)])
    by_text = {hit.memory.text: hit.score for hit in memory.recall(query, scope=scope, min_relevance=0, **narrow).hits}
    return [by_text.get(turn.text, 0.0) for turn in turns]


@pytest.mark.parametrize(("episode", "asking"), [("chat", 0.72), (None, 1.0)])
def test_a_turn_that_asks_loses_and_a_lone_one_does_not(memory: Memory, episode: str | None, asking: float) -> None:
    chat = [NewMemory("Bob: It is late.", episode="chat"), NewMemory("Kim: It is.", episode="chat")]
    told, asked = (
        scores_of(
            memory,
            "which port does the proxy use",
            [*chat, NewMemory(f"Ada: Which port does the proxy use{mark}", episode=episode)],
        )[-1]
        for mark in (".", "?")
    )
    assert asked == pytest.approx(asking * told, rel=0.05)


def test_a_question_that_is_not_to_be_seen_passes_nothing_on(memory: Memory) -> None:
    scores = []
    for mark in (".", "?"):
        turns = [(f"Ada: Which port does the proxy use{mark}", "note"), ("Bob: Eighty eighty.", "fact")]
        known = [NewMemory(text, kind=kind, episode="chat") for text, kind in turns]
        scores.append(scores_of(memory, "which port does the proxy use", known, kinds=("fact",))[1])
    assert scores[0] > 0 and scores[1] == pytest.approx(scores[0], rel=0.02)


def test_whom_a_question_names_goes_before_those_who_speak_to_them(memory: Memory) -> None:
    turns = ["Bob: Ada, the backups, Ada!", "Ada: I moved them to the second disk.", "Kim: Ada moved the backups? Ada?"]
    memory.remember_many([NewMemory(text) for text in FILLER])
    memory.remember_many([NewMemory(text, episode="chat") for text in turns])
    gained = share_of_spreading(memory.recall("where did Ada move the backups?", explain=True))
    assert max(gained, key=gained.__getitem__) == turns[1]


def test_what_the_named_person_said_goes_before_the_same_from_others(memory: Memory) -> None:
    said = "I moved the backups to the second disk."
    memory.remember_many([NewMemory(f"{name}: {said}") for name in ("Bob", "Eve", "Ada", "Kim")])
    assert texts(memory.recall("where did Ada move the backups to?"))[0] == f"Ada: {said}"


def test_the_parts_in_a_session_are_no_names(memory: Memory) -> None:
    scores = []
    for scope, who in (("/agent", ("claude-code", "user")), ("/people", ("Eve", "Kim"))):
        said = zip(("The table is wide.", "And the code is old."), who, strict=True)
        turns = [NewMemory(text, scope=scope, episode="s", source=Source(who=name)) for text, name in said]
        memory.remember_many(turns)
        hits = memory.recall("the code of the user table", scope=scope, min_relevance=0).hits
        scores.append([hit.score for hit in hits])
    assert scores[0] == pytest.approx(scores[1], rel=0.02)
