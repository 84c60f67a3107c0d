"""Which sentences say what the others say, and which of those to take. Pure functions.

Centrality is continuous LexRank (Erkan & Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text
Summarization", JAIR 22, 2004, section 3.3): the stationary distribution of a walk from sentence to sentence, as likely
as they are alike. Unlike there, none is a neighbour of its own: one like no other would keep all that it has.
Redundancy is kept out by maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TELEPORT = 0.15  # of the walk's steps; the paper takes 0.1 to 0.2
LAMBDA = 0.7  # the part of centrality in marginal relevance, the rest is novelty
SAME = 0.6  # what is as alike as this to something taken says nothing new
_ROUNDS, _STILL = 100, 1e-6


def likeness(sentences: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Cosines of the sentences' words, weighted by idf among these sentences: float64 [n, n], symmetric.

    Args:
        sentences: the distinct words of each, stop words left out.
    """
    among = Counter(word for words in sentences for word in words)
    column = {word: place for place, word in enumerate(among)}
    weights = np.zeros((len(sentences), max(1, len(column))))
    for row, words in enumerate(sentences):
        for word in words:
            weights[row, column[word]] = np.log(1.0 + len(sentences) / among[word])
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    units = weights / np.where(lengths > 0, lengths, 1.0)
    result: NDArray[np.float64] = units @ units.T
    return result


def lexrank(like: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centrality of each, adding up to 1: float64 [n]. O(n²) a round.

    Args:
        like: float64 [n, n], at least 0.
    """
    count = len(like)
    others = like - np.diag(np.diag(like))
    sums = others.sum(axis=1, keepdims=True)
    step = np.where(sums > 0, others / np.where(sums > 0, sums, 1.0), 1.0 / max(1, count))
    score = np.full(count, 1.0 / max(1, count))
    for _ in range(_ROUNDS):
        after = TELEPORT / count + (1.0 - TELEPORT) * (step.T @ score)
        still = float(np.abs(after - score).sum()) < _STILL
        score = after
        if still:
            break
    return score


def chosen(
    scores: NDArray[np.float64], like: NDArray[np.float64], sizes: Sequence[int], room: int, most: int
) -> list[int]:
    """The sentences to take, the most relevant first: by centrality less what is said already.

    Args:
        scores: float64 [n], centrality.
        like: float64 [n, n].
        sizes: characters of each.
        room: characters for all; the first is taken even where it is longer.
        most: sentences.
    """
    relevance = scores / max(float(scores.max()), 1e-12)
    taken: list[int] = []
    left = room
    open_ = list(range(len(scores)))
    while open_ and len(taken) < most:
        said = {place: float(like[place, taken].max()) if taken else 0.0 for place in open_}
        best = max(open_, key=lambda place: (LAMBDA * relevance[place] - (1 - LAMBDA) * said[place], -place))
        open_.remove(best)
        if taken and (said[best] >= SAME or sizes[best] > left):
            continue
        taken.append(best)
        left -= sizes[best]
    return taken
