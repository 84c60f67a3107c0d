"""all-MiniLM-L6-v2 as a function of its tensors, and the ways to tune them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

LAYERS, HEADS, EPSILON = 6, 12, 1e-12
PAD = 4
"""Lengths are rounded up to a multiple of this, so that texts of about one length share a product."""
LINEAR = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
Tensors = dict[str, Tensor]


class Tuning:
    """The pinned tensors and what is learned on top of them.

    Args:
        base: the checkpoint's float tensors by name; never changed.
        frozen: layers from the bottom that stay as they are, the embeddings among them.
        rank: of the learned change of each linear layer; 0 learns the tensors themselves.
        decay: a layer's learning rate is `decay` times that of the layer above.
        seed: of the low-rank pairs' first values.
    """

    def __init__(self, base: Mapping[str, Tensor], *, frozen: int, rank: int, decay: float, seed: int) -> None:
        self.base, self.frozen, self.rank, self.decay = dict(base), frozen, rank, decay
        self.learned: Tensors = {}
        generator = torch.Generator().manual_seed(seed)
        for name, tensor in self.base.items():
            if _layer(name) < frozen:
                continue
            if rank and tensor.ndim == 2:
                outputs, inputs = tensor.shape
                a = torch.randn(rank, inputs, generator=generator) / math.sqrt(inputs)
                self.learned |= {f"{name}.lora_A": a, f"{name}.lora_B": torch.zeros(outputs, rank)}
            else:
                self.learned[name] = torch.zeros_like(tensor)
        for tensor in self.learned.values():
            tensor.requires_grad_()

    def groups(self, rate: float, weight_decay: float) -> list[dict[str, object]]:
        """Parameter groups for an optimizer: one learning rate a layer, no weight decay on vectors."""
        return [
            {
                "params": [tensor],
                "lr": rate * self.decay ** (LAYERS - 1 - _layer(name)),
                "weight_decay": weight_decay if tensor.ndim == 2 else 0.0,
            }
            for name, tensor in self.learned.items()
        ]

    def tensors(self, learned: Mapping[str, Tensor] | None = None) -> Tensors:
        """The tuned tensors by the checkpoint's names.

        Args:
            learned: stands in for what is learned now, a running mean of it for one.
        """
        learned = self.learned if learned is None else learned
        return {name: self._tuned(name, tensor, learned) for name, tensor in self.base.items()}

    @staticmethod
    def _tuned(name: str, tensor: Tensor, learned: Mapping[str, Tensor]) -> Tensor:
        if name in learned:
            return tensor + learned[name]
        if f"{name}.lora_A" in learned:
            return tensor + learned[f"{name}.lora_B"] @ learned[f"{name}.lora_A"]
        return tensor


def _layer(name: str) -> int:
    """The layer a tensor belongs to; -1 for the embeddings."""
    return int(name.split(".")[2]) if name.startswith("encoder.layer.") else -1


def used_tensors(weights: Mapping[str, NDArray[np.float32]]) -> Tensors:
    """The checkpoint's tensors that the encoder uses, all but the unused pooler, in the order of their names.

    The file's reader gives them in any order, and the optimizer's state goes by order.
    """
    used = sorted(name for name in weights if name.startswith(("embeddings.", "encoder.")))
    return {name: torch.from_numpy(weights[name].copy()) for name in used}


@dataclass(frozen=True)
class Group:
    """Texts of about one length, side by side in attention.

    Attributes:
        texts: how many.
        length: tokens each takes, padding at the end included.
        hidden: float32 [texts, 1, 1, length], 0 for a token, very negative for padding.
    """

    texts: int
    length: int
    hidden: Tensor

    @property
    def size(self) -> int:
        """Tokens of all of them."""
        return self.texts * self.length


@dataclass(frozen=True)
class Block:
    """One layer's tensors, the three projections of attention side by side, matrices in the precision of the run."""

    qkv: tuple[Tensor, Tensor]
    mixed: tuple[Tensor, Tensor]
    attended: tuple[Tensor, Tensor]
    wide: tuple[Tensor, Tensor]
    narrow: tuple[Tensor, Tensor]
    norm: tuple[Tensor, Tensor]


