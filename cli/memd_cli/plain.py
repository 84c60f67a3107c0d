"""Answers for pipes: a record a line, fields split by tabs, nothing that moves. Standard library only.

In every field a backslash, tab, line feed and carriage return are written ``\\\\``, ``\\t``, ``\\n`` and ``\\r``,
so that a record is always one line, and other characters that can't be seen or that a terminal obeys as ``\\x1b``,
``\\u202e`` or ``\\U000e0041``; ``show --text`` alone gives a text as it is.

- ``remember``: id
- ``recall``: id, score, kind, time, scope, tags, passage. With ``--explain`` each is followed by ``replaced``, id, for
  each memory that it stands for, and by ``why``, channel, rank, score, share; then come ``term``, ``entity``,
  ``time``, ``channel``, ``missed`` and ``stage`` lines
- ``list``, ``forget``, ``restore``, ``tag``: id, kind, time, scope, tags, text
- ``show``: a line a field, an empty line, the text; ``show --text``: the text alone, exactly
- ``context``: the block as it is
- ``stats``, ``daemon status``: name, value; ``config``: name, value, where a setting's value comes from
- ``model info``, ``model use``, ``reindex``: name, value; ``model list``, ``model add``: name, ``in use`` or nothing,
  fingerprint, dimension, ``tokens`` or ``pooled``, bytes, folder, what is wrong with it
- ``doctor``: ok, warning or failed; check; finding; hint
- ``install``, ``uninstall``: made, changed, removed or unchanged; file; its copy. ``install`` alone: agent, ``there``
  or nothing, scopes, trouble
"""

from memd.text.hidden import Spelling
from memd_cli.session import complain, visible, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from memd_cli.session import Session
    from memd_cli.verbs import Outcome

    Data = dict[str, Any]


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_ESCAPES = Spelling(_escape, {92: "\\\\", 9: "\\t", 10: "\\n", 13: "\\r"})


def show(session: "Session", outcome: "Outcome") -> None:
    """Write an outcome to standard output."""
    write("".join([line + "\n" for line in _LINES[session.command](session, outcome.data)]))
    if outcome.exit_code == 1:
        complain("memd", "nothing found", _empty_hint(session.command, outcome.data))


def _empty_hint(command: str, data: "Data") -> str:
    """What to do about an answer without anything in it."""
    if data.get("withheld"):
        return WEAK_HINT
    if data.get("left_out"):
        return "There is something, but nothing of it fits into that budget: give more tokens."
    return _EMPTY_HINTS.get(command, "")


WEAK_HINT = "Nothing stored is likely to answer this; --min-relevance 0 shows what comes nearest."
_EMPTY_HINTS = {
    "recall": "Recall sees this project and what is global; --scope all sees everything.",
    "context": "It quotes pins, conventions, preferences, decisions and tasks: memd remember -k decision TEXT",
    "list": "This lists the project and what is global; --scope all lists everything.",
}


def record(*fields: object) -> str:
    """Fields as one line."""
    return "\t".join([str(field).translate(_ESCAPES) for field in fields])


def _remember(session: "Session", data: "Data") -> "list[str]":
    return []  # each id was written when its memory was durable


def _recall(session: "Session", data: "Data") -> "list[str]":
    lines = []
    for hit in data["hits"]:
        memory = hit["memory"]
        text = memory["text"] if session.options["full"] else hit["excerpt"]["text"]
        lines.append(
            record(
                memory["id"], f"{hit['score']:.4f}", memory["kind"], _when(memory), memory["scope"],
                ",".join(memory["tags"]), text,
            )
        )  # fmt: skip
        if session.options["explain"]:
            lines += [record("replaced", id_) for id_ in memory["supersedes"]]
        lines += [
            record("why", part["channel"], part["rank"], f"{part['score']:.4f}", f"{part['share']:.4f}")
            for part in hit.get("contributions", ())
        ]
    return lines + _trace(data.get("trace"))


def _trace(trace: "Data | None") -> "list[str]":
    if not trace:
        return []
    lines = [record("term", term) for term in trace["terms"]]
    lines += [record("entity", entity) for entity in trace["entities"]]
    lines += [record("time", start, end) for start, end in trace["times"]]
    lines += [
        record("channel", part["channel"], "open" if part["open"] else "silent", part["why"], f"{part['took_ms']:.2f}")
        for part in trace["channels"]
    ]
    lines += [
        record("missed", part["id"], part["rank"], f"{part['score']:.4f}", part["snippet"]) for part in trace["missed"]
    ]
    return lines + [record("stage", name, f"{ms:.2f}") for name, ms in trace["stages_ms"].items()]


