"""The fast reading of a command line and Typer's are one: whatever the fast one takes, both take alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.exceptions import TyperException

from memd_cli.app import command
from memd_cli.arguments import FLAG, MANY, NO_WORDS, NUMBER, OPTIONS, SHARE, parse

VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "-",
            "--",
            "a",
            "12",
            "0.25",
            "1.5",
            ".5",
            "1e-1",
            "007",
            "-3",
            "1_0",
            "٣",
            "global",
            "=",
            "a=b",
            "--json",
            "-n",
            "--kind=x",
            "two words",
        ]
    ),
    st.text(max_size=6),
)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command line of one of the fast commands: options in every spelling, in any order, right and wrong."""
    name = draw(st.sampled_from(sorted(OPTIONS)))
    words = [name]
    for _ in range(draw(st.integers(0, 6))):
        option = draw(st.sampled_from([*OPTIONS[name], "--unknown", "-x", "--help"]))
        value = draw(VALUES)
        shape = draw(st.integers(0, 4))
        words += [[option, value], [f"{option}={value}"], [option], [value], [option + value]][shape]
    return words


def by_typer(words: list[str]) -> dict[str, Any] | None:
    """The parameters as Typer reads them; None where it complains."""
    below: Any = command().commands[words[0]]
    try:
        with below.make_context(words[0], list(words[1:])) as context:
            return {name: list(value or ()) if name == "words" else value for name, value in context.params.items()}
    except (TyperException, RuntimeError):  # RuntimeError: --help's Exit
        return None


@given(lines())
def test_what_the_fast_way_takes_typer_takes_alike(words: list[str]) -> None:
    fast = parse(words)
    if fast is not None:
        assert fast == (words[0], by_typer(words))


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_both_know_the_same_options(name: str) -> None:
    below: Any = command().commands[name]
    typers = {
        option: (param.name, FLAG if param.is_flag else MANY if param.multiple else _type(param))
        for param in below.params
        if param.param_type_name == "option"
        for option in param.opts
    }
    assert typers == OPTIONS[name]
    assert any(param.name == "words" for param in below.params) == (name not in NO_WORDS)


def _type(param: Any) -> str:
    annotation = str(param.type_descriptor.annotation)
    return NUMBER if "int" in annotation else SHARE if "float" in annotation else "text"


@pytest.mark.parametrize(
    "words",
    [
        ["recall", "how", "do", "we", "deploy"],
        ["recall", "--json", "-n", "3", "-k", "fix", "-k", "note", "--scope=all", "a question"],
        ["recall", "-n3", "x"],
        ["remember", "--tag", "a", "--", "- a list item"],
        ["remember"],
        ["show", "1m7x", "--text"],
        ["list", "--since", "last week", "--json"],
    ],
)
def test_plain_uses_need_no_typer(words: list[str]) -> None:
    fast = parse(words)
    assert fast == (words[0], by_typer(words)) or (fast is None and words == ["recall", "-n3", "x"])
