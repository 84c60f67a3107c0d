"""Names that code, shells, logs and package managers write: recognised by their shape.

No pattern here has an unbounded repetition that can fail after it has matched, so each takes time
linear in the text, whatever the text.
"""

import re
from collections.abc import Iterator

from memd.text.entities.entity import Entity
from memd.text.entities.vocabulary import (
    BARE_FILES,
    ERRNO,
    FILE_EXTENSIONS,
    FOLDERS,
    INSTALLERS,
    NOT_FILES,
    SENTENCE_WORDS,
    STARTERS,
    TOP_DOMAINS,
)
from memd.text.words import STOP_WORDS

LONGEST_COMMAND = 4  # words between backticks; more are prose or a query
LONGEST_BLOB = 1000  # characters without a blank; a longer run is data (base64, minified code)

_RUN = re.compile(r"\S+")
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
_JOINT = re.compile(r"\.|::|->")
_CAMEL = re.compile(r"_?[a-z]+[a-z0-9]*[A-Z]\w*|[A-Z]+[a-z0-9]+[A-Z]\w*")
_ERROR_NAME = re.compile(r"[A-Z]\w+(?:Error|Exception|Warning|Panic|Fault|Interrupt|Iteration|Failure|Violation|Exit)")
_ERROR_CODE = re.compile(
    r"[EWFCBDNSRX]\d{3,5}|(?:TS|CS|LNK|MSB|RUF|PLR|PLW|SIM|KB|PGRST)\d{3,7}"
    r"|(?:ERR|ERROR|SQLITE|CURLE|STATUS|CUDA_ERROR|ORT)_[A-Z][A-Z0-9_]*|0x[89][0-9A-Fa-f]{7}"
)
_MIXED = re.compile(r"(?!v\d)[A-Za-z]+\d\w*")
_VERSION = re.compile(r"v?\d{1,5}(?:\.\d{1,6}){0,3}")

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_KEBAB = re.compile(r"[A-Za-z][\w-]*")
_BACKTICKED = re.compile(r"`([^`\n]{1,160})`")
_STATUS = re.compile(
    r"\b(?:(?:https?(?:/\d(?:\.\d)?)?(?: (?:status|error|code|response))?(?: code)?|status(?: code)?)[ :=]{1,3}"
    r"(?P<http>[1-5]\d\d)"
    r"|exit(?:ed)?(?: with)?(?: (?:code|status))?(?: of)?[ :=]{1,3}(?P<exit>\d{1,3})"
    r"|errno[ :=]{1,3}(?P<errno>\d{1,3})"
    r"|error(?: code)?[ :=]{1,3}(?P<error>\d{2,6}))\b",
    re.I,
)
_INSTALL = re.compile(
    rf"\b(?:{'|'.join(sorted(INSTALLERS, key=len, reverse=True))})(?: tool| pip)?(?: -\w{{1,20}})?"
    r" (?:install|add|i|get|upgrade|uninstall|remove)(?P<names>(?: {1,2}[\w@./\[\],=<>~^!'\"-]{1,80}){1,6})"
)
_PACKAGE = re.compile(r"['\"]?(?P<name>(?:@[a-z0-9-]{1,40}/)?[A-Za-z][\w.-]{0,60})(?![\w/\\])")
_IMPORT = re.compile(r"^[ \t]{0,16}(?:from[ \t]([\w.]{1,100})[ \t])?import[ \t]([\w.]{1,100})", re.M)
_PRODUCT = re.compile(r"\b(?P<product>[A-Za-z][\w+-]{1,40}) v?(?P<number>\d{1,4}(?:\.\d{1,5}){1,3})(?![\w%]|\.\d)")
_FRAME = re.compile(r", line \d{1,7}, in ([A-Za-z_]\w{0,100})")
_NOT_PRODUCTS = STARTERS | {"than", "takes", "took", "is", "was", "release", "released", "releases", "python's", "rev"}


def squeeze(identifier: str) -> str:
    """The form in which an identifier's spellings meet: no case and no underscores, but `__init__` as it is."""
    if identifier.startswith("__") and identifier.endswith("__"):
        return identifier.lower()
    return identifier.replace("_", "").lower()


def backticked(text: str) -> Iterator[Entity]:
    """Words between backticks, which may be plain words elsewhere: `` `table` ``, `` `tool show --all` ``."""
    if "`" not in text:
        return
    for match in _BACKTICKED.finditer(text):
        words = list(_RUN.finditer(text, *match.span(1)))
        if len(words) <= LONGEST_COMMAND:
            for place, word in enumerate(words):
                if place or len(words) == 1 or "-" not in word[0]:  # the program that a command calls names little
                    yield from _quoted(word[0], word.start(), word.end(), alone=len(words) == 1)


def _quoted(word: str, begin: int, stop: int, alone: bool) -> Iterator[Entity]:
    word = word.rstrip(":;,").removesuffix("=").replace("...", "").removesuffix("()").removesuffix("(")
    if not alone and (len(word) < 3 or word.lower() in STOP_WORDS):
        return
    if _IDENTIFIER.fullmatch(word):
        yield from _identifier(word, begin, stop)
    elif _KEBAB.fullmatch(word):
        yield from _package(word, begin, stop)


