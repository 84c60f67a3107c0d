"""A run on disk: every question's raw ranking as JSON lines, the texts it takes to read them, and the figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from memd.bench.collection import Collection
from memd.bench.protocol import judge
from memd.bench.report import Asked
from memd.errors import BadInput

RUN, RANKINGS, TEXTS = "run.json", "rankings.jsonl", "texts.jsonl"
SHOWN = 10  # of each ranking, whose texts are kept


class Writer:
    """Writes a run into a folder, question by question."""

    def __init__(self, rankings: TextIO, texts: TextIO) -> None:
        self._rankings = rankings
        self._texts = texts

    def write(self, collection: Collection, asked: list[Asked]) -> None:
        """A line a row of each question, and each text once that a reader of the rankings wants to see."""
        wanted: dict[str, None] = {}
        for one in asked:
            for row, answer in one.answers.items():
                _line(self._rankings, _ranking(one, row))
                wanted |= dict.fromkeys(answer.found_by[:SHOWN])
            wanted |= dict.fromkeys(one.question.gold)
        for key, memory in zip(collection.keys, collection.memories, strict=True):
            if key in wanted:
                _line(self._texts, {"collection": collection.name, "key": key, "text": memory.text})


@contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    """Start a run in `folder`, in place of one that is there.

    Raises:
        BadInput: it can't be written.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / RUN).unlink(missing_ok=True)  # a folder without it holds a run that didn't end
            files = [stack.enter_context((folder / name).open("w", encoding="utf-8")) for name in (RANKINGS, TEXTS)]
        except OSError as error:
            raise BadInput(f"{folder} can't be written: {error.strerror}.", "Give --out another folder.") from error
        yield Writer(*files)


def finish(folder: Path, data: dict[str, Any]) -> None:
    """Put the figures beside the rankings; the run is whole with them."""
    (folder / RUN).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


class Ranking(NamedTuple):
    """One line of a run: `rank` tells where a gold key stands, from 1; None when it isn't there."""

    collection: str
    question: str
    text: str
    category: str
    gold: tuple[str, ...]
    ranking: tuple[str, ...]
    found_by: tuple[str, ...]
    figures: dict[str, float]

    def rank(self, key: str) -> int | None:
        return self.ranking.index(key) + 1 if key in self.ranking else None


class Run(NamedTuple):
    """One row of a run.

    Attributes:
        path, row: where it was read.
        data: the run's figures.
        rankings: by collection and question, of the questions that have an answer.
    """

    path: Path
    row: str
    data: dict[str, Any]
    rankings: dict[tuple[str, str], Ranking]

    def texts(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The texts kept of these (collection, key)."""
        lines = ((line, (line["collection"], line["key"])) for line in _read(self.path / TEXTS))
        return {place: line["text"] for line, place in lines if place in wanted}


def load(name: str) -> Run:
    """Read one row of a run.

    Args:
        name: the folder, and after a colon the row where it isn't `memd`: `runs/monday:bm25`.

    Raises:
        BadInput: there is no such run, or it has no such row.
    """
    folder, row = Path(name).expanduser(), "memd"
    if not folder.is_dir() and ":" in name:
        before, _, row = name.rpartition(":")
        folder = Path(before).expanduser()
    if not (folder / RUN).is_file():
        raise BadInput(f"{folder} holds no finished run.", "Make one: memd bench recall … --out DIR")
    data = json.loads((folder / RUN).read_text(encoding="utf-8"))
    if row not in data["rows"]:
        raise BadInput(f"The run in {folder} has no row {row!r}.", f"It has: {', '.join(data['rows'])}.")
    rankings = {
        (line["collection"], line["question"]): Ranking(
            line["collection"], line["question"], line["text"], line["category"], tuple(line["gold"]),
            tuple(line["ranking"]), tuple(line.get("found_by", line["ranking"])), line["figures"],
        )
        for line in _read(folder / RANKINGS)
        if line["row"] == row and line["answerable"]
    }  # fmt: skip
    return Run(folder, row, data, rankings)


def _ranking(one: Asked, row: str) -> dict[str, Any]:
    answer, question = one.answers[row], one.question
    line = {
        "collection": one.collection,
        "question": question.key,
        "row": row,
        "text": question.text,
        "category": question.category,
        "answerable": question.answerable,
        "gold": list(one.target.gold),
        "ranking": answer.ranking,
    }
    if answer.found_by != answer.ranking:
        line["found_by"] = answer.found_by
    figures = judge(answer, one.target) if question.answerable else {}
    return {
        **line,
        "figures": {name: round(share, 6) for name, share in figures.items()},
        "ms": round(answer.ms, 3),
    }


def _line(file: TextIO, value: dict[str, Any]) -> None:
    file.write(json.dumps(value, ensure_ascii=False) + "\n")


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
