"""The built wheel is whole: installed elsewhere, with no network, it remembers and recalls by meaning."""

import json
import shutil
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = ("encoder.onnx", "tokenizer.json", "manifest.json")

# Runs inside the fresh environment, in a network namespace of its own. No word of the question is in the answer.
OFFLINE = """
import json, socket, subprocess, sys, time
memd = sys.argv[1]

def run(*arguments):
    done = subprocess.run([memd, *arguments, "--json"], capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1), (arguments, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)

try:
    socket.create_connection(("192.0.2.1", 9), timeout=2)
except OSError as error:
    network = type(error).__name__
answers = {"network": network}
try:
    run("remember", "The car broke down on the motorway, so a mechanic repaired its engine.", "--scope", "global")
    run("remember", "Bake the bread for forty minutes.", "--scope", "global")
    for way in ([], ["--no-daemon"]):
        until = time.monotonic() + 60
        while True:
            answer = run("recall", "automobile trouble", "--scope", "global", "--limit", "1", *way)
            if not answer["degraded"] or time.monotonic() > until:
                break
            time.sleep(0.1)
        answers[" ".join(way)] = answer
finally:
    subprocess.run([memd, "daemon", "stop"], capture_output=True, timeout=60)
print(json.dumps(answers))
"""


def build(source: Path, out: Path, kind: str = "--wheel") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "build", kind, "--no-isolation", "--outdir", str(out), str(source)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    done = build(ROOT, out)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("memdaemon-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with the wheel in it; the dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True, text=True)
    own = subprocess.run([python, "-c", WHERE], check=True, capture_output=True, text=True).stdout.strip()
    # A plain line adds the folder itself, and none of what its own .pth files name: the checkout stays out.
    (Path(own) / "dependencies.pth").write_text(subprocess.check_output([sys.executable, "-c", WHERE], text=True))
    return folder / "bin"


WHERE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def test_the_wheel_carries_the_encoder_and_both_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name.split("/")[0] for name in names if ".dist-info/" in name)
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        entry = archive.read(f"{info}/entry_points.txt").decode()
    assert {f"memd/encoder/model/{name}" for name in MODEL} <= names
    assert {"memd/__init__.py", "memd/py.typed", "memd_cli/main.py", f"{info}/licenses/LICENSE"} <= names
    assert {name.split("/")[0] for name in names} == {"memd", "memd_cli", info}
    assert "memd = memd_cli.main:main" in entry
    assert metadata["Name"] == "memdaemon"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


def test_it_is_the_wheel_that_runs(installed: Path) -> None:
    code = "import memd, memd_cli; print(memd.__file__); print(memd_cli.__file__)"
    done = subprocess.run([installed / "python", "-I", "-c", code], check=True, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        assert Path(line).is_relative_to(installed.parent)


def namespace() -> list[str]:
    """The command that runs another without any network, or a skip that says why there is none."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no `unshare` here (it is Linux's): a run without network can't be forced")
    command = [unshare, "--map-root-user", "--net"]
    tried = subprocess.run([*command, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"`unshare --net` is not permitted here: {tried.stderr.strip()}")
    return command


def test_remember_and_recall_without_network(installed: Path, tmp_path: Path) -> None:
    environment = {"MEMD_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [*namespace(), str(installed / "python"), "-P", "-c", OFFLINE, str(installed / "memd")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert answers.pop("network") == "OSError"
    assert set(answers) == {"", "--no-daemon"}
    for answer in answers.values():
        assert answer["ok"]
        assert answer["degraded"] == []
        assert "mechanic" in answer["data"]["hits"][0]["memory"]["text"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What a wheel is built from, in a copy that may be harmed."""
    copy = tmp_path / "source"
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("memd", "cli", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.mark.parametrize("kind", ["--wheel", "--sdist"])
@pytest.mark.parametrize("name", MODEL)
def test_nothing_is_built_without_the_encoder(source: Path, tmp_path: Path, name: str, kind: str) -> None:
    (source / "memd" / "encoder" / "model" / name).unlink()
    done = build(source, tmp_path / "dist", kind)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "scripts/build_encoder.py" in said
    assert not list((tmp_path / "dist").glob("*"))


def test_nothing_is_built_with_a_damaged_encoder(source: Path, tmp_path: Path) -> None:
    with (source / "memd" / "encoder" / "model" / "encoder.onnx").open("ab") as file:
        file.write(b"x")
    done = build(source, tmp_path / "dist")
    assert done.returncode != 0
    assert "damaged" in done.stdout + done.stderr
