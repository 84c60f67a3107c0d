"""What hooks put into a session, wrapped so that it is known again, and how it is taken out of what was said."""

from __future__ import annotations

import re
from collections.abc import Callable

from memd.agents import fence

TAG = "memd-context"

_WRAPPED = re.compile(rf"<{TAG}>.*?(?:</{TAG}>|\Z)", re.DOTALL)
_FENCED = re.compile(r"^(?P<fence>`{3,})memory\n.*?(?:^(?P=fence)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_CLOSING = re.compile(rf"</(?={TAG})", re.IGNORECASE)
_SPACE = re.compile(r"\W+")


def wrapped(text: str) -> str:
    """The text between marks that nothing in it can end."""
    inner = _CLOSING.sub("&lt;/", text)
    return f"<{TAG}>\n{inner}\n</{TAG}>"


def without_injected(text: str) -> str:
    """What was said, less whatever memd put in: hooks' blocks, and quoted memories as the MCP server shows them."""
    if f"<{TAG}>" in text:
        text = _WRAPPED.sub("", text)
    if "`memory\n" in text:
        text = _FENCED.sub("", text)
    return text.replace(fence.NOTICE, "")


def between_tags(opening: re.Pattern[str], text: str, instead: Callable[[int], str]) -> str:
    """The text with something else where tags and what is between them stand. O(len(text)), many tags of no end aside.

    Args:
        opening: an opening tag; its group 1 is the tag's name.
        text: any.
        instead: what takes the place of so many characters.
    """
    parts, end = [], 0
    open_for_good: set[str] = set()  # each name is looked for once where nothing closes it any more
    for tag in opening.finditer(text):
        name = tag[1]
        if tag.start() < end or name in open_for_good:
            continue
        closing = text.find(f"</{name}>", tag.end())
        if closing < 0:
            open_for_good.add(name)
            continue
        stop = closing + len(name) + 3
        parts += [text[end : tag.start()], instead(stop - tag.start())]
        end = stop
    return "".join((*parts, text[end:]))


def flat(text: str) -> str:
    """Words in lower case with single blanks, to tell whether two texts say the same."""
    return _SPACE.sub(" ", text).strip().casefold()


def repeats(text: str, injected: list[str]) -> bool:
    """Whether a text says nothing but what one of these (as `flat` gives them) says."""
    words = flat(text)
    return bool(words) and any(words in known for known in injected)
