"""The file of MCP's reference memory server (`@modelcontextprotocol/server-memory`): a graph of entities, what was
observed of them, and how they relate.

A line of `memory.jsonl` (until 2025 `memory.json`, in the same form) is an object with `type` `entity` (`name`,
`entityType`, `observations`) or `relation` (`from`, `to`, `relationType`). What `read_graph` answers, one object with
the lists `entities` and `relations`, is read too. As of modelcontextprotocol/servers at 0103dfb
(`src/memory/index.ts`); tried with what version 2026.8.31 writes.

Each observation is a memory that names its entity, each relation one as a sentence; the graph keeps no times.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memd.exchange.foreign import files
from memd.exchange.foreign.faults import Refuse, bad, not_of, shown
from memd.exchange.foreign.shaping import digest, grouped, key, kind_of, name, tags, text
from memd.exchange.records import Origin, Record
from memd.model import Source
from memd.store.conflicts import RELATION

TOOL = "mcp-memory"
_NAME = "MCP's memory server"
_FILES = ("memory.jsonl", "memory.json")
_LOOK = 20  # lines, for one that tells what the file is


def fits(path: Path) -> bool:
    """Whether the file, or one in the folder, is a graph of the memory server."""
    file = files.given(path, *_FILES)
    if file is None:
        return False
    start = files.begins(file)
    return _is_whole(start) or any(_says_type(line) for line in start.splitlines()[:_LOOK])


def origin(path: Path) -> Origin:
    """The file. Raises BadInput where it is none of the memory server's."""
    file = files.given(path, *_FILES)
    if file is None or not (fits(path) or not files.begins(file).strip()):
        raise not_of(path, _NAME, f"it has no {_FILES[0]}, or that has no entities or relations")
    return Origin(f"{TOOL}:{shown(file.absolute())}", _NAME, files.digest([file]))


def read(path: Path, refuse: Refuse) -> Iterator[Record]:
    """Its observations and relations. Keeps names and keys in memory, not texts."""
    file = files.given(path, *_FILES)
    if file is None:
        raise not_of(path, _NAME, f"it has no {_FILES[0]}")
    graph = _Graph(file, refuse)
    for line, item in _items(file, refuse):
        match item.get("type"):
            case "entity":
                yield from graph.entity(line, item)
            case "relation":
                yield from graph.relation(line, item)
            case other:
                refuse(bad(f"It is of a type that memd doesn't know: {name(other)[:40]!r}.", line))


class _Graph:
    """The graph as far as it was read."""

    def __init__(self, file: Path, refuse: Refuse) -> None:
        self._path = shown(file.absolute())
        self._refuse = refuse
        self._types: dict[str, str] = {}
        self._given: set[str] = set()

    def entity(self, line: int, item: dict[str, Any]) -> Iterator[Record]:
        """What was observed of an entity; of one without observations, that it is."""
        entity, type_, observed = name(item.get("name")), name(item.get("entityType")), item.get("observations")
        if not entity or not isinstance(observed, list) or not all(isinstance(one, str) for one in observed):
            self._refuse(bad("An entity needs a name, a type, and a list of observations that are texts.", line))
            return
        self._types[entity] = type_
        titled = f"{entity} ({type_})" if type_ else entity
        for one in observed:
            if words := text(one).strip():
                yield from self._record(key(entity, digest(words)), f"{titled}: {words}", entity, line)
        if not any(text(one).strip() for one in observed):
            yield from self._record(key(entity), titled, entity, line)

    def relation(self, line: int, item: dict[str, Any]) -> Iterator[Record]:
        """A relation as a sentence, in the episode of the entity that it begins at."""
        one, how, other = (name(item.get(part)) for part in ("from", "relationType", "to"))
        if not (one and how and other):
            self._refuse(bad("A relation needs a from, a to and a relationType.", line))
            return
        known = key("relation", digest(f"{one}\n{how}\n{other}"))
        yield from self._record(known, f"{one} {how} {other}", one, line, relation=True)

    def _record(self, known: str, words: str, entity: str, line: int, *, relation: bool = False) -> Iterator[Record]:
        if known in self._given:
            return
        self._given.add(known)
        type_ = self._types.get(entity, "")
        yield Record(
            key=known,
            text=words,
            kind="fact" if relation else kind_of(type_, "fact"),
            tags=tags(type_, RELATION if relation else ""),
            source=Source(path=self._path),
            episode=grouped(TOOL, entity),
            line=line,
        )


def _items(file: Path, refuse: Refuse) -> Iterator[tuple[int, dict[str, Any]]]:
    if _is_whole(files.begins(file)):
        for member in files.members(file):
            type_ = {"entities": "entity", "relations": "relation"}.get(member.key)
            if type_ and member.number >= 0 and isinstance(member.value, dict):
                yield member.line, {**member.value, "type": type_}
            elif type_:
                refuse(bad(f"{member.key} must be a list of objects.", member.line))
        return
    for number, line in files.lines(file):
        if (item := files.parse(number, line, refuse)) is not None:
            yield number, item


def _is_whole(start: str) -> bool:
    """Whether it is one object with lists, not an object a line."""
    first = "".join(start.split())[:12]
    return first.startswith(('{"entities"', '{"relations'))


def _says_type(line: str) -> bool:
    plain = "".join(line.split())
    return '"type":"entity"' in plain or '"type":"relation"' in plain
