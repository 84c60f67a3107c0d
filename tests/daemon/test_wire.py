"""The thin client's JSON is JSON, and errors come through it as they were."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memd import errors
from memd.daemon.wire import dumps, error_data, error_from, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(VALUES)
def test_what_is_written_is_what_json_reads_and_the_other_way_round(value: object) -> None:
    assert json.loads(dumps(value)) == value
    assert loads(json.dumps(value)) == value
    assert loads(dumps(value)) == value
    assert "\n" not in dumps(value)


@given(st.text())
def test_reads_only_what_json_reads(text: str) -> None:
    try:
        value = loads(text)
    except ValueError:
        return
    again = json.loads(text)
    assert value == again or (math.isnan(value) and math.isnan(again))


@pytest.mark.parametrize("value", [{1, 2}, b"x", object(), float("nan"), float("inf")])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        dumps(value)


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.MemdError)]
)
def test_every_error_keeps_its_type_over_the_wire(kind: type[errors.MemdError]) -> None:
    there = error_from(loads(dumps(error_data(kind("what", "do this")))))
    assert (type(there), there.message, there.hint, there.exit_code) == (kind, "what", "do this", kind.exit_code)


def test_an_unknown_code_is_still_an_error() -> None:
    assert type(error_from({"code": "of tomorrow", "message": "m"})) is errors.MemdError