class Encoder:
    """Token ids to token vectors, for tensors that may be learning.

    Args:
        tensors: by the checkpoint's names.
        precision: of the matrix products; sums, norms and the outputs are float32.
    """

    def __init__(self, tensors: Tensors, precision: torch.dtype) -> None:
        self.tensors, self.precision = tensors, precision
        self.blocks = [self._block(layer) for layer in range(LAYERS)]

    def __call__(self, ids: Tensor, places: Tensor, groups: Sequence[Group]) -> Tensor:
        """Vectors of all tokens of many texts, one after the other: float32 [n, d].

        Everything but attention runs over all tokens at once, which is what a CPU does fastest.

        Args:
            ids, places: each token and its place in its text, int64 [n].
            groups: how the tokens make texts.
        """
        x = self._embed(ids, places)
        for layer, block in enumerate(self.blocks):
            x = F.layer_norm(x + self._attend(layer, x, groups), x.shape[-1:], *block.attended, EPSILON)
            wide = F.gelu(self.dense(layer, "wide", x))
            x = F.layer_norm(x + self.dense(layer, "narrow", wide).float(), x.shape[-1:], *block.norm, EPSILON)
        return x

    def dense(self, layer: int, part: str, x: Tensor) -> Tensor:
        """x through a dense part of a block, in the precision of the run."""
        return F.linear(x.to(self.precision), *getattr(self.blocks[layer], part))

    def _embed(self, ids: Tensor, places: Tensor) -> Tensor:
        t = self.tensors
        x = t["embeddings.word_embeddings.weight"][ids] + t["embeddings.position_embeddings.weight"][places]
        x = x + t["embeddings.token_type_embeddings.weight"][0]
        return F.layer_norm(x, x.shape[-1:], *self._pair("embeddings.LayerNorm"), EPSILON)

    def _attend(self, layer: int, x: Tensor, groups: Sequence[Group]) -> Tensor:
        d = x.shape[-1]
        # Written out: the fused kernel's backward pass took half of a step's time on a CPU.
        parts = self.dense(layer, "qkv", x).split([group.size for group in groups])
        mixed = []
        for part, group in zip(parts, groups, strict=True):
            q, k, v = part.view(group.texts, group.length, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4)
            share = torch.softmax(q @ k.transpose(-1, -2) * (HEADS / d) ** 0.5 + group.hidden.to(q.dtype), -1)
            mixed.append((share @ v).transpose(1, 2).reshape(group.size, d))
        return self.dense(layer, "mixed", torch.cat(mixed)).float()

    def _block(self, layer: int) -> Block:
        at, p = f"encoder.layer.{layer}", self.precision
        parts = [self._pair(f"{at}.attention.self.{part}") for part in ("query", "key", "value")]
        qkv = torch.cat([w for w, _ in parts]), torch.cat([b for _, b in parts])
        mixed, wide, narrow = (
            self._pair(f"{at}.{part}") for part in ("attention.output.dense", "intermediate.dense", "output.dense")
        )
        return Block(
            qkv=(qkv[0].to(p), qkv[1].to(p)),
            mixed=(mixed[0].to(p), mixed[1].to(p)),
            attended=self._pair(f"{at}.attention.output.LayerNorm"),
            wide=(wide[0].to(p), wide[1].to(p)),
            narrow=(narrow[0].to(p), narrow[1].to(p)),
            norm=self._pair(f"{at}.output.LayerNorm"),
        )

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        return self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]


@dataclass(frozen=True)
class Encoded:
    """Texts through the encoder, padded to the longest.

    Attributes:
        pooled: float32 [n, d], unit norm: mean over all tokens.
        tokens: float32 [n, t, d], unit norm; zero where padded.
        ids: int64 [n, t], 0 where padded.
        word: bool [n, t], true where a token is neither padding nor special.
    """

    pooled: Tensor
    tokens: Tensor
    ids: Tensor
    word: Tensor


def encode(encoder: Encoder, texts: Sequence[NDArray[np.int64]]) -> Encoded:
    """Encode token ids of texts, in their order."""
    return encode_lists(encoder, [texts])[0]


def encode_lists(encoder: Encoder, lists: Sequence[Sequence[NDArray[np.int64]]]) -> list[Encoded]:
    """Encode several lists of texts in one pass."""
    texts = [text for some in lists for text in some]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    groups = _groups([len(texts[i]) for i in order])
    starts, total = np.empty(len(texts), dtype=np.int64), 0
    ids, places = [], []
    ranked = iter(order)
    for group in groups:
        for _ in range(group.texts):
            i = next(ranked)
            starts[i], total = total, total + group.length
            ids.append(np.pad(texts[i], (0, group.length - len(texts[i]))))
            places.append(np.arange(group.length))
    x = encoder(torch.from_numpy(np.concatenate(ids)), torch.from_numpy(np.concatenate(places)), groups)
    x = torch.cat([x, torch.zeros(1, x.shape[-1])])  # the last row is what padding points at
    made, first = [], 0
    for some in lists:
        made.append(_encoded(x, some, starts[first : first + len(some)]))
        first += len(some)
    return made


def _encoded(x: Tensor, texts: Sequence[NDArray[np.int64]], starts: NDArray[np.int64]) -> Encoded:
    lengths = torch.tensor([len(text) for text in texts])
    ids = torch.zeros(len(texts), int(lengths.max()), dtype=torch.int64)
    rows = torch.full(ids.shape, len(x) - 1, dtype=torch.int64)
    for i, text in enumerate(texts):
        ids[i, : len(text)] = torch.from_numpy(text)
        rows[i, : len(text)] = torch.arange(len(text)) + int(starts[i])
    tokens = x.index_select(0, rows.flatten()).view(*rows.shape, -1)
    pooled = F.normalize(tokens.sum(1) / lengths[:, None], dim=-1)
    place = torch.arange(ids.shape[1])
    word = (place > 0) & (place < lengths[:, None] - 1)
    return Encoded(pooled, F.normalize(tokens, dim=-1), ids, word)


def _groups(lengths: Sequence[int]) -> list[Group]:
    """Groups of texts given by ascending length, each text padded to a multiple of `PAD`."""
    groups, start = [], 0
    wide = [-(-length // PAD) * PAD for length in lengths]
    for end in range(1, len(lengths) + 1):
        if end == len(lengths) or wide[end] != wide[start]:
            real = torch.tensor(lengths[start:end])
            # -inf would make a row of NaN out of an empty text.
            hidden = torch.where(torch.arange(wide[start]) < real[:, None], 0.0, -1e4)[:, None, None, :]
            groups.append(Group(end - start, wide[start], hidden))
            start = end
    return groups
