"""Writes ``schemas/``: the JSON Schema of what each command prints with ``--json``, and of what it reads.

python scripts/make_schemas.py           # write
python scripts/make_schemas.py --check   # exit with 1 when a file isn't current
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from memd_cli.formats import DATA, LINES, Failure

FOLDER = Path(__file__).resolve().parent.parent / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File name → schema."""
    made = {f"{command.replace(' ', '-')}.json": _answer(command, data) for command, data in DATA.items()}
    for name, type_ in LINES.items():
        schema, parts = _parts(type_)
        made[f"{name}.json"] = {"$schema": DRAFT, "title": name, **schema, "$defs": parts}
    return made


def _answer(command: str, data: tuple[type, ...]) -> dict[str, Any]:
    """The envelope around the data of one command, or around an error."""
    (*shapes, failure), parts = msgspec.json.schema_components([*data, Failure], ref_template="#/$defs/{name}")
    success = {
        "type": "object",
        "properties": {
            "ok": {"type": "boolean", "description": "false where the command ran and found something amiss (doctor)"},
            "command": {"const": command},
            "data": shapes[0] if len(shapes) == 1 else {"anyOf": list(shapes)},
            "degraded": {"type": "array", "items": {"type": "string"}, "description": "what could not take part"},
            "took_ms": {"type": "number", "minimum": 0},
        },
        "required": ["ok", "command", "data", "degraded", "took_ms"],
        "additionalProperties": False,
    }
    return {"$schema": DRAFT, "title": f"memd {command} --json", "oneOf": [success, failure], "$defs": parts}


def _parts(type_: type) -> tuple[dict[str, Any], dict[str, Any]]:
    (schema,), parts = msgspec.json.schema_components([type_], ref_template="#/$defs/{name}")
    return schema, parts


def text(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check every file; the exit code."""
    FOLDER.mkdir(exist_ok=True)
    made = {name: text(schema) for name, schema in schemas().items()}
    present = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    if "--check" in arguments:
        stale = sorted(name for name in made.keys() | present.keys() if made.get(name) != present.get(name))
        if stale:
            print(f"not current: {', '.join(stale)}; run python scripts/make_schemas.py", file=sys.stderr)
        return 1 if stale else 0
    for name in present.keys() - made.keys():
        (FOLDER / name).unlink()
    for name, content in made.items():
        (FOLDER / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
