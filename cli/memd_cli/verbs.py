"""What each command asks of the daemon, and what it answers. Standard library only.

A verb takes a session (its options, its door) and returns an `Outcome`: plain JSON values, in the shapes
of `memd.model`. How that is shown is decided elsewhere: `plain` for pipes, `render` for terminals, the
envelope for ``--json``.
"""

from memd.errors import BadInput
from memd_cli import inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from memd_cli.session import Session

    Data = dict[str, Any]

BATCH_ITEMS = 500  # memories in one request, which is one transaction
BATCH_CHARACTERS = 4_000_000


class Outcome:
    """What a command came to.

    Attributes:
        data: its result, plain JSON values.
        degraded: what could not take part, in words.
        exit_code: 0 done, 1 nothing found, 3 can't serve.
        notices: what else a person should know, in words; JSON has it in `data`.
    """

    __slots__ = ("data", "degraded", "exit_code", "notices")

    def __init__(self, data: "Data", degraded: "list[str] | tuple[str, ...]" = (), exit_code: int = 0) -> None:
        self.data = data
        self.degraded = list(degraded)
        self.exit_code = exit_code
        self.notices: list[str] = []


# --- remember ---------------------------------------------------------------------------------------


def remember(session: "Session") -> Outcome:
    """Store texts: the words, files, standard input, or JSON lines as they arrive."""
    options = session.options
    if options["jsonl"]:
        return _remember_lines(session)
    items = _texts(options)
    common = _common(options)
    for item in items:
        item.update({key: value for key, value in common.items() if key != "source"})
        item["source"] = {**common["source"], **item.get("source", {})}
    position = options["position"]
    if position is not None:
        for offset, item in enumerate(items):
            item["position"] = position + offset
    return _store(session, ([(0, item)] for item in items))


def _texts(options: "Data") -> "list[Data]":
    words, files = options["words"], options["file"]
    if words and files:
        raise BadInput("Both a text and --file were given", "Give one of them.")
    if files:
        found = []
        for path in files:
            text, name = inputs.file_text(path)
            found.append({"text": text, **({"source": {"path": name}} if name else {})})
        return found
    if words and words != ["-"]:
        return [{"text": inputs.joined(words)}]
    if not words and inputs.at_terminal():
        raise BadInput("There is nothing to remember", 'Try: memd remember "we deploy with make release"')
    return [{"text": inputs.standard_input()}]


def _common(options: "Data") -> "Data":
    """What the options say of every memory."""
    common: Data = {"scope": inputs.own_scope(options["scope"]), "source": {"via": "cli"}}
    if options["kind"] is not None:
        common["kind"] = options["kind"]
    if options["tag"]:
        common["tags"] = options["tag"]
    if options["at"] is not None:
        common["event_at"] = inputs.moment(options["at"], "--at")
    if options["episode"] is not None:
        common["episode"] = options["episode"]
    if options["importance"] is not None:
        common["importance"] = options["importance"]
    if options["pin"]:
        common["pinned"] = True
    for name in ("who", "session"):
        if options[name] is not None:
            common["source"][name] = options[name]
    return common


def _remember_lines(session: "Session") -> Outcome:
    options = session.options
    if options["words"] or options["position"] is not None or len(options["file"]) > 1:
        raise BadInput(
            "--jsonl takes no text, no --position and one --file",
            "Give each memory its own line: memd remember --jsonl < FILE",
        )
    path = options["file"][0] if options["file"] else None
    if path is None and inputs.at_terminal():
        raise BadInput("--jsonl has no input", "Try: memd remember --jsonl < memories.jsonl")
    common = _common(options)
    size = inputs.size(path)
    if size is not None:  # a file can be read twice: a bad line is found before anything is stored
        for lines in inputs.json_lines(path):
            for number, line in lines:
                _line(line, number, common)
    with session.progress("Remembering", size, unit="bytes") as step:
        read = inputs.json_lines(path, step)
        return _store(session, ([(n, _line(line, n, common)) for n, line in lines] for lines in read))


def _line(line: "Data", number: int, common: "Data") -> "Data":
    """A line as a memory: what the options say counts where the line says nothing; tags add up."""
    item = {**common, **{key: value for key, value in line.items() if value is not None}}
    text, tags, source = item.get("text"), line.get("tags"), line.get("source")
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f'Line {number} has no "text"', 'Each line is one memory: {"text": "…", "kind": "note"}')
    if isinstance(source, dict):
        item["source"] = {**common["source"], **source}
    if isinstance(tags, list):
        item["tags"] = [*common.get("tags", ()), *tags]
    if isinstance(item.get("event_at"), str):
        item["event_at"] = inputs.moment(item["event_at"], f"Line {number}: event_at")
    return item


