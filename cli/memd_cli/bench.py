"""bench: how well recall answers questions whose answers are known, and how fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from memd.errors import BadInput
from memd_cli.human import size
from memd_cli.session import Session
from memd_cli.sheet import Cell, Line, Sheet, show_lines
from memd_cli.sheet import show as show_sheets
from memd_cli.verbs import Outcome

Data = dict[str, Any]


def recall(session: Session) -> Outcome:
    """Run the protocol of a format over a file."""
    from memd.bench import run

    options = session.options
    file = Path(options["file"]).expanduser()
    if not file.exists():
        raise BadInput(f"There is no {file}", "See: memd bench recall --help")
    data = run.recall(
        run.Plan(
            format=options["format"], file=file, level=options["level"], limit=options["limit"],
            ablate=options["ablate"], baselines=options["baselines"], seed=options["seed"],
            out=_folder(options["out"]), home=_folder(options["home"]),
        ),
        session.tracked,
    )  # fmt: skip
    return Outcome(data, data.pop("degraded"))


def _folder(option: str | None) -> Path | None:
    return None if option is None else Path(option).expanduser()


def show_recall(session: Session, outcome: Outcome) -> None:
    """The rows, what each loses or gains against memd, and the categories."""
    data = outcome.data
    sheets = [_rows(data)]
    if data["differences"]:
        sheets.append(_differences(data))
    if data["categories"]:
        sheets.append(_categories(data))
    if data.get("unanswerable"):
        sheets.append(_unanswerable(data))
    foot = (
        f"{data['questions']:,} questions, {data['memories']:,} memories, {data['level']} level. Percent, "
        "± half of the 95 % bootstrap interval over questions; ms and B: median time a query, bytes a memory."
    )
    show_sheets(session, sheets, foot)


def _rows(data: Data) -> Sheet:
    names = _figures(data)
    rows = []
    for row, shown in data["rows"].items():
        spans = data["intervals"][row]
        cells = [Cell(f"{shown[name]:.1f}", _half(spans[name])) for name in names]
        rows.append([Cell(row), *cells, Cell(f"{shown['query_ms']:.1f}"), Cell(f"{shown['bytes_per_memory']:,.0f}")])
    return Sheet("", ("row", *names, "ms", "B"), rows)


def _differences(data: Data) -> Sheet:
    names = _figures(data)
    rows = [[Cell(row), *_changes(shown, names)] for row, shown in data["differences"].items()]
    return Sheet("Less memd (* where the interval leaves out 0)", ("row", *names), rows)


def _changes(shown: Mapping[str, Data], names: list[str]) -> Iterator[Cell]:
    for name in names:
        change = shown[name]
        sure = change["low"] > 0 or change["high"] < 0
        style = ("green" if change["mean"] > 0 else "red") if sure else "dim"
        note = _half((change["low"], change["high"])) + ("*" if sure else " ")
        yield Cell(f"{change['mean']:+.1f}", note, style)


def _categories(data: Data) -> Sheet:
    """memd's own figures by category; those of the other rows are in the JSON."""
    names = _figures(data)
    rows = []
    for category, part in data["categories"].items():
        spans = part["intervals"]["memd"]
        cells = [Cell(f"{part['rows']['memd'][name]:.1f}", _half(spans[name])) for name in names]
        rows.append([Cell(category), Cell(str(part["questions"])), *cells])
    return Sheet("memd by category", ("category", "questions", *names), rows)


def _unanswerable(data: Data) -> Sheet:
    part = data["unanswerable"]
    rows = [
        [Cell(row), Cell(f"{shown['answered']:.1f}"), Cell(f"{data['rows'][row]['answered']:.1f}")]
        for row, shown in part["rows"].items()
    ]
    title = f"Got any hit: the {part['questions']} questions that nothing answers, and the others"
    return Sheet(title, ("row", "unanswerable", "answerable"), rows)


# --- gists ------------------------------------------------------------------------------------------


def gists(session: Session) -> Outcome:
    """Fill budgets of tokens with and without gists."""
    from memd.bench import gists as bench

    options = session.options
    file = Path(options["file"]).expanduser()
    if not file.exists():
        raise BadInput(f"There is no {file}", "See: memd bench gists --help")
    plan = bench.Plan(options["format"], file, options["limit"], options["seed"], _folder(options["home"]))
    return Outcome(bench.measure(plan, session.tracked))


