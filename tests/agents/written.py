"""Files as people write them: any value, in any blanks, line ends, indentation and comments; hypothesis strategies."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

names = st.one_of(
    st.sampled_from(
        ["a", "hooks", "mcpServers", "servers", "mcp", "x y", "", "ключ", "//", "/*", "théme", '"', "\\", "\t"]
    ),
    st.text(max_size=6),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "// not a comment", "/* nor */", 'a "quote"', "\\", "{", "]", ",}", "e\u0301", "\u2028", "🦦"]
    ),
    st.text(max_size=12),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
objects = st.dictionaries(names, values, max_size=5)


@st.composite
def json_text(draw: st.DrawFn, value: Any, comments: bool = False, trailing: bool = False, odd: bool = True) -> str:
    """`value` as JSON text. With `odd`, anything the grammar lets stand between tokens may stand there."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    if not odd:
        text = json.dumps(value, indent=draw(st.sampled_from([None, 1, 2, 4, "\t"])), ensure_ascii=draw(st.booleans()))
        return text.replace("\n", end) + draw(st.sampled_from(["", end]))
    blanks = st.sampled_from(["", "", " ", "\t", end, f"{end}  ", f"{end}\t\t", f" {end}{end}   "])
    notes = st.sampled_from([f"// note{end}", "/* a */", f"/* two{end}lines */", f"//{end}", f"// , }} ]{end}"])
    gap = st.tuples(blanks, notes, blanks).map("".join) | blanks if comments else blanks

    def told(item: Any) -> str:
        if isinstance(item, dict):
            parts = [f"{draw(gap)}{scalar(name)}{draw(gap)}:{draw(gap)}{told(under)}{draw(gap)}"
                     for name, under in item.items()]  # fmt: skip
            return "{" + joined(parts) + "}"
        if isinstance(item, list):
            return "[" + joined([draw(gap) + told(under) + draw(gap) for under in item]) + "]"
        return scalar(item)

    def joined(parts: list[str]) -> str:
        closing = "," + draw(gap) if parts and trailing and draw(st.booleans()) else ""
        return ",".join(parts) + closing if parts else draw(gap)

    def scalar(item: Any) -> str:
        return json.dumps(item, ensure_ascii=draw(st.booleans()))

    mark = draw(st.sampled_from(["", "\ufeff"]))
    return mark + draw(gap) + told(value) + draw(gap)
