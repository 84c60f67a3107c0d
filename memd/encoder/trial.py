"""Whether a loaded encoder can be relied on: tried on a few texts before it is let into the library."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memd.encoder.session import Encoder, Encoding
from memd.encoder.tokenizer import Tokens

MAX_DIMENSION = 1024
LARGEST_ID = (1 << 16) - 1  # the store keeps token ids as uint16
LEAST_WORDS = 14  # tokens of one input, below which a passage would hardly be read
MARGIN = 0.02  # by how much related texts must be closer, in mean cosine

# A text, one that says the like, and one about something else.
TRIPLES = (
    (
        "How do I reset my password?",
        "I forgot my password and want to reset it.",
        "The kettle boils the water for tea.",
    ),
    (
        "The test fails because the database is locked.",
        "A locked database makes the test fail.",
        "We walked along the beach in the evening.",
    ),
    (
        "Deploy the new release to the staging server.",
        "The release goes to the staging server first.",
        "My cat sleeps on a warm chair all day.",
    ),
)


class Refused(Exception):
    """The encoder can't be used; the message says why, `hint` what would help."""

    def __init__(self, why: str, hint: str = "Nothing was changed.") -> None:
        super().__init__(why)
        self.hint = hint


def try_out(encoder: Encoder) -> int:
    """Try an encoder on a few texts; its dimension.

    Raises:
        Refused: something isn't as recall needs it.
    """
    _vocabulary(encoder)
    texts = [text for triple in TRIPLES for text in triple]
    found = [_encoded(encoder, text) for text in texts]
    dimension = _shapes(found, encoder.has_tokens)
    longest = _encoded(encoder, " ".join(texts * (encoder.max_tokens // 8)))
    for encoding in (*found, longest):
        _norms(encoding)
    for text, encoding in zip(texts, found, strict=True):
        again = _encoded(encoder, text)
        if not np.array_equal(encoding.pooled, again.pooled) or not np.array_equal(encoding.tokens, again.tokens):
            raise Refused("it gives the same text another vector each time")
    _meaning(np.stack([encoding.pooled for encoding in found]))
    return dimension


def _vocabulary(encoder: Encoder) -> None:
    largest = encoder.tokenizer.largest_id
    if largest > LARGEST_ID:
        raise Refused(
            f"its vocabulary has {largest + 1:,} tokens, and the store keeps ids up to {LARGEST_ID:,}",
            "Multilingual vocabularies are often that large; take an encoder with a smaller one.",
        )
    if encoder.tokenizer.max_words < LEAST_WORDS:
        raise Refused(f"it reads only {encoder.max_tokens} tokens at once")
    try:
        encoder.encode_tokens(Tokens(np.array([largest], np.int32), np.zeros((1, 2), np.int32)))
    except Exception as error:  # onnxruntime's have no common base
        raise Refused(
            f"its graph fails on token {largest:,} of its tokenizer ({_line(error)})",
            "See that model.onnx and tokenizer.json belong together.",
        ) from None


def _encoded(encoder: Encoder, text: str) -> Encoding:
    try:
        return encoder.encode_query(text)
    except Exception as error:  # as above
        count = len(encoder.tokenizer.head(text).ids)
        raise Refused(
            f"it fails on a text of {count} tokens ({_line(error)})",
            'A sentence_bert_config.json beside it says how many it reads: {"max_seq_length": 128}',
        ) from None


def _shapes(found: list[Encoding], has_tokens: bool) -> int:
    dimension = len(found[0].pooled)
    if dimension % 8 or not 8 <= dimension <= MAX_DIMENSION:
        raise Refused(
            f"its vectors have {dimension:,} dimensions",
            f"memd keeps vectors of 8 to {MAX_DIMENSION:,} dimensions, in steps of 8.",
        )
    for encoding in found:
        if encoding.pooled.shape != (dimension,):
            raise Refused("its vectors differ in dimension from text to text")
        if has_tokens and encoding.tokens.shape != (len(encoding.ids), dimension):
            rows, columns = encoding.tokens.shape
            raise Refused(
                f"for {len(encoding.ids)} tokens it gives {rows} vectors of {columns} dimensions, "
                f"beside a pooled one of {dimension}"
            )
    return dimension


def _norms(encoding: Encoding) -> None:
    vectors = np.vstack((encoding.pooled, encoding.tokens))
    if not np.isfinite(vectors).all():
        raise Refused("its vectors hold values that are no numbers")
    if np.abs(np.linalg.norm(vectors, axis=1) - 1.0).max() > 1e-3:
        raise Refused("some of its vectors are zero")


def _meaning(pooled: NDArray[np.float32]) -> None:
    """Different texts differ, and what is related is closer than what isn't."""
    cosines = pooled @ pooled.T
    if (cosines - np.eye(len(cosines)))[~np.eye(len(cosines), dtype=bool)].max() > 0.9999:
        raise Refused("it gives different texts the same vector")
    related = np.mean([cosines[i, i + 1] for i in range(0, len(pooled), 3)])
    unrelated = np.mean([cosines[i, i + 2] for i in range(0, len(pooled), 3)])
    if related < unrelated + MARGIN:
        raise Refused(
            f"texts that are related are no closer (cosine {related:.2f}) than texts that aren't ({unrelated:.2f})",
            "Is it a sentence encoder, pooled as it was trained? The settings beside the graph may be missing.",
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
