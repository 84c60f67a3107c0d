"""WordPiece: text to token ids, with each token's place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd.encoder.files import FIX, EncoderFiles
from memd.errors import EncoderUnavailable

if TYPE_CHECKING:
    import tokenizers

# A word longer than this becomes one [UNK] (max_input_chars_per_word), so it is also the most tokens a word can give.
LONGEST_WORD = 100
WINDOW = 1 << 16
_SPACE = re.compile(r"\s")


class Tokens(NamedTuple):
    """Tokens of a text, no specials: `ids` int32 [n] and `offsets` int32 [n, 2], begin and end in characters."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]


class Tokenizer:
    """The encoder's tokenizer. Holds no state between calls; many threads may share one."""

    def __init__(self, inner: tokenizers.Tokenizer, fingerprint: str, max_tokens: int) -> None:
        self._inner = inner
        self.fingerprint = fingerprint
        self.max_words = max_tokens - 2
        """Most tokens of one input, [CLS] and [SEP] not counted."""
        self.cls, self.sep = (int(inner.token_to_id(special) or 0) for special in ("[CLS]", "[SEP]"))

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
            raise EncoderUnavailable(f"The tokenizer {files.tokenizer} can't be loaded: {error}", FIX) from error
        return cls(inner, files.fingerprint, files.max_tokens)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Begin and end, in characters, of every token of the whole text. No specials, no truncation. O(len(text))."""
        found: list[tuple[int, int]] = []
        for start, end in _windows(text):
            found += [
                (start + a, start + b) for a, b in self._inner.encode(text[start:end], add_special_tokens=False).offsets
            ]
        return found

    def head(self, text: str) -> Tokens:
        """The first tokens of the text, as many as one input holds.

        Reads only as much of a long text as it takes: a cut can change the tokens of the word it falls into, which are
        at most `LONGEST_WORD`, so with that many to spare the head is the same as the whole text's.
        """
        limit = self.max_words
        size = 16 * limit
        while True:
            encoded = self._inner.encode(text[:size], add_special_tokens=False)
            if size >= len(text) or len(encoded) >= limit + LONGEST_WORD:
                break
            size *= 4
        ids = np.array(encoded.ids[:limit], dtype=np.int32)
        return Tokens(ids, np.array(encoded.offsets[:limit], dtype=np.int32).reshape(-1, 2))


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Spans that cover the text, cut before white space, so that memory stays bounded and no word is split.

    A run of `WINDOW` characters without white space is cut anywhere.
    """
    start = 0
    while start < len(text):
        end = min(len(text), start + WINDOW)
        if end < len(text) and (space := _SPACE.search(text, end, end + WINDOW)):
            end = space.start()
        yield start, end
        start = end
