"""bench recall, bench compare, bench latency, bench abstention, bench gists, bench quantization."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from memd_cli import bench as benchmark
from memd_cli import forgetting as trace
from memd_cli.commands.options import Json
from memd_cli.commands.upkeep import CARE
from memd_cli.help import examples
from memd_cli.session import Session, perform

app = typer.Typer(rich_markup_mode="rich")
bench = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Measure recall: what it finds on data with known answers, and how fast.",
    epilog=examples("memd bench recall --format locomo conversations.json"),
)


class Format(StrEnum):
    """Layouts that `memd.bench.formats` reads; a test holds the two lists together."""

    locomo = "locomo"
    commits = "commits"
    longmemeval = "longmemeval"
    beir = "beir"


class Level(StrEnum):
    """What is ranked."""

    turn = "turn"
    session = "session"


Home = Annotated[
    str | None,
    typer.Option("--home", metavar="DIR", help="Keep the stores here and use them again. Default: thrown away."),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of what is random.")]


@bench.command(
    epilog=examples(
        "memd bench recall --format locomo conversations.json",
        "memd bench recall --format locomo --level session conversations.json",
        "memd bench recall --format commits history.json --baselines --ablate --json",
        "memd bench recall --format beir scifact/ --limit 100 --out runs/before",
    )
)
def recall(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The data: a file, or a folder.", show_default=False)],
    format_: Annotated[Format, typer.Option("--format", help="How the data is laid out.", show_default=False)],
    level: Annotated[
        Level, typer.Option("--level", help="Rank memories, or the sessions they belong to.")
    ] = Level.turn,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Ask N questions, spread over the data.")
    ] = None,
    ablate: Annotated[bool, typer.Option("--ablate", help="Also each channel alone, and memd without each.")] = False,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also random, word overlap, BM25, dense, late interaction, their RRF.")
    ] = False,
    seed: Seed = 1,
    out: Annotated[
        str | None, typer.Option("--out", metavar="DIR", help="Write every question's raw ranking here.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Ask every question of a data set, and print how well the answers were found.

    R@k is the share of the right memories among the first k, MRR the mean of one over the first right
    one's rank, nDCG@10 counts the early ranks more; all in percent, with 95 % bootstrap intervals over
    questions. Uses throw-away stores.
    """
    options = {
        "file": file, "format": format_.value, "level": level.value, "limit": limit, "ablate": ablate,
        "baselines": baselines, "seed": seed, "out": out, "home": home, "json": json,
    }  # fmt: skip
    return perform(Session("bench recall", options), benchmark.recall, benchmark.show_recall)


class Figure(StrEnum):
    """A figure of one question's ranking."""

    r1 = "R@1"
    r5 = "R@5"
    r10 = "R@10"
    mrr = "MRR"
    ndcg = "nDCG@10"


_RUN_HELP = "A folder that [cyan]--out[/] wrote; [cyan]DIR:ROW[/] for another row than memd."


@bench.command(
    epilog=examples(
        "memd bench compare runs/before runs/after",
        "memd bench compare runs/after:bm25 runs/after  # what memd finds and BM25 doesn't, and the reverse",
    )
)
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=_RUN_HELP, show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The one to hold against it.", show_default=False)],
    figure: Annotated[Figure, typer.Option("--figure", help="What makes a question better or worse.")] = Figure.ndcg,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="List N questions of each kind, most changed first.")
    ] = 10,
    seed: Seed = 1,
    json: Json = False,
) -> int:
    """Compare two runs question by question: what got better, what got worse, with the texts."""
    options = {"a": a, "b": b, "figure": figure.value, "limit": limit, "seed": seed, "json": json}
    return perform(Session("bench compare", options), benchmark.compare, benchmark.show_compare)


@bench.command(
    epilog=examples(
        "memd bench latency --memories 10000",
        "memd bench latency --memories 100000 --home /tmp/memd-100k  # keep the store: it takes minutes to make",
        "memd bench latency --corpus notes.txt",
    )
)
def latency(
    memories: Annotated[
        int | None,
        typer.Option("--memories", metavar="N", min=1, help="How many. Default: 10,000, or the whole corpus."),
    ] = None,
    corpus: Annotated[
        str | None, typer.Option("--corpus", metavar="FILE", help="Texts, one a line. Default: they are made.")
    ] = None,
    home: Home = None,
    seed: Seed = 1,
    json: Json = False,
) -> int:
    """Time recalls by stage, the encoder beside them, in this process and through a daemon.

    Also how fast memories are taken in, the daemon's memory, and the bytes on disk.
    """
    options = {"memories": memories, "corpus": corpus, "home": home, "seed": seed, "json": json}
    return perform(Session("bench latency", options), benchmark.latency, benchmark.show_latency)


