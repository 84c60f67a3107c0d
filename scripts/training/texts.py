"""Texts as the losses and the miner see them: token ids, their weights, and fingerprints of shared wording."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

STOP_WEIGHT = 0.2
"""Weight of a stop word in late interaction, as at recall, and of a punctuation mark, which recall leaves out."""
_STOP_WORDS = """
    a about above after again all also am an and any are as at be because been before being below between both
    but by can could did do does doing down during each few for from further had has have having he her here
    hers him his how i if in into is it its itself just me more most my no nor not of off on once only or
    other our out over own same she should so some such than that the their theirs them then there these they
    this those through to too under until up very was we were what when where which while who whom why will
    with would you your yours
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
BOILERPLATE = 12
"""A 5-gram that this many passages share says nothing about whether two of them mean the same."""

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Lower-cased runs of letters and digits."""
    return [word.lower() for word in _WORD.findall(text)]


def content_words(text: str) -> list[str]:
    """The words that are no stop words; all of them if nothing else is left."""
    found = words(text)
    return [word for word in found if word not in STOP_WORDS] or found


def five_grams(text: str) -> set[int]:
    """crc32 of every run of five words."""
    found = words(text)
    return {crc32(" ".join(found[i : i + 5]).encode()) for i in range(len(found) - 4)}


def telling_five_grams(texts: Iterable[str]) -> list[frozenset[int]]:
    """The 5-grams of each text, without those of boilerplate."""
    grams = [five_grams(text) for text in texts]
    common = {gram for gram, n in Counter(g for some in grams for g in some).items() if n >= BOILERPLATE}
    return [frozenset(some - common) for some in grams]


@dataclass(frozen=True)
class Vocabulary:
    """The encoder's tokenizer, and how much each of its tokens weighs in a query.

    Attributes:
        tokenizer: without truncation and padding.
        factor: float32 [vocabulary], `STOP_WEIGHT` for stop words and punctuation, else 1.
    """

    tokenizer: Tokenizer
    factor: NDArray[np.float32]

    @classmethod
    def of(cls, tokenizer_json: str) -> Vocabulary:
        """The vocabulary of a tokenizer.json."""
        tokenizer = Tokenizer.from_str(tokenizer_json)
        factor = np.ones(tokenizer.get_vocab_size(), dtype=np.float32)
        for token, i in tokenizer.get_vocab().items():
            if token in STOP_WORDS or not any(letter.isalnum() for letter in token):
                factor[i] = STOP_WEIGHT
        return cls(tokenizer, factor)

    def ids(self, texts: Sequence[str], limit: int) -> list[NDArray[np.int64]]:
        """Token ids with [CLS] and [SEP], each text cut to `limit` ids in total."""
        cls_id, sep_id = self.tokenizer.token_to_id("[CLS]"), self.tokenizer.token_to_id("[SEP]")
        encoded = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [np.array([cls_id, *e.ids[: limit - 2], sep_id], dtype=np.int64) for e in encoded]

    def weights(self, passages: Iterable[NDArray[np.int64]]) -> NDArray[np.float32]:
        """Weight of each token in queries to these passages: idf as in BM25, times `factor`. float32 [vocabulary]."""
        df, n = np.zeros(len(self.factor), dtype=np.float32), 0
        for ids in passages:
            df[np.unique(ids)] += 1
            n += 1
        return np.log1p((n - df + 0.5) / (df + 0.5)).clip(min=0).astype(np.float32) * self.factor