def show_gists(session: Session, outcome: Outcome) -> None:
    """The budgets, a row each."""
    data = outcome.data
    rows = []
    for budget, shown in data["budgets"].items():
        cells = [Cell(f"{shown[row][name]:.1f}") for name in ("named", "text") for row in ("without", "gists")]
        rows.append([Cell(budget), *cells, *_changes({"text": shown["difference"]}, ["text"])])
    head = ("tokens", "memories", "with gists", "of their text", "with gists", "difference")
    foot = (
        f"{data['questions']:,} questions, {data['memories']:,} memories, {data['gists']:,} gists. Percent of the "
        "right memories that anything is shown of, and of their text; ± half of the 95 % bootstrap interval."
    )
    show_sheets(session, [Sheet("", head, rows)], foot)


# --- compare ----------------------------------------------------------------------------------------


def compare(session: Session) -> Outcome:
    """Hold two runs against each other."""
    from memd.bench.compare import compare as hold
    from memd.bench.rankings import load

    options = session.options
    runs = load(options["a"]), load(options["b"])
    return Outcome(hold(*runs, figure=options["figure"], limit=options["limit"], seed=options["seed"]))


def show_compare(session: Session, outcome: Outcome) -> None:
    """The figures side by side, then the questions that changed, with the texts."""
    data = outcome.data
    rows = []
    for name, shown in data["figures"].items():
        (change,) = _changes({name: {**shown, "mean": shown["change"]}}, [name])
        rows.append([Cell(name), Cell(f"{shown['a']:.1f}"), Cell(f"{shown['b']:.1f}"), change])
    better, worse = data["better"], data["worse"]
    foot = (
        f"{data['questions']:,} questions in both runs, by {data['figure']}: {better['count']:,} better, "
        f"{worse['count']:,} worse, {data['same']:,} the same."
    )
    if data["only_a"] or data["only_b"]:
        foot += f" Left out: {data['only_a']:,} of A alone, {data['only_b']:,} of B alone."
    show_sheets(session, [Sheet("", ("figure", "A", "B", "change"), rows)], foot)
    for title, part in (("Better", better), ("Worse", worse)):
        for number, change in enumerate(part["questions"], start=1):
            show_lines(session, _changed(f"{title} {number} of {part['count']}", change))


def _changed(title: str, change: Data) -> Iterator[Line]:
    """A changed question: what was asked, where its answers stood and stand, and what stands before them."""
    where = " · ".join(filter(None, (change["collection"], change["question"], change["category"])))
    yield Line("", f"{title}: {change['a']:.1f} → {change['b']:.1f}", "bold", f"  {where}")
    yield Line("  asked", change["text"], "")
    for gold in change["gold"]:
        ranks = f"{gold['a'] or '–'} → {gold['b'] or '–'}"
        yield Line("  gold", f"{ranks}  {gold['text'] or gold['key']}", "green")
    for name, head in (("  A", change["a_first"]), ("  B", change["b_first"])):
        for rank, found in enumerate(head, start=1):
            yield Line(name, f"{rank}  {found['text'] or found['key']}", "green" if found["gold"] else "dim")


# --- quantization ------------------------------------------------------------------------------------


def quantization(session: Session) -> Outcome:
    """Measure what fewer bits cost on the texts of a file."""
    from memd.bench import quantization as bench

    options = session.options
    file = Path(options["file"]).expanduser()
    if not file.exists():
        raise BadInput(f"There is no {file}", "See: memd bench quantization --help")
    plan = bench.Plan(
        options["format"], file, options["limit"], options["draws"], options["seed"], _folder(options["home"])
    )
    return Outcome(bench.measure(plan, session.tracked))


def show_quantization(session: Session, outcome: Outcome) -> None:
    """The codes, what each way to score makes of them, and whole recalls."""
    data = outcome.data
    made = [
        [Cell(bits), Cell(f"{shown['bytes']:,}"), Cell(f"{shown['cosine']:.4f}"), Cell(f"{shown['distortion']:.4f}")]
        for bits, shown in data["codes"].items()
    ]
    scored = [
        [Cell(f"{row}, {bits} bit"), *_scored(shown)]
        for row, part in data["rows"].items()
        for bits, shown in part.items()
    ]
    figures = [name for name in data["whole"]["32"] if name != "bytes"]
    whole = [
        [Cell(name), *(Cell(f"{shown[figure]:.1f}") for figure in figures), Cell(f"{shown['bytes']:,.0f}")]
        for name, shown in data["whole"].items()
    ]
    foot = (
        f"{data['questions']:,} questions, {data['passages']:,} passages. Percent, over {data['draws']} draws of half "
        "of the store. same: the float32 copy of a text goes before the coarser; rel: relevant in few bits before "
        "irrelevant in 32, and what float32 has there; us: a score. B: of all that was encoded, a memory."
    )
    sheets = [
        Sheet("", ("bits", "B", "cosine", "distortion"), made),
        Sheet("", ("row", "same", "R@10", "nDCG@10", "(32)", "rel", "(32)", "us"), scored),
        Sheet("Whole recall, half of the store at so many bits", ("store", *figures, "B"), whole),
    ]
    show_sheets(session, sheets, foot)


