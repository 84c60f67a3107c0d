"""The protocols, over rankers whose answers are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from memd.bench import formats
from memd.bench.collection import Collection, Question
from memd.bench.metrics import DEPTH
from memd.bench.protocol import Protocol, judge
from memd.errors import BadInput
from memd.model import NewMemory
from tests.bench import made


class InOrder:
    """Ranks keys in a fixed order, and keeps what it was asked for."""

    size = 0

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys
        self.limits: list[int] = []

    def rank(self, question: Question, limit: int) -> list[str]:
        self.limits.append(limit)
        return self.keys[:limit]


def sessions(lengths: list[int]) -> Collection:
    """A collection with sessions of these lengths; keys are `session:turn`."""
    keys = [f"{session}:{turn}" for session, length in enumerate(lengths) for turn in range(length)]
    return Collection("made", keys, [NewMemory(key) for key in keys], [key.split(":")[0] for key in keys], [])


def test_a_turn_is_asked_for_once_at_the_depth() -> None:
    talk = sessions([60, 10])
    ranker = InOrder(list(talk.keys))
    answer = Protocol(talk, "turn").ask(ranker, Question("q", "?", ("0:1",)))
    assert ranker.limits == [DEPTH]
    assert answer.ranking == answer.found_by == list(talk.keys)[:DEPTH]


def test_sessions_stand_where_their_first_turn_does() -> None:
    talk = sessions([3] * 12)
    ranker = InOrder(["4:2", "4:0", "1:1", *talk.keys[6:]])
    protocol = Protocol(talk, "session")
    answer = protocol.ask(ranker, Question("q", "?", ("4:1", "1:0", "4:0")))
    assert answer.ranking[:3] == ["4", "1", "2"]
    assert answer.found_by[:3] == ["4:2", "1:1", "2:0"]
    target = protocol.target(Question("q", "?", ("4:1", "1:0", "4:0")))
    assert target.gold == ("4", "1")
    assert judge(answer, target)["R@1"] == 0.5


def test_the_limit_rises_until_ten_sessions_appear() -> None:
    talk = sessions([40] * 12)
    ranker = InOrder(list(talk.keys))
    answer = Protocol(talk, "session").ask(ranker, Question("q", "?", ("9:0",)))
    assert ranker.limits == [50, 100, 200, 400]
    assert len(answer.ranking) >= 10


@pytest.mark.parametrize(
    ("lengths", "limits", "found"),
    [
        ([40] * 5, [50, 100, 200], 5),  # there are no more than five
        ([2000], [50], 1),
        ([2000, 1], [50, 100, 200, 400, 800, 1000], 1),  # a recall gives no more
    ],
)
def test_the_limit_rises_no_further_than_there_is_something_to_find(
    lengths: list[int], limits: list[int], found: int
) -> None:
    talk = sessions(lengths)
    ranker = InOrder(list(talk.keys))
    answer = Protocol(talk, "session").ask(ranker, Question("q", "?", ("0:0",)))
    assert ranker.limits == limits
    assert len(answer.ranking) == found


def test_a_ranking_that_ends_early_is_not_asked_for_again() -> None:
    talk = sessions([3] * 12)
    ranker = InOrder(list(talk.keys)[:20])
    answer = Protocol(talk, "session").ask(ranker, Question("q", "?", ("0:0",)))
    assert ranker.limits == [50]
    assert len(answer.ranking) == 7


def test_sessions_that_the_data_names_go_before_those_of_the_turns(tmp_path: Path) -> None:
    leak, _, unanswered = formats.read("longmemeval", made.longmemeval(tmp_path))
    assert Protocol(leak, "session").target(leak.questions[0]).gold == ("s-boiler",)
    assert Protocol(unanswered, "session").target(unanswered.questions[0]).gold == ()


def test_a_question_that_is_itself_a_memory_never_finds_itself(tmp_path: Path) -> None:
    (house,) = formats.read("beir", made.beir(tmp_path))
    answer = Protocol(house, "turn").ask(InOrder(list(house.keys)), house.questions[1])
    assert "d1" not in answer.ranking


def test_without_sessions_there_is_no_session_level(tmp_path: Path) -> None:
    (history,) = formats.read("commits", made.commits(tmp_path))
    with pytest.raises(BadInput, match="no sessions"):
        Protocol(history, "session")
