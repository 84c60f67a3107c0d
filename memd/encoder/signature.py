"""What a sentence encoder's graph takes and gives, whoever exported it.

Our own graph takes `ids` and gives `pooled` and `tokens`, both of unit norm, `tokens` without the special ones.
Others, as sentence-transformers and Optimum export them, take `input_ids`, a mask and types, and give hidden
states of every token (`last_hidden_state`, `token_embeddings`), a `sentence_embedding`, or both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnxruntime

IDS = ("ids", "input_ids")
MASK, TYPES = "attention_mask", "token_type_ids"
TOKENS = ("tokens", "token_embeddings", "last_hidden_state")
POOLED = ("pooled", "sentence_embedding")

_INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class UnknownGraph(Exception):
    """The graph is no sentence encoder that could be used; the message says what it lacks."""


class Signature(NamedTuple):
    """How to run a graph on one text.

    Attributes:
        inputs: names and integer types of what it takes: ids, mask, types.
        tokens, pooled: names of its outputs; empty for one that it lacks, never both.
        finished: both are there, of unit norm and without special tokens: our own graph.
    """

    inputs: tuple[tuple[str, Any], ...]
    tokens: str
    pooled: str
    finished: bool

    @classmethod
    def of(cls, session: onnxruntime.InferenceSession) -> Signature:
        """Read a session's inputs and outputs.

        Raises:
            UnknownGraph: they are not those of a sentence encoder.
        """
        takes = {one.name: one.type for one in session.get_inputs()}
        gives = {one.name: len(one.shape) for one in session.get_outputs()}
        if not takes.keys() & set(IDS):
            raise UnknownGraph(f"its graph takes {_list(takes)}, and no input_ids")
        if strange := [name for name in takes if name not in (*IDS, MASK, TYPES)]:
            raise UnknownGraph(f"its graph wants {_list(strange)}, which a text doesn't have")
        if strange := [name for name, kind in takes.items() if kind not in _INTEGERS]:
            raise UnknownGraph(f"its graph takes {_list(strange)} as {takes[strange[0]]}, and not as integers")
        tokens = next((name for name in TOKENS if gives.get(name) in (2, 3)), "")
        pooled = next((name for name in POOLED if gives.get(name) == 2), "")
        if not tokens and not pooled:
            raise UnknownGraph(f"its graph gives {_list(gives)}, and neither {_list(TOKENS[1:])} nor {POOLED[1]}")
        inputs = tuple((name, _INTEGERS[kind]) for name, kind in takes.items())
        return cls(inputs, tokens, pooled, bool(pooled) and gives.get(tokens) == 2)

    @property
    def outputs(self) -> list[str]:
        """What to ask the graph for: `pooled`, then `tokens`, where there are such."""
        return [name for name in (self.pooled, self.tokens) if name]

    def feeds(self, ids: Sequence[int] | NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The inputs for one text of these token ids."""
        whole = np.asarray([ids])
        return {
            name: (np.zeros if name == TYPES else np.ones)(whole.shape, kind)
            if name in (MASK, TYPES)
            else whole.astype(kind, copy=False)
            for name, kind in self.inputs
        }

    def vectors(
        self, outputs: Sequence[Any], before: int, after: int, pooling: str
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The pooled vector, float32 [d], and the tokens', float32 [n, d], from what the graph gave for one text.

        Args:
            outputs: as `self.outputs` names them.
            before, after: how many special tokens stand around the text's own.
            pooling: `mean` or `cls`, for a graph without a pooled output.
        """
        if self.finished:
            return outputs[0][0], outputs[1]
        if not self.tokens:
            pooled = _unit(outputs[0][0])
            return pooled, np.zeros((0, len(pooled)), np.float32)
        hidden = np.asarray(outputs[-1], np.float32).reshape(-1, outputs[-1].shape[-1])
        if self.pooled:
            pooled = outputs[0][0]
        elif len(hidden):
            pooled = hidden[0] if pooling == "cls" else hidden.mean(axis=0)
        else:
            pooled = np.zeros(hidden.shape[1], np.float32)
        return _unit(pooled), _unit(hidden[before : len(hidden) - after])


def _unit(rows: Any) -> NDArray[np.float32]:
    """Vectors of unit norm, float32 [..., d]; what has no direction stays 0."""
    rows = np.asarray(rows, np.float32)
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    result: NDArray[np.float32] = rows / np.maximum(norms, np.float32(1e-12))
    return result


def _list(names: Any) -> str:
    return ", ".join(names) or "nothing"
