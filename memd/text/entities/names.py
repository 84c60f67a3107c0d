"""How a name is written down so that all its spellings meet, and which shorter names it goes by."""

import re
from collections.abc import Iterator

from memd.text.entities.entity import Entity

JOINT = re.compile(r"\.|::|->")
_ERROR_NAME = re.compile(r"[A-Z]\w+(?:Error|Exception|Warning|Panic|Fault|Interrupt|Iteration|Failure|Violation|Exit)")


def squeeze(identifier: str) -> str:
    """The form in which an identifier's spellings meet: no case and no underscores, but `__init__` as it is."""
    if identifier.startswith("__") and identifier.endswith("__"):
        return identifier.lower()
    return identifier.replace("_", "").lower()


def identifier(name: str, begin: int, stop: int) -> Iterator[Entity]:
    """The name, its last part, its first part where that is a class; an error where it ends like one."""
    parts = [part for part in JOINT.split(name) if part]
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


def package(name: str, begin: int, stop: int) -> Iterator[Entity]:
    name = name.lower().rstrip(".").replace("_", "-")
    yield Entity("package", name, begin, stop)
    if not name.startswith("@"):
        yield Entity("identifier", squeeze(name.replace("-", "_")), begin, stop)
