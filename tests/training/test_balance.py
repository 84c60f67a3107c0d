"""Int8 with balanced inputs: nearer to float32 where channels reach differently far, left alone elsewhere."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; `pip install -e .[train]` brings it")

from training.balance import NAMES, fit, rounded, rounded_rows  # noqa: E402


def inputs(reach: float, texts: int = 8) -> list[torch.Tensor]:
    """Texts of a few tokens whose first channel reaches so many times as far as the others, to one side."""
    generator = torch.Generator().manual_seed(1)
    made = [torch.randn(10, 32, generator=generator) for _ in range(texts)]
    for x in made:
        x[:, 0] = x[:, 0].abs() * reach
    return made


def dense() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(16, 32, generator=generator), torch.randn(16, generator=generator)


def error(texts: list[torch.Tensor], shift: torch.Tensor, scale: torch.Tensor) -> float:
    weight, bias = dense()
    coded, moved = rounded_rows(weight * scale), bias + weight @ shift
    return sum(
        float((rounded((x - shift) / scale) @ coded.T + moved - x @ weight.T - bias).square().sum()) for x in texts
    )


@pytest.mark.parametrize("part", NAMES)
def test_a_channel_that_reaches_far_is_evened(part: str) -> None:
    texts = inputs(40)
    shift, scale = fit(part, texts, *dense())
    assert error(texts, shift, scale) < 0.3 * error(texts, torch.zeros(32), torch.ones(32))
    assert part != "narrow" or not shift.any()


@pytest.mark.parametrize("part", ["qkv", "wide", "narrow"])
def test_where_all_reach_alike_no_time_is_spent(part: str) -> None:
    _, scale = fit(part, inputs(1), *dense())
    assert (scale == 1).all()


def test_shifts_and_scales_are_what_float16_holds() -> None:
    for tensor in fit("qkv", inputs(40), *dense()):
        assert torch.equal(tensor, tensor.half().float())


def test_rounding_is_what_the_runtime_does() -> None:
    x = torch.tensor([[-1.0, 0.0, 0.5, 2.0]])  # 0.5 is 42.5 steps: half goes to even
    step = 3 / 255
    assert rounded(x).flatten().tolist() == pytest.approx([-1.0, 0.0, 42 * step, 2.0], abs=1e-6)
    assert rounded(torch.zeros(1, 3)).tolist() == [[0.0, 0.0, 0.0]]
    assert rounded_rows(torch.tensor([[0.0, 0.0], [127.0, -63.4]])).tolist() == [[0.0, 0.0], [127.0, -63.0]]
