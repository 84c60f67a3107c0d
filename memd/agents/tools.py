"""What an agent's tool did, told by its name, its input and what it printed: which files, which command, what errors.

Names of tools and fields are those of Claude Code, Codex, Gemini CLI, Cursor and VS Code; one that isn't known did
nothing that is kept.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from memd.agents.decoding import decode

CHANGE = 800  # characters kept of an edit's change
ERRORS = 6  # lines kept of what a failed command printed
ERROR_LINE = 240  # characters of such a line
COMMAND = 2_000  # characters of a command line; a longer one is a program, known by its beginning
_DEEP = 20  # levels of an output's lists and tables; no agent nests deeper
_DIFFED = 400  # lines up to which an edit is compared line by line

_EDITORS = frozenset(
    [
        "Edit",
        "MultiEdit",
        "Write",
        "NotebookEdit",
        "StrReplace",
        "write_file",
        "WriteFile",
        "replace",
        "edit_file",
        "create_file",
        "replace_string_in_file",
        "multi_replace_string_in_file",
        "insert_edit_into_file",
        "edit_notebook_file",
    ]
)
_SHELLS = frozenset(
    [
        "Bash",
        "shell",
        "exec_command",
        "shell_command",
        "local_shell",
        "run_shell_command",
        "Shell",
        "run_terminal_cmd",
        "run_in_terminal",
        "bash",
    ]
)
_PATHS = ("file_path", "notebook_path", "absolute_path", "path", "filePath")
_REPLACED = (("old_string", "oldString"), ("new_string", "newString"))
_PATCH_FILE = re.compile(r"^\*\*\* (?:Update|Add|Delete) File: (.+?)\s*$", re.MULTILINE)
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]")
_TROUBLE = re.compile(
    r"\berror\b|error:|Error\b|Exception\b|\bfail(?:ed|ure|s|ing)?\b|FAIL|\bpanicked\b|\bfatal\b|not found|No such|"
    r"undefined|[Cc]annot |can't |unable to|denied|refused|mismatch|^E\s{2,}|assert|\bmissing\b|Traceback|\bsegfault|"
    r"Segmentation|unexpected|timed? ?out|\bunresolved\b|conflict",
)
_NOISE = re.compile(
    r"^(?:[=\-_~*#. ]+|exit code:? \d+|process exited with code \d+|wall time:.*|"
    r"traceback \(most recent call last\):)$",
    re.IGNORECASE,
)
_SUMMARY = re.compile(r"^=+ .* =+$|^make(?:\[\d+\])?: \*\*\*|^npm ERR! (?:A complete log|code)|^error Command failed")
_EXIT = re.compile(
    r"(?:^|\n)\s*(?:Exit code:?|Process exited with code|exit status|exit code:?)\s*(-?\d+)", re.IGNORECASE
)
_LAST = re.compile(r"(?:^|\n)[ \t]*Command exited with code:? (-?\d+)\s*$")  # VS Code tells it at the end
_REFUSED = re.compile(
    r"The user doesn't want to|\[Request interrupted|Permission to use|rejected by user|aborted by user"
)


class Edit(NamedTuple):
    """A file that a tool changed, and the changed lines (`-` before, `+` after), as far as they are kept."""

    path: str
    change: str


def edits(tool: str, given: Mapping[str, Any]) -> list[Edit]:
    """The files that this call of a tool changes; none where it changes none."""
    patch = _patch(tool, given)
    if patch is not None:
        return _patched(patch)
    if tool not in _EDITORS:
        return []
    if isinstance(given.get("replacements"), list):  # each in a file of its own
        return [edit for part in given["replacements"] if isinstance(part, Mapping) for edit in _edited(part)]
    return _edited(given)


def _edited(given: Mapping[str, Any]) -> list[Edit]:
    path = next((given[name] for name in _PATHS if isinstance(given.get(name), str)), "")
    if not path:
        return []
    parts = given.get("edits") if isinstance(given.get("edits"), list) else [given]
    changes = [_change(part) for part in parts or [] if isinstance(part, Mapping)]
    return [Edit(path, "\n".join(change for change in changes if change)[:CHANGE])]


def command(tool: str, given: Mapping[str, Any]) -> str:
    """The command line that this call of a tool runs; empty where it runs none."""
    if tool not in _SHELLS or _patch(tool, given) is not None:
        return ""
    return _line(given.get("command", given.get("cmd", "")))[:COMMAND]


def failed(output: str, is_error: bool | None = None) -> bool | None:
    """Whether a call went wrong, by what the agent says of it, else by the exit code in its output.

    None where neither tells, or where a person stopped it.
    """
    if _REFUSED.search(output[:400]):
        return None
    if is_error is not None:
        return is_error
    found = _EXIT.search(output[:2_000]) or _LAST.search(output[-200:])
    return None if found is None else found[1] != "0"


def error_lines(output: str) -> str:
    """The lines of an output that say what is wrong, at most `ERRORS`; its last lines where none does."""
    lines = [line.rstrip()[:ERROR_LINE] for line in plain(output).splitlines()]
    lines = [line for line in lines if line.strip() and not _NOISE.match(line.strip())]
    telling = [line for line in lines if _TROUBLE.search(line) and not _SUMMARY.match(line.strip())]
    chosen = list(dict.fromkeys(telling))[:ERRORS] if telling else lines[-3:]
    return "\n".join(chosen)


def plain(output: str) -> str:
    """Without what a terminal obeys: colours, cursor moves, other control characters."""
    return _ESCAPE.sub("", output)


def output_text(value: object, depth: int = 0) -> str:
    """What a tool gave back, as one text, from any of the forms in which agents write it."""
    if isinstance(value, str):
        return _unwrapped(value)
    if depth > _DEEP:
        return ""
    if isinstance(value, list):
        return "\n".join(output_text(part, depth + 1) for part in value)
    if isinstance(value, Mapping):
        parts = [value.get(name) for name in ("text", "content", "output", "stdout", "stderr", "error", "llmContent")]
        return "\n".join(output_text(part, depth + 1) for part in parts if part)
    return ""


def _unwrapped(text: str) -> str:
    """Codex wraps an output in JSON, with its exit code beside it."""
    if not text.startswith('{"output"'):
        return text
    try:
        value = decode(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return text
    code = value.get("metadata", {}).get("exit_code") if isinstance(value.get("metadata"), dict) else None
    return ("" if code is None else f"Exit code: {code}\n") + str(value.get("output", ""))


def _line(value: object) -> str:
    """A command as it would be typed: of `bash -lc SCRIPT` the script."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        if len(value) == 3 and value[0].rpartition("/")[2] in ("bash", "sh", "zsh") and value[1] in ("-lc", "-c"):
            return str(value[2]).strip()
        return " ".join(value)
    return ""


