"""The training pairs: read, cleaned, and split by group into a part to train on and a part to stop on."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

KINDS = ("chat", "question", "code")
HELD_OUT_IN = {"chat": 10, "question": 20, "code": 14}
"""One family of groups in this many is held out. Code has few families (repositories), so more of them go."""

_CREDIT = re.compile(r"\s*(\((?:[^()]*,\s*)?(?:PR|GH|issue)?\s*\)|`[A-Z][\w.\- ]+`?_?)\s*$")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Pair:
    """A short text and the passage it should find.

    Attributes:
        query, passage: the two texts.
        kind: one of `KINDS`.
        pool: the texts that would lie in one store: a repository, or a whole set of questions or dialogues.
        family: what is held out as one: a repository, an article, a dialogue.
    """

    query: str
    passage: str
    kind: str
    pool: str
    family: str


def read_pairs(path: Path) -> list[Pair]:
    """All pairs of a `pairs.jsonl.gz`, in its order; pairs with an empty side are left out.

    Raises:
        OSError: the file can't be read.
        ValueError: a line is not a pair.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        pairs = [_pair(json.loads(line)) for line in lines]
    return [pair for pair in pairs if pair.query and pair.passage]


def _pair(row: dict[str, str]) -> Pair:
    source, _, name = row["src"].partition(":")
    kind = {"dialogue": "chat", "qa": "question"}.get(source, "code")
    # A repository's changelog, commits and docs are one store and are held out together.
    pool, family = (name, name) if kind == "code" else (row["src"], row["group"])
    query = _CREDIT.sub("", row["q"]) if kind == "code" else row["q"]
    return Pair(_SPACE.sub(" ", query).strip(), row["d"].strip(), kind, pool, family)


def split(pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
    """(to train on, held out). By family, by its hash, so that it depends on no seed.

    A training pair whose passage is also held out is dropped.
    """
    held = [pair for pair in pairs if _bucket(pair.family, HELD_OUT_IN[pair.kind]) == 0]
    passages = {pair.passage for pair in held}
    train = [
        pair for pair in pairs if _bucket(pair.family, HELD_OUT_IN[pair.kind]) != 0 and pair.passage not in passages
    ]
    return train, held


def _bucket(name: str, buckets: int) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % buckets
