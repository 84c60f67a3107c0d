"""Memories in any number: made from word lists with the statistics of real notes, or read from a file.

Common words follow Zipf's law, and a share of rare ones (identifiers, paths, tickets, versions) keeps growing with the
text as Heaps' law wants it, so that an index over them grows and a query's words select as they do in real stores.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import accumulate, islice
from pathlib import Path
from string import Formatter

from memd.bench.latency import vocabulary
from memd.errors import BadInput
from memd.model import NewMemory
from memd.text.words import STOP_WORDS, terms

EPISODE = 20  # memories that belong together: a session's worth
SPAN = timedelta(days=730)  # over which the memories happened
_FLATTENED = 10.0  # Mandelbrot's shift of Zipf's law: the commonest noun is in one memory of eight


def made(count: int, seed: int) -> Iterator[str]:
    """`count` distinct texts of one to three sentences; the same seed makes the same ones."""
    maker = _Maker(random.Random(seed))
    seen: set[int] = set()
    while len(seen) < count:
        text = maker.text()
        if (mark := hash_of(text)) not in seen:
            seen.add(mark)
            yield text


def read(path: Path, count: int | None) -> Iterator[str]:
    """The distinct lines of a file that say something, `count` of them at most.

    Raises:
        BadInput: the file can't be read as UTF-8.
    """
    try:
        with path.open(encoding="utf-8") as file:
            seen: set[int] = set()
            yield from islice(_distinct(file, seen), count)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}.", "Give --corpus a file of lines.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text.", "Give --corpus a file of lines.") from error


def _distinct(lines: Iterable[str], seen: set[int]) -> Iterator[str]:
    for line in lines:
        text = line.strip()
        if text and "\0" not in text and (mark := hash_of(text)) not in seen:
            seen.add(mark)
            yield text


def hash_of(text: str) -> int:
    """A number for a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def memory(text: str, place: int, count: int, until: datetime) -> NewMemory:
    """The text as memory number `place` of `count`: episodes in a row, times over `SPAN` until `until`."""
    return NewMemory(
        text,
        scope="global",
        event_at=until - SPAN * (1 - place / count),
        episode=f"episode {place // EPISODE}",
        position=place % EPISODE,
    )


def question(text: str, drawn: random.Random) -> str:
    """Something to ask that `text` helps with: a few of its words, as people ask."""
    words = [word for word in terms(text) if word not in STOP_WORDS and len(word) > 2] or terms(text)[:1] or ["it"]
    places = sorted(drawn.sample(range(len(words)), min(len(words), drawn.randint(2, 5))))
    return drawn.choice(vocabulary.QUESTIONS).format(words=" ".join(words[place] for place in places))


class _Zipf:
    """Draws words with probability falling as 1/(rank + `_FLATTENED`)."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self._words = words
        self._sums = list(accumulate(1 / (rank + _FLATTENED) for rank in range(1, len(words) + 1)))

    def draw(self, drawn: random.Random) -> str:
        return self._words[bisect(self._sums, drawn.random() * self._sums[-1])]


class _Maker:
    """Puts words into sentences."""

    def __init__(self, drawn: random.Random) -> None:
        self._drawn = drawn
        self._noun, self._verb, self._adjective = (
            _Zipf(words) for words in (vocabulary.NOUNS, vocabulary.VERBS, vocabulary.ADJECTIVES)
        )
        self._sentences = [
            [(before, field) for before, field, _, _ in Formatter().parse(sentence)]
            for sentence in vocabulary.SENTENCES
        ]

    def text(self) -> str:
        return ". ".join(self._sentence() for _ in range(self._drawn.choice((1, 1, 2, 2, 3))))

    def _sentence(self) -> str:
        parts = self._drawn.choice(self._sentences)
        return "".join(before + (self._word(field) if field else "") for before, field in parts)

    def _word(self, kind: str) -> str:
        drawn = self._drawn
        match kind:
            case "noun":
                return self._noun.draw(drawn)
            case "verb":
                return self._verb.draw(drawn)
            case "adjective":
                return self._adjective.draw(drawn)
            case "verb_bare":
                return self._verb.draw(drawn).removesuffix("s")
            case "identifier":
                return drawn.choice((self._snake, self._camel))()
            case "name":
                return self._coined(2).capitalize()
            case "path":
                return f"{self._noun.draw(drawn)}/{self._snake()}.{drawn.choice(vocabulary.SUFFIXES)}"
            case "flag":
                return f"--{self._noun.draw(drawn)}-{self._noun.draw(drawn)}"
            case "variable":
                return self._snake().upper()
            case "command":
                return f"{drawn.choice(vocabulary.COMMANDS)} {self._noun.draw(drawn)}"
            case "error":
                return f"{drawn.choice(vocabulary.ERRORS)} {hex(drawn.randrange(1 << 16))}"
            case "ticket":
                return f"{self._coined(1).upper()}-{drawn.randrange(1, 9999)}"
            case "version":
                return f"{drawn.randrange(9)}.{drawn.randrange(30)}.{drawn.randrange(12)}"
            case _:
                return str(drawn.randrange(2, 5000))

    def _snake(self) -> str:
        return f"{self._noun.draw(self._drawn)}_{self._coined(2)}"

    def _camel(self) -> str:
        return f"{self._noun.draw(self._drawn).capitalize()}{self._coined(2).capitalize()}"

    def _coined(self, syllables: int) -> str:
        return "".join(self._drawn.choice(vocabulary.SYLLABLES) for _ in range(syllables))
