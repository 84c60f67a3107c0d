"""Reading each public format."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memd.bench import formats
from memd.errors import BadInput
from tests.bench import made


def test_locomo_turns_are_memories_and_sessions_episodes(tmp_path: Path) -> None:
    (talk,) = formats.read("locomo", made.locomo(tmp_path))
    assert talk.keys[:3] == ["D1:1", "D1:2", "D1:3"]
    assert talk.memories[1].text == f"Ben: {made.TOPICS[0][1]}"
    assert talk.memories[2].text == "Ada: Good to know. [shares a sketch, boiler]"
    assert talk.memories[1].event_at == datetime(2031, 3, 1, 13, 5, tzinfo=UTC)
    assert [memory.position for memory in talk.memories[:4]] == [0, 1, 2, 0]
    assert talk.memories[0].episode == talk.memories[2].episode != talk.memories[3].episode
    assert talk.groups[-1] == "session_12"  # numbered, not sorted as text


def test_locomo_evidence_is_read_from_any_spelling_and_unknown_turns_are_dropped(tmp_path: Path) -> None:
    (talk,) = formats.read("locomo", made.locomo(tmp_path))
    assert len(talk.questions) == len(made.TOPICS)  # less the two that nothing answers
    assert talk.questions[1].gold == ("D2:2", "D3:2")
    assert talk.questions[0].category == "temporal"


def test_commits_are_stored_in_the_order_of_time(tmp_path: Path) -> None:
    (history,) = formats.read("commits", made.commits(tmp_path))
    assert history.keys == [topic for topic, _ in made.TOPICS]
    assert history.memories[0].event_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert history.memories[0].episode is None
    assert history.questions[3].gold == ("bicycle",)


def test_longmemeval_has_a_history_a_question(tmp_path: Path) -> None:
    leak, piano, unanswered = formats.read("longmemeval", made.longmemeval(tmp_path))
    (question,) = leak.questions
    assert len(leak.keys) == 6  # turns that say nothing are left out
    assert [leak.keys.index(key) for key in question.gold] == [0]
    assert question.groups == ("s-boiler",)
    assert question.now == datetime(2031, 3, 9, 23, 40, tzinfo=UTC)
    assert leak.memories[2].event_at == datetime(2031, 3, 2, 9, 30, tzinfo=UTC)
    assert leak.memories[0].text.startswith("user: The boiler")
    assert piano.questions[0].category == "multi-session"
    assert not unanswered.questions[0].answerable
    assert unanswered.questions[0].gold == unanswered.questions[0].groups == ()


def test_longmemeval_tells_a_session_that_comes_twice_apart(tmp_path: Path) -> None:
    path = made.longmemeval(tmp_path)
    entries = json.loads(path.read_text())[:1]
    for name in ("haystack_session_ids", "haystack_dates", "haystack_sessions"):
        entries[0][name].append(entries[0][name][0])
    path.write_text(json.dumps(entries))
    (leak,) = formats.read("longmemeval", path)
    assert len(set(leak.keys)) == len(leak.keys) == 8
    assert leak.questions[0].groups == ("s-boiler",)


def test_beir_joins_corpus_queries_and_judgements(tmp_path: Path) -> None:
    (house,) = formats.read("beir", made.beir(tmp_path))
    assert house.name == "house"
    assert len(house.memories) == len(made.TOPICS)  # the empty document is none
    assert house.memories[0].text == "boiler\n" + made.TOPICS[0][1]
    leak, piano = house.questions
    assert (leak.gold, leak.grades, leak.itself) == (("d0", "d6"), (2.0, 1.0), "")
    assert piano.itself == "d1"


def test_beir_takes_another_split_and_other_spellings(tmp_path: Path) -> None:
    root = made.beir(tmp_path)
    (house,) = formats.read("beir", root / "qrels" / "dev.tsv")
    assert [question.gold for question in house.questions] == [("d4",)]
    (root / "qrels" / "test.tsv").unlink()
    (house,) = formats.read("beir", root)
    assert [question.gold for question in house.questions] == [("d4",)]

    (root / "qrels" / "dev.tsv").unlink()
    (root / "qrels.jsonl").write_text('{"query-id": "q1", "corpus-id": "d0", "score": 1}\n')
    corpus = (root / "corpus.jsonl").read_bytes().replace(b'"_id"', b'"id"')
    (root / "corpus.jsonl").unlink()
    (root / "corpus.jsonl.gz").write_bytes(gzip.compress(corpus))
    (house,) = formats.read("beir", root)
    assert [question.gold for question in house.questions] == [("d0",)]
    assert len(house.memories) == len(made.TOPICS)


def test_beir_reads_the_four_columns_of_trec(tmp_path: Path) -> None:
    root = made.beir(tmp_path)
    (root / "qrels" / "test.tsv").write_text("q1 0 d0 1\nq1 0 d2 0\n")
    (house,) = formats.read("beir", root)
    assert [question.gold for question in house.questions] == [("d0",)]


@pytest.mark.parametrize("name", ["locomo", "commits", "longmemeval", "beir"])
@pytest.mark.parametrize("content", ["[{}]", "{", '{"memories": 3}', "[1]"])
def test_what_isnt_of_the_format_is_refused_by_name(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / "data.json"
    path.write_text(content)
    with pytest.raises(BadInput) as refused:
        formats.read(name, path)
    assert str(tmp_path) in refused.value.message


def test_a_missing_part_of_a_folder_is_named(tmp_path: Path) -> None:
    root = made.beir(tmp_path)
    (root / "queries.jsonl").unlink()
    with pytest.raises(BadInput, match="queries"):
        formats.read("beir", root)
