"""`memd bench` as its users run it, on small files of every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from memd.bench import formats
from memd.bench.latency import run
from memd.bench.metrics import FIGURES
from memd_cli.commands.bench import Figure, Format
from tests.bench import made
from tests.cli.command import Memd

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def memd(tmp_path: Path) -> Memd:
    (tmp_path / "work").mkdir()
    return Memd(tmp_path / "home", tmp_path / "work")


def answer(memd: Memd, *words: str) -> Any:
    """The data of an answer that its schema agrees with."""
    found = memd(*words, "--json").answer
    schema = json.loads((SCHEMAS / f"{'-'.join(words[:2])}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    return found["data"]


def test_all_rows_over_a_conversation(memd: Memd, tmp_path: Path) -> None:
    talk = str(made.locomo(tmp_path))
    out = tmp_path / "runs" / "one"
    data = answer(memd, "bench", "recall", "--format", "locomo", talk, "--baselines", "--ablate", "--out", str(out))
    assert (data["questions"], data["memories"], data["collections"]) == (12, 36, 1)
    rows = data["rows"]
    assert len(rows) == 17
    assert rows["memd"]["R@10"] > 90
    assert rows["memd"]["MRR"] > rows["random"]["MRR"]
    for row, shown in rows.items():
        assert set(shown) == {*FIGURES, "answered", "query_ms", "bytes_per_memory"}
        for name in FIGURES:
            low, high = data["intervals"][row][name]
            assert low <= shown[name] <= high
            if row != "memd":
                change = data["differences"][row][name]
                assert change["mean"] == pytest.approx(shown[name] - rows["memd"][name], abs=1e-3)
    parts = data["categories"]
    assert sum(part["questions"] for part in parts.values()) == 12
    whole = sum(part["questions"] * part["rows"]["memd"]["MRR"] for part in parts.values()) / 12
    assert whole == pytest.approx(rows["memd"]["MRR"], abs=1e-2)

    lines = [json.loads(line) for line in (out / "rankings.jsonl").read_text().splitlines()]
    assert len(lines) == 12 * 17
    memd_lines = [line for line in lines if line["row"] == "memd"]
    mean = sum(line["figures"]["MRR"] for line in memd_lines) / 12
    assert 100 * mean == pytest.approx(rows["memd"]["MRR"], abs=1e-2)
    assert all(len(line["ranking"]) <= 50 for line in lines)

    compared = answer(memd, "bench", "compare", f"{out}:random", str(out))
    assert compared["better"]["count"] > compared["worse"]["count"]
    assert compared["better"]["count"] + compared["worse"]["count"] + compared["same"] == 12
    assert compared["figures"]["MRR"]["b"] == pytest.approx(rows["memd"]["MRR"], abs=1e-2)
    change = compared["better"]["questions"][0]
    assert change["b"] > change["a"]
    assert change["gold"][0]["text"] in [f"Ben: {fact}" for _, fact in made.TOPICS]
    told = memd("bench", "compare", f"{out}:random", str(out)).text
    assert change["text"] in told
    assert change["gold"][0]["text"] in told


def test_the_same_seed_gives_the_same_figures(memd: Memd, tmp_path: Path) -> None:
    line = ["bench", "recall", "--format", "commits", str(made.commits(tmp_path)), "--baselines", "--limit", "7"]
    runs = [answer(memd, *line, "--seed", seed) for seed in ("5", "5", "6")]
    assert runs[0]["questions"] == 7
    timeless = [{row: {name: shown[name] for name in FIGURES} for row, shown in run["rows"].items()} for run in runs]
    assert timeless[0] == timeless[1]
    assert runs[0]["intervals"] == runs[1]["intervals"] != runs[2]["intervals"]


def test_sessions_of_a_kept_store(memd: Memd, tmp_path: Path) -> None:
    line = ["bench", "recall", "--format", "locomo", str(made.locomo(tmp_path)), "--level", "session"]
    kept = [answer(memd, *line, "--home", str(tmp_path / "kept")) for _ in range(2)]
    assert kept[0]["level"] == "session"
    assert kept[0]["rows"]["memd"]["R@10"] > 90
    assert kept[0]["intervals"] == kept[1]["intervals"]
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_abstention_questions_stand_apart(memd: Memd, tmp_path: Path) -> None:
    for level in ("turn", "session"):
        data = answer(
            memd, "bench", "recall", "--format", "longmemeval", str(made.longmemeval(tmp_path)), "--level", level
        )
        assert data["collections"] == data["questions"] == 3
        assert set(data["categories"]) == {"single-session-user", "multi-session"}
        assert data["rows"]["memd"]["any@5"] == data["rows"]["memd"]["all@5"] == 100
        assert data["unanswerable"]["questions"] == 1
        assert data["unanswerable"]["rows"]["memd"]["answered"] in (0, 100)


def test_fewer_bits(memd: Memd, tmp_path: Path) -> None:
    line = ["bench", "quantization", "--format", "commits", str(made.commits(tmp_path)), "--draws", "2"]
    data = answer(memd, *line)
    assert list(data["codes"]) == list(data["whole"])[:4] == ["32", "8", "4", "1"]
    assert set(data["rows"]) == {"cosine", "fisher-rao", "memd"}
    for bits, least in (("8", 0.9999), ("4", 0.995), ("1", 0.85)):
        assert data["codes"][bits]["cosine"] > least
        assert data["rows"]["memd"][bits]["preference"] == 100
        assert data["whole"][bits]["bytes"] < data["whole"]["32"]["bytes"]
    assert "fisher-rao, 4 bit" in memd(*line).text


def test_a_folder_of_documents(memd: Memd, tmp_path: Path) -> None:
    root = made.beir(tmp_path)
    data = answer(memd, "bench", "recall", "--format", "beir", str(root), "--baselines")
    assert data["questions"] == 2
    assert data["categories"] == {}
    assert data["rows"]["bm25"]["R@10"] > 0
    table = memd("bench", "recall", "--format", "beir", str(root), "--baselines").text
    heads = table.splitlines()[0]
    assert heads.split()[:6] == ["row", *FIGURES]
    assert [line.split()[0] for line in table.splitlines()[1:7]] == [
        "memd", "random", "overlap", "bm25", "dense", "late",
    ]  # fmt: skip


def test_without_an_encoder_recall_is_measured_by_words_and_that_is_said(memd: Memd, tmp_path: Path) -> None:
    memd.env["MEMD_ENCODER"] = str(tmp_path / "none")
    found = memd("bench", "recall", "--format", "commits", str(made.commits(tmp_path)), "--baselines", "--json").answer
    assert found["degraded"]
    assert set(found["data"]["rows"]) == {"memd", "random", "overlap", "bm25"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["recall", "--format", "locomo", "missing.json"], "missing.json"),
        (["recall", "--format", "nonsense", "."], "nonsense"),
        (["recall", "--format", "commits", "history.json", "--level", "session"], "no sessions"),
        (["recall", "--format", "locomo", "history.json"], "not locomo data"),
        (["recall", "--format", "beir", "."], "no qrels"),
        (["compare", ".", "."], "no finished run"),
        (["latency", "--corpus", "missing.txt"], "missing.txt"),
        (["latency", "--memories", "0"], "--memories"),
    ],
)
def test_what_cant_be_measured_is_refused(memd: Memd, words: list[str], said: str) -> None:
    made.commits(memd.cwd)
    done = memd("bench", *words, check=False)
    assert done.code == 2
    assert said in done.err


def test_runs_that_have_nothing_in_common_are_not_compared(memd: Memd, tmp_path: Path) -> None:
    runs = [str(tmp_path / name) for name in ("talk", "history")]
    memd("bench", "recall", "--format", "locomo", str(made.locomo(tmp_path)), "--limit", "2", "--out", runs[0])
    memd("bench", "recall", "--format", "commits", str(made.commits(tmp_path)), "--limit", "2", "--out", runs[1])
    assert "in common" in memd("bench", "compare", *runs, check=False).err
    assert "no row" in memd("bench", "compare", f"{runs[0]}:late", runs[0], check=False).err


def test_latency_of_a_made_store_and_of_a_corpus(memd: Memd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "kept"
    data = answer(memd, "bench", "latency", "--memories", "60", "--home", str(home))
    assert data["memories"] == 60
    assert 0 < data["recall"]["p50"] <= data["recall"]["p95"] <= data["recall"]["p99"]
    assert data["ratio"] == pytest.approx(data["recall"]["p50"] / data["encoder"]["p50"], rel=1e-3)
    assert {"encode", "lexical", "semantic"} <= set(data["stages"])
    assert data["daemon"]["resident_bytes"] > 1e6
    assert data["disk"]["bytes"] == (home / "memd.db").stat().st_size
    assert set(data["ingest"]) == {"stored", "encoded", "encoder", "ingested"}
    assert not (home / "daemon.pid").exists()

    monkeypatch.setattr(run, "QUESTIONS", 20)
    again = run.latency(run.Plan(memories=60, home=home))
    assert again["ingest"] == data["ingest"] and again["questions"] == 20  # as measured when the store was made
    refused = memd("bench", "latency", "--memories", "61", "--home", str(home), check=False)
    assert "another corpus" in refused.err

    lines = tmp_path / "notes.txt"
    lines.write_text("".join(f"{fact}\n\n" for _, fact in made.TOPICS) * 2)
    assert answer(memd, "bench", "latency", "--corpus", str(lines))["memories"] == len(made.TOPICS)


def test_the_command_knows_every_format_and_figure() -> None:
    assert [format_.value for format_ in Format] == list(formats.FORMATS)
    assert [figure.value for figure in Figure] == list(FIGURES)
