"""`memd bench forgetting`: its figures on traces whose answer is known, and what it shows on real use."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd.bench import forgetting
from memd.errors import BadInput

REAL = Path(__file__).parents[2].parent / "shared" / "bench" / "access-sqlite-utils.json"
DAY = 86_400


def made(folder: Path, items: list[list[float]]) -> Path:
    """A trace of items given in days."""
    file = folder / "trace.json"
    file.write_text(json.dumps({"items": [[1e9 + day * DAY for day in item] for item in items]}))
    return file


def test_the_protocol_on_a_trace_counted_by_hand(tmp_path: Path) -> None:
    file = made(tmp_path, [[0, 170, 185], [10], [179, 300], [181, 200]])
    points = list(forgetting.checkpoints(forgetting.read(file)))
    assert [point.at for point in points] == [180, 210, 240, 270, 300]
    assert [uses.tolist() for uses in points[0].uses] == [[0, 170], [10], [179]]  # what is seen so far
    assert points[0].needed.tolist() == [True, False, False]
    assert points[3].needed.tolist() == [False, False, False, False]
    assert points[4].needed.tolist() == [False, False, True, False]


def test_what_is_used_every_week_is_told_from_what_never_is(tmp_path: Path) -> None:
    items = [[float(day) for day in range(n, 700, 7)] for n in range(6)] + [[float(n)] for n in range(12)]
    rows = forgetting.measure(forgetting.Plan(made(tmp_path, items), year=False))["rows"]
    assert rows["memd retention"]["auc"] == rows["memd activation"]["auc"] == 1
    assert rows["recency"]["calibration_error"] is None
    assert rows["memd retention"]["calibration_error"] < 0.2


def test_a_year_is_lived_through(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    counts = [30, 3, 1] * 5
    items = [sorted(rng.uniform(40 * n, 900, count).tolist()) for n, count in enumerate(counts)]
    year = forgetting.measure(forgetting.Plan(made(tmp_path, items)))["year"]
    assert len(year["months"]) >= 12 and year["memories"] == year["texts_whole"] == year["texts_found"]
    assert year["bytes_share"] < 0.5 and year["degraded"] == []
    assert all(sum(month["tiers"].values()) == month["memories"] for month in year["months"])


@pytest.mark.parametrize("content", ["", "[]", '{"items": []}', '{"items": [["x"]]}', '{"items": [[1, 2]]}'])
def test_what_is_no_trace_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "trace.json"
    file.write_text(content)
    with pytest.raises(BadInput):
        forgetting.measure(forgetting.Plan(file))


labelled = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40)


@given(labelled)
def test_auc_counts_pairs(pairs: list[tuple[int, bool]]) -> None:
    above = [score for score, needed in pairs if needed]
    below = [score for score, needed in pairs if not needed]
    if not above or not below:
        return
    expected = sum((a > b) + (a == b) / 2 for a in above for b in below) / (len(above) * len(below))
    scores, labels = np.array([float(score) for score, _ in pairs]), np.array([needed for _, needed in pairs])
    assert math.isclose(forgetting.auc(scores, labels), expected)


def test_calibration_error_of_what_is_known() -> None:
    sure = np.array([0.0, 1.0] * 500)
    assert forgetting.calibration_error(sure, sure == 1) == 0
    assert forgetting.calibration_error(sure, sure == 0) == pytest.approx(1)
    assert forgetting.calibration_error(np.full(1000, 0.5), np.arange(1000) % 2 == 0) < 0.01


@pytest.mark.skipif(not REAL.is_file(), reason="needs the evaluation data beside the checkout (../shared/bench)")
def test_on_real_use() -> None:
    rows = forgetting.measure(forgetting.Plan(REAL, year=False))["rows"]
    assert rows["memd activation"]["auc"] >= 0.885 and rows["memd retention"]["auc"] >= 0.88
    assert rows["memd retention"]["calibration_error"] <= 0.05
