"""Names that code, shells, logs and package managers write: recognised by their shape.

No pattern here has an unbounded repetition that can fail after it has matched, so each takes time
linear in the text, whatever the text.
"""

import re
from collections.abc import Iterator

from memd.text.entities.entity import Entity
from memd.text.entities.names import JOINT, identifier, package, squeeze
from memd.text.entities.vocabulary import (
    BARE_FILES,
    COMMIT_TYPES,
    ERRNO,
    FILE_EXTENSIONS,
    FOLDERS,
    NOT_FILES,
    SENTENCE_WORDS,
    TIME_PREFIXES,
    TOP_DOMAINS,
)

LONGEST_RUN = 1000  # characters without a blank; a longer run is code or data, and read piece by piece
LONGEST_PIECE = 200  # characters without a blank, quote, comma or bracket; a longer one is base64 or the like

_RUN = re.compile(r"\S+")
_PIECE = re.compile(r"[^\s\"',;{}\[\]()<>|&]+")
_CALM = re.compile(r"[\"'(\[]?[^\W\d_]+[\"')\].,;:!?]{0,3}")  # a word in ordinary punctuation

# Shapes inside one run of non-blank characters, tried in this order at each character.
_SHAPE = re.compile(
    r"""
      (?P<url> (?<![A-Za-z0-9]) [A-Za-z][a-z0-9+]{1,11} :// [^\s<>"'`|\\^{}\[\]]+ )
    | (?P<email> [\w.+-]{1,64} @ [A-Za-z0-9-]{1,63} (?: \.[A-Za-z0-9-]{1,63} ){0,3} \.[A-Za-z]{2,24} (?![\w@]) )
    | (?P<scoped> (?<![\w/]) @ [a-z0-9][\w.-]{0,63} / [a-z0-9][\w.-]{0,63} (?: @ [~^]? v?\d[\w.-]{0,30} )? )
    | (?P<handle> (?<![\w.)\]@/]) @ [A-Za-z][\w-]{0,63} (?: \.\w{1,63} ){0,4} \(? )
    | (?P<pinned> (?P<pinned_name> [A-Za-z][\w.-]{0,63} ) (?: \[ [\w,-]{1,40} \] )? (?: [=~!]= | [<>]=? | @ [~^]? ) v?
                  (?P<pinned_version> \d[\w.*+-]{0,30} ) )
    | (?P<ticket> (?<![\w&/.-]) (?: GH-\d{1,7} | (?!CVE|UTF|ISO|RFC|PEP|SHA|ORA|GPT|COVID|CP-)
                  [A-Z][A-Z0-9]{1,9} - [1-9]\d{0,6} ) (?![\w-]) | (?<![&#.-]) \# \d{1,7} (?![\w-]) )
    | (?P<flag> (?<![\w$/.=-]) (?: -- [A-Za-z][\w-]{0,63} | -[A-Za-z] (?![\w-]) ) )
    | (?P<version> (?<![\w.-]) (?: v\d{1,5} (?: \.\d{1,6} ){1,3} | \d{1,5} (?: \.\d{1,6} ){2,3} )
                   (?: [.-]? (?:a|b|rc|alpha|beta|dev|post) [.-]? \d{0,4} )? (?![\w/]|\.\d) )
    | (?P<path> (?<![\w.]) (?: (?: ~ | \.{1,2} | [A-Za-z]: )? [\\/] )? [\w.@%+~-]{1,100}
                (?: [\\/]{1,2} [\w.@%+~*-]{1,100} )+ [\\/]?
              | (?<![\w.`'")\]}]) (?: ~ | \.{1,2} )? / [\w.@%+~-]{1,100} /? )
    | (?P<commit> (?<![\w.-]) (?= [a-f]{0,40}\d ) (?= \d{0,40}[a-f] ) [0-9a-f]{7,40} (?![\w-]) )
    | (?P<code> (?: ORA | CVE-\d{4} ) - \d{4,7} )
    | (?P<run> [\w.](?: \w | (?: \. | :: | -> ) (?=\w) | - (?!>) ){0,200} ) (?P<tail> \( | =(?=[^\s=>]) )?
    """,
    re.X,
)
_CAMEL = re.compile(r"_?[a-z]+[a-z0-9]*[A-Z]\w*|[A-Z]+[a-z0-9]+[A-Z]\w*")
_ERROR_CODE = re.compile(
    r"[EWFCBDNSRX]\d{3,5}|(?:TS|CS|LNK|MSB|RUF|PLR|PLW|SIM|KB|PGRST)\d{3,7}"
    r"|(?:ERR|ERROR|SQLITE|CURLE|STATUS|CUDA_ERROR|ORT)_[A-Z][A-Z0-9_]*|0x[89][0-9A-Fa-f]{7}"
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_MIXED = re.compile(r"(?!v\d)[A-Za-z]+\d\w*")


def shapes(text: str) -> Iterator[Entity]:
    """Names that can be told by their characters alone."""
    for run in _RUN.finditer(text):
        if _CALM.fullmatch(run[0]) and _is_plain(run[0]):
            continue
        if run.end() - run.start() <= LONGEST_RUN:
            yield from _shaped(text, *run.span())
            continue
        for piece in _PIECE.finditer(text, *run.span()):
            if piece.end() - piece.start() <= LONGEST_PIECE:
                yield from _shaped(text, *piece.span())


def _shaped(text: str, begin: int, stop: int) -> Iterator[Entity]:
    for match in _SHAPE.finditer(text, begin, stop):
        yield from _shape(text, match)


def _is_plain(word: str) -> bool:
    """An ordinary word: no capital after its first letter, and no file of that name."""
    if word.islower():
        return True
    letters = word.strip("\"'([)].,;:!?")
    return letters[1:].islower() and letters.lower() not in BARE_FILES


def _shape(text: str, match: re.Match[str]) -> Iterator[Entity]:
    kind = match.lastgroup or ""
    begin, stop = match.span()
    if kind in ("run", "tail"):
        yield from _word(text, match["run"], match["tail"] or "", *match.span("run"))
    elif kind == "path":
        yield from _path(match[0], begin, stop)
    elif kind == "url":
        yield from _url(match[0], begin)
    elif kind == "email":
        yield Entity("person", match[0].lower().strip("."), begin, stop)
    elif kind in ("scoped", "pinned", "pinned_version", "pinned_name"):
        yield from _pinned(match, begin, stop)
    elif kind == "handle":
        yield from _handle(text, match[0], begin, stop)
    elif kind == "ticket":
        name = match[0].upper()
        yield Entity("ticket", "#" + name[3:] if name.startswith("GH-") else name, begin, stop)
    elif kind == "flag":
        yield from _flag(match[0], begin, stop)
    elif kind == "version":
        name = match[0].lower().removeprefix("v")
        address = name == match[0] and name.count(".") == 3
        yield Entity("url" if address else "version", name, begin, stop)
    elif kind == "commit":
        yield Entity("commit", match[0][:7], begin, stop)
    elif kind == "code":
        yield Entity("error", match[0].lower(), begin, stop)


def _word(text: str, word: str, tail: str, begin: int, stop: int) -> Iterator[Entity]:
    """A run of letters, digits, underscores, hyphens and joints, and whether `(` or `=` follows."""
    lower = word.lower()
    extension = lower.rpartition(".")[2]
    if "." in lower and len(lower) > 3 and extension in FILE_EXTENSIONS and not tail:
        if lower in NOT_FILES:
            yield Entity("package", lower, begin, stop)
        else:
            yield Entity("path", lower, begin, stop)
    elif lower in BARE_FILES:
        yield Entity("path", lower, begin, stop)
    elif "." in lower and "_" not in lower and word.islower() and extension in TOP_DOMAINS and not tail:
        yield Entity("url", lower, begin, stop)
    elif "-" in word.replace("->", ""):
        yield from _hyphened(word, begin, stop)
    elif JOINT.search(word.lstrip(".")):
        if _looks_dotted(word.lstrip("."), tail):
            yield from identifier(word.lstrip("."), begin, stop)
    elif word in ERRNO or _ERROR_CODE.fullmatch(word):
        yield Entity("error", lower, begin, stop)
    elif _looks_coded(word) or (tail and _is_called(text, word, tail, stop)):
        yield from identifier(word, begin, stop)


def _hyphened(word: str, begin: int, stop: int) -> Iterator[Entity]:
    """A name with a number in it as a whole (`gpt-4o`, `all-mini-l6`, a UUID); else the coded pieces."""
    pieces = word.split("-")
    if _UUID.fullmatch(word):
        yield Entity("identifier", word.lower(), begin, stop)
        return
    if word[0].isalpha() and any(map(str.isdigit, word)) and pieces[0].lower() not in TIME_PREFIXES:
        yield Entity("identifier", squeeze(word.replace("-", "_")), begin, stop)
    position = begin
    for piece in pieces:
        if piece and _looks_coded(piece):
            yield from identifier(piece, position, position + len(piece))
        position += len(piece) + 1


def _looks_coded(word: str) -> bool:
    """snake_case, CONSTANT_CASE, camelCase, PascalCase, letters with digits."""
    if "_" in word.strip("_") or (word.startswith("_") and word.strip("_").isalpha()):
        return any(character.isalpha() for character in word)
    if _CAMEL.fullmatch(word):
        return not word.startswith(("Mc", "Mac"))
    return len(word) > 2 and bool(_MIXED.fullmatch(word))


def _is_called(text: str, word: str, tail: str, stop: int) -> bool:
    """`extract(`, `alter=True`; not `file(s)`."""
    if len(word) < 2 or not word[0].isalpha():
        return False
    if word in COMMIT_TYPES and text[stop - len(word) - 1 : stop - len(word)] in ("", "\n"):
        return False
    return word.islower() if tail == "=" else not text.startswith(("(s)", "(es)", "(ies)"), stop)


def _looks_dotted(word: str, tail: str) -> bool:
    """`db.table`, not `e.g`, `p.m`, `3.5`, nor `done.Then`."""
    parts = JOINT.split(word)
    if not all(parts) or not (parts[0][0].isalpha() or parts[0][0] == "_"):
        return False
    if tail or "::" in word or "->" in word:
        return True
    if all(len(part) == 1 for part in parts) or (len(parts) == 2 and len(parts[0] + parts[1]) <= 3):
        return False
    return not any(part.lower() in SENTENCE_WORDS for part in parts[1:])


def _pinned(match: re.Match[str], begin: int, stop: int) -> Iterator[Entity]:
    if match["scoped"]:
        name, _, number = match["scoped"][1:].partition("@")
        yield from package("@" + name, begin, stop)
        if number:
            yield Entity("version", number.lstrip("~^v"), stop - len(number), stop)
        return
    yield from package(match["pinned_name"], *match.span("pinned_name"))
    number = match["pinned_version"].rstrip(".,;")
    yield Entity("version", number.lower(), match.start("pinned_version"), match.start("pinned_version") + len(number))


def _handle(text: str, handle: str, begin: int, stop: int) -> Iterator[Entity]:
    """`@name` is somebody, `@pytest.fixture`, `@cache(` and a line of its own are decorators."""
    name = handle[1:].rstrip("(.")
    alone = text[begin - 1 : begin] in ("", "\n", " ") and text[stop : stop + 1] == "\n"
    line = text.rfind("\n", max(0, begin - 40), begin) + 1
    if "." in name or handle.endswith("(") or (alone and not text[line:begin].strip()):
        yield from identifier(name, begin, stop)
    else:
        yield Entity("person", name.lower(), begin, stop)


def _flag(flag: str, begin: int, stop: int) -> Iterator[Entity]:
    """`--long-option` also is the identifier `longoption`: a parameter of that name often stands behind it."""
    if not flag.startswith("--"):
        yield Entity("flag", flag, begin, stop)
        return
    name = flag.rstrip("-_").lower().replace("_", "-")
    yield Entity("flag", name, begin, stop)
    if len(name) > 3:
        yield Entity("identifier", squeeze(name.strip("-").replace("-", "_")), begin, stop)


def _url(url: str, begin: int) -> Iterator[Entity]:
    url = url.rstrip(".,;:!?)*_'\"")
    _, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    name = host.lower().removeprefix("www.") + slash + path
    yield Entity("url", name.rstrip("/"), begin, begin + len(url))


def _path(path: str, begin: int, stop: int) -> Iterator[Entity]:
    """The path without `./`, and its last part; nothing for `and/or`, `24/7`, `1/2`."""
    trimmed = path.rstrip(".,;:!?")
    stop = begin + len(trimmed)
    name = trimmed.replace("\\", "/").lower()
    while name.startswith("./"):
        name = name[2:]
    name = name.replace("//", "/")
    parts = [part for part in name.split("/") if part not in ("", ".", "..", "~")]
    if not parts or not any(character.isalpha() for character in name):
        return
    last = parts[-1]
    rooted = name.startswith(("/", "~/", "../")) or path.startswith("./") or trimmed[1:2] == ":"
    filed = "." in last.strip(".") and (last.rpartition(".")[2] in FILE_EXTENSIONS or len(parts) > 2)
    coded = parts[0] in FOLDERS or parts[0].startswith(".") or (len(parts) > 3 and path == path.lower())
    if parts[0].rpartition(".")[2] in TOP_DOMAINS and "." in parts[0] and not rooted:
        yield Entity("url", name.rstrip("/"), begin, stop)
    elif rooted or filed or coded or last in BARE_FILES:
        yield Entity("path", name.rstrip("/"), begin, stop)
        if len(parts) > 1 and len(last) > 2 and (filed or coded):
            yield Entity("path", last, begin, stop)
    else:  # alternatives: `not_null/default`, `TCP/IP`
        position = begin
        for piece in re.split(r"[\\/]", trimmed):
            if _looks_coded(piece):
                yield from identifier(piece, position, position + len(piece))
            position += len(piece) + 1
