"""How far the inputs of dense layers reach, and the shifts and scales with which int8 holds them best.

`build_encoder.balanced` says what they do. They are chosen one dense layer at a time, by how far its outputs in int8
then lie from those in float32 on training texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from build_encoder import DOWN, MIXED, SELF, UP
from training.model import LAYERS, PAD, Encoder, Tensors, encode
from training.pairs import KINDS, Pair
from training.texts import Vocabulary

NAMES = {"qkv": SELF, "mixed": MIXED, "wide": UP, "narrow": DOWN}
FREE = "mixed"
"""Its scales go into the values of attention; the others' cost a product at run time."""
POWERS, REACHES = (0.3, 0.5, 0.7, 0.85, 1.0), (0.3, 0.7, 1.0, 1.5, 2.0, 3.0)
JUDGED = 6
"""One text in this many judges; all of them tell how far the channels reach."""
WORTH = 0.5
"""A scale that costs time is taken if the error is at most this share of the error without it."""


class Watched(Encoder):
    """An encoder that keeps what goes into its dense parts: by layer and part, one tensor [n, in] a text."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__(tensors, torch.float32)
        self.seen: dict[tuple[int, str], list[Tensor]] = {}

    def dense(self, layer: int, part: str, x: Tensor) -> Tensor:
        self.seen.setdefault((layer, part), []).append(x.detach().clone())
        return super().dense(layer, part, x)


def sample(pairs: Sequence[Pair], vocabulary: Vocabulary, each: int, seed: int) -> list[NDArray[np.int64]]:
    """Token ids of both texts of `each` pairs of every kind, as long as the encoder takes them."""
    rng = np.random.default_rng(seed)
    texts: list[str] = []
    for kind in KINDS:
        some = [pair for pair in pairs if pair.kind == kind]
        for i in rng.permutation(len(some))[:each]:
            texts += [some[i].query, some[i].passage]
    return vocabulary.ids(texts, 256)


@torch.no_grad()
def balance(tensors: Mapping[str, Tensor], texts: Sequence[NDArray[np.int64]]) -> Tensors:
    """`LAYER.input.shift` and `LAYER.input.scale` of the encoder with these tensors, as float16 holds them.

    Args:
        tensors: of the encoder that will be built.
        texts: token ids, of the kinds that it will see; those whose length would be padded are passed over.
    """
    watched = Watched(dict(tensors))
    for text in texts:
        if len(text) % PAD == 0:
            encode(watched, [text])
    made: Tensors = {}
    for layer in range(LAYERS):
        for part, name in NAMES.items():
            at = f"encoder.layer.{layer}.{name}.input"
            shift, scale = fit(part, watched.seen[layer, part], *getattr(watched.blocks[layer], part))
            made |= {f"{at}.shift": shift} if bool(shift.any()) else {}
            made |= {f"{at}.scale": scale} if bool((scale != 1).any()) else {}
    return made


def fit(part: str, inputs: Sequence[Tensor], weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The shift and the scale, [in] each, with which a dense part's outputs err least.

    Args:
        part: one of `NAMES`.
        inputs: of the part, one tensor [n, in] a text.
        weight, bias: of the part, [out, in] and [out].
    """
    judged = inputs[::JUDGED]
    wanted = [F.linear(x, weight, bias) for x in judged]
    plain = torch.ones(weight.shape[1])
    best, found = float("inf"), (torch.zeros_like(plain), plain)
    for shift in _shifts(part, inputs):
        moved = bias + weight @ shift
        for scale in (plain, *_scales(inputs, shift)):
            coded = rounded_rows(weight * scale)
            made = (F.linear(rounded((x - shift) / scale), coded, moved) for x in judged)
            error = sum(float((y - x).square().sum()) for x, y in zip(made, wanted, strict=True))
            if scale is plain and part != FREE:
                error *= WORTH
            if error < best:
                best, found = error, (shift, scale)
    return found


def _shifts(part: str, inputs: Sequence[Tensor]) -> list[Tensor]:
    none = torch.zeros(inputs[0].shape[1])
    if part == "narrow":
        return [none]  # what comes out of GELU has no bias to take a shift
    whole = torch.cat(list(inputs))
    return [shift.half().float() for shift in (none, whole.mean(0), (whole.amin(0) + whole.amax(0)) / 2)]


def _scales(inputs: Sequence[Tensor], shift: Tensor) -> Iterator[Tensor]:
    """Candidates: (reach / (t · median reach))^p, and at least 1 in half of them; reach is the most or the 8-norm."""
    whole = (torch.cat(list(inputs)) - shift).abs()
    for reach in (whole.amax(0), whole.pow(8).mean(0).pow(1 / 8)):
        even = reach.clamp_min(1e-3) / reach.median()
        for power in POWERS:
            yield even.pow(power).half().float()
        for power, t in product(POWERS[2:], REACHES):
            yield (even / t).clamp_min(1).pow(power).half().float()


def rounded(x: Tensor) -> Tensor:
    """x as DynamicQuantizeLinear codes it: one scale and zero point a tensor, in a range that has 0 in it."""
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    step = ((high - low) / 255).clamp_min(1e-12)
    zero = (-low / step).round()
    return ((x / step).round() + zero).clamp(0, 255).sub(zero) * step


def rounded_rows(weight: Tensor) -> Tensor:
    """A weight [out, in] as `build_encoder.quantize_rows` codes it."""
    step = (weight.abs().amax(1, keepdim=True) / 127).clamp_min(1e-12)
    return (weight / step).round().clamp(-127, 127) * step
