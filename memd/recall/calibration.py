"""Every number that recall was fitted with, in one place."""

from __future__ import annotations

import msgspec


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
        late_stop: factor on that weight for stop words and punctuation.
        late_power: exponent of a token's best similarity; above 1, many weak matches count less than few good ones.
        late_length: what each natural-log unit of length (tokens, with the neighbours') costs: more tokens
            find a better match by chance.
        entity, temporal: weights of the gated channels.
        episode: how much of its fused score a passage gains in the most active episode.
        episode_hits: how many of an episode's best passages make its activation.
        lexical_depth, dense_depth: candidates from words, and from each pooled voice.
    """

    k: float = 3.0
    lexical: float = 2.0
    context: float = 0.3
    late: float = 1.5
    dense: float = 0.5
    surround: float = 0.5
    neighbour: float = 0.3
    late_neighbour: float = 0.75
    late_idf: float = 1.5
    late_stop: float = 0.2
    late_power: float = 2.0
    late_length: float = 0.03
    entity: float = 1.5
    temporal: float = 5.0
    episode: float = 2.0
    episode_hits: int = 5
    lexical_depth: int = 100
    dense_depth: int = 60
