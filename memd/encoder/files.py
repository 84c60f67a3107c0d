"""Where an encoder's files lie, and whether they are the ones that were built or taken in."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from memd.errors import EncoderUnavailable

GRAPH, TOKENIZER, MANIFEST = "encoder.onnx", "tokenizer.json", "manifest.json"
VARIABLE = "MEMD_ENCODER"
SHIPPED = Path(__file__).parent / "model"
FIX = "Reinstall memd; in a source checkout run `make setup`, or `python scripts/build_encoder.py`."
POOLINGS = ("mean", "cls")


@dataclass(frozen=True)
class EncoderFiles:
    """An encoder on disk, its manifest read and its files' hashes compared.

    Attributes:
        graph, tokenizer: paths of the two files.
        name: the model's name.
        fingerprint: 16 hexadecimal digits over weights, graph and tokenizer.
        dimension: length of a vector.
        max_tokens: longest input in tokens, the special ones included.
        pooling: how the token vectors make the pooled one where the graph doesn't say: `mean`, or `cls` (the first).
        tokens: whether it gives a vector for each token.
        weights: files beside the graph that it keeps its weights in; none when it holds them itself.
        fix: what to do when one of the files turns out to be no good.
    """

    graph: Path
    tokenizer: Path
    name: str
    fingerprint: str
    dimension: int
    max_tokens: int
    pooling: str = "mean"
    tokens: bool = True
    weights: tuple[Path, ...] = ()
    fix: str = FIX

    @classmethod
    def find(cls, folder: Path | None = None, fix: str = FIX) -> EncoderFiles:
        """The encoder in `folder`; else in `$MEMD_ENCODER`; else the one inside the package.

        Args:
            folder: where the three files lie.
            fix: the hint of every error.

        Raises:
            EncoderUnavailable: a file is missing, unreadable, or not the one the manifest names.
        """
        folder = folder or Path(os.environ.get(VARIABLE) or SHIPPED)
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
                pooling=POOLINGS[POOLINGS.index(manifest.get("pooling", "mean"))],
                tokens=bool(manifest.get("tokens", True)),
                weights=tuple(folder / Path(name).name for name in sorted(hashes) if name not in (GRAPH, TOKENIZER)),
                fix=fix,
            )
        except FileNotFoundError:
            raise EncoderUnavailable(f"There is no encoder in {folder}.", fix) from None
        except OSError as error:
            raise EncoderUnavailable(f"The encoder in {folder} can't be read: {error.strerror}.", fix) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EncoderUnavailable(f"The encoder's manifest in {folder} is damaged.", fix) from error
        for path in files.all:
            _check(path, hashes.get(path.name), fix)
        return files

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file but the manifest."""
        return self.graph, self.tokenizer, *self.weights

    @property
    def size(self) -> int:
        """Bytes of the graph, its weights and the tokenizer."""
        return sum(path.stat().st_size for path in self.all)


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(path: Path, expected: str | None, fix: str) -> None:
    try:
        found = sha256_of(path)
    except FileNotFoundError:
        raise EncoderUnavailable(f"The encoder's file {path} is missing.", fix) from None
    except OSError as error:
        raise EncoderUnavailable(f"The encoder's file {path} can't be read: {error.strerror}.", fix) from error
    if found != expected:
        raise EncoderUnavailable(f"The encoder's file {path} is damaged: its sha256 is not the manifest's.", fix)
