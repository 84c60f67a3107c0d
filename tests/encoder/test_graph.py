"""The graph says what BERT says: against NumPy, against torch where it is installed, against published figures."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from memd.encoder import Encoder, Encoding

Weights = dict[str, NDArray[np.float32]]
HEADS, EPSILON, LAYERS = 12, 1e-12, 6

# The similarities that the checkpoint's publisher prints for its own sentences.
SENTENCE = "That is a happy person"
PUBLISHED = {
    "That is a happy dog": 0.6945773363113403,
    "That is a very happy person": 0.9429150819778442,
    "Today is a sunny day": 0.2568760812282562,
}


def unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class NumpyBert:
    """BERT as its paper writes it (Devlin et al. 2019), in float64, sharing nothing with the graph but the weights."""

    def __init__(self, weights: Weights) -> None:
        self.w = {name: tensor.astype(np.float64) for name, tensor in weights.items()}

    def __call__(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Hidden states (n, d) of the last layer."""
        w, at = self.w, "embeddings"
        x = w[f"{at}.word_embeddings.weight"][ids] + w[f"{at}.position_embeddings.weight"][: len(ids)]
        x = self.norm(x + w[f"{at}.token_type_embeddings.weight"][0], f"{at}.LayerNorm")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}"
            x = self.norm(x + self.attention(x, at), f"{at}.attention.output.LayerNorm")
            wide = self.dense(x, f"{at}.intermediate.dense")
            wide *= (1 + np.vectorize(math.erf)(wide / math.sqrt(2))) / 2
            x = self.norm(x + self.dense(wide, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        return x

    def attention(self, x: NDArray[np.float64], at: str) -> NDArray[np.float64]:
        q, k, v = (
            self.dense(x, f"{at}.attention.self.{part}").reshape(len(x), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = np.exp(q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1]))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        return self.dense(mixed.transpose(1, 0, 2).reshape(x.shape), f"{at}.attention.output.dense")

    def dense(self, x: NDArray[np.float64], at: str) -> NDArray[np.float64]:
        return x @ self.w[f"{at}.weight"].T + self.w[f"{at}.bias"]

    def norm(self, x: NDArray[np.float64], at: str) -> NDArray[np.float64]:
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + EPSILON) * self.w[f"{at}.weight"] + self.w[f"{at}.bias"]


def with_specials(encoder: Encoder, encoding: Encoding) -> NDArray[np.int64]:
    return np.array([*encoder.tokenizer.prefix, *encoding.ids, *encoder.tokenizer.suffix], dtype=np.int64)


def test_float_graph_equals_numpy_bert(float_encoder: Encoder, weights: Weights, text: str) -> None:
    found = float_encoder.encode_query(text)
    hidden = NumpyBert(weights)(with_specials(float_encoder, found))
    np.testing.assert_allclose(found.pooled, unit(hidden.mean(0)), atol=2e-5)
    np.testing.assert_allclose(found.tokens, unit(hidden[1:-1]), atol=2e-4)


def test_float_graph_equals_torch_bert(float_encoder: Encoder, weights: Weights, text: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed; NumPy's BERT checks the graph all the same")
    shape = {"d_model": 384, "nhead": HEADS, "dim_feedforward": 1536}
    layer = torch.nn.TransformerEncoderLayer(
        **shape, dropout=0.0, activation="gelu", layer_norm_eps=EPSILON, batch_first=True
    )
    bert = torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False).eval()
    state = {}
    for i in range(LAYERS):
        of, to = f"encoder.layer.{i}", f"layers.{i}"
        for kind in ("weight", "bias"):
            parts = [weights[f"{of}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            state[f"{to}.self_attn.in_proj_{kind}"] = np.concatenate(parts)
            state[f"{to}.self_attn.out_proj.{kind}"] = weights[f"{of}.attention.output.dense.{kind}"]
            state[f"{to}.norm1.{kind}"] = weights[f"{of}.attention.output.LayerNorm.{kind}"]
            state[f"{to}.linear1.{kind}"] = weights[f"{of}.intermediate.dense.{kind}"]
            state[f"{to}.linear2.{kind}"] = weights[f"{of}.output.dense.{kind}"]
            state[f"{to}.norm2.{kind}"] = weights[f"{of}.output.LayerNorm.{kind}"]
    bert.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in state.items()})
    found = float_encoder.encode_query(text)
    ids = with_specials(float_encoder, found)
    at = "embeddings"
    x = weights[f"{at}.word_embeddings.weight"][ids] + weights[f"{at}.position_embeddings.weight"][: len(ids)]
    x = torch.from_numpy(x + weights[f"{at}.token_type_embeddings.weight"][0])
    norm = (torch.from_numpy(weights[f"{at}.LayerNorm.{kind}"]) for kind in ("weight", "bias"))
    with torch.no_grad():
        hidden = bert(torch.nn.functional.layer_norm(x, (384,), *norm, eps=EPSILON)[None])[0].double().numpy()
    np.testing.assert_allclose(found.pooled, unit(hidden.mean(0)), atol=2e-5)
    np.testing.assert_allclose(found.tokens, unit(hidden[1:-1]), atol=2e-4)


def test_float_graph_gives_the_published_similarities(float_encoder: Encoder) -> None:
    sentence, *others = float_encoder.encode([SENTENCE, *PUBLISHED])
    for other, published in zip(others, PUBLISHED.values(), strict=True):
        assert float(sentence.pooled @ other.pooled) == pytest.approx(published, abs=1e-5)


def test_int8_stays_near_the_published_similarities(untuned_encoder: Encoder) -> None:
    sentence, *others = untuned_encoder.encode([SENTENCE, *PUBLISHED])
    for other, published in zip(others, PUBLISHED.values(), strict=True):
        assert float(sentence.pooled @ other.pooled) == pytest.approx(published, abs=0.05)


def test_int8_keeps_the_vectors(encoder: Encoder, tuned_float_encoder: Encoder) -> None:
    texts = [f"{verb} the {noun} {when}" for verb in VERBS for noun in NOUNS for when in ("today", "before a release")]
    pairs = list(zip(encoder.encode(texts), tuned_float_encoder.encode(texts), strict=True))
    pooled = np.array([coded.pooled @ true.pooled for coded, true in pairs])
    tokens = np.concatenate([(coded.tokens * true.tokens).sum(1) for coded, true in pairs])
    assert pooled.mean() > 0.997
    assert pooled.min() > 0.99
    assert tokens.mean() > 0.994


VERBS = ("restart", "don't touch", "we migrated", "why did she rename")
NOUNS = ("build server", "payment queue after the timeout in `retry_all()`", "docs/index.md", "colour of the button")
