"""A run of the bench: every question of a file, put to every row, one question after the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from memd import __version__
from memd.bench import formats, rankings
from memd.bench.baselines import baselines
from memd.bench.collection import Collection, Question
from memd.bench.protocol import Level, Protocol
from memd.bench.rankers import Ranker, Recall, ablations
from memd.bench.report import MEMD, Asked, summary
from memd.bench.stores import Progress, Stocked, Track, stocked, unseen
from memd.errors import BadInput, EncoderUnavailable

if TYPE_CHECKING:
    from memd.encoder import Encoder

SEED = 1


class Plan(NamedTuple):
    """What to run.

    Attributes:
        format: the file's layout, a name of `formats.FORMATS`.
        file: the data.
        level: what is ranked.
        limit: how many questions, spread evenly over the file; None for all.
        ablate: also rows of each channel alone, and of memd without each.
        baselines: also the rows of other methods.
        seed: of everything random.
        out: a folder for the raw rankings; None keeps none.
        home: a folder to keep the stores in for the next run; None throws them away.
    """

    format: str
    file: Path
    level: Level = "turn"
    limit: int | None = None
    ablate: bool = False
    baselines: bool = False
    seed: int = SEED
    out: Path | None = None
    home: Path | None = None


def recall(plan: Plan, progress: Progress = unseen) -> dict[str, Any]:
    """Run it and return the figures, in the shape that `memd bench recall --json` prints as `data`.

    Args:
        plan: what to run.
        progress: shows the progress of a piece of work by its title.

    Raises:
        BadInput: the file isn't of its format, or the plan can't be run on it.
    """
    collections = _sampled(formats.read(plan.format, plan.file), plan)
    with rankings.writing(plan.out) if plan.out else nullcontext() as writer:
        data = _run(plan, collections, writer, progress)
    if plan.out:
        rankings.finish(plan.out, data)
    return data


def _run(
    plan: Plan, collections: Sequence[Collection], writer: rankings.Writer | None, progress: Progress
) -> dict[str, Any]:
    encoder = _encoder() if plan.baselines else None
    asked: list[Asked] = []
    sizes: dict[str, float] = {}
    degraded: dict[str, None] = {}
    for number, collection in enumerate(collections, start=1):
        of = f" ({number} of {len(collections)})" if len(collections) > 1 else ""
        with ExitStack() as stack:
            with progress(f"Encoding {collection.name}{of}") as track:
                store = stack.enter_context(stocked(collection, plan.home, track))
            rankers = _rankers(store, plan, encoder)
            with progress(f"Asking {collection.name}{of}") as track:
                answered = _ask(collection, rankers, plan, track)
            if writer:
                writer.write(collection, answered)
            asked += answered
            degraded |= dict.fromkeys(store.degraded)
            for row, ranker in rankers.items():
                sizes[row] = sizes.get(row, 0) + ranker.size
    memories = sum(len(collection.memories) for collection in collections)
    names = formats.FORMATS[plan.format].figures
    return {
        "format": plan.format,
        "file": str(plan.file),
        "level": plan.level,
        "version": __version__,
        "seed": plan.seed,
        "collections": len(collections),
        "memories": memories,
        "questions": len(asked),
        **summary(asked, names, {row: size / memories for row, size in sizes.items()}, plan.seed),
        "degraded": list(degraded),
    }


def _rankers(store: Stocked, plan: Plan, encoder: Encoder | None) -> dict[str, Ranker]:
    """The rows over one store, in the order that they are shown in."""
    rows: dict[str, Ranker] = {MEMD: Recall(store)}
    if plan.baselines:
        rows |= baselines(store, encoder, plan.seed)
    if plan.ablate:
        rows |= ablations(store)
    return rows


def _encoder() -> Encoder | None:
    """The encoder of the baselines; None where there is none, which the store says too."""
    from memd.encoder import Encoder

    try:
        return Encoder.load()
    except EncoderUnavailable:
        return None


def _ask(collection: Collection, rankers: dict[str, Ranker], plan: Plan, track: Track) -> list[Asked]:
    """Every question to every row in turn, so that what slows the machine down slows all rows alike."""
    protocol = Protocol(collection, plan.level)
    for ranker in rankers.values():
        ranker.rank(Question("", "warm up", ()), 1)  # what is loaded at the first question isn't that question's time
    asked = []
    for number, question in enumerate(collection.questions, start=1):
        answers = {row: protocol.ask(ranker, question) for row, ranker in rankers.items()}
        asked.append(Asked(collection.name, question, protocol.target(question), answers))
        track(number, len(collection.questions))
    return asked


def _sampled(collections: Sequence[Collection], plan: Plan) -> list[Collection]:
    """The collections with the questions that are asked at this level, `limit` of them at most."""
    usable = []
    for collection in collections:
        protocol = Protocol(collection, plan.level)
        kept = [one for one in collection.questions if not one.answerable or protocol.target(one).gold]
        usable.append(collection._replace(questions=kept))
    total = sum(len(collection.questions) for collection in usable)
    if not any(question.answerable for collection in usable for question in collection.questions):
        raise BadInput(f"{plan.file} has no question with a known answer.", "Check --format and --level.")
    if plan.limit is not None and plan.limit < total:
        chosen = {place * total // plan.limit for place in range(plan.limit)}
        places = iter(range(total))
        usable = [
            collection._replace(questions=[one for one in collection.questions if next(places) in chosen])
            for collection in usable
        ]
    return [collection for collection in usable if collection.questions]