def phrases(text: str) -> Iterator[Entity]:
    """Names that need their neighbours: `HTTP 404`, `pip install name`, `import name`, `name 4.2`."""
    for match in _STATUS.finditer(text):
        for label, number in match.groupdict().items():
            if number:
                yield Entity("error", f"{label} {int(number)}", match.start(), match.end())
    for match in _INSTALL.finditer(text):
        yield from _installed(text, *match.span("names"))
    for match in _IMPORT.finditer(text):
        for group in (1, 2):
            if match[group]:
                yield from _identifier(match[group].strip("."), *match.span(group))
    for match in _FRAME.finditer(text):
        yield from _identifier(match[1], *match.span(1))
    for match in _PRODUCT.finditer(text):
        product, number = match["product"], match["number"]
        if product.lower() in _NOT_PRODUCTS:
            if product.lower() in ("version", "release", "released", "releases"):
                yield Entity("version", number, *match.span("number"))
        elif product.lower().endswith(("ed", "ing")):
            continue
        elif not product.islower() or "-" in product or number.count(".") > 1:
            yield from _package(product, *match.span("product"))
            yield Entity("version", number, *match.span("number"))


def _installed(text: str, begin: int, stop: int) -> Iterator[Entity]:
    """The arguments of an installer, up to the next command or word of the sentence."""
    for word in _RUN.finditer(text, begin, stop):
        name = _PACKAGE.match(text, word.start(), word.end())
        if name is None or name["name"].lower() in STOP_WORDS or name["name"] in INSTALLERS:
            if word[0].startswith("-"):
                continue
            return
        if "/" not in word[0] or name["name"].startswith("@"):
            yield from _package(name["name"], *name.span("name"))


def shapes(text: str) -> Iterator[Entity]:
    """Names that can be told by their characters alone."""
    for run in _RUN.finditer(text):
        if _CALM.fullmatch(run[0]):
            if run[0].islower() or not (_has_hump(run[0]) or run[0].strip("\"'([)].,;:!?").lower() in BARE_FILES):
                continue
        elif run.end() - run.start() > LONGEST_BLOB:
            continue
        for match in _SHAPE.finditer(text, run.start(), run.end()):
            yield from _shape(text, match)


def _has_hump(word: str) -> bool:
    """Whether a capital follows a small letter, or all are capitals (an error's name, say)."""
    return any(character.isupper() for character in word.lstrip("\"'([")[1:])


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
        yield Entity("version", match[0].lower().removeprefix("v"), begin, stop)
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
        position = begin
        for piece in word.split("-"):
            if piece and _looks_coded(piece):
                yield from _identifier(piece, position, position + len(piece))
            position += len(piece) + 1
    elif _JOINT.search(word.lstrip(".")):
        if _looks_dotted(word.lstrip("."), tail):
            yield from _identifier(word.lstrip("."), begin, stop)
    elif word in ERRNO or _ERROR_CODE.fullmatch(word):
        yield Entity("error", lower, begin, stop)
    elif _looks_coded(word) or (tail and _is_called(text, word, tail, stop)):
        yield from _identifier(word, begin, stop)


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
    return word.islower() if tail == "=" else not text.startswith(("(s)", "(es)", "(ies)"), stop)


def _looks_dotted(word: str, tail: str) -> bool:
    """`db.table`, not `e.g`, `p.m`, `3.5`, nor `done.Then`."""
    parts = _JOINT.split(word)
    if not all(parts) or not (parts[0][0].isalpha() or parts[0][0] == "_"):
        return False
    if tail or "::" in word or "->" in word:
        return True
    if all(len(part) == 1 for part in parts) or (len(parts) == 2 and len(parts[0] + parts[1]) <= 3):
        return False
    return not any(part.lower() in SENTENCE_WORDS for part in parts[1:])


def _identifier(name: str, begin: int, stop: int) -> Iterator[Entity]:
    """The name, its last part, its first part where that is a class; an error where it ends like one."""
    parts = [part for part in _JOINT.split(name) if part]
    while len(parts) > 1 and parts[0] in ("self", "cls", "this", "super"):
        parts = parts[1:]
    if not parts:
        return
    if len(parts) > 1:
        yield Entity("identifier", ".".join(map(squeeze, parts)), begin, stop)
        if parts[0][0].isupper() and not parts[0].isupper():
            yield Entity("identifier", squeeze(parts[0]), begin, stop)
    last = parts[-1]
    if _ERROR_NAME.fullmatch(last):
        yield Entity("error", squeeze(last), begin, stop)
    elif len(last) > 1 and not last.isdigit():
        yield Entity("identifier", squeeze(last), begin, stop)


def _package(name: str, begin: int, stop: int) -> Iterator[Entity]:
    name = name.lower().rstrip(".").replace("_", "-")
    yield Entity("package", name, begin, stop)
    if not name.startswith("@"):
        yield Entity("identifier", squeeze(name.replace("-", "_")), begin, stop)


def _pinned(match: re.Match[str], begin: int, stop: int) -> Iterator[Entity]:
    if match["scoped"]:
        name, _, number = match["scoped"][1:].partition("@")
        yield from _package("@" + name, begin, stop)
        if number:
            yield Entity("version", number.lstrip("~^v"), stop - len(number), stop)
        return
    yield from _package(match["pinned_name"], *match.span("pinned_name"))
    number = match["pinned_version"].rstrip(".,;")
    yield Entity("version", number.lower(), match.start("pinned_version"), match.start("pinned_version") + len(number))


def _handle(text: str, handle: str, begin: int, stop: int) -> Iterator[Entity]:
    """`@name` is somebody, `@pytest.fixture`, `@cache(` and a line of its own are decorators."""
    name = handle[1:].rstrip("(.")
    alone = text[begin - 1 : begin] in ("", "\n", " ") and text[stop : stop + 1] == "\n"
    line = text.rfind("\n", max(0, begin - 40), begin) + 1
    if "." in name or handle.endswith("(") or (alone and not text[line:begin].strip()):
        yield from _identifier(name, begin, stop)
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
                yield from _identifier(piece, position, position + len(piece))
            position += len(piece) + 1
