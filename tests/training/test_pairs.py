"""What is held out stays out of training."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from training.pairs import KINDS, read_pairs, split


def test_no_family_and_no_passage_is_on_both_sides(pairs_file: Path) -> None:
    train, held = split(read_pairs(pairs_file))
    assert {pair.family for pair in train}.isdisjoint(pair.family for pair in held)
    assert {pair.passage for pair in train}.isdisjoint(pair.passage for pair in held)
    assert train and held


def test_a_repository_is_one_store_whatever_the_pair_is_made_of(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for source in ("changelog", "subject", "docs"):
            row = {"q": "a b", "d": f"{source} text", "src": f"{source}:o/r", "group": f"{source}:o/r/x"}
            file.write(json.dumps(row) + "\n")
    assert {(pair.kind, pair.pool, pair.family) for pair in read_pairs(path)} == {("code", "o/r", "o/r")}


def test_every_kind_is_read(pairs_file: Path) -> None:
    assert {pair.kind for pair in read_pairs(pairs_file)} == set(KINDS)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Fix a crash (Ann Other, PR )", "Fix a crash"),
        ("Fix a crash `Ann Other`_", "Fix a crash"),
        ("Fix a call of f(x)", "Fix a call of f(x)"),
        ("Fix   a\n crash", "Fix a crash"),
    ],
)
def test_credits_are_no_part_of_an_entry(tmp_path: Path, written: str, read: str) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps({"q": written, "d": "text", "src": "changelog:o/r", "group": "g"}) + "\n")
    assert [pair.query for pair in read_pairs(path)] == [read]
