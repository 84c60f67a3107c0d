"""The encoder and the tokenizer in use, loaded when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memd.errors import EncoderUnavailable, MemdError, NotFound
from memd.text.chunking import TOKENS, estimated_offsets

if TYPE_CHECKING:
    from memd.encoder import Encoder, Tokenizer
    from memd.encoder.files import EncoderFiles
    from memd.encoder.library import Encoders, Stamp


class Models:
    """The encoder and the tokenizer in use, each loaded once, when first needed, and anew when another is chosen.

    One that was replaced is dropped, not closed: whoever still works with it holds it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.RLock()
        self._stamp: Stamp | Literal["none yet"] = "none yet"
        self._name = ""
        self._encoder: Encoder | None = None
        self._tokenizer: Tokenizer | None = None
        self.why_no_encoder = ""
        self.fix = ""

    @cached_property
    def library(self) -> Encoders:
        """The encoders of the data folder."""
        from memd.encoder.library import Encoders

        return Encoders(self._home)

    @property
    def is_overridden(self) -> bool:
        """Whether MEMD_ENCODER goes before the data folder's choice."""
        return bool(self.library.override)

    def encoder(self) -> Encoder | None:
        """The encoder; None when it can't be had, with `why_no_encoder` telling why."""
        with self._lock:
            self._follow()
            if self._encoder is None and not self.why_no_encoder:
                try:
                    self._encoder = self.library.load_current()
                except (EncoderUnavailable, NotFound) as error:
                    self._miss(error)
            return self._encoder

    def need(self) -> Encoder:
        """The encoder. Raises EncoderUnavailable."""
        if (encoder := self.encoder()) is None:
            raise EncoderUnavailable(self.why_no_encoder, self.fix)
        return encoder

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        """Offsets of the text's tokens, estimated when there is no tokenizer."""
        tokenizer = self._load_tokenizer()
        return estimated_offsets(text) if tokenizer is None else tokenizer.offsets(text)

    def count_tokens(self, text: str) -> int:
        """How many tokens the text has, estimated when there is no tokenizer. O(length)."""
        return len(self.offsets(text))

    def most_words(self) -> int:
        """Most tokens of a passage: what the store takes, or less where the encoder reads less."""
        tokenizer = self._load_tokenizer()
        return TOKENS if tokenizer is None else min(TOKENS, tokenizer.max_words)

    def described(self) -> tuple[str, Literal["default", "home", "MEMD_ENCODER"], EncoderFiles]:
        """The name of the one in use, by what it was chosen, and its files. Raises EncoderUnavailable."""
        from memd.encoder.library import BUILTIN

        with self._lock:
            if self.is_overridden:
                return self.library.override, "MEMD_ENCODER", self.library.current_files()
            by: Literal["default", "home"] = "default" if self._name == BUILTIN else "home"
            return self._name, by, self.library.files(self._name)

    def install(self, name: str, encoder: Encoder) -> None:
        """Use this encoder, which has just been chosen."""
        with self._lock:
            self._drop()
            self._stamp, self._name, self._encoder = self.library.stamp(), name, encoder

    def close(self) -> None:
        """Let go of the encoder's threads."""
        with self._lock:
            if self._encoder is not None:
                self._encoder.close()
                self._encoder = None

    def _follow(self) -> None:
        """Notice that another encoder was chosen, or the same one again after it had failed."""
        stamp = self.library.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        name = self.library.chosen()
        if name != self._name or self.why_no_encoder:
            self._name = name
            if not self.is_overridden:
                self._drop()

    def _drop(self) -> None:
        self._encoder = self._tokenizer = None
        self.why_no_encoder = self.fix = ""

    def _load_tokenizer(self) -> Tokenizer | None:
        with self._lock:
            self._follow()
            if self._tokenizer is None and not self.why_no_encoder:
                try:
                    self._tokenizer = self._encoder.tokenizer if self._encoder else self.library.current_tokenizer()
                except (EncoderUnavailable, NotFound) as error:
                    self._miss(error)
            return self._tokenizer

    def _miss(self, error: MemdError) -> None:
        self.why_no_encoder, self.fix = f"{error.message} {error.hint}".strip(), error.hint
