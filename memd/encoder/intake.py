"""Taking an encoder into the library: found in a folder, copied aside, tried out, and only then put in its place."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from memd.disk import sync
from memd.encoder.files import GRAPH, MANIFEST, POOLINGS, TOKENIZER, EncoderFiles, sha256_of
from memd.encoder.library import Encoders, plain_name, unwritable
from memd.encoder.session import Encoder
from memd.encoder.trial import MAX_DIMENSION, Refused, try_out
from memd.errors import BadInput, Conflict, EncoderUnavailable

GRAPHS = (GRAPH, "model.onnx", "onnx/model.onnx")
WEIGHTS = ("{}.data*", "{}_data*")  # beside a graph of this name, as torch.onnx and Optimum call them
TOKENIZERS = (TOKENIZER, f"onnx/{TOKENIZER}")
MOST_TOKENS, USUAL_TOKENS = 512, 256  # of one input: the most that is used, and what is taken where nothing says
_STAGING = ".new-"
_HARMLESS = ("Transformer", "Pooling", "Normalize")  # steps that the graph or `Signature` does

__all__ = ["MAX_DIMENSION", "Taken", "take"]


class Taken(NamedTuple):
    """An encoder that is in the library; `known` when it was there already, under the same name."""

    name: str
    files: EncoderFiles
    known: bool


class _Settings(NamedTuple):
    """What the files beside a graph say: how its tokens are pooled, and how many it reads at once."""

    pooling: str
    max_tokens: int


def take(encoders: Encoders, folder: Path, name: str | None = None) -> Taken:
    """Copy the encoder in `folder` into the library, once it has passed its trial.

    Args:
        encoders: the library.
        folder: holds model.onnx (or onnx/model.onnx, or encoder.onnx) and tokenizer.json, and perhaps the
            settings that sentence-transformers writes beside them, and weights that the graph keeps in files of
            their own.
        name: what it is to be called; None takes the folder's name.

    Raises:
        BadInput: it can't be used; says why. The library is as it was.
        Conflict: another one has the name.
        StoreUnusable: it can't be copied; the library is as it was.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Give the folder that model.onnx and tokenizer.json lie in.")
    graph, tokenizer = _one_of(folder, GRAPHS), _one_of(folder, TOKENIZERS)
    weights = sorted(path for name in WEIGHTS for path in graph.parent.glob(name.format(graph.name)) if path.is_file())
    name = plain_name(_name_of(folder) if name is None else name)
    try:
        with _staging(encoders.folder) as stage:
            shutil.copyfile(graph, stage / GRAPH)
            shutil.copyfile(tokenizer, stage / TOKENIZER)
            for path in weights:  # the graph names them, so they keep their names
                shutil.copyfile(path, stage / path.name)
            try:
                files = _tried(stage, name, _settings(folder))
            except Refused as error:
                raise BadInput(f"{folder} can't be taken in: {error}.", error.hint) from None
            return _put(encoders, stage, name, files)
    except OSError as error:
        if error.filename in map(str, (graph, tokenizer, *weights)):
            raise BadInput(f"{error.filename} can't be read: {error.strerror}.", "Check its permissions.") from None
        raise unwritable(encoders.folder, error) from None


