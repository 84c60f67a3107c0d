"""Hard negatives: for each pair, the other pairs whose passages its query would wrongly find."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from training.pairs import Pair
from training.texts import content_words, telling_five_grams

NEIGHBOURS = 8
DEPTH = 24
"""How far down each ranking is read."""
SAME = 0.92
"""Passages of at least this cosine are taken to say the same."""
K1, B = 1.2, 0.75
COMMON = 0.1
"""Words in more than this share of the passages are skipped: they cost most and tell least."""


def neighbours(pairs: Sequence[Pair], queries: NDArray[np.float32], passages: NDArray[np.float32]) -> NDArray[np.int32]:
    """Each pair's hardest companions of its pool, by BM25 and by the encoder in turn.

    Args:
        pairs: n of them.
        queries, passages: their pooled vectors of unit norm, [n, d].

    Returns:
        Indices of pairs, [n, NEIGHBOURS], hardest first, -1 where there are no more. None has the pair's query or
        passage, shares a telling 5-gram with the passage, or has a passage that says the same.
    """
    found = np.full((len(pairs), NEIGHBOURS), -1, dtype=np.int32)
    grams = telling_five_grams(pair.passage for pair in pairs)
    for members in _pools(pairs):
        lexical = Bm25([pairs[i].passage for i in members])
        for start in range(0, len(members), 512):
            some = members[start : start + 512]
            cosines = queries[some] @ passages[members].T
            near = np.argsort(-cosines, axis=1)[:, :DEPTH]
            for row, i in enumerate(some):
                ranked = (lexical.top(pairs[i].query, DEPTH), near[row])
                candidates = [members[j] for j in _interleave(*ranked)]
                kept = _true_negatives(i, candidates, pairs, passages, grams)[:NEIGHBOURS]
                found[i, : len(kept)] = kept
    return found


def _pools(pairs: Sequence[Pair]) -> list[NDArray[np.int64]]:
    members: dict[str, list[int]] = defaultdict(list)
    for i, pair in enumerate(pairs):
        members[pair.pool].append(i)
    return [np.array(some) for some in members.values()]


def _interleave(*rankings: NDArray[np.int64]) -> Iterator[int]:
    for place in range(max(map(len, rankings))):
        for ranking in rankings:
            if place < len(ranking):
                yield int(ranking[place])


def _true_negatives(
    i: int,
    candidates: list[int],
    pairs: Sequence[Pair],
    passages: NDArray[np.float32],
    grams: Sequence[frozenset[int]],
) -> list[int]:
    same = passages[candidates] @ passages[i] >= SAME
    seen = {pairs[i].passage}
    kept = []
    for j, close in zip(candidates, same, strict=True):
        other = pairs[j]
        if close or other.passage in seen or other.query == pairs[i].query or grams[i] & grams[j]:
            continue
        seen.add(other.passage)
        kept.append(j)
    return kept


class Bm25:
    """Okapi BM25 (Robertson & Zaragoza 2009) over texts, without stop words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.n = len(texts)
        counts = [Counter(content_words(text)) for text in texts]
        length = np.array([sum(c.values()) for c in counts], dtype=np.float32)
        norm = K1 * (1 - B + B * length / max(length.mean(), 1))
        rows: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for i, count in enumerate(counts):
            for word, n in count.items():
                rows[word].append((i, n))
        self.postings: dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]] = {}
        for word, row in rows.items():
            index, tf = np.array([i for i, _ in row]), np.array([n for _, n in row], dtype=np.float32)
            idf = np.log1p((self.n - len(row) + 0.5) / (len(row) + 0.5))
            self.postings[word] = index, (idf * tf * (K1 + 1) / (tf + norm[index])).astype(np.float32)

    def scores(self, query: str, common: float = 1.0) -> NDArray[np.float32]:
        """Of all texts, [n]; words in more than the share `common` of the texts are skipped."""
        scores = np.zeros(self.n, dtype=np.float32)
        for word in set(content_words(query)):
            index, weight = self.postings.get(word, (None, None))
            if index is not None and weight is not None and len(index) <= max(common * self.n, 8):
                scores[index] += weight
        return scores

    def top(self, query: str, k: int) -> NDArray[np.int64]:
        """Indices of the best texts with a score above 0, at most k, best first."""
        scores = self.scores(query, COMMON)
        k = min(k, self.n)
        best = np.argpartition(-scores, k - 1)[:k]
        best = best[np.argsort(-scores[best], kind="stable")]
        return best[scores[best] > 0]