def _when(memory: "Data") -> str:
    return str(memory["event_at"] or memory["recorded_at"])


def _memories(session: "Session", data: "Data") -> "list[str]":
    return [record(m["id"], m["kind"], _when(m), m["scope"], ",".join(m["tags"]), m["text"]) for m in data["memories"]]


def _show(session: "Session", data: "Data") -> "list[str]":
    lines = []
    lives = {life["id"]: life for life in data["lives"]}
    for memory in data["memories"]:
        if session.options["text"]:
            write(memory["text"])
            continue
        lines += [f"{name}: {value}" for name, value in [*facts(memory), *_alive(lives.get(memory["id"]))]]
        lines += ["", visible(memory["text"])]
    return lines


def facts(memory: "Data") -> "list[tuple[str, str]]":
    """What is known of a memory beside its text: names and values, those that say something."""
    source = memory["source"]
    span = source.get("span")
    path = source.get("path", "") + (f":{span[0]}-{span[1]}" if span else "")
    position = "" if memory["position"] is None else f" #{memory['position']}"
    found = [
        ("id", memory["id"]),
        ("kind", memory["kind"]),
        ("scope", memory["scope"]),
        ("tags", ", ".join(memory["tags"])),
        ("recorded", memory["recorded_at"]),
        ("happened", memory["event_at"] or ""),
        ("said", f"{memory['said']} times, last {memory['said_at']}" if memory["said"] > 1 else ""),
        ("forgotten", memory["forgotten_at"] or ""),
        ("until", memory["until"] or ""),
        ("superseded by", memory["superseded_by"] or ""),
        ("supersedes", ", ".join(memory["supersedes"])),
        ("conflicts with", ", ".join(memory["conflicts"])),
        ("who", source.get("who", "")),
        ("via", source.get("via", "")),
        ("path", path),
        ("session", source.get("session", "")),
        ("episode", f"{memory['episode']}{position}" if memory["episode"] else ""),
        ("members", ", ".join(memory["members"])),
        ("passages", "" if memory["members"] else f"{memory['passages']}, {memory['encoded']} encoded"),
    ]
    return [(name, record(value)) for name, value in found if value]


def _context(session: "Session", data: "Data") -> "list[str]":
    write(data["text"])  # nothing in it is what a terminal obeys
    return []


def _alive(life: "Data | None") -> "list[tuple[str, str]]":
    """How alive a memory is: names and values. None for a gist, which has no life of its own."""
    if life is None:
        return []
    following = life["next"]
    found = [
        ("tier", f"{life['tier']} since {life['tier_since']}"),
        ("next", f"{following['tier']} at {following['at']}" if following else ""),
        ("pinned", "yes" if life["pinned"] else ""),
        ("retention", f"{life['retention']:.4f}, stability {life['stability_days']:.1f} days"),
        ("needed", f"{life['needed']:.3f} within 30 days"),
        ("activation", f"{life['activation']:.3f}"),
        ("why", life["why"]),
    ]
    return [(name, value) for name, value in found if value]


def _pairs(session: "Session", data: "Data") -> "list[str]":
    return [record(name, value) for name, value in flat(data)]


def flat(data: "Data", prefix: str = "") -> "list[tuple[str, Any]]":
    """The values of an object with their dotted names."""
    found: list[tuple[str, Any]] = []
    for name, value in data.items():
        if isinstance(value, dict):
            found += flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            found += [(prefix + name, item) for item in value]
        else:
            found.append((prefix + name, "" if value is None else value))
    return found


def _config(session: "Session", data: "Data") -> "list[str]":
    paths = data["paths"].items() if session.command == "config" else ()
    return [record(name, path) for name, path in paths] + [
        record(setting["name"], setting["value"], setting["from"]) for setting in data["settings"]
    ]


def _doctor(session: "Session", data: "Data") -> "list[str]":
    return [record(check["status"], check["name"], check["finding"], check["hint"]) for check in data["checks"]]


_LINES: "dict[str, Callable[[Session, Data], list[str]]]" = {
    "remember": _remember,
    "recall": _recall,
    "show": _show,
    "list": _memories,
    "forget": _memories,
    "restore": _memories,
    "tag": _memories,
    "context": _context,
    "stats": _pairs,
    "config": _config,
    "config get": _config,
    "config set": _config,
    "config unset": _config,
    "completion": lambda session, data: [data["script"] or record("path", data["path"])],
    "doctor": _doctor,
}