def _one_of(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    near = sorted(str(path.relative_to(folder)) for path in [*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    if names is GRAPHS and near:
        hint = f"There is {', '.join(near[:4])}: put the one to use into a folder as model.onnx, beside tokenizer.json."
    else:
        hint = "Export the model with Optimum or sentence-transformers (backend onnx), tokenizer.json included."
    raise BadInput(f"There is no {' or '.join(names)} in {folder}.", hint)


def _name_of(folder: Path) -> str:
    """The folder's name with what a name can't hold replaced."""
    return re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-._")[:64] or "encoder"


# --- settings ---------------------------------------------------------------------------------------


def _settings(folder: Path) -> _Settings:
    """Raises Refused where they ask for what isn't done here."""
    own = _table(folder / MANIFEST)
    limits = [
        _table(folder / "sentence_bert_config.json").get("max_seq_length"),
        _table(folder / "tokenizer_config.json").get("model_max_length"),
        _table(folder / "config.json").get("max_position_embeddings"),
        own.get("max_tokens"),
    ]
    known = [int(limit) for limit in limits if isinstance(limit, int | float) and limit >= 1]
    return _Settings(_pooling(folder, own), min([*known, MOST_TOKENS]) if known else USUAL_TOKENS)


def _pooling(folder: Path, own: dict[str, Any]) -> str:
    steps = [str(step.get("type", "")).rsplit(".", 1)[-1] for step in _table(folder / "modules.json", list)]
    if strange := [step for step in steps if step not in _HARMLESS]:
        return f"then {strange[0]}"
    table = _table(folder / "1_Pooling" / "config.json")
    modes = [key.removeprefix("pooling_mode_") for key, on in table.items() if key.startswith("pooling_mode_") and on]
    if not modes:
        return str(table.get("pooling_mode", own.get("pooling", "mean")))
    return {"cls_token": "cls", "mean_tokens": "mean"}.get(modes[0], modes[0]) if len(modes) == 1 else " + ".join(modes)


def _table(file: Path, kind: type[Any] = dict) -> Any:
    """A JSON file's object or list; an empty one where there is none, or it is none."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return kind()
    return found if isinstance(found, kind) else kind()


# --- staging ----------------------------------------------------------------------------------------


@contextmanager
def _staging(library: Path) -> Iterator[Path]:
    """A folder in the library that nobody sees, gone at the end; one at a time. What a crash left is removed."""
    library.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(library / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in library.glob(_STAGING + "*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_STAGING, dir=library, ignore_cleanup_errors=True) as stage:
            yield Path(stage)
    finally:
        os.close(lock)


def _tried(stage: Path, name: str, settings: _Settings) -> EncoderFiles:
    """Write the manifest of what lies in the stage, and see that it works. Raises Refused."""
    pooling = settings.pooling if settings.pooling in POOLINGS else "mean"
    hashes = {path.name: sha256_of(path) for path in sorted(stage.iterdir())}
    manifest = {
        "name": name,
        "fingerprint": "",
        "dimension": 0,
        "max_tokens": settings.max_tokens,
        "pooling": pooling,
        "tokens": True,
        "files": dict(hashes),
    }
    _write(stage / MANIFEST, manifest)
    try:
        encoder = Encoder.load(stage)
    except EncoderUnavailable as error:
        raise Refused(_told(error.message, stage)) from None
    try:
        if encoder.pools_itself:
            pooling = "mean"  # without effect; two copies that differ in it alone are one encoder
        elif settings.pooling not in POOLINGS:
            raise Refused(
                f"it pools its tokens by {settings.pooling}, which its graph doesn't do",
                f"memd pools by {' or '.join(POOLINGS)}; export it with a sentence_embedding output.",
            )
        dimension = try_out(encoder)
    finally:
        encoder.close()
    own = "".join(hashes.pop(file) for file in (GRAPH, TOKENIZER))
    weights = "".join(hashes.values())
    fingerprint = hashlib.sha256(f"{own}{weights} {pooling} {settings.max_tokens}".encode()).hexdigest()[:16]
    found = {"fingerprint": fingerprint, "dimension": dimension, "pooling": pooling, "tokens": encoder.has_tokens}
    _write(stage / MANIFEST, {**manifest, **found})
    return EncoderFiles.find(stage)


def _told(message: str, stage: Path) -> str:
    """What the loader said, about the files as the user knows them."""
    line = message.replace(f"{stage}{os.sep}", "").splitlines()[0].rstrip(".")
    return line[:1].lower() + line[1:300]


def _write(file: Path, manifest: dict[str, Any]) -> None:
    file.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _put(encoders: Encoders, stage: Path, name: str, files: EncoderFiles) -> Taken:
    """Move the stage to its place in one step, durably."""
    place = encoders.folder / name
    if place.exists():
        if (known := _known(encoders, name)) is not None and known.fingerprint == files.fingerprint:
            return Taken(name, known, True)
        raise Conflict(f"There is another encoder {name!r} already.", "Give this one a name: --name NAME")
    for path in stage.iterdir():
        with path.open("rb+") as handle:
            os.fsync(handle.fileno())
    sync(stage)
    stage.replace(place)
    sync(encoders.folder)
    return Taken(name, encoders.files(name), False)


def _known(encoders: Encoders, name: str) -> EncoderFiles | None:
    try:
        return encoders.files(name)
    except EncoderUnavailable:
        return None
