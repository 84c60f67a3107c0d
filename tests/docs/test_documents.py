"""What the documents promise holds: their examples run, their commands and files exist."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import typer

from memd.model import CHANNELS, KINDS, Remembered

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md") if path.name != "cli.md")
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "TRUST.md", "MODEL_CARD.md", *PAGES)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def commands(name: str) -> Iterator[list[str]]:
    """The words of each `memd` command that a document tells its readers to type."""
    for block in blocks((ROOT / name).read_text(encoding="utf-8"), "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            starts = [index for index, word in enumerate(words) if word in ("memd", ".venv/bin/memd")]
            for start in starts:
                rest = words[start + 1 :]
                end = next((index for index, word in enumerate(rest) if word in ("|", "<", ">", "&&")), len(rest))
                yield rest[:end]


COMMANDS = [command for name in DOCUMENTS for command in commands(name)]


def test_the_readme_has_commands() -> None:
    assert {"remember", "recall", "ingest", "forget", "daemon", "service"} <= {command[0] for command in COMMANDS}


@pytest.mark.parametrize("words", COMMANDS, ids=shlex.join)
def test_every_command_in_the_documents_is_one_that_memd_takes(words: list[str]) -> None:
    from memd_cli.app import app

    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        assert words[0] in command.commands
        command = command.commands[words[0]]
        words = words[1:]
    command.make_context(command.name, list(words))


def test_the_python_example_runs_as_it_stands(tmp_path: Path) -> None:
    (example,) = blocks(README, "python")
    done = subprocess.run(
        [sys.executable, "-c", example],
        env={**os.environ, "MEMD_HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, *reasons = done.stdout.splitlines()
    assert first == "procedure The staging deploy needs the VPN, or the upload hangs"
    assert {reason.split(":")[0].strip() for reason in reasons} >= {"lexical"}


def test_the_json_examples_have_the_real_shapes() -> None:
    memory, envelope = (json.loads(block) for block in blocks(README, "json"))
    jsonschema.validate(memory, json.loads((ROOT / "schemas" / "remember-line.json").read_bytes()))
    assert set(envelope) == {"ok", "command", "data", "degraded", "took_ms"}
    msgspec.convert(envelope["data"]["remembered"], list[Remembered])


def test_kinds_and_channels_are_all_named() -> None:
    assert ", ".join(KINDS).removeprefix("note, ") in README
    (table,) = re.findall(r"^\| channel \|.*\n\|[- |]+\n((?:\|.*\n)+)", README, flags=re.MULTILINE)
    assert re.findall(r"^\| (\w+)", table, flags=re.MULTILINE) == list(CHANNELS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files_and_headings(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings
        elif "://" not in target:
            assert ((ROOT / name).parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_linked_from_the_readme(page: str) -> None:
    assert f"]({page})" in README


def test_every_row_of_trust_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| (?!promise|---)(.*) \|$", (ROOT / "TRUST.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 30
    for row in rows:
        folder = None
        for name in re.findall(r"`([\w/.]+)`", row.split(" | ")[1]):
            path = ROOT / name if "/" in name or folder is None else folder / name
            assert path.exists(), name
            folder = path if path.is_dir() else path.parent
        assert folder is not None, row


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z]+)\b(?=[`\s]*(?:#|$|`))", "\n".join(blocks(text, "sh")), re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_named_in_the_documents_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:memd|cli|scripts|tests|schemas|docs)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path
