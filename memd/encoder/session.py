"""The encoder: text to one pooled vector and one vector for each token, on the CPU."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd import runtime
from memd.encoder.files import FIX, EncoderFiles
from memd.encoder.signature import Signature, UnknownGraph
from memd.encoder.tokenizer import Tokenizer, Tokens
from memd.errors import EncoderUnavailable

if TYPE_CHECKING:
    import onnxruntime


class Encoding(NamedTuple):
    """One encoded text of n tokens, the special ones not among them.

    Attributes:
        pooled: float32 [d], unit norm.
        tokens: float32 [n, d], each row of unit norm; [0, d] by an encoder that gives pooled vectors alone.
        ids: int32 [n], vocabulary ids.
        offsets: int32 [n, 2], each token's begin and end in characters of the text.
    """

    pooled: NDArray[np.float32]
    tokens: NDArray[np.float32]
    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]

    def without_marks(self, text: str) -> Encoding:
        """The same without tokens that have no part of a letter and no digit, unless `text` has no others.

        Late interaction does without punctuation (Khattab & Zaharia, SIGIR 2020): in talk and in commits a quarter of
        the tokens, without which it finds as much.
        """
        pieces = [text[begin:end] for begin, end in self.offsets.tolist()]
        says = np.array([piece.isalnum() or any(map(_is_of_words, piece)) for piece in pieces], np.bool_)
        if says.all() or not says.any():
            return self
        tokens = self.tokens[says] if len(self.tokens) else self.tokens
        return Encoding(self.pooled, tokens, self.ids[says], self.offsets[says])


class Encoder:
    """A loaded encoder. Safe for many threads.

    Texts run one at a time, each on one thread, several side by side. Activations are quantized at run time with one
    scale a tensor, so in a shared batch a text's vector would depend on its companions and on padding; alone, the same
    text always gets the same vector.

    Attributes:
        name, fingerprint, dimension, max_tokens: as in `EncoderFiles`.
        has_tokens: whether it gives a vector for each token.
        pools_itself: whether the pooled vector is the graph's own.
    """

    def __init__(self, files: EncoderFiles, tokenizer: Tokenizer, session: onnxruntime.InferenceSession, threads: int):
        self.name, self.fingerprint, self.dimension = files.name, files.fingerprint, files.dimension
        self.max_tokens = files.max_tokens
        self.tokenizer = tokenizer
        self._session = session
        self._pooling = files.pooling
        self._signature = _signature(files, session)
        self.has_tokens, self.pools_itself = bool(self._signature.tokens), bool(self._signature.pooled)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="encoder") if threads > 1 else None

    @classmethod
    def load(cls, folder: Path | None = None, threads: int | None = None, fix: str = FIX) -> Encoder:
        """The encoder in `folder`, else `$MEMD_ENCODER`, else the package's own.

        Args:
            folder: where encoder.onnx, tokenizer.json and manifest.json lie.
            threads: texts encoded side by side; None means one for each CPU this process may use, at most 8.
            fix: what to do when it can't be loaded.

        Raises:
            EncoderUnavailable: a file is missing or damaged; the hint names the fix.
        """
        files = EncoderFiles.find(folder, fix)
        session = _session(files)
        return cls(files, Tokenizer.of(files), session, threads or min(8, _cpus()))

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Encode texts, in their order; each is cut at `max_tokens`. Costs O(tokens) each."""
        if self._pool is None or len(texts) < 2:
            return [self.encode_query(text) for text in texts]
        heads = [self.tokenizer.head(text) for text in texts]
        # The longest go first, so that no thread is left with a long one at the end.
        order = sorted(range(len(texts)), key=lambda i: -len(heads[i].ids))
        jobs = {i: self._pool.submit(self.encode_tokens, heads[i]) for i in order}
        return [jobs[i].result() for i in range(len(texts))]

    def encode_query(self, text: str) -> Encoding:
        """Encode one text on the calling thread."""
        return self.encode_tokens(self.tokenizer.head(text))

    def close(self) -> None:
        """Stop the threads; the encoder is not to be used afterwards."""
        if self._pool is not None:
            self._pool.shutdown()

    def encode_tokens(self, head: Tokens) -> Encoding:
        """Encode what `Tokenizer.head` made of a text, on the calling thread."""
        prefix, suffix = self.tokenizer.prefix, self.tokenizer.suffix
        ids = np.concatenate((prefix, head.ids, suffix)).astype(np.int64)
        outputs = self._session.run(self._signature.outputs, self._signature.feeds(ids))
        pooled, tokens = self._signature.vectors(outputs, len(prefix), len(suffix), self._pooling)
        return Encoding(pooled, tokens, head.ids, head.offsets)


def _is_of_words(character: str) -> bool:
    """A letter, a digit, or a mark that is part of a letter, as the vowels of Indic scripts are."""
    return unicodedata.category(character)[0] in "LNM"


def _cpus() -> int:
    """CPUs this process may use; Linux knows of affinity, macOS only of the whole."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _signature(files: EncoderFiles, session: onnxruntime.InferenceSession) -> Signature:
    try:
        return Signature.of(session)
    except UnknownGraph as error:
        raise EncoderUnavailable(f"The encoder {files.graph} can't be used: {error}.", files.fix) from None


def _session(files: EncoderFiles) -> onnxruntime.InferenceSession:
    try:
        return runtime.session(str(files.graph))
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise EncoderUnavailable(f"The encoder {files.graph} can't be loaded: {error}", files.fix) from error
