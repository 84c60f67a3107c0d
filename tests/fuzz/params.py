"""Parameters for every method of the daemon, made from the methods' own structs: right, nearly right, and wrong."""

from __future__ import annotations

from typing import Any

import msgspec.inspect as mi
from hypothesis import strategies as st
from msgspec import Struct

from memd.model import NewMemory

from .adversarial import PIECES, mixed

BIG = st.sampled_from([2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, -1, -(2**63), -(2**63) - 1, 0, 1, 2])
TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "a", "global", "all", "/p", "/p/../q", "//", "~", "deploy", "0", "1", "zzz", "\0", "\u202e", "%", "_"]
    ),
    st.sampled_from(PIECES),
    mixed(),
    st.integers(1, 13).map(lambda length: "1m7yjp75vvg1e"[:length]),
    st.integers(1, 3000).map("é".__mul__),
)
_TIMES = (
    "2024-01-01T00:00:00Z 0001-01-01T00:00:00+14:00 9999-12-31T23:59:59-14:00 2024-01-01 soon 1969-12-31T23:59:59Z "
    "2024-02-30T00:00:00Z 2024-01-01T00:00:00"
)
TIMES = st.sampled_from(_TIMES.split())
WRONG = st.recursive(
    st.none() | st.booleans() | BIG | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def example(number: int) -> NewMemory:
    """A memory for the methods to work on."""
    scope = ("global", "/p")[number % 2]
    return NewMemory(text=f"The deploy of harbour {number} needs FFmpeg 7.{number}.", scope=scope, tags=("a",))


def of(kind: type[Struct]) -> st.SearchStrategy[Any]:
    """What a client might send for a struct: each field right or wrong, left out, or one too many."""
    return _of(mi.type_info(kind))


def _of(info: mi.Type) -> st.SearchStrategy[Any]:
    match info:
        case mi.StructType(fields=fields):
            required = {field.encode_name: _mostly(field.type) for field in fields if field.required}
            optional = {field.encode_name: _mostly(field.type) for field in fields if not field.required}
            return st.fixed_dictionaries(required, optional=optional)
        case mi.UnionType(types=types):
            return st.one_of([_of(each) for each in types])
        case mi.ListType(item_type=item) | mi.VarTupleType(item_type=item):
            return st.lists(_of(item), max_size=4)
        case mi.TupleType(item_types=items):
            return st.tuples(*map(_of, items)).map(list)
        case mi.DictType():
            return st.dictionaries(TEXTS, WRONG, max_size=3)
        case mi.LiteralType(values=values):
            return st.sampled_from(values)
        case mi.BoolType():
            return st.booleans()
        case mi.IntType():
            return BIG | st.integers(-3, 30)
        case mi.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False) | BIG | st.sampled_from([0.5, 1.5, 1e308])
        case mi.StrType():
            return TEXTS
        case mi.DateTimeType():
            return TIMES
        case mi.NoneType():
            return st.none()
        case mi.RawType() | mi.AnyType():
            return WRONG
        case _:
            raise NotImplementedError(f"say what is sent for {info}")


def _mostly(info: mi.Type) -> st.SearchStrategy[Any]:
    return st.integers(0, 19).flatmap(lambda roll: WRONG if roll == 0 else _of(info))