def _patch(tool: str, given: Mapping[str, Any]) -> str | None:
    """The patch where this call applies one, be it through a shell."""
    if tool == "apply_patch":
        return next(
            (str(given[name]) for name in ("input", "patch", "command") if isinstance(given.get(name), str)), ""
        )
    if tool in _SHELLS:
        value = given.get("command", given.get("cmd", ""))
        words = value if isinstance(value, list) else [value]
        if any(isinstance(word, str) and word.lstrip().startswith("apply_patch") for word in words):
            return "\n".join(str(word) for word in words)
    return None


def _patched(patch: str) -> list[Edit]:
    parts = _PATCH_FILE.split(patch)
    changes: dict[str, str] = {}
    for path, body in zip(parts[1::2], parts[2::2], strict=True):
        lines = [line for line in body.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]
        changes[path] = "\n".join(filter(None, [changes.get(path, ""), *(line for line in lines if line[1:].strip())]))
    return [Edit(path, change[:CHANGE]) for path, change in changes.items()]


def _change(part: Mapping[str, Any]) -> str:
    """The changed lines of one replacement; empty for a file that is written as a whole."""
    before, after = (part.get(name, part.get(camel)) for name, camel in _REPLACED)
    if not isinstance(before, str) or not isinstance(after, str):
        return ""
    return "\n".join(_changed_lines(before.splitlines(), after.splitlines()))


def _changed_lines(before: list[str], after: list[str]) -> Iterator[str]:
    if len(before) + len(after) > _DIFFED:
        before, after = before[:5], after[:5]
    for line in difflib.ndiff(before, after):
        if line[:2] in ("- ", "+ ") and line[2:].strip():
            yield f"{line[0]}{line[2:]}"
