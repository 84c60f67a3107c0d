"""The reasons of a recall: who contributed what, who was close, where the time went."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from memd.model import CHANNELS, Candidate, Channel, ChannelTrace, Contribution, Trace
from memd.recall.analysis import Analysis
from memd.recall.ranking import Scores, Slots
from memd.recall.results import Found, Passage

if TYPE_CHECKING:
    from memd.recall.recaller import Ranked

SNIPPET = 80  # characters


class Stopwatch:
    """Splits a recall's time into stages, in milliseconds."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Book the time since the last lap to `stage`."""
        now = time.perf_counter()
        self.stages[stage] = self.stages.get(stage, 0.0) + (now - self._last) * 1000
        self._last = now


def contributions(ranked: Ranked, places: Slots) -> list[tuple[Contribution, ...]]:
    """For each place of the pool, what each channel that spoke for it gave. The shares add up to the total."""
    shares = {channel: channel_shares(ranked, channel) for channel in CHANNELS}
    ranks = {channel: _ranks(values) for channel, values in shares.items()}
    return [
        tuple(_contribution(ranked, channel, place, ranks[channel], given) for channel, given in _given(shares, place))
        for place in places.tolist()
    ]


def _given(shares: Mapping[Channel, Scores], place: int) -> list[tuple[Channel, float]]:
    return [(channel, float(shares[channel][place])) for channel in CHANNELS if shares[channel][place] != 0]


def _contribution(ranked: Ranked, channel: Channel, place: int, ranks: Slots, given: float) -> Contribution:
    return Contribution(channel, int(ranks[place]), round(raw_score(ranked, channel, place), 6), round(given, 6))


def channel_shares(ranked: Ranked, channel: Channel) -> Scores:
    """float64 [n]: what a channel gave to each of the pool, times how alive that is."""
    if channel == "spreading":
        return ranked.gains if ranked.alive is None else ranked.gains * ranked.alive
    total = np.zeros(len(ranked.fused.slots))
    for speaker, ranks in zip(ranked.voices, ranked.fused.ranks, strict=True):
        if speaker.channel == channel:
            total += np.where(ranks > 0, speaker.weight / (ranked.k + ranks), 0.0)
    return total if ranked.alive is None else total * ranked.alive


def raw_score(ranked: Ranked, channel: Channel, place: int) -> float:
    """The channel's own score of a place: that of its first voice that ranks it; for spreading, the gain."""
    for speaker, ranks in zip(ranked.voices, ranked.fused.ranks, strict=True):
        if speaker.channel == channel and ranks[place] > 0:
            return float(speaker.scores[ranks[place] - 1])
    return float(ranked.gains[place]) if channel == "spreading" else 0.0


def trace(
    asked: Analysis,
    ranked: Ranked,
    why: Mapping[Channel, str],
    found: Found,
    passages: Sequence[Passage],
    limit: int,
    watch: Stopwatch,
) -> Trace:
    """The story of a recall. `passages` are the texts of `found`, which goes on past `limit` with what just missed."""
    texts = dict(zip(found.places.tolist(), passages, strict=True))
    stages = {stage: round(ms, 3) for stage, ms in watch.stages.items()}
    return Trace(
        terms=asked.terms,
        entities=asked.entities,
        times=tuple((_moment(start), _moment(end)) for start, end in asked.times),
        channels=tuple(_channel(ranked, channel, why.get(channel, ""), texts, stages) for channel in CHANNELS),
        missed=tuple(
            _candidate(passages[place], place + 1, float(found.scores[place])) for place in range(limit, len(passages))
        ),
        stages_ms=stages,
    )


def _channel(
    ranked: Ranked, channel: Channel, why: str, texts: Mapping[int, Passage], stages: Mapping[str, float]
) -> ChannelTrace:
    shares = channel_shares(ranked, channel)
    ranks = _ranks(shares)
    spoken = [place for place in texts if shares[place] != 0]
    spoken.sort(key=lambda place: int(ranks[place]))
    return ChannelTrace(
        channel=channel,
        open=bool((shares != 0).any()),
        why=why,
        weight=_weight(ranked, channel),
        took_ms=stages.get(channel, 0.0),
        candidates=tuple(
            _candidate(texts[place], int(ranks[place]), raw_score(ranked, channel, place)) for place in spoken
        ),
    )


def _weight(ranked: Ranked, channel: Channel) -> float:
    if channel == "spreading":
        return ranked.spread if ranked.gains.any() else 0.0
    return sum(speaker.weight for speaker in ranked.voices if speaker.channel == channel)


def _ranks(shares: Scores) -> Slots:
    """Ranks from 1 by falling share; ties by place."""
    ranks = np.empty(len(shares), np.int64)
    ranks[np.lexsort((np.arange(len(shares)), -shares))] = np.arange(1, len(shares) + 1)
    return ranks


def _candidate(passage: Passage, rank: int, score: float) -> Candidate:
    text = " ".join(passage.excerpt.text[: 4 * SNIPPET].split())
    return Candidate(
        passage.memory.id, rank, round(score, 6), text if len(text) <= SNIPPET else text[: SNIPPET - 1] + "…"
    )


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
