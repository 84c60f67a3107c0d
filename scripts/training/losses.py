"""What the encoder is tuned to: a text finds its passage by the pooled vector and by late interaction."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.model import Encoded

TEMPERATURE = 0.05
SIGN_SCALE = math.sqrt(math.pi / 2)
"""E⟨q, sign(x)/√d⟩ = ⟨q, x⟩·√(2/π) for a random x; this takes the signs' inner products back to cosines."""


def pooled_scores(queries: Encoded, passages: Encoded) -> Tensor:
    """Cosines of the pooled vectors, [queries, passages]."""
    return queries.pooled @ passages.pooled.T


def signs(tokens: Tensor) -> Tensor:
    """Unit-norm signs of unit-norm vectors; the gradient passes straight through (Bengio et al. 2013)."""
    hard = torch.where(tokens >= 0, 1.0, -1.0) / math.sqrt(tokens.shape[-1])
    return tokens + (hard - tokens).detach()


def late_scores(queries: Encoded, passages: Encoded, weights: Tensor) -> Tensor:
    """Weighted MaxSim (Khattab & Zaharia 2020) over the signs of passage tokens, [queries, passages].

    Args:
        queries, passages: encoded texts; specials and padding take no part.
        weights: of each token of the vocabulary in a query.
    """
    q, d = queries.tokens[queries.word], signs(passages.tokens)
    similarity = torch.einsum("qd,ntd->qnt", q, d) * SIGN_SCALE
    best = similarity.masked_fill(~passages.word, -1.0).amax(-1)
    weight = weights[queries.ids] * queries.word
    weight = (weight / weight.sum(1, keepdim=True).clamp_min(1e-6))[queries.word]
    row = torch.arange(len(queries.ids))[:, None].expand_as(queries.word)[queries.word]
    return torch.zeros(len(queries.ids), len(d)).index_add(0, row, best * weight[:, None])


def contrastive(scores: Tensor, false_negative: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Mean cross entropy of each row against its own column (InfoNCE, van den Oord et al. 2018).

    Args:
        scores: [n, n]; row i belongs to column i.
        false_negative: bool [n, n]; true where a column may answer another row, which is then left out.
    """
    logits = (scores / temperature).masked_fill(false_negative, float("-inf"))
    return F.cross_entropy(logits, torch.arange(len(scores)))


def loss(queries: Encoded, passages: Encoded, weights: Tensor, false_negative: Tensor) -> Tensor:
    """The pooled loss in both directions and the late-interaction loss, each with half of the weight."""
    pooled, late = pooled_scores(queries, passages), late_scores(queries, passages, weights)
    both = (contrastive(pooled, false_negative) + contrastive(pooled.T, false_negative.T)) / 2
    return (both + contrastive(late, false_negative)) / 2
