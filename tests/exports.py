"""Small sentence encoders as others export them: bags of words in ONNX, made in a moment, at any dimension."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import tokenizers
from onnx import TensorProto, helper, numpy_helper

VOCABULARY = 3000


def tokenizer(size: int = VOCABULARY) -> tokenizers.Tokenizer:
    """WordPiece over letters and `WORDS`, with [CLS] and [SEP]; truncation and padding are set, as in exports."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,?!'-"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters), *WORDS.split()]
    pieces = list(dict.fromkeys(pieces))
    pieces += [f"[unused{n}]" for n in range(size - len(pieces))]
    vocab = {piece: place for place, piece in enumerate(pieces)}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocab, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])]
    )
    made.enable_truncation(16)
    made.enable_padding(length=16)
    return made


def export(
    folder: Path,
    dimension: int = 64,
    *,
    outputs: tuple[str, ...] = ("last_hidden_state",),
    inputs: tuple[str, ...] = ("input_ids", "attention_mask", "token_type_ids"),
    seed: int = 7,
    size: int = VOCABULARY,
    rows: int | None = None,
    positions: int | None = None,
    meaning: str = "words",
    integers: int = TensorProto.INT64,
    at: str = "model.onnx",
    weights: str | None = None,
) -> Path:
    """Write model.onnx and tokenizer.json into `folder`; it.

    Args:
        outputs: any of `last_hidden_state`, `token_embeddings`, `sentence_embedding`, or others, which get the same.
        rows: of the embedding table; None as many as the tokenizer has ids.
        positions: the longest text it takes; None takes any.
        meaning: `words` gives each word its own direction, `none` all the same, `nan` no number, `noise` a new
            one each time.
        weights: file beside the graph that they are written to; None keeps them in the graph.
    """
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows or size, dimension)).astype(np.float32)
    table[[2, 3]] = 0.01  # [CLS] and [SEP] say little
    if meaning == "none":
        table[:] = table[0]
    elif meaning == "nan":
        table[:] = np.nan
    nodes = [helper.make_node("Gather", ["table", inputs[0]], ["words"])]
    constants = [numpy_helper.from_array(table, "table")]
    last = "words"
    if meaning == "noise":
        nodes += [helper.make_node("RandomNormalLike", ["words"], ["noise"])]
        nodes += [helper.make_node("Add", ["words", "noise"], ["noisy"])]
        last = "noisy"
    if positions is not None:
        constants.append(numpy_helper.from_array(np.zeros((positions, 1), np.float32), "places"))
        constants.append(numpy_helper.from_array(np.array([0], np.int64), "zero"))
        nodes.append(helper.make_node("Shape", [inputs[0]], ["length"], start=1, end=2))
        nodes.append(helper.make_node("Range", ["zero_", "count", "one_"], ["places_"]))
        nodes.insert(-1, helper.make_node("Squeeze", ["length"], ["count"]))
        constants.append(numpy_helper.from_array(np.array(0, np.int64), "zero_"))
        constants.append(numpy_helper.from_array(np.array(1, np.int64), "one_"))
        nodes.append(helper.make_node("Gather", ["places", "places_"], ["place"]))
        nodes.append(helper.make_node("Add", [last, "place"], ["placed"]))
        last = "placed"
    shapes: list[onnx.ValueInfoProto] = []
    for name in outputs:
        if name == "sentence_embedding":
            nodes.append(helper.make_node("ReduceMean", [last], [name], axes=[1], keepdims=0))
            shapes.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", dimension]))
        else:
            nodes.append(helper.make_node("Identity", [last], [name]))
            shapes.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "sequence", dimension]))
    takes = [helper.make_tensor_value_info(name, integers, ["batch", "sequence"]) for name in inputs]
    graph = helper.make_graph(nodes, "bag", takes, shapes, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / at).parent.mkdir(parents=True, exist_ok=True)
    if weights is None:
        onnx.save(model, str(folder / at))
    else:
        onnx.save(model, str(folder / at), save_as_external_data=True, location=weights, size_threshold=0)
    tokenizer(size).save(str(folder / "tokenizer.json"))
    return folder


def settings(folder: Path, name: str, value: object) -> Path:
    """Write one of the settings that lie beside a graph."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(value))
    return folder


WORDS = """
how do i reset my password forgot and want to it the kettle boils water for tea test fails because database is locked
a makes fail we walked along beach in evening deploy new release staging server goes first cat sleeps on warm chair all
day memory lighthouse keeper logs weather at noon harbour ships storm night pier closes dusk
"""
