"""Words as the full-text index cuts them, and the ones a query can do without."""

import re
import unicodedata


def listed(words: str, by: str | None = None) -> frozenset[str]:
    """The set of the words in `words`, cut at blanks or at `by`: a list that a person can read and edit."""
    return frozenset(words.split(by))


# English function words, question words and what is left of contractions once the apostrophe has cut
# them ("don't" is indexed as "don" and "t"). They are dropped from queries alone; the index has them all.
STOP_WORDS = listed("""
    a about above after again against all also am an and any anybody anyone anything are aren as at
    be because been before being below between both but by
    can cannot could couldn d did didn do does doesn doing don done down during
    each either else ever every everybody everyone everything few for from further
    get gets getting go goes going gone got
    had hadn has hasn have haven having he her here hers herself him himself his how however
    i if im in into is isn it its itself ive just let lets ll m many may maybe me might mightn mine more most much
    must mustn my myself
    near needn neither no nobody nor not nothing now of off often on once one only onto or other others ought
    our ours ourselves out over own
    per perhaps please quite rather re really s same shall shan she should shouldn since so some somebody
    someone something sometimes still such
    t than that the their theirs them themselves then there these they thing things this those though through
    thus till to together too toward towards
    under unless until up upon us ve very via
    was wasn we were weren what whatever when whenever where wherever whether which whichever while who whoever
    whom whose why will with within without won would wouldn
    yes yet you your yours yourself yourselves
    """)

# FTS5's unicode61 cuts at everything but letters, numbers and private-use characters, and lets these
# combining diacritics continue a word (sqlite3Fts5UnicodeIsdiacritic in SQLite's ext/fts5/fts5_unicode2.c).
_DIACRITICS = "".join(chr(768 + bit) for bit in range(50) if (0x000361F8_08029FDF >> bit) & 1)
_PRIVATE = "\ue000-\uf8ff"
_WORD = re.compile(rf"[^\W_{_DIACRITICS}][^\W_]*(?:[{_DIACRITICS}{_PRIVATE}]+[^\W_]*)*|[{_PRIVATE}]+")


def _fold(word: str) -> str:
    """Lower-case, without the diacritics of Latin letters, as `unicode61 remove_diacritics 2` does."""
    if word.isascii():
        return word.lower()
    folded = []
    for character in map(_fold_case, word):
        if character in _DIACRITICS:
            continue
        base = unicodedata.normalize("NFD", character)
        folded.append(base[0] if base[0].isascii() else character)
    return "".join(folded)


def _fold_case(character: str) -> str:
    """Unicode's simple case folding: one character to one, so that the sharp s stays."""
    folded = character.casefold()
    return folded if len(folded) == 1 else character.lower()[:1]


def terms(text: str) -> list[str]:
    """The distinct words of `text` in order of first appearance, cut and folded as the index does.

    Stop words are kept: what to do with them is the caller's choice. What entered Unicode after SQLite's
    tables (6.1, so the newer emoji) is taken for a letter by the index and left out here. O(len(text)).
    """
    found: dict[str, None] = {}
    for match in _WORD.finditer(text):
        word = _fold(match[0])
        if word:
            found[word] = None
    return list(found)
