"""What was used ranks a little higher and what faded a little lower: enough for equals, never for a better match."""

from collections.abc import Callable

import pytest

from memd.api import Memory
from memd.lifecycle.activation import PRIOR, STEP
from memd.model import Recollection
from memd.recall.calibration import fitted

from .conftest import Travel

TEXT = "the parser fails on empty input"
HERE = "/somewhere"


def asked(memory: Memory) -> Recollection:
    return memory.recall("why does the parser fail on empty input", scope=HERE, explain=True, min_relevance=0)


def ids(memory: Memory) -> list[str]:
    return [hit.memory.id for hit in asked(memory).hits]


@pytest.fixture
def equals(memory: Memory, clock: Travel) -> list[str]:
    """The same text here and globally, which match alike, and something else; a little later."""
    found = [memory.remember(TEXT).id, memory.remember(TEXT, scope=HERE).id]
    memory.remember("lunch is at noon in the blue room")
    memory.remember("the parser was written by somebody")
    clock.on(0.2)
    assert ids(memory)[:2] == found  # as they were written
    return found


def test_the_used_one_of_equals_goes_first(memory: Memory, equals: list[str]) -> None:
    memory.use(equals[1:])
    assert ids(memory)[:2] == equals[::-1]


def test_a_useless_one_steps_back(memory: Memory, equals: list[str]) -> None:
    memory.use(equals[:1], verdict="useless")
    assert ids(memory)[:2] == equals[::-1]


def test_what_faded_steps_back_behind_its_equal(memory: Memory, clock: Travel) -> None:
    old = memory.remember(TEXT).id
    clock.on(20)
    memory.lifecycle.run()
    new = memory.remember(TEXT, scope=HERE).id
    assert ids(memory) == [new, old]
    memory.use([old])
    assert ids(memory) == [old, new]


def test_use_never_overturns_a_clearly_better_match(memory: Memory, equals: list[str], clock: Travel) -> None:
    other = next(one.id for one in memory.list() if "somebody" in one.text)
    for _ in range(50):
        memory.use([other])
        clock.on(0.01)
    assert ids(memory)[0] in equals


def test_the_prior_is_less_than_a_rank_in_every_channel() -> None:
    k = fitted().k
    assert (k + 1) / (k + 2) * (1 + PRIOR) < 1 - 4 * STEP


def test_without_uses_the_answer_is_the_same_to_the_bit(
    memory: Memory, equals: list[str], clock: Travel, tiers: Callable[[], dict[str, int]]
) -> None:
    def told(answer: Recollection) -> list[object]:
        return [(hit.memory.id, hit.score, hit.relevance, hit.contributions) for hit in answer.hits]

    before = told(asked(memory))
    memory.lifecycle.run()  # looks at all, moves none
    clock.on(0.1)
    assert tiers() == {"active": 4} and told(asked(memory)) == before


def test_shares_still_add_up(memory: Memory, equals: list[str]) -> None:
    memory.use(equals)
    for hit in asked(memory).hits:
        assert sum(part.share for part in hit.contributions) == pytest.approx(hit.score, abs=1e-5)


def test_what_is_dormant_is_not_passed_over_in_silence(memory: Memory, clock: Travel) -> None:
    """Without a vector, nobody can say that it is too far from the question."""
    old = memory.remember("the plugin is under the MIT licence").id
    asleep = memory.remember("the violinist tunes her instrument").id
    clock.on(4000)
    memory.lifecycle.run()
    assert {life.tier for life in memory.lifecycle.vitality([old, asleep])} == {"dormant"}
    for text in ("the tap in the kitchen drips at night", "the cat sleeps on the warm radiator"):
        memory.remember(text)
    assert memory.recall("who won the chess tournament in Reykjavik?").hits == ()
    found = memory.recall("which licence does the compiler plugin have?")
    assert found.hits[0].memory.id == old and found.hits[0].relevance is None
