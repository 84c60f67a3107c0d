"""Encoders that others made: taken in after a trial, or refused with the reason and nothing changed."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

import memd.encoder
from memd.encoder import Encoder
from memd.encoder.intake import take
from memd.encoder.library import BUILTIN, Encoders
from memd.errors import BadInput, Conflict, EncoderUnavailable, NotFound
from tests.exports import export, settings

MODEL = Path(memd.encoder.__file__).parent / "model"
TEXT = "the lighthouse keeper logs the weather at noon"


@pytest.fixture
def encoders(tmp_path: Path) -> Encoders:
    return Encoders(tmp_path / "home")


def taken(encoders: Encoders, folder: Path, name: str | None = None) -> Encoder:
    return encoders.load(take(encoders, folder, name).name)


@pytest.mark.parametrize("dimension", [8, 64, 72, 384, 1024])
@pytest.mark.parametrize(
    "outputs", [("last_hidden_state",), ("token_embeddings", "sentence_embedding"), ("sentence_embedding",)]
)
def test_what_is_taken_in_encodes(encoders: Encoders, tmp_path: Path, dimension: int, outputs: tuple[str, ...]) -> None:
    encoder = taken(encoders, export(tmp_path / "Bag of Words", dimension, outputs=outputs))
    assert (encoder.name, encoder.dimension) == ("bag-of-words", dimension)
    found = encoder.encode_query(TEXT)
    assert found.pooled.shape == (dimension,) and np.isclose(np.linalg.norm(found.pooled), 1)
    assert [TEXT[begin:stop] for begin, stop in found.offsets.tolist()] == TEXT.split()
    assert encoder.has_tokens == (outputs != ("sentence_embedding",))
    assert found.tokens.shape == ((len(TEXT.split()) if encoder.has_tokens else 0), dimension)
    assert np.allclose(np.linalg.norm(found.tokens, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "inputs", [("input_ids",), ("input_ids", "attention_mask"), ("input_ids", "token_type_ids"), ("ids",)]
)
@pytest.mark.parametrize("integers", [TensorProto.INT64, TensorProto.INT32])
def test_it_gets_the_inputs_it_wants(
    encoders: Encoders, tmp_path: Path, inputs: tuple[str, ...], integers: int
) -> None:
    plain = taken(encoders, export(tmp_path / "plain"))
    other = taken(encoders, export(tmp_path / "other", inputs=inputs, integers=integers))
    assert np.array_equal(plain.encode_query(TEXT).pooled, other.encode_query(TEXT).pooled)


def test_a_pooled_vector_is_made_as_the_settings_say(encoders: Encoders, tmp_path: Path) -> None:
    mean = taken(encoders, export(tmp_path / "mean"))
    own = taken(encoders, export(tmp_path / "own", outputs=("last_hidden_state", "sentence_embedding")))
    assert np.allclose(mean.encode_query(TEXT).pooled, own.encode_query(TEXT).pooled, atol=1e-6)
    assert mean.fingerprint != own.fingerprint
    folder = export(tmp_path / "max")
    settings(folder, "1_Pooling/config.json", {"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False})
    with pytest.raises(BadInput, match="max_tokens"):
        take(encoders, folder)
    folder = settings(export(tmp_path / "dense"), "modules.json", [{"type": "sentence_transformers.models.Dense"}])
    with pytest.raises(BadInput, match="Dense"):
        take(encoders, folder)


def test_the_first_token_may_be_the_pooled_one(encoders: Encoders, tmp_path: Path) -> None:
    folder = settings(export(tmp_path / "cls"), "1_Pooling/config.json", {"pooling_mode_cls_token": True})
    with pytest.raises(BadInput, match="same vector"):  # its [CLS] is the same for all texts
        take(encoders, folder)


def test_texts_are_cut_where_the_settings_say(encoders: Encoders, tmp_path: Path) -> None:
    folder = settings(export(tmp_path / "short"), "sentence_bert_config.json", {"max_seq_length": 20})
    encoder = taken(encoders, folder)
    assert len(encoder.encode_query("water " * 50).ids) == 18
    assert len(taken(encoders, export(tmp_path / "any")).encode_query("water " * 900).ids) == 254


@pytest.mark.parametrize("at", ["model.onnx", "onnx/model.onnx", "encoder.onnx"])
def test_the_graph_is_found(encoders: Encoders, tmp_path: Path, at: str) -> None:
    assert taken(encoders, export(tmp_path / "x", at=at)).dimension == 64


@pytest.mark.parametrize(
    ("at", "weights"),
    [
        ("model.onnx", "model.onnx.data"),  # as torch.onnx.export writes
        ("onnx/model.onnx", "model.onnx_data"),  # as Optimum does
        ("encoder.onnx", "encoder.onnx.data"),
    ],
)
def test_weights_may_lie_beside_the_graph(encoders: Encoders, tmp_path: Path, at: str, weights: str) -> None:
    whole = taken(encoders, export(tmp_path / "whole"))
    folder = export(tmp_path / "apart", at=at, weights=weights)
    apart = take(encoders, folder)
    loaded = encoders.load(apart.name)
    assert np.array_equal(loaded.encode_query(TEXT).pooled, whole.encode_query(TEXT).pooled)
    assert apart.files.size > encoders.files("whole").size * 0.9
    other = take(encoders, export(tmp_path / "other", at=at, weights=weights, seed=8))
    assert len({loaded.fingerprint, other.files.fingerprint, whole.fingerprint}) == 3
    assert take(encoders, folder, "apart").known
    (encoders.folder / "apart" / weights).write_bytes(b"\0" * 64)
    with pytest.raises(EncoderUnavailable, match="damaged"):
        encoders.load("apart")
    (folder / at).parent.joinpath(weights).unlink()
    with pytest.raises(BadInput, match=weights):
        take(encoders, folder, "again")


@pytest.mark.parametrize(("mode", "told"), [("mean", None), ("cls", "same vector"), ("lasttoken", "lasttoken")])
def test_pooling_may_be_one_word(encoders: Encoders, tmp_path: Path, mode: str, told: str | None) -> None:
    folder = settings(export(tmp_path / "x"), "1_Pooling/config.json", {"pooling_mode": mode})
    if told is None:
        assert taken(encoders, folder).dimension == 64
    else:
        with pytest.raises(BadInput, match=told):
            take(encoders, folder)


def test_the_built_in_one_can_be_taken_in(encoders: Encoders) -> None:
    encoder = taken(encoders, MODEL, "copy")
    assert np.array_equal(encoder.encode_query(TEXT).pooled, Encoder.load(MODEL).encode_query(TEXT).pooled)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "dimension of no whole byte": ({"dimension": 60}, "60 dimensions"),
    "too many dimensions": ({"dimension": 1032}, "1,032 dimensions"),
    "no such outputs": ({"outputs": ("logits",)}, "logits"),
    "no ids": ({"inputs": ("pixel_values",)}, "pixel_values"),
    "an input of another kind": ({"inputs": ("input_ids", "position_ids")}, "position_ids"),
    "a tokenizer of another model": ({"rows": 2000}, "token 2,999"),
    "a vocabulary too large": ({"size": 70_000}, "70,000 tokens"),
    "a shorter input than it says": ({"positions": 100}, "fails on a text of"),
    "one vector for all": ({"meaning": "none"}, "same vector"),
    "no numbers": ({"meaning": "nan"}, "no numbers"),
    "another vector each time": ({"meaning": "noise"}, "each time"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_use_is_refused_with_the_reason(encoders: Encoders, tmp_path: Path, case: str) -> None:
    options, told = REFUSED[case]
    folder = export(tmp_path / "x", **options)
    with pytest.raises(BadInput) as caught:
        take(encoders, folder)
    assert told in caught.value.message and caught.value.hint
    assert encoders.names() == [BUILTIN] and {path.name for path in encoders.folder.iterdir()} == {".lock"}


def test_files_that_are_none_are_refused(encoders: Encoders, tmp_path: Path) -> None:
    for folder, told in ((tmp_path / "nowhere", "no folder"), (tmp_path, "model.onnx")):
        with pytest.raises(BadInput, match=told):
            take(encoders, folder)
    folder = export(tmp_path / "x")
    (folder / "model.onnx").rename(folder / "model_quantized.onnx")
    with pytest.raises(BadInput) as caught:
        take(encoders, folder)
    assert "model_quantized.onnx" in caught.value.hint
    (folder / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(BadInput, match="can't be loaded"):
        take(encoders, folder)
    shutil.copyfile(folder / "model_quantized.onnx", folder / "model.onnx")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(BadInput, match="tokenizer"):
        take(encoders, folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(BadInput, match=r"tokenizer\.json"):
        take(encoders, folder)
    assert encoders.names() == [BUILTIN]


@pytest.mark.parametrize("name", ["", "builtin", "../up", "a/b", "Großes", ".hidden", "x" * 65])
def test_a_name_that_is_none_is_refused(encoders: Encoders, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="called"):
        take(encoders, export(tmp_path / "x"), name)


def test_a_name_is_given_once(encoders: Encoders, tmp_path: Path) -> None:
    first = take(encoders, export(tmp_path / "x"), "mine")
    assert take(encoders, tmp_path / "x", "mine") == (*first[:2], True)
    with pytest.raises(Conflict):
        take(encoders, export(tmp_path / "y", seed=8), "mine")
    assert encoders.files("mine").fingerprint == first.files.fingerprint
    assert take(encoders, tmp_path / "y").name == "y" and encoders.names() == [BUILTIN, "mine", "y"]


def test_many_at_once_are_one(encoders: Encoders, tmp_path: Path) -> None:
    export(tmp_path / "x")
    known: list[bool] = []
    threads = [threading.Thread(target=lambda: known.append(take(encoders, tmp_path / "x").known)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(known) == [False, True, True, True]


def test_what_a_crash_left_is_removed(encoders: Encoders, tmp_path: Path) -> None:
    left = encoders.folder / ".new-left"
    left.mkdir(parents=True)
    (left / "encoder.onnx").write_bytes(b"half")
    take(encoders, export(tmp_path / "x"))
    assert not left.exists() and encoders.names() == [BUILTIN, "x"]


def test_harm_to_an_added_one_is_said(encoders: Encoders, tmp_path: Path) -> None:
    take(encoders, export(tmp_path / "x"))
    (encoders.folder / "x" / "encoder.onnx").write_bytes(b"")
    with pytest.raises(EncoderUnavailable) as caught:
        encoders.load("x")
    assert "memd model use builtin" in caught.value.hint
    with pytest.raises(NotFound):
        encoders.load("y")
