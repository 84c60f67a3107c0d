"""Imports go one way: from the top of the list of folders in ARCHITECTURE.md to its bottom."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def rows() -> Iterator[list[str]]:
    """The files and folders of each row, from the root; those named without a folder lie in the first one's."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| folder \|.*\n\|[- |]+\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    for line in table.splitlines():
        first, *others = re.findall(r"`([^`]+)`", line.split("|")[1])
        folder = first.rpartition("/")[0]
        yield [first, *(other if "/" in other else f"{folder}/{other}" for other in others)]


ROWS = list(rows())


def row_of(path: str) -> int | None:
    """The row of a file: that which names it, else the innermost of its folders that has one."""
    found = {name: number for number, names in enumerate(ROWS) for name in names if path.startswith(name)}
    return found[max(found, key=len)] if found else None


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """The modules of the project that a file imports, anywhere in it: line, and file from the root."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.split(".")[0] not in ("memd", "memd_cli"):
                continue
            base = ROOT / ("cli" if name.startswith("memd_cli") else "") / name.replace(".", "/")
            files = (
                base.with_suffix(".py"),
                base / "__init__.py",
                base.parent.with_suffix(".py"),
                base.parent / "__init__.py",
            )
            yield node.lineno, next(str(file.relative_to(ROOT)) for file in files if file.exists())


def modules() -> list[Path]:
    return sorted([*ROOT.glob("memd/**/*.py"), *ROOT.glob("cli/memd_cli/**/*.py")])


def test_every_module_has_its_place_in_the_list() -> None:
    homeless = [str(path.relative_to(ROOT)) for path in modules() if row_of(str(path.relative_to(ROOT))) is None]
    assert homeless == ["memd/__init__.py", "memd/agents/__init__.py"]


def test_no_import_goes_up() -> None:
    up = []
    for path in modules():
        own = str(path.relative_to(ROOT))
        here = row_of(own)
        for line, other in imported(path):
            there = row_of(other)
            if here is not None and there is not None and there < here:
                up.append(f"{own}:{line} imports {other}")
    assert up == []
