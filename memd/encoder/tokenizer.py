"""WordPiece: text to token ids, with each token's place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd.encoder.files import EncoderFiles
from memd.errors import EncoderUnavailable

if TYPE_CHECKING:
    import tokenizers

# Characters that are tokenized in one go. Long texts go window by window, so that memory stays bounded and the head of
# a text costs no more than what it holds.
WINDOW = 1 << 12
_SPACE = re.compile(r"\s")


class Tokens(NamedTuple):
    """Tokens of a text, no specials: `ids` int32 [n] and `offsets` int32 [n, 2], begin and end in characters."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]


class Tokenizer:
    """The encoder's tokenizer. Holds no state between calls; many threads may share one.

    Attributes:
        prefix, suffix: ids of the special tokens around a text: [CLS] and [SEP] for BERT.
        max_words: most tokens of one input, the special ones not counted.
    """

    def __init__(self, inner: tokenizers.Tokenizer, fingerprint: str, max_tokens: int) -> None:
        inner.no_truncation()  # exports often come with both; windows and limits are ours to set
        inner.no_padding()
        self._inner = inner
        self.fingerprint = fingerprint
        self.prefix, self.suffix = _specials(inner)
        self.max_words = max_tokens - len(self.prefix) - len(self.suffix)

    @classmethod
    def load(cls, folder: Path | None = None) -> Tokenizer:
        """The tokenizer in `folder`, else `$MEMD_ENCODER`, else the package's own.

        Raises:
            EncoderUnavailable: a file is missing or damaged.
        """
        return cls.of(EncoderFiles.find(folder))

    @classmethod
    def of(cls, files: EncoderFiles) -> Tokenizer:
        """The tokenizer of an encoder whose files were checked."""
        try:
            import tokenizers

            inner = tokenizers.Tokenizer.from_file(str(files.tokenizer))
        except Exception as error:  # tokenizers raises bare Exception
            raise EncoderUnavailable(f"The tokenizer {files.tokenizer} can't be loaded: {error}", files.fix) from error
        return cls(inner, files.fingerprint, files.max_tokens)

    @property
    def largest_id(self) -> int:
        """The highest id it can give. O(vocabulary)."""
        return max(self._inner.get_vocab(with_added_tokens=True).values(), default=0)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Begin and end, in characters, of every token of the whole text. No specials, no truncation. O(len(text))."""
        return [pair for _, pairs in self._by_window(text) for pair in pairs]

    def head(self, text: str) -> Tokens:
        """The first tokens of the text, as many as one input holds. Reads on only until it has them."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        for window_ids, pairs in self._by_window(text):
            ids += window_ids
            offsets += pairs
            if len(ids) >= self.max_words:
                break
        places = np.array(offsets[: self.max_words], dtype=np.int32).reshape(-1, 2)
        return Tokens(np.array(ids[: self.max_words], dtype=np.int32), places)

    def _by_window(self, text: str) -> Iterator[tuple[list[int], list[tuple[int, int]]]]:
        """Ids and offsets into the whole text, window by window."""
        for start, end in _windows(text):
            window = text[start:end]
            if not window.isspace():
                encoded = self._inner.encode(window, add_special_tokens=False)
                yield encoded.ids, [(start + a, start + b) for a, b in encoded.offsets]


def _specials(inner: tokenizers.Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids that the tokenizer puts before and after a text."""
    encoded = inner.encode("a", add_special_tokens=True)
    own = [place for place, special in enumerate(encoded.special_tokens_mask) if not special]
    if not own:
        return tuple(encoded.ids[:1]), tuple(encoded.ids[1:])
    return tuple(encoded.ids[: own[0]]), tuple(encoded.ids[own[-1] + 1 :])


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Spans that cover the text, cut before white space, where no token can lie across the cut.

    A run of `WINDOW` characters without white space is cut anywhere: a word that long is no word.
    """
    start = 0
    while start < len(text):
        end = min(len(text), start + WINDOW)
        if end < len(text) and (space := _SPACE.search(text, end, end + WINDOW)):
            end = space.start()
        yield start, end
        start = end
