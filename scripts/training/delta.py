"""The delta that is shipped: what tuning changed, in float16, low rank where it is a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor


def truncate(learned: Mapping[str, Tensor], rank: int) -> dict[str, Tensor]:
    """Changes of whole matrices replaced by their best approximations of a rank (Eckart & Young 1936).

    Vectors and pairs that are low rank already stay as they are.
    """
    made: dict[str, Tensor] = {}
    for name, change in learned.items():
        if change.ndim != 2 or ".lora_" in name:
            made[name] = change
            continue
        u, s, v = torch.linalg.svd(change.detach().float(), full_matrices=False)
        root = s[:rank].sqrt()
        made |= {f"{name}.lora_A": root[:, None] * v[:rank], f"{name}.lora_B": u[:, :rank] * root}
    return made


def average(runs: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of what several runs learned, as whole changes; of one run, what it learned."""
    if len(runs) == 1:
        return dict(runs[0])
    whole = [_whole(run) for run in runs]
    return {name: torch.stack([run[name] for run in whole]).mean(0) for name in whole[0]}


def _whole(learned: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pairs multiplied out."""
    made: dict[str, Tensor] = {}
    for name, tensor in learned.items():
        base, _, part = name.partition(".lora_")
        if part == "A":
            made[base] = learned[f"{base}.lora_B"].detach() @ tensor.detach()
        elif not part:
            made[name] = tensor.detach()
    return made


def scaled(learned: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The learned change times `share`: 0 is the original encoder, 1 the tuned one (Wortsman et al. 2022)."""
    return {name: t if name.endswith(".lora_A") else t * share for name, t in learned.items()}


def write(learned: Mapping[str, Tensor], path: Path) -> int:
    """Write a delta for `build_encoder.py --delta`; its size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".part")
    save_file({name: tensor.detach().to(torch.float16).contiguous() for name, tensor in learned.items()}, scratch)
    scratch.replace(path)
    return path.stat().st_size
