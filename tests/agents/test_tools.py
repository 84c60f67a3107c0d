"""What tools did, by the names and fields of each agent's."""

from __future__ import annotations

from typing import Any

import pytest

from memd.agents import tools

PAIR = ("-x = 1\n+x = 2", "x = 1", "x = 2")


@pytest.mark.parametrize(
    ("tool", "given", "edits"),
    [
        (
            "replace_string_in_file",
            {"filePath": "/w/a.py", "oldString": PAIR[1], "newString": PAIR[2]},
            [("/w/a.py", PAIR[0])],
        ),
        (
            "multi_replace_string_in_file",
            {
                "explanation": "both",
                "replacements": [
                    {"filePath": "/w/a.py", "oldString": PAIR[1], "newString": PAIR[2]},
                    {"filePath": "/w/b.py", "oldString": "y", "newString": "z"},
                ],
            },
            [("/w/a.py", PAIR[0]), ("/w/b.py", "-y\n+z")],
        ),
        ("insert_edit_into_file", {"filePath": "/w/a.py", "code": "x = 2", "explanation": "more"}, [("/w/a.py", "")]),
        ("create_file", {"filePath": "/w/new.py", "content": "x = 2"}, [("/w/new.py", "")]),
        ("edit_notebook_file", {"filePath": "/w/a.ipynb", "editType": "edit", "newCode": "1"}, [("/w/a.ipynb", "")]),
        ("StrReplace", {"path": "/w/a.py", "old_string": PAIR[1], "new_string": PAIR[2]}, [("/w/a.py", PAIR[0])]),
        ("multi_replace_string_in_file", {"replacements": [3, {}, {"filePath": 4}]}, []),
        ("multi_replace_string_in_file", {"replacements": "all"}, []),
        ("read_file", {"filePath": "/w/a.py"}, []),
    ],
)
def test_edits_are_known_by_the_tools_of_vs_code_and_cursor(
    tool: str, given: dict[str, Any], edits: list[tuple[str, str]]
) -> None:
    assert [tuple(edit) for edit in tools.edits(tool, given)] == edits
    assert tools.command(tool, given) == ""


def test_a_command_in_vs_codes_terminal_is_known_and_its_exit_code() -> None:
    given = {"command": "npm test", "explanation": "Run the tests", "isBackground": False}
    assert tools.command("run_in_terminal", given) == "npm test"
    assert tools.failed("2 failing\n\nCommand exited with code 1") is True
    assert tools.failed("all good\nCommand exited with code 0") is False
    assert tools.failed("all good") is None
