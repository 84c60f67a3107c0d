"""Pairs that nobody needs a licence for: made here, with a word of their own each so that an encoder can tell them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

THINGS = [
    "kettle",
    "lantern",
    "anchor",
    "violin",
    "ladder",
    "compass",
    "mirror",
    "bucket",
    "saddle",
    "whistle",
    "hammer",
    "basket",
]
PLACES = [
    "harbour",
    "attic",
    "orchard",
    "station",
    "library",
    "cellar",
    "tower",
    "garden",
    "bakery",
    "stable",
]


def _rows() -> list[dict[str, str]]:
    rows = []
    for i, thing in enumerate(THINGS):
        for j, place in enumerate(PLACES):
            said = f"the {thing} of house number {i * 10 + j} was left in the {place} overnight"
            rows += [
                {
                    "q": f"where is the {thing}?",
                    "d": f"Al{j}: {said}",
                    "src": "dialogue:x",
                    "group": f"dialogue:x/{i}",
                },
                {"q": f"what lies in the {place}?", "d": said, "src": "qa:y", "group": f"qa:y/{i}"},
                {
                    "q": f"Keep the {thing} in the {place}",
                    "d": f"Keep the {thing} in the {place}\nIt was lost {j} times before in {thing}/{place}.py",
                    "src": f"changelog:o/r{i % 6}",
                    "group": f"changelog:o/r{i % 6}/0",
                },
            ]
    return rows


@pytest.fixture(scope="session")
def pairs_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file in the form of `pairs.jsonl.gz`."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in _rows())
    return path
