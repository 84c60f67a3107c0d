"""How well held-out queries find their passages, in stores of one pool each, by every channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from training.losses import late_scores, pooled_scores
from training.mining import Bm25
from training.model import Encoded, Encoder, encode
from training.pairs import KINDS, Pair
from training.texts import Vocabulary

PASSAGES, QUERIES = 900, 250
"""At most so many of each pool: enough for an error of about a point, little enough to run between steps."""
QUERY_TOKENS, PASSAGE_TOKENS = 64, 128
FUSION = {"lexical": 2.0, "late": 1.5, "dense": 0.5}
FUSION_K = 5

Figures = dict[str, dict[str, float]]
"""By kind, then by `channel R@10` and `channel MRR`, in percent."""


@torch.no_grad()
def evaluate(encoder: Encoder, vocabulary: Vocabulary, held: Sequence[Pair]) -> Figures:
    """Figures of each kind that is held out, a mean over its queries; and their plain mean over kinds, under `mean`.

    Raises:
        ValueError: nothing is held out.
    """
    if not held:
        raise ValueError("nothing is held out of these pairs: there are too few families of them")
    pools: dict[str, list[Pair]] = defaultdict(list)
    for pair in held:
        pools[pair.pool].append(pair)
    by_kind: dict[str, list[dict[str, float]]] = defaultdict(list)
    for pairs in pools.values():
        by_kind[pairs[0].kind] += _pool(encoder, vocabulary, pairs)
    figures = {kind: _mean(by_kind[kind]) for kind in KINDS if by_kind[kind]}
    return figures | {"mean": _mean(list(figures.values()))}


def objective(figures: Figures) -> float:
    """The one figure to stop on: MRR, mean over kinds, pooled and late interaction alike."""
    return (figures["mean"]["dense MRR"] + figures["mean"]["late MRR"]) / 2


def _pool(encoder: Encoder, vocabulary: Vocabulary, pairs: Sequence[Pair]) -> list[dict[str, float]]:
    passages = list(dict.fromkeys(pair.passage for pair in pairs))[:PASSAGES]
    place = {passage: i for i, passage in enumerate(passages)}
    gold: dict[str, set[int]] = defaultdict(set)
    for pair in pairs:
        if pair.passage in place:
            gold[pair.query].add(place[pair.passage])
    queries = list(gold)[:: max(1, len(gold) // QUERIES)]
    ids = vocabulary.ids(passages, PASSAGE_TOKENS)
    weights = torch.from_numpy(vocabulary.weights(ids))
    asked = encode(encoder, vocabulary.ids(queries, QUERY_TOKENS))
    dense, late = _scores(encoder, asked, ids, weights)
    lexical = Bm25(passages)
    found = []
    for row, query in enumerate(queries):
        scores = {"lexical": lexical.scores(query), "dense": dense[row], "late": late[row]}
        scores["fused"] = fuse(scores)
        found.append({f"{name} {k}": v for name, s in scores.items() for k, v in _metrics(s, gold[query]).items()})
    return found


def _scores(
    encoder: Encoder, asked: Encoded, ids: Sequence[NDArray[np.int64]], weights: torch.Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pooled and late scores, [queries, passages], in slices of passages so that memory stays small."""
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    dense, late = [], []
    for start in range(0, len(order), 32):
        some = encode(encoder, [ids[i] for i in order[start : start + 32]])
        dense.append(pooled_scores(asked, some))
        late.append(late_scores(asked, some, weights))
    back = np.argsort(order)
    return torch.cat(dense, 1).numpy()[:, back], torch.cat(late, 1).numpy()[:, back]


def fuse(scores: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Weighted reciprocal rank fusion (Cormack et al. 2009); a lexical score of 0 is no rank."""
    total = np.zeros_like(scores["dense"])
    for name, weight in FUSION.items():
        s = scores[name]
        rank = np.empty(len(s), dtype=np.float32)
        rank[np.argsort(-s, kind="stable")] = np.arange(1, len(s) + 1)
        total += np.where((s > 0) | (name != "lexical"), weight / (FUSION_K + rank), 0).astype(np.float32)
    return total


def _metrics(scores: NDArray[np.float32], gold: set[int]) -> dict[str, float]:
    order = np.argsort(-scores, kind="stable")[:50]
    hits = [place for place, i in enumerate(order) if int(i) in gold and np.isfinite(scores[i])]
    return {
        "R@10": 100 * sum(place < 10 for place in hits) / len(gold),
        "MRR": 100 / (hits[0] + 1) if hits else 0.0,
    }


def _mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def table(figures: Mapping[str, Figures]) -> str:
    """Figures of several encoders side by side, as a markdown table."""
    keys = [f"{channel} {k}" for channel in ("lexical", "dense", "late", "fused") for k in ("R@10", "MRR")]
    lines = ["| encoder | kind | " + " | ".join(keys) + " |", "| --- " * (len(keys) + 2) + "|"]
    for name, of in figures.items():
        for kind in of:
            lines.append(f"| {name} | {kind} | " + " | ".join(f"{of[kind][key]:.1f}" for key in keys) + " |")
    return "\n".join(lines)
