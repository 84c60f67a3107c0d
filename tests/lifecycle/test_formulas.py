"""The formulas of forgetting hold what they promise, whatever the history."""

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from memd.lifecycle import activation, forecast, retention, tiers
from memd.store.uses import VERDICTS, Event, pack, unpack

days = st.floats(0, 10_000)
histories = st.lists(st.floats(0, 3_000), min_size=1, max_size=60).map(sorted)
stabilities = st.floats(1, 1e5)
importances = st.floats(0, 1)
kinds = st.sampled_from([*retention.KIND, "note", "commit"])


@given(histories, days, st.floats(1e-3, 1_000))
def test_activation_falls_as_time_passes(history: list[float], age: float, more: float) -> None:
    now = history[-1] + age
    earlier, later = (activation.activation([then - at for at in history]) for then in (now, now + more))
    assert later < earlier


@given(histories, days)
def test_a_use_raises_activation_and_a_useless_verdict_lowers_it(history: list[float], age: float) -> None:
    ages = [history[-1] + age - at for at in history]
    level = activation.activation(ages)
    assert activation.activation([*ages, 0.0]) > level > activation.activation(ages, [0.0])


@given(days, importances, importances, kinds)
def test_importance_raises_activation_and_stability(age: float, one: float, other: float, kind: str) -> None:
    assume(one + 1e-6 < other)
    low, high = (retention.head_start(kind, importance) for importance in (one, other))
    assert activation.activation([age], head_start=low) < activation.activation([age], head_start=high)
    assert retention.initial(kind, one) < retention.initial(kind, other)


def test_base_level_activation_is_act_rs() -> None:
    expected = math.log((1 + 3) ** -activation.DECAY + (1 + 10) ** -activation.DECAY)
    assert activation.activation([3, 10]) == expected
    assert activation.activation([0]) == 0


@given(stabilities, days, st.floats(1e-3, 1_000))
def test_retention_decays(stability: float, age: float, more: float) -> None:
    assume(age / stability < 500)
    assert retention.retention(age + more, stability) < retention.retention(age, stability) <= 1
    assert retention.retention(0, stability) == 1


@given(kinds, importances, histories)
def test_a_use_never_lowers_stability(kind: str, importance: float, history: list[float]) -> None:
    start = retention.initial(kind, importance)
    before, last = retention.stability(start, 0, [(at, True) for at in history[:-1]])
    after, _ = retention.stability(start, 0, [(at, True) for at in history])
    assert after >= before >= start
    if history[-1] - last > 0.01 * before:
        assert after > before


@given(kinds, st.integers(2, 12), st.floats(0.001, 0.05), st.floats(5, 60))
def test_spaced_uses_beat_crammed_ones(kind: str, count: int, crammed: float, spaced: float) -> None:
    start = retention.initial(kind, 0.5)
    short, long = (
        retention.stability(start, 0, [(gap * number, True) for number in range(1, count + 1)])[0]
        for gap in (crammed, spaced)
    )
    assert long > short


@given(stabilities, st.floats(1, 240), days, st.floats(1e-3, 1_000))
def test_growth_rises_with_the_gap(stability: float, start: float, gap: float, more: float) -> None:
    assume(start <= stability)
    one, other = (retention.grown(stability, start, time) for time in (gap, gap + more))
    assert stability <= one <= other <= stability + retention.GAIN * math.sqrt(start * stability) * (1 + 1e-12)


@given(stabilities)
def test_a_useless_verdict_lowers_stability_to_a_day_at_least(stability: float) -> None:
    assert min(stability, 1.0) <= retention.lapsed(stability) <= stability


@given(st.floats(0, 1e6), st.floats(1e-6, 1e6), st.floats(0.1, 10))
def test_need_falls_with_retention(u: float, more: float, correction: float) -> None:
    assert 0 < forecast.needed(u + more, correction) <= forecast.needed(u, correction) < 1


@given(st.floats(0, 1e4), st.integers(0, 10_000))
def test_the_forecast_follows_what_came(expected: float, came: int) -> None:
    assert (forecast.correction(expected, came) > 1) == (came > expected)
    assert forecast.correction(0, 0) == 1


@given(stabilities, st.lists(st.floats(0, 1e6), min_size=2, max_size=50).map(sorted))
def test_between_uses_tiers_only_fall(stability: float, ages: list[float]) -> None:
    tier = tiers.ACTIVE
    seen = [tier := tiers.tier_at(age, stability, tier) for age in ages]
    assert seen == sorted(seen, reverse=True)


@given(stabilities, st.sampled_from(tiers.ORDER), st.lists(st.floats(-0.09, 0.09), min_size=5, max_size=40))
def test_near_a_bound_a_tier_does_not_flap(stability: float, tier: int, wiggles: list[float]) -> None:
    """Retention that wavers around a bound (a clock set back and forth) changes the tier once at most."""
    bound = tiers.limit(tier, stability)
    assume(math.isfinite(bound))
    changes = 0
    for wiggle in wiggles:
        new = tiers.tier_at(bound * (1 + wiggle), stability, tier)
        changes, tier = changes + (new != tier), new
    assert changes <= 1


@given(stabilities, st.sampled_from(tiers.ORDER[:-1]))
def test_the_next_fall_is_told_to_the_moment(stability: float, tier: int) -> None:
    fall = tiers.next_fall(tier, stability)
    assert fall is not None
    assert tiers.tier_at(fall.after * (1 - 1e-9), stability, tier) == tier
    assert tiers.tier_at(fall.after, stability, tier) == fall.tier < tier


def test_a_dormant_memory_falls_no_further() -> None:
    assert tiers.next_fall(tiers.DORMANT, 1.0) is None


@given(st.floats(0, 1e6), days, st.lists(days, max_size=50), st.lists(days, max_size=50), st.integers(0, 4))
def test_the_prior_is_gentle(_: float, age: float, helped: list[float], useless: list[float], steps: int) -> None:
    factor = activation.prior(helped, useless, steps)
    assert 1 - activation.PRIOR - 4 * activation.STEP <= factor <= 1 + activation.PRIOR
    assert activation.prior([], [], 0) == 1
    assert activation.prior([*helped, age], useless, steps) >= factor


events = st.lists(st.builds(Event, st.integers(-(10**12), 10**14), st.sampled_from(VERDICTS)), max_size=100)


@given(events)
def test_packed_events_come_back_to_the_millisecond(history: list[Event]) -> None:
    assert unpack(pack(history)) == sorted(history, key=lambda event: (event.at, VERDICTS.index(event.verdict)))


@given(events, events)
def test_packing_in_parts_is_packing_at_once(one: list[Event], other: list[Event]) -> None:
    assert pack([*unpack(pack(one)), *other]) == pack([*one, *other])
