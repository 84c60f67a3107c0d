"""Proper names: who spoke, and capitalised words that no sentence start explains."""

import re
from collections.abc import Iterator

from memd.text.entities.entity import Entity
from memd.text.entities.vocabulary import BARE_FILES, CALENDAR_WORDS, STARTERS

_NOBODY = STARTERS | CALENDAR_WORDS | BARE_FILES
LONGEST_NAME = 4  # words; a longer run of capitals is a title

_WORD = r"(?:(?:Mc|Mac|O['’]|D['’]|De|Le|Van)?[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]{1,30}(?:['’-][^\W\d_]{1,30}){0,3})"
_NAME = rf"(?:{_WORD}|[A-ZÀ-ÖØ-Þ]\.)"
_SPEAKER = re.compile(
    rf"^[ \t]{{0,8}}(?:[-*>] )?(?:\[[^\]\n]{{1,40}}\] ?)?\*{{0,2}}(?P<name>{_NAME}(?: {_NAME}){{0,2}})"
    r"(?: \([^)\n]{1,40}\))?\*{0,2}:(?=\s|\*)",
    re.M,
)
# A capitalised word with what stands around it: the blank or bracket before, the mark after.
_CAPITALISED = re.compile(
    r"(?<![\w@#$/\\.:=<>~^|&%+*'’`{}-])"
    rf"(?P<word>{_WORD})(?![\w(/\\@=`-]|[.:][\w:/]|[ ]v?\d{{1,4}}\.\d)"
)
_OPENERS = " \t\"'“‘([*_>-–—•"
_ENDERS = ".!?…:;\n\r"
_POSSESSIVE = ("'s", "’s")
_TITLES = ("Dr.", "Mr.", "Ms.", "St.", "Mrs.", "Prof.")


def proper_names(text: str) -> Iterator[Entity]:
    """Speakers (`Name: …` at the start of a line) and proper names, lower-case; each word of a longer one too."""
    for match in _SPEAKER.finditer(text):
        words = match["name"].lower().rstrip(".").split()
        if _NOBODY.isdisjoint(words):
            yield from _person(words, *match.span("name"))
    accepted: set[str] = set()
    doubtful: list[tuple[str, int, int]] = []
    for words, begin, stop, starts in _runs(text):
        if starts and len(words) == 1:
            doubtful.append((words[0], begin, stop))
        else:
            accepted.update(words)
            yield from _person(words, begin, stop)
    # A sentence may start with a name that another sentence shows to be one.
    for word, begin, stop in doubtful:
        if word in accepted or text[begin:stop].endswith(_POSSESSIVE):
            yield from _person([word], begin, stop)


def _person(words: list[str], begin: int, stop: int) -> Iterator[Entity]:
    yield Entity("person", " ".join(words), begin, stop)
    if len(words) > 1:
        for word in words:
            if len(word) > 2:
                yield Entity("person", word, begin, stop)


def _runs(text: str) -> Iterator[tuple[list[str], int, int, bool]]:
    """Capitalised words in sequence: (lower-case words, begin, stop, whether a sentence starts there)."""
    words: list[str] = []
    begin = stop = 0
    starts = owner = False
    for match in _CAPITALISED.finditer(text):
        written = match["word"].lower().replace("’", "'")
        name = written.removesuffix("'s")
        follows = words and not owner and match.start() == stop + 1 and text[stop] == " "
        empty = written in _NOBODY or name in _NOBODY
        if name == "new" and not _starts_sentence(text, match.start()):
            empty = False  # New York
        if words and (empty or not follows):
            yield from _run(words, begin, stop, starts)
            words = []
        if empty:
            continue
        if not words:
            begin, starts = match.start(), _starts_sentence(text, match.start())
        if len(words) <= LONGEST_NAME:
            words.append(name)
        stop, owner = match.end(), name != written
    if words:
        yield from _run(words, begin, stop, starts)


def _run(words: list[str], begin: int, stop: int, starts: bool) -> Iterator[tuple[list[str], int, int, bool]]:
    if starts and len(words) > 1 and words[0].endswith(("ed", "ing", "ly")):
        return  # "Added Windows support": a verb at the head of a commit's subject
    if len(words) <= LONGEST_NAME:
        yield words, begin, stop, starts


def _starts_sentence(text: str, position: int) -> bool:
    """Whether only quotes, bullets and blanks stand between `position` and the end of the last sentence."""
    for back in range(position - 1, max(-1, position - 12), -1):
        character = text[back]
        if character in _ENDERS:
            return not text.endswith(_TITLES, 0, back + 1)
        if character not in _OPENERS:
            return character in "#|"
    return position < 12
