"""The noun: a thing that a text names."""

from typing import Literal, NamedTuple

EntityKind = Literal["identifier", "path", "error", "package", "version", "url", "ticket", "flag", "commit", "person"]


class Entity(NamedTuple):
    """A thing named by `text[begin:stop]`; `name` is the form that all its spellings share."""

    kind: EntityKind
    name: str
    begin: int
    stop: int
