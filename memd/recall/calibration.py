"""Every number that recall was fitted with: one file, made by `make calibrate` for one encoder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("calibration.json")


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One setting for all stores.

    Attributes:
        k: the constant of weighted reciprocal rank, w / (k + rank).
        lexical: weight of BM25.
        context: weight of the neighbours' words in BM25 (the passage's own have 1).
        late, dense, surround: weights of the semantic voices: late interaction, the pooled vector, the
            pooled vector together with its neighbours'.
        neighbour: how much a neighbour's pooled similarity counts in `surround`.
        late_neighbour: how much a neighbour's best token counts in late interaction.
        late_idf: exponent of a query token's idf in its weight.
        late_stop: factor on that weight for stop words.
        late_power: exponent of a token's best similarity; above 1, many weak matches count less than few good ones.
        late_length: what each natural-log unit of length (tokens, with the neighbours') costs: more tokens
            find a better match by chance.
        entity, temporal: weights of the gated channels.
        episode: how much of its fused score a passage gains in the most active episode.
        episode_hits: how many of an episode's best passages make its activation, and say how near it comes.
        episode_whole: how much of that activation is how well the episode's candidates answer together.
        episode_near: what a passage gains of the episode whose best passages match best, whatever its own score.
        reply: how much of what a question has, by itself and by its episode, the turn behind it gains.
        question: how much of its score a turn of an episode loses that ends in a question; of a long one its end.
        speaker: what a turn of an episode gains, whatever its own score, when the query names who says it.
        lexical_depth, dense_depth: candidates from words, and from each pooled voice.
        relevance_bias, relevance_late, relevance_dense, relevance_share: coefficients of a hit's relevance.
        answerable_bias, answerable_late, answerable_dense: coefficients of the probability that the store answers.
        abstain_below: recall has no answer when that probability is below this.
        encoder: fingerprint of the encoder that all this was fitted with. Another encoder's similarities lie
            elsewhere, so relevance is not known with it.
    """

    encoder: str

    k: float
    lexical: float
    context: float
    late: float
    dense: float
    surround: float
    neighbour: float
    late_neighbour: float
    late_idf: float
    late_stop: float
    late_power: float
    late_length: float
    entity: float
    temporal: float
    episode: float
    episode_hits: int
    episode_whole: float
    episode_near: float
    reply: float
    question: float
    speaker: float
    lexical_depth: int
    dense_depth: int
    relevance_bias: float
    relevance_late: float
    relevance_dense: float
    relevance_share: float
    answerable_bias: float
    answerable_late: float
    answerable_dense: float
    abstain_below: float


@cache
def fitted() -> Calibration:
    """The setting that memd ships."""
    return msgspec.json.decode(FILE.read_bytes(), type=Calibration)
