"""What one step sees: batches of pairs of one kind each, hard ones together, their texts varied a little."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.pairs import KINDS, Pair
from training.texts import Vocabulary, content_words, telling_five_grams

SIZES = {"chat": 112, "question": 128, "code": 112}
"""Pairs in a batch that has its step for itself: every passage is a negative of the other queries."""
MIXED_SIZES = {"chat": 32, "question": 36, "code": 48}
"""Pairs in a batch that shares its step with one of each other kind."""
REPOSITORIES = 2
"""That a large batch of code comes from. A store holds one: what has to be told apart is passages of the same one."""
CLUSTER = 4
"""A pair and its hard companions that enter a batch together."""
QUERY_TOKENS, PASSAGE_TOKENS, LONG_TOKENS, LONG_EVERY = 64, 128, 256, 6
KEYWORDS, JOINED, HEADLESS, NAMED = 0.2, 0.15, 0.5, 0.2
"""How often a query becomes keywords, a passage gets a neighbour or loses a first line that is the query, and a query
names the speaker."""

_SPEAKER = re.compile(r"^([^\s:][^:\n]{1,24}): ")


@dataclass(frozen=True)
class Batch:
    """n pairs as the loss takes them.

    Attributes:
        queries, passages: token ids.
        weights: float32 [vocabulary], of query tokens in late interaction.
        false_negative: bool [n, n].
    """

    queries: list[NDArray[np.int64]]
    passages: list[NDArray[np.int64]]
    weights: Tensor
    false_negative: Tensor


class Sampler:
    """Draws batches. A step's batches depend on nothing but the data, the seed and the step's number.

    Args:
        pairs: to train on.
        vocabulary: of the encoder.
        seed: of order and variation.
        mixed: whether a step takes a small batch of each kind, or a large one, of one kind after the other.
    """

    def __init__(self, pairs: Sequence[Pair], vocabulary: Vocabulary, seed: int, mixed: bool = False) -> None:
        self.pairs, self.vocabulary, self.seed, self.mixed = pairs, vocabulary, seed, mixed
        self.members = {kind: np.array([i for i, p in enumerate(pairs) if p.kind == kind]) for kind in KINDS}
        self.grams = telling_five_grams(pair.passage for pair in pairs)
        self.query_grams = telling_five_grams(pair.query for pair in pairs)
        self.weights = {
            kind: torch.from_numpy(vocabulary.weights(vocabulary.ids([pairs[i].passage for i in some], LONG_TOKENS)))
            for kind, some in self.members.items()
        }
        found = (_SPEAKER.match(pairs[i].passage) for i in self.members["chat"])
        self.speakers = sorted({match[1] for match in found if match})
        self.families: dict[str, list[int]] = {}
        self.repositories: dict[str, list[int]] = {}
        for i, pair in enumerate(pairs):
            self.families.setdefault(pair.family, []).append(i)
            if pair.kind == "code":
                self.repositories.setdefault(pair.pool, []).append(i)
        self.neighbours = np.full((len(pairs), 1), -1, dtype=np.int32)
        """From `mining.neighbours`, set before the first draw and whenever they are mined again."""

    def draw(self, step: int) -> list[Batch]:
        """The batches of a step."""
        rng = np.random.default_rng([self.seed, step])
        if self.mixed:
            return [self._batch(kind, step, step, rng) for kind in KINDS]
        turn, at = divmod(step, len(KINDS))
        return [self._batch(KINDS[at], step, turn, rng)]

    def _batch(self, kind: str, step: int, turn: int, rng: np.random.Generator) -> Batch:
        chosen = self.chosen(kind, step)
        cast = [str(name) for name in rng.choice(self.speakers, 2, replace=False)] if kind == "chat" else []
        texts = [self._vary(i, cast if self.pairs[i].kind == "question" else [], rng) for i in chosen]
        limit = LONG_TOKENS if turn % LONG_EVERY == 0 else PASSAGE_TOKENS
        return Batch(
            self.vocabulary.ids([query for query, _, _ in texts], QUERY_TOKENS),
            self.vocabulary.ids([passage for _, passage, _ in texts], limit),
            self.weights[kind],
            self._false_negatives(chosen, [said for _, _, said in texts]),
        )

    def chosen(self, kind: str, step: int) -> list[int]:
        """The pairs of a step's batch of a kind."""
        turn, size = (step, MIXED_SIZES[kind]) if self.mixed else (step // len(KINDS), SIZES[kind])
        if kind == "chat":
            # There are few dialogues: half of a chat batch is questions whose passages someone is made to say.
            return self._in_order("chat", turn, size // 2) + self._in_order("question", turn, size // 2, stream=1)
        if kind == "code" and not self.mixed:
            return self._of_repositories(step, size)
        return self._in_order(kind, turn, size)

    def _in_order(self, kind: str, turn: int, size: int, stream: int = 0) -> list[int]:
        """At most `size` different pairs: the next ones in a shuffled order, each followed by hard companions."""
        members = self.members[kind]
        chosen: list[int] = []
        first = turn * (size // CLUSTER)
        for place in range(first, first + len(members)):
            if len(chosen) == size:
                break
            again, at = divmod(place, len(members))
            order = np.random.default_rng([self.seed, KINDS.index(kind), stream, again]).permutation(len(members))
            self._join(chosen, int(members[order[at]]), place % 2, size)
        return chosen

    def _of_repositories(self, step: int, size: int) -> list[int]:
        """At most `size` different pairs of code, as many of each repository, which come up by how many they have."""
        rng = np.random.default_rng([self.seed, 77, KINDS.index("code"), 0, step])
        names = sorted(self.repositories)
        counts = np.array([len(self.repositories[name]) for name in names])
        picked = rng.choice(len(names), min(REPOSITORIES, len(names)), replace=False, p=counts / counts.sum())
        chosen: list[int] = []
        for nth, at in enumerate(picked, 1):
            members, wanted = self.repositories[names[at]], size * nth // len(picked)
            for place, i in enumerate(rng.permutation(len(members))):
                if len(chosen) == wanted:
                    break
                self._join(chosen, members[i], place % 2, wanted)
        return chosen

    def _join(self, chosen: list[int], seed: int, skip: int, size: int) -> None:
        """Add a pair and hard companions of its own to those that are chosen, up to `size`.

        Every other time not the very hardest: those are where the unmarked right answers are.
        """
        hard = [int(j) for j in self.neighbours[seed] if j >= 0]
        fresh = [j for j in dict.fromkeys([seed, *hard[skip:]]) if j not in chosen]
        chosen += fresh[: min(CLUSTER, size - len(chosen))]

    def _vary(self, i: int, cast: Sequence[str], rng: np.random.Generator) -> tuple[str, str, list[int]]:
        """A pair's query and passage, varied, and the pairs whose passages the passage now holds."""
        pair, said = self.pairs[i], [i]
        query, passage = pair.query, pair.passage
        head, _, rest = passage.partition("\n")
        if rest.strip() and content_words(head) == content_words(query) and rng.random() < HEADLESS:
            passage = rest.strip()
        family = self.families[pair.family]
        if pair.kind != "code" and rng.random() < JOINED and len(family) > 1:
            said.append(int(rng.choice(family)))
            other = self.pairs[said[1]].passage
            passage = f"{other} {passage}" if rng.random() < 0.5 else f"{passage} {other}"
        if cast:
            speaker = str(rng.choice(cast))
            passage = f"{speaker}: {passage}"
            if rng.random() < NAMED:
                query = f"According to {speaker}, {query}"
        if rng.random() < KEYWORDS:
            query = " ".join(content_words(query))
        return query, passage, said

    def _false_negatives(self, chosen: Sequence[int], said: Sequence[Sequence[int]]) -> Tensor:
        n = len(chosen)
        mask = torch.zeros(n, n, dtype=torch.bool)
        grams = [frozenset().union(*(self.grams[j] for j in some)) for some in said]
        passages = [{self.pairs[j].passage for j in some} for some in said]
        for i, pair in enumerate(self.pairs[k] for k in chosen):
            asked = self.grams[chosen[i]] | self.query_grams[chosen[i]]
            for j in range(n):
                other = self.pairs[chosen[j]]
                same = pair.query == other.query or pair.passage in passages[j] or bool(asked & grams[j])
                mask[i, j] = same and i != j
        return mask