@bench.command(
    epilog=examples(
        "memd bench abstention --format commits history.json --foreign-format locomo --foreign-file conversations.json"
    )
)
def abstention(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The data: a file, or a folder.", show_default=False)],
    format_: Annotated[Format, typer.Option("--format", help="How the data is laid out.", show_default=False)],
    foreign_file: Annotated[
        str, typer.Option("--foreign-file", metavar="FILE", help="Data of another kind.", show_default=False)
    ],
    foreign_format: Annotated[
        Format, typer.Option("--foreign-format", help="How that is laid out.", show_default=False)
    ],
    foreign: Annotated[
        int, typer.Option("--foreign", metavar="N", min=1, help="How many of its questions each store is asked.")
    ] = 200,
    seed: Seed = 1,
    home: Home = None,
    json: Json = False,
) -> int:
    """Ask stores their own questions and those of other data: how often recall is silent, and when it should be."""
    options = {
        "file": file, "format": format_.value, "foreign_file": foreign_file, "foreign_format": foreign_format.value,
        "foreign": foreign, "seed": seed, "home": home, "json": json,
    }  # fmt: skip
    return perform(Session("bench abstention", options), benchmark.abstention, benchmark.show_abstention)


@bench.command(epilog=examples("memd bench gists --format locomo conversations.json"))
def gists(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The data: a file, or a folder.", show_default=False)],
    format_: Annotated[Format, typer.Option("--format", help="How the data is laid out.", show_default=False)],
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Ask N questions of each store.")
    ] = None,
    seed: Seed = 1,
    home: Home = None,
    json: Json = False,
) -> int:
    """Measure what gists do to what is shown within a budget of tokens.

    How many of the right memories anything is shown of, and how much of their text, without gists and with them.
    """
    options = {"file": file, "format": format_.value, "limit": limit, "seed": seed, "home": home, "json": json}
    return perform(Session("bench gists", options), benchmark.gists, benchmark.show_gists)


@bench.command(epilog=examples("memd bench quantization --format commits history.json"))
def quantization(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The data: a file, or a folder.", show_default=False)],
    format_: Annotated[Format, typer.Option("--format", help="How the data is laid out.", show_default=False)],
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Ask N questions of each store.")
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", metavar="N", min=1, help="How often half of a store is drawn at random.")
    ] = 5,
    seed: Seed = 1,
    home: Home = None,
    json: Json = False,
) -> int:
    """Measure what keeping vectors in fewer bits costs: bytes, distortion, and the ranking.

    Beside memd's scores stand plain cosine and the published Fisher–Rao distance, on the same codes.
    """
    options = {
        "file": file, "format": format_.value, "limit": limit, "draws": draws, "seed": seed, "home": home, "json": json,
    }  # fmt: skip
    return perform(Session("bench quantization", options), benchmark.quantization, benchmark.show_quantization)


@bench.command(
    epilog=examples(
        "memd bench forgetting uses.json", "memd bench forgetting uses.json --no-year --json | jq .data.rows"
    )
)
def forgetting(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help='Uses over time: {"items": [[unix seconds, …], …]}.', show_default=False),
    ],
    year: Annotated[bool, typer.Option("--year/--no-year", help="Live a year of it on a real store.")] = True,
    seed: Seed = 1,
    json: Json = False,
) -> int:
    """Measure whether the lifecycle holds on to what is needed next, on a trace of use.

    Every 30 days it scores each item by its uses so far; what is used within the next 30 days should stand
    above the rest. Beside memd stand recency, frequency, ACT-R and two ways of decay.
    """
    options = {"file": file, "year": year, "seed": seed, "json": json}
    return perform(Session("bench forgetting", options), trace.measure, trace.show)


app.add_typer(bench, name="bench", rich_help_panel=CARE)
