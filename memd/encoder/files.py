"""Where the encoder's files lie, and whether they are the ones that were built."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from memd.errors import EncoderUnavailable

GRAPH, TOKENIZER, MANIFEST = "encoder.onnx", "tokenizer.json", "manifest.json"
FIX = "Reinstall memd; in a source checkout run `make setup`, or `python scripts/build_encoder.py`."


@dataclass(frozen=True)
class EncoderFiles:
    """An encoder on disk, its manifest read and its files' hashes compared.

    Attributes:
        graph, tokenizer: paths of the two files.
        name: the model's name.
        fingerprint: 16 hexadecimal digits over weights, graph and tokenizer.
        dimension: length of a vector.
        max_tokens: longest input in tokens, [CLS] and [SEP] included.
    """

    graph: Path
    tokenizer: Path
    name: str
    fingerprint: str
    dimension: int
    max_tokens: int

    @classmethod
    def find(cls, folder: Path | None = None) -> EncoderFiles:
        """The encoder in `folder`; else in `$MEMD_ENCODER`; else the one inside the package.

        Raises:
            EncoderUnavailable: a file is missing, unreadable, or not the one the manifest names.
        """
        folder = folder or Path(os.environ.get("MEMD_ENCODER") or Path(__file__).parent / "model")
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            hashes = dict(manifest["files"])
            files = cls(
                graph=folder / GRAPH,
                tokenizer=folder / TOKENIZER,
                name=str(manifest["name"]),
                fingerprint=str(manifest["fingerprint"]),
                dimension=int(manifest["dimension"]),
                max_tokens=int(manifest["max_tokens"]),
            )
        except FileNotFoundError:
            raise EncoderUnavailable(f"There is no encoder in {folder}.", FIX) from None
        except OSError as error:
            raise EncoderUnavailable(f"The encoder in {folder} can't be read: {error.strerror}.", FIX) from error
        except (ValueError, KeyError, TypeError) as error:
            raise EncoderUnavailable(f"The encoder's manifest in {folder} is damaged.", FIX) from error
        for path in (files.graph, files.tokenizer):
            _check(path, hashes.get(path.name))
        return files


def _check(path: Path, expected: str | None) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise EncoderUnavailable(f"The encoder's file {path} is missing.", FIX) from None
    except OSError as error:
        raise EncoderUnavailable(f"The encoder's file {path} can't be read: {error.strerror}.", FIX) from error
    if found != expected:
        raise EncoderUnavailable(f"The encoder's file {path} is damaged: its sha256 is not the manifest's.", FIX)
