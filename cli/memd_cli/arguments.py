"""The lean reading of a command line, for what scripts and hooks call: no Typer, no argparse.

It takes the plain uses of five commands. Whatever it doesn't take (help, a misspelt option, a value that
isn't a number, a value that starts with a dash) it leaves to Typer, which then answers or complains. What
it does take it reads exactly as Typer does: the tests compare the two.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Value = str | int | float | bool | None | list[str]
    Options = dict[str, Value]

TEXT, NUMBER, SHARE, MANY, FLAG = "text", "number", "share", "many", "flag"

_COMMON = {"--json": ("json", FLAG), "--no-daemon": ("no_daemon", FLAG)}
_FILTERS = {
    "--scope": ("scope", TEXT),
    "-s": ("scope", TEXT),
    "--kind": ("kind", MANY),
    "-k": ("kind", MANY),
    "--tag": ("tag", MANY),
    "-t": ("tag", MANY),
    "--source": ("source", TEXT),
    "--since": ("since", TEXT),
    "--until": ("until", TEXT),
    "--limit": ("limit", NUMBER),
    "-n": ("limit", NUMBER),
}

# For each command: option → (name, type), and the values of what isn't given. `words` takes the rest.
OPTIONS = {
    "remember": {
        "--file": ("file", MANY),
        "-f": ("file", MANY),
        "--jsonl": ("jsonl", FLAG),
        "--kind": ("kind", TEXT),
        "-k": ("kind", TEXT),
        "--scope": ("scope", TEXT),
        "-s": ("scope", TEXT),
        "--tag": ("tag", MANY),
        "-t": ("tag", MANY),
        "--who": ("who", TEXT),
        "--session": ("session", TEXT),
        "--at": ("at", TEXT),
        "--episode": ("episode", TEXT),
        "--position": ("position", NUMBER),
        "--importance": ("importance", SHARE),
        "--pin": ("pin", FLAG),
        **_COMMON,
    },
    "recall": {
        **_FILTERS,
        "--now": ("now", TEXT),
        "--as-of": ("as_of", TEXT),
        "--superseded": ("superseded", FLAG),
        "--explain": ("explain", FLAG),
        "-e": ("explain", FLAG),
        "--without": ("without", MANY),
        "--min-relevance": ("min_relevance", SHARE),
        "--budget": ("budget", NUMBER),
        "-b": ("budget", NUMBER),
        "--gists": ("gists", FLAG),
        "--full": ("full", FLAG),
        **_COMMON,
    },
    "show": {"--text": ("text", FLAG), **_COMMON},
    "list": {
        **_FILTERS,
        "--forgotten": ("forgotten", FLAG),
        "--superseded": ("superseded", FLAG),
        "--before": ("before", TEXT),
        **_COMMON,
    },
    "context": {
        "--budget": ("budget", NUMBER),
        "-b": ("budget", NUMBER),
        "--scope": ("scope", TEXT),
        "-s": ("scope", TEXT),
        "--session": ("session", TEXT),
        **_COMMON,
    },
}
DEFAULTS: "dict[tuple[str, str], Value]" = {("recall", "limit"): 10, ("list", "limit"): 20, ("context", "budget"): 1200}
NO_WORDS = frozenset({"list", "context"})


def parse(argv: "Sequence[str]") -> "tuple[str, Options] | None":
    """Command and options of a command line, or None where Typer must read it.

    Every option of the command is in the result, with its default where it wasn't given; the words that
    are no options are under ``words``.
    """
    if not argv or argv[0] not in OPTIONS:
        return None
    command = argv[0]
    known = OPTIONS[command]
    options = _defaults(command, known)
    words: list[str] = []
    rest = list(argv[:0:-1])
    while rest:
        word = rest.pop()
        if word == "--":
            words.extend(reversed(rest))
            break
        if word[:1] != "-" or word == "-":
            words.append(word)
        elif not _take(word, rest, known, options):
            return None
    if command not in NO_WORDS:
        options["words"] = words
    elif words:
        return None
    return command, options


def _defaults(command: str, known: "Mapping[str, tuple[str, str]]") -> "Options":
    empty: dict[str, Value] = {FLAG: False, TEXT: None, NUMBER: None, SHARE: None}
    return {
        name: [] if type_ == MANY else DEFAULTS.get((command, name), empty[type_]) for name, type_ in known.values()
    }


def _take(word: str, rest: "list[str]", known: "Mapping[str, tuple[str, str]]", options: "Options") -> bool:
    """Take one option, with its value off the end of `rest`; False where Typer must."""
    option, equals, value = word.partition("=")
    if option not in known:
        return False
    name, type_ = known[option]
    if type_ == FLAG:
        options[name] = True
        return not equals
    if not equals:
        if not rest or rest[-1][:1] == "-":
            return False
        value = rest.pop()
    elif option[:2] != "--":  # `-n=5`: Typer reads the value as `=5`
        return False
    if type_ == MANY:
        options[name] = [*_many(options[name]), value]
    elif type_ == TEXT:
        options[name] = value
    elif type_ == NUMBER and value.isascii() and value.isdigit() and len(value) <= 9:
        options[name] = int(value)
    elif type_ == SHARE and value.isascii() and value.replace(".", "", 1).isdigit() and float(value) <= 1:
        options[name] = float(value)
    else:
        return False
    return True


def _many(value: "Value") -> "list[str]":
    return value if isinstance(value, list) else []
