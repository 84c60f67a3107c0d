"""One memory's state, from what is stored of it: how alive it is now, when it falls, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

from memd.clock import from_ms
from memd.lifecycle import activation, forecast, retention, tiers
from memd.model import NextTier, TierName, Vitality
from memd.store.uses import Event, Life

DAY_MS = 86_400_000


class State(NamedTuple):
    """How alive a memory is at a moment.

    Attributes:
        activation: ACT-R's base level.
        retention: e^(−u).
        u: time since the last use over the stability; 0 for a pinned memory.
        needed: the probability of need within the next 30 days.
    """

    activation: float
    retention: float
    u: float
    needed: float


def reckoned(life: Life, events: Sequence[Event]) -> Life:
    """The same memory with stability, last use and due time as its whole history has them."""
    return timed(known(life, events))


def known(life: Life, events: Sequence[Event]) -> Life:
    """The same memory with stability and last use as its whole history has them."""
    start = retention.initial(life.kind, life.importance)
    if not events:
        return life._replace(stability=start, used_at=None)
    days = [(event.at / DAY_MS, event.helped) for event in events]
    stability, _ = retention.stability(start, life.recorded_at / DAY_MS, days)
    used = max((event.at for event in events if event.helped), default=None)
    return life._replace(stability=stability, used_at=used)


def timed(life: Life) -> Life:
    """The same memory with the time at which it leaves its tier. Its stability must be known."""
    return life._replace(due=_due(life, life.tier))


def settled(life: Life, now_ms: int) -> Life:
    """The same memory in the tier where it belongs at `now_ms`, and due, after `now_ms`, when it leaves that."""
    assert life.stability is not None
    if life.pinned:
        return timed(life)
    tier = tiers.tier_at((now_ms - last_use(life)) / DAY_MS, life.stability, life.tier)
    due = _due(life, tier)
    later = None if due is None else max(due, now_ms + 1)
    return life._replace(tier=tier, tier_at=life.tier_at if tier == life.tier else now_ms, due=later)


def _due(life: Life, tier: int) -> int | None:
    """When it leaves `tier`, in which it is; None where it never does."""
    assert life.stability is not None
    after = math.inf if life.pinned else tiers.limit(tier, life.stability)
    return None if after == math.inf else last_use(life) + math.ceil(after * DAY_MS)


def last_use(life: Life) -> int:
    """When it last helped, or was recorded (ms)."""
    return life.recorded_at if life.used_at is None else max(life.recorded_at, life.used_at)


def state(life: Life, events: Sequence[Event], now_ms: int, correction: float = 1.0) -> State:
    """How alive a memory is at `now_ms`. Its stability must be known."""
    assert life.stability is not None
    helped, useless = ages(events, now_ms)
    helped.append((now_ms - life.recorded_at) / DAY_MS)
    level = activation.activation(helped, useless, retention.head_start(life.kind, life.importance))
    if life.pinned:
        return State(level, 1.0, 0.0, forecast.needed(0.0, correction))
    age = max(0.0, (now_ms - last_use(life)) / DAY_MS)
    u = age / life.stability
    return State(level, retention.retention(age, life.stability), u, forecast.needed(u, correction))


def ages(events: Sequence[Event], now_ms: int) -> tuple[list[float], list[float]]:
    """Days since each use, and since each verdict of useless."""
    helped = [(now_ms - event.at) / DAY_MS for event in events if event.helped]
    return helped, [(now_ms - event.at) / DAY_MS for event in events if not event.helped]


def vitality(id_: str, life: Life, events: Sequence[Event], now_ms: int, correction: float) -> Vitality:
    """A memory's state as it is shown."""
    life = reckoned(life, events)
    assert life.stability is not None
    now = state(life, events, now_ms, correction)
    fall = None if life.due is None or life.pinned else tiers.next_fall(life.tier, life.stability)
    return Vitality(
        id=id_,
        activation=round(now.activation, 4) + 0.0,  # no minus zero
        retention=round(now.retention, 6),
        stability_days=round(life.stability, 2),
        needed=round(now.needed, 4),
        tier=name(life.tier),
        tier_since=from_ms(life.recorded_at if life.tier_at is None else life.tier_at),
        next=NextTier(name(fall.tier), from_ms(life.due)) if fall and life.due is not None else None,
        pinned=life.pinned,
        importance=life.importance,
        uses=sum(event.helped for event in events),
        useless=sum(not event.helped for event in events),
        used_at=None if life.used_at is None else from_ms(life.used_at),
        why=_why(life, events, now_ms),
    )


def name(tier: int) -> TierName:
    """A tier's name by its bits."""
    return cast(TierName, tiers.NAMES[tier])


def _why(life: Life, events: Sequence[Event], now_ms: int) -> str:
    """What the state follows from, as a sentence."""
    helped = sum(event.helped for event in events)
    since = _days((now_ms - last_use(life)) / DAY_MS)
    start = retention.initial(life.kind, life.importance)
    parts = [f"used {_times(helped)}, last {since} ago" if helped else f"not used since it was recorded {since} ago"]
    if len(events) > helped:
        parts.append(f"said to be useless {_times(len(events) - helped)}")
    parts.append(f"a {life.kind} of importance {life.importance:g} starts with {_days(start)}")
    if helped:
        parts.append(f"uses took that to {_days(life.stability or start)}")
    if life.pinned:
        parts.append("pinned, so it doesn't fade")
    return "; ".join(parts)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _days(days: float) -> str:
    if days < 1:
        hours = max(0, round(days * 24))
        return "less than an hour" if not hours else f"{hours} hour{'s' if hours > 1 else ''}"
    whole = round(days)
    return f"{whole:,} day{'s' if whole > 1 else ''}"
