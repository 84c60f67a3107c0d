"""A missing or damaged encoder is said, with the fix; a fingerprint says which encoder it is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import memd.encoder
from memd.encoder import Encoder, Tokenizer
from memd.errors import EncoderUnavailable

MODEL = Path(memd.encoder.__file__).parent / "model"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "manifest.json"])
@pytest.mark.parametrize("harm", [Path.unlink, cut, empty, become_a_folder])
def test_harm_to_any_file_is_said_with_the_fix(folder: Path, name: str, harm: Callable[[Path], None]) -> None:
    harm(folder / name)
    for load in (Encoder.load, Tokenizer.load):
        with pytest.raises(EncoderUnavailable) as caught:
            load(folder)
        assert str(folder) in caught.value.message
        assert "make setup" in caught.value.hint


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json"])
def test_one_changed_bit_is_found(folder: Path, name: str) -> None:
    flip(folder / name)
    with pytest.raises(EncoderUnavailable, match="damaged"):
        Encoder.load(folder)


@pytest.mark.parametrize("manifest", ["[]", "{}", '{"files": 3}', "not json", '{"files": {}, "name": "x"}'])
def test_a_manifest_of_another_shape_is_said(folder: Path, manifest: str) -> None:
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(EncoderUnavailable, match="manifest"):
        Encoder.load(folder)


def test_a_graph_that_fits_the_manifest_but_is_none(folder: Path) -> None:
    import build_encoder

    (folder / "encoder.onnx").write_bytes(b"no graph")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["encoder.onnx"] = build_encoder.sha256_of(folder / "encoder.onnx")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(EncoderUnavailable, match="can't be loaded"):
        Encoder.load(folder)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="no encoder"):
        Encoder.load(tmp_path / "nowhere")


def test_the_environment_names_the_encoder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> None:
    monkeypatch.setenv("MEMD_ENCODER", str(folder))
    assert Encoder.load().fingerprint == encoder.fingerprint
    monkeypatch.setenv("MEMD_ENCODER", str(tmp_path / "nowhere"))
    with pytest.raises(EncoderUnavailable):
        Encoder.load()
    assert Encoder.load(MODEL).fingerprint == encoder.fingerprint


def test_tokenizer_and_encoder_share_the_fingerprint(encoder: Encoder) -> None:
    assert Tokenizer.load().fingerprint == encoder.fingerprint
    assert encoder.name == "all-MiniLM-L6-v2"
