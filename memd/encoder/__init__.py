"""The encoder: ONNX session, tokenizer, pooled vectors and token vectors."""

from memd.encoder.session import Encoder, Encoding
from memd.encoder.tokenizer import Tokenizer, Tokens

__all__ = ["Encoder", "Encoding", "Tokenizer", "Tokens"]
