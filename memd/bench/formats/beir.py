"""The folder that BEIR (Thakur et al., NeurIPS 2021), MTEB and LMEB tasks share: corpus, queries, qrels."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memd.bench.collection import Collection, Question
from memd.errors import BadInput
from memd.model import NewMemory

SPLITS = ("test", "dev", "validation", "train")  # the first that is there is asked

_CORPUS = ("corpus.jsonl", "corpus.jsonl.gz", "corpus/corpus.jsonl")
_QUERIES = ("queries.jsonl", "queries.jsonl.gz", "queries/queries.jsonl")
_QRELS = tuple(
    pattern.format(split) for split in SPLITS for pattern in ("qrels/{}.tsv", "qrels/{}.jsonl", "{}.tsv", "{}.jsonl")
)


def read(path: Path) -> list[Collection]:
    """One collection: each document a memory (title, then text), no episodes. Documents without text are left out.

    Args:
        path: the folder, or the judgements of one of its splits (`…/qrels/dev.tsv`).

    Raises:
        BadInput: a part is missing.
    """
    root = path if path.is_dir() else path.parent.parent if path.parent.name == "qrels" else path.parent
    qrels = path if path.is_file() else _find(root, (*_QRELS, "qrels.tsv", "qrels.jsonl"), "qrels")
    keys: list[str] = []
    memories: list[NewMemory] = []
    for entry in _lines(_find(root, _CORPUS, "corpus")):
        if text := "\n".join(part for part in (entry.get("title"), entry.get("text")) if part and part.strip()):
            keys.append(_id(entry))
            memories.append(NewMemory(text, kind="document", scope="global"))
    judged = _judgements(qrels)
    there = frozenset(keys)
    questions = []
    for entry in _lines(_find(root, _QUERIES, "queries")):
        if grades := judged.get(key := _id(entry)):
            questions.append(
                Question(
                    key, entry["text"], tuple(grades), grades=tuple(grades.values()), itself=key if key in there else ""
                )
            )
    return [Collection(root.resolve().name, keys, memories, [], questions)]


def _find(root: Path, names: tuple[str, ...], what: str) -> Path:
    for name in names:
        if (file := root / name).is_file():
            return file
    raise BadInput(f"{root} has no {what}.", f"It is looked for as {', '.join(names[:2])} and the like.")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _id(entry: dict[str, Any]) -> str:
    return str(entry["_id"] if "_id" in entry else entry["id"])


def _judgements(path: Path) -> dict[str, dict[str, float]]:
    """Query → document → grade, for grades above 0. Tab-separated with or without a head, TREC's four columns, JSON."""
    judged: dict[str, dict[str, float]] = {}
    for query, document, grade in _json_judgements(path) if ".jsonl" in path.name else _tabbed(path):
        if grade > 0:
            judged.setdefault(query, {})[document] = grade
    return judged


def _json_judgements(path: Path) -> Iterator[tuple[str, str, float]]:
    for entry in _lines(path):
        yield str(entry["query-id"]), str(entry["corpus-id"]), float(entry["score"])


def _tabbed(path: Path) -> Iterator[tuple[str, str, float]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            fields = line.split("\t") if "\t" in line else line.split()
            if not fields or not line.strip():
                continue
            query, document, grade = fields[0], fields[-2], fields[-1].strip()
            try:
                yield query.strip(), document.strip(), float(grade)
            except ValueError:
                if number:  # the first line may name the columns
                    raise