def _store(session: "Session", batches: "Iterator[list[tuple[int, Data]]]") -> Outcome:
    """Store what arrives, a transaction a batch, and tell of each batch once it is durable."""
    remembered: list[Data] = []
    degraded: list[str] = []
    try:
        for batch in _sized(batches):
            try:
                answer = session.door.call("remember", {"items": [item for _, item in batch]})
            except BadInput as error:
                raise _located(error, batch) from None
            remembered += answer["remembered"]
            degraded = answer.get("degraded", [])
            session.stored(answer["remembered"])
    except BadInput as error:
        if remembered:
            error.message += f" ({len(remembered)} before it are stored)"
            error.hint = error.hint or "Mend it and run again: what is stored already is recognised."
        raise
    outcome = Outcome({"remembered": remembered}, degraded)
    outcome.notices = [_taken_out(each) for each in remembered if each.get("redacted")]
    return outcome


def _taken_out(remembered: "Data") -> str:
    """What of a text was not stored."""
    kinds = [
        "a private part" if kind == "private" else f"what looks like a secret ({kind})"
        for kind in remembered["redacted"]
    ]
    return f"{remembered['id']} is stored without {', '.join(kinds)}"


def _located(error: BadInput, batch: "list[tuple[int, Data]]") -> BadInput:
    """The error with the lines it may stand in, where they came as lines."""
    first, last = batch[0][0], batch[-1][0]
    if first:
        error.message = f"{f'Line {first}' if first == last else f'Lines {first} to {last}'}: {error.message}"
    return error


def _sized(batches: "Iterator[list[tuple[int, Data]]]") -> "Iterator[list[tuple[int, Data]]]":
    """The same items, at most `BATCH_ITEMS` and about `BATCH_CHARACTERS` at a time."""
    for items in batches:
        batch: list[tuple[int, Data]] = []
        characters = 0
        for item in items:
            size = len(item[1]["text"])
            if batch and (len(batch) >= BATCH_ITEMS or characters + size > BATCH_CHARACTERS):
                yield batch
                batch, characters = [], 0
            batch.append(item)
            characters += size
        yield batch


# --- recall, show, list, context --------------------------------------------------------------------


def recall(session: "Session") -> Outcome:
    """Find the passages that answer a question."""
    options = session.options
    text = inputs.query(options["words"])
    now = inputs.moment(options["now"], "--now")
    params = {"text": text, "limit": options["limit"], **_filters(options, now)}
    if now is not None:
        params["now"] = now
    if options["as_of"] is not None:
        params["as_of"] = inputs.moment(options["as_of"], "--as-of", now)
    if options["superseded"]:
        params["superseded"] = True
    if options["explain"]:
        params["explain"] = True
    if options["min_relevance"] is not None:
        params["min_relevance"] = options["min_relevance"]
    if options["without"]:
        params["without"] = options["without"]
    if options["budget"] is not None:
        params["budget"] = options["budget"]
    if options["gists"]:
        params["gists"] = True
    data = session.door.call("recall", params)
    return Outcome(data, data.get("degraded", ()), 0 if data["hits"] else 1)


def _filters(options: "Data", now: "str | None") -> "Data":
    params: Data = {"scope": inputs.scope(options["scope"])}
    for option, name in (("kind", "kinds"), ("tag", "tags"), ("source", "source")):
        if options[option]:
            params[name] = options[option]
    for name in ("since", "until"):
        if options[name] is not None:
            params[name] = inputs.moment(options[name], f"--{name}", now)
    return params


def show(session: "Session") -> Outcome:
    """The memories of these ids, whole."""
    return Outcome(session.door.call("show", {"ids": ids(session)}))


def list_(session: "Session") -> Outcome:
    """The newest memories."""
    options = session.options
    params = {**_filters(options, None), "limit": options["limit"], "forgotten": options["forgotten"]}
    if options["superseded"]:
        params["superseded"] = True
    if options["before"] is not None:
        params["before"] = options["before"]
    data = session.door.call("list", params)
    return Outcome(data, exit_code=0 if data["memories"] else 1)


def context(session: "Session") -> Outcome:
    """What matters in the scope, in so many tokens."""
    options = session.options
    params = {"scope": inputs.own_scope(options["scope"]), "budget": options["budget"]}
    if options["session"] is not None:
        params["session"] = options["session"]
    data = session.door.call("context", params)
    return Outcome(data, exit_code=0 if data["text"] else 1)


def ids(session: "Session") -> "list[str]":
    """The ids of the command line. Raises BadInput where there are none."""
    words: list[str] = session.options["words"]
    if not words:
        raise BadInput("No id was given", "Ids are what `memd list` and `memd recall` show; their beginnings will do.")
    return [inputs.joined([word]) for word in words]


FAST = {"remember": remember, "recall": recall, "show": show, "list": list_, "context": context}
