"""The project's own promises: what it declares is what it uses, pinned and hashed, and no index is named."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
WHERE_EXTRAS_ARE_USED = {"cipher.py", "keys.py"}  # which say what to install where they are missing
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {plain(NAME.findall(requirement)[0]) for requirement in requirements}


def imported(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each file with the top-level name of each module that it imports."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield path, node.module.split(".")[0]


@pytest.mark.parametrize("folder", ["memd", "cli"])
def test_every_import_is_a_declared_dependency(folder: str) -> None:
    allowed = declared(PROJECT["dependencies"])
    extra = declared(PROJECT["optional-dependencies"]["encryption"])
    owners = packages_distributions()
    own = sys.stdlib_module_names | {"memd", "memd_cli"}
    for path, module in imported(ROOT / folder):
        if module not in own:
            optional = extra if path.name in WHERE_EXTRAS_ARE_USED else set()
            there = {plain(owner) for owner in owners.get(module, [module])}
            assert there & (allowed | optional), f"{path} imports {module}"


def test_the_runtime_needs_neither_torch_nor_onnx() -> None:
    assert not declared(PROJECT["dependencies"]) & {"torch", "onnx", "safetensors", "sentence-transformers"}


def test_the_lock_covers_what_is_declared_with_hashes() -> None:
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", LOCK) if "==" in entry]
    locked = {plain(NAME.findall(entry)[0]) for entry in entries}
    extras = PROJECT["optional-dependencies"]
    assert declared(PROJECT["dependencies"] + extras["dev"] + extras["encryption"]) <= locked
    assert all("--hash=sha256:" in entry for entry in entries)


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], check=False, capture_output=True, cwd=ROOT)
    if done.returncode != 0:
        pytest.skip("this is no git checkout, so there is no list of tracked files")
    paths = [ROOT / os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_index_is_named() -> None:
    # Spelt in two parts, since this file is searched too.
    hosts = [
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("pypi", ".python"),
        ("--index", "-url"),
        ("hugging", "face.co"),
    ]
    for path in tracked():
        text = path.read_bytes()
        for parts in hosts:
            assert "".join(parts).encode() not in text, path


DELTA = ROOT / "memd" / "encoder" / "delta.safetensors"  # the encoder's tuning: the one binary of the repository


def test_no_large_file_but_the_delta_is_in_git() -> None:
    others = [path for path in tracked() if path != DELTA]
    assert not [path for path in others if path.stat().st_size > 500_000]
    assert not [path for path in others if path.suffix in {".onnx", ".safetensors", ".whl", ".db", ".npy"}]
    assert DELTA.stat().st_size <= 3_000_000


def make_venv(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(ROOT / "scripts" / "make_venv.sh"), str(folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    program(bin_folder / "python3", 'echo "python3: no such version" >&2; exit 127')
    program(bin_folder / "python3.14", f'exec "{sys.executable}" "$@"')
    done = make_venv(tmp_path / "venv", PATH=f"{bin_folder}:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    assert "bin/python3.14)" in done.stdout
    assert (tmp_path / "venv" / "bin" / "python").exists()


def test_without_a_suitable_python_the_fix_is_named(tmp_path: Path) -> None:
    program(tmp_path / "old", "exit 1")
    done = make_venv(tmp_path / "venv", PATH="/usr/bin:/bin", PYTHON=str(tmp_path / "old"))
    assert done.returncode == 1
    assert "3.11 or newer" in done.stderr
    assert not (tmp_path / "venv").exists()
