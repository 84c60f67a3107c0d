"""Inner products of signs with vectors, in the ONNX runtime's 8-bit integer kernels.

NumPy has no integer matrix product that uses the processor's dot-product instructions; the runtime, which is
there for the encoder, has. Against unpacking to floats this takes a quarter of the time, and its sums are exact:
a passage's products don't depend on what stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memd import runtime
from memd.quantize import signs

# Numbers of the ONNX format (onnx.proto): element types, and the versions this graph is written in.
_UINT8, _INT8, _INT32 = 2, 3, 6
_IR_VERSION, _OPSET = 8, 13

_PIECE = 2048  # signs' rows unpacked at a time: 768 KiB at 384 dimensions
_STEPS = 127.0  # a vector's largest coordinate, as an integer


class Groups(NamedTuple):
    """Groups of signs.

    Attributes:
        codes: uint8 [t, d/8], signs as `memd.quantize.signs.pack` makes them, one group's after the other's.
        starts: int64 [g], ascending: where each group begins; none is empty.
    """

    codes: NDArray[np.uint8]
    starts: NDArray[np.int64]


class Matcher:
    """Finds best matches among signs. Safe for many threads."""

    def __init__(self) -> None:
        self._session = runtime.session(_graph())

    def best(self, parts: Sequence[Groups], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The highest inner product of each vector with the signs of each group: float32 [groups, m]. O(t·m·d).

        Args:
            parts: the groups, in order.
            vectors: float32 [m, d]. Rounded to 8 bits a coordinate, which moves a product by at most
                d/254 of the vector's largest coordinate (by a tenth of that, as errors go).
        """
        step = np.maximum(np.abs(vectors).max(axis=1), np.float32(1e-30)) / np.float32(_STEPS)
        rounded = np.rint(vectors / step[:, None]).astype(np.int8)
        # Bits are 0 and 1 where signs are -1 and +1: ⟨sign, v⟩ = 2·⟨bit, v⟩ - Σv.
        across = np.ascontiguousarray(rounded.T)
        highest = np.empty((sum(len(part.starts) for part in parts), len(vectors)), np.int32)
        done = 0
        for codes, starts in _pieces(parts):
            products = self._session.run(None, {"bits": signs.bits(codes), "vectors": across})[0]
            np.maximum.reduceat(products, starts, axis=0, out=highest[done : done + len(starts)])
            done += len(starts)
        highest = 2 * highest - rounded.sum(axis=1, dtype=np.int32)
        result: NDArray[np.float32] = highest.astype(np.float32) * step
        return result


def _pieces(parts: Sequence[Groups]) -> Iterator[Groups]:
    """The groups in pieces of about `_PIECE` rows, each unpacked and used while the second-level cache holds it."""
    for codes, starts in parts:
        first = 0
        while first < len(starts):
            last = max(first + 1, int(np.searchsorted(starts, starts[first] + _PIECE)))
            begin, end = starts[first], starts[last] if last < len(starts) else len(codes)
            yield Groups(codes[begin:end], starts[first:last] - begin)
            first = last


def _graph() -> bytes:
    """An ONNX model of one node: MatMulInteger(bits uint8, vectors int8) -> products int32."""
    node = _text(1, "bits") + _text(1, "vectors") + _text(2, "products") + _text(4, "MatMulInteger")
    inputs = _part(11, _value("bits", _UINT8)) + _part(11, _value("vectors", _INT8))
    graph = _part(1, node) + _text(2, "products") + inputs + _part(12, _value("products", _INT32))
    return _number(1, _IR_VERSION) + _part(8, _number(2, _OPSET)) + _part(7, graph)


def _value(name: str, kind: int) -> bytes:
    return _text(1, name) + _part(2, _part(1, _number(1, kind)))


def _text(field: int, text: str) -> bytes:
    return _part(field, text.encode())


def _part(field: int, content: bytes) -> bytes:
    """A protocol buffers field of bytes; none here is longer than 127 or has a number above 15."""
    assert len(content) < 128
    return bytes((field << 3 | 2, len(content))) + content


def _number(field: int, value: int) -> bytes:
    return bytes((field << 3, value))