def _scored(shown: Mapping[str, float]) -> Iterator[Cell]:
    for name in ("preference", "recall@10", "nDCG@10", "float_nDCG@10", "relevant_above", "float_relevant_above"):
        yield Cell(f"{shown[name]:.1f}")
    yield Cell(f"{shown['us_a_score']:.2f}")


# --- latency ----------------------------------------------------------------------------------------


def abstention(session: Session) -> Outcome:
    """Ask stores what they hold and what they can't."""
    from memd.bench import abstention as bench

    options = session.options
    plan = bench.Plan(
        options["format"], Path(options["file"]).expanduser(),
        options["foreign_format"], Path(options["foreign_file"]).expanduser(),
        options["foreign"], options["seed"], _folder(options["home"]),
    )  # fmt: skip
    return Outcome(bench.measure(plan, session.tracked))


def show_abstention(session: Session, outcome: Outcome) -> None:
    """What recall does by default, then the curve."""
    data = outcome.data
    rows = [[Cell("by default", style="bold"), *_rates(data["default"])]]
    rows += [[Cell(f"below {point['threshold']:.2f}"), *_rates(point)] for point in data["curve"]]
    foot = (
        f"{data['own']:,} questions of the stores' own, {data['foreign']:,} of other data. Percent: lost, own "
        "questions without a hit; false, other ones with a hit."
    )
    show_sheets(session, [Sheet("", ("silent", "lost", "false"), rows)], foot)


def _rates(point: Data) -> list[Cell]:
    return [Cell(f"{point[name]:.1f}") for name in ("lost", "false")]


def latency(session: Session) -> Outcome:
    """Time recalls over a store of a size."""
    from memd.bench.latency.run import Plan
    from memd.bench.latency.run import latency as measure

    options = session.options
    corpus = _folder(options["corpus"])
    if corpus and not corpus.is_file():
        raise BadInput(f"There is no file {corpus}", "See: memd bench latency --help")
    data = measure(Plan(options["memories"], corpus, _folder(options["home"]), options["seed"]), session.tracked)
    return Outcome(data, data.pop("degraded"))


def show_latency(session: Session, outcome: Outcome) -> None:
    """Times by stage, then what the store takes and how fast it was made."""
    data = outcome.data
    rows = [_times("recall", data["recall"], style="bold")]
    rows += [_times(f"  {stage}", shown) for stage, shown in data["stages"].items()]
    if "encoder" in data:
        rows.append(_times("encoder alone", data["encoder"]))
    if data["daemon"]:
        rows.append(_times("through the daemon", data["daemon"]["recall"]))
    foot = f"{data['questions']:,} questions, {data['memories']:,} memories, {data['passages']:,} passages, one run."
    show_sheets(session, [Sheet("", ("ms", "p50", "p95", "p99"), rows), Sheet("", ("", ""), list(_costs(data)))], foot)


def _times(name: str, shown: Mapping[str, float], style: str = "") -> list[Cell]:
    return [Cell(name, style=style), *(Cell(f"{shown[share]:.2f}") for share in ("p50", "p95", "p99"))]


def _costs(data: Data) -> Iterator[list[Cell]]:
    facts: dict[str, str] = {}
    if "ratio" in data:
        facts["recall p50 over encoder p50"] = f"{data['ratio']:.2f}"
        facts["recall p95 over p50"] = f"{data['tail']:.2f}"
    facts["open, and the first recall"] = f"{data['open_ms']:,.0f} ms, {data['first_recall_ms']:,.0f} ms"
    if daemon := data["daemon"]:
        facts["resident memory of the daemon"] = f"{size(daemon['resident_bytes'])}, peak {size(daemon['peak_bytes'])}"
    facts["on disk"] = f"{size(data['disk']['bytes'])}, {data['disk']['per_memory']:,.0f} B a memory"
    for name, said in _RATES.items():
        if data["ingest"] and name in data["ingest"]:
            facts[said] = f"{data['ingest'][name]:,.0f} memories/s"
    for name, value in facts.items():
        yield [Cell(name), Cell(value)]


_RATES = {
    "ingested": "ingest",
    "stored": "  storing alone",
    "encoded": "  encoding what is stored",
    "encoder": "encoder alone",
}


# --- pieces -----------------------------------------------------------------------------------------


def _figures(data: Data) -> list[str]:
    return list(data["intervals"]["memd"])


def _half(span: tuple[float, float]) -> str:
    return f"±{(span[1] - span[0]) / 2:.1f}"
