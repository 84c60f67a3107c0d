"""Names that their neighbours give away: between backticks, after an installer, in an error's message."""

import re
from collections.abc import Iterator

from memd.text.entities.entity import Entity
from memd.text.entities.names import identifier, package
from memd.text.entities.vocabulary import INSTALLERS, STARTERS
from memd.text.words import STOP_WORDS

LONGEST_COMMAND = 4  # words between backticks; more are prose or a query

_RUN = re.compile(r"\S+")
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
_BUMP = re.compile(
    r"\b(?:bump|upgrade|update|downgrade|pin)(?:s|ed|d)? (?P<name>[\w@/.-]{2,80}) (?:from|to) v?\d", re.I
)
# What an error message names: "no attribute 'rows'", "no such table: notes".
_BLAMED = re.compile(
    r"\b(?:named?|module|attribute|argument|column|table|function|key|option|package|method|field|variable|property|class"
    r"|symbol|import|type)[ :]{1,2}['\"‘](?P<quoted>[A-Za-z_][\w.]{1,80})['\"’]"
    r"|\bno such (?:table|column|function|module|index): (?P<missing>[A-Za-z_][\w.]{1,80})",
    re.I,
)
# Names that the full-text index cuts down to a letter.
_LANGUAGE = re.compile(r"(?<![\w.])(?:C\+\+(?:\d\d)?|C#|F#|\.NET)(?!\w)")
_NOT_PRODUCTS = STARTERS | {"than", "takes", "took", "rev"}


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
        yield from identifier(word, begin, stop)
    elif _KEBAB.fullmatch(word):
        yield from package(word, begin, stop)


def phrases(text: str) -> Iterator[Entity]:
    """Names that need their neighbours: `HTTP 404`, `pip install name`, `import name`, `name 4.2`."""
    yield from _failures(text)
    yield from _imports(text)
    yield from _packages(text)
    for match in _LANGUAGE.finditer(text) if "#" in text or "+" in text or ".NET" in text else ():
        yield Entity("identifier", match[0].lower(), *match.span())


def _failures(text: str) -> Iterator[Entity]:
    """What error messages and stack frames say went wrong, and where."""
    for match in _STATUS.finditer(text):
        for label, number in match.groupdict().items():
            if number:
                yield Entity("error", f"{label} {int(number)}", match.start(), match.end())
    for match in _FRAME.finditer(text):
        yield from identifier(match[1], *match.span(1))
    for match in _BLAMED.finditer(text) if "'" in text or '"' in text or "‘" in text or "such" in text else ():
        group = "quoted" if match["quoted"] else "missing"
        yield from identifier(match[group].rstrip("."), *match.span(group))


def _imports(text: str) -> Iterator[Entity]:
    for match in _IMPORT.finditer(text):
        for group in (1, 2):
            if match[group]:
                yield from identifier(match[group].strip("."), *match.span(group))


def _packages(text: str) -> Iterator[Entity]:
    """What is installed, upgraded, or named with its version."""
    for match in _INSTALL.finditer(text):
        yield from _installed(text, *match.span("names"))
    if "." not in text:
        return
    for match in _BUMP.finditer(text):
        yield from package(match["name"], *match.span("name"))
    for match in _PRODUCT.finditer(text):
        product = match["product"].lower()
        number = Entity("version", match["number"], *match.span("number"))
        if product in ("version", "release", "released", "releases"):
            yield number
        elif product in _NOT_PRODUCTS or product.endswith(("ed", "ing")):
            continue
        elif not match["product"].islower() or "-" in product or number.name.count(".") > 1:
            yield from package(product, *match.span("product"))
            yield number


def _installed(text: str, begin: int, stop: int) -> Iterator[Entity]:
    """The arguments of an installer, up to the next command or word of the sentence."""
    for word in _RUN.finditer(text, begin, stop):
        name = _PACKAGE.match(text, word.start(), word.end())
        if name is None or name["name"].lower() in STOP_WORDS or name["name"] in INSTALLERS:
            if word[0].startswith("-"):
                continue
            return
        if "/" not in word[0] or name["name"].startswith("@"):
            yield from package(name["name"], *name.span("name"))
