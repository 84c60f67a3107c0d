"""MemPalace: a palace (`~/.mempalace`), its knowledge graph, and its exports as JSON lines or Markdown.

As of MemPalace/mempalace at 1fd471e (`exporter.py`: Markdown trees and snapshots), 50dc7c2 and 3a54d26
(`cmd_export.py`, `importer.py`: JSON lines, `export-manifest.json` with format 1), 02ffc39
(`backends/sqlite_exact.py`) and 0539377 (`knowledge_graph.py`); ChromaDB as `chroma.py` says. Palaces in other backends
come over by their export.

Tried with what MemPalace 3.11.0 and ChromaDB 1.5.9 write.

A drawer is a memory, word for word, its wing and room are tags, the pieces of one file an episode. Closets, halls and
tunnels are indexes over the drawers and stay behind. A fact of the graph is a sentence with the time that it was true.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from memd.exchange.foreign import chroma, databases, files
from memd.exchange.foreign.databases import Database
from memd.exchange.foreign.faults import Refuse, bad, not_of, shown, unknown_form, unreadable
from memd.exchange.foreign.shaping import Roots, grouped, key, kind_of, moment, name, tags, text
from memd.exchange.records import Origin, Record
from memd.model import Source
from memd.store.conflicts import RELATION

TOOL = "mempalace"
_COLLECTION = "mempalace_drawers"
_PALACE = "palace"  # the folder within MemPalace's own, where the graph lies beside it
_EXACT = "sqlite_exact.sqlite3"
_GRAPH = "knowledge_graph.sqlite3"
_MANIFEST = "export-manifest.json"
_FORMAT = 1
_INDEX = "index.md"
_INDEXES = frozenset({_INDEX, "overview.md"})
_INDEXED = ("# Palace Export", "# Snapshot Index")
_TRIPLE = ("id", "subject", "predicate", "object", "valid_from", "valid_to", "extracted_at")

_HEADING = re.compile(r"## (\S.*)")
_FIELD = re.compile(r"\| (Source|Filed|Added by) \| (.*) \|")
_TABLE = "| Field | Value |"


class Drawer(NamedTuple):
    """A drawer, wherever it was read: where it stands in words, and its line where it has one."""

    id: str
    text: str
    metadata: Mapping[str, Any]
    place: str
    line: int = 0


class Parts(NamedTuple):
    """What there is to read: databases of drawers, the graph, files of an export."""

    palaces: tuple[Path, ...] = ()
    graph: Path | None = None
    exported: tuple[Path, ...] = ()

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.palaces, *((self.graph,) if self.graph else ()), *self.exported)


def fits(path: Path) -> bool:
    """Whether it is a palace, its folder, or an export of one."""
    if path.is_dir():
        index = path / _INDEX
        if (path / _MANIFEST).is_file() or files.begins(index).startswith(_INDEXED):
            return True
    parts = _parts(path)
    return bool(parts.graph) or any(databases.looks_like(file, _has_drawers) for file in parts.palaces)


def origin(path: Path) -> Origin:
    """The palace or export. Raises BadInput where it is none of MemPalace's."""
    if not fits(path):
        raise not_of(path, "MemPalace", f"it has no {chroma.FILE} with drawers, no {_EXACT}, no {_GRAPH}, no export")
    total = [databases.digest(file) for file in _parts(path).all]
    return Origin(f"{TOOL}:{shown(path.absolute())}", "MemPalace", total[0] if len(total) == 1 else _joined(total))


def read(path: Path, refuse: Refuse) -> Iterator[Record]:
    """Its drawers, then the facts of its graph. Keeps the wings' folders in memory, and one drawer."""
    parts = _parts(path)
    roots = Roots()
    for drawer in _drawers(parts, lambda trouble: None):
        roots.see(name(drawer.metadata.get("wing")), [text(drawer.metadata.get("source_file"))])
    for file in parts.all:
        for drawer in _drawers_of(file, refuse) if file != parts.graph else ():
            yield from _record(drawer, shown(file.absolute()), roots)
    if parts.graph:
        yield from _facts(parts.graph)


def _record(drawer: Drawer, file: str, roots: Roots) -> Iterator[Record]:
    words = text(drawer.text)
    if not words.strip():
        return
    about = drawer.metadata
    wing, room, origin_file = (name(about.get(part)) for part in ("wing", "room", "source_file"))
    piece = about.get("chunk_index")
    numbered = isinstance(piece, int) and not isinstance(piece, bool) and 0 <= piece < 1 << 53
    yield Record(
        key=key(drawer.id),
        text=words,
        kind=kind_of(room, "note"),
        tags=tags(wing, room),
        scope=roots.of(wing),
        source=Source(who=name(about.get("added_by")), path=origin_file if _is_path(origin_file) else file),
        recorded_at=moment(about.get("filed_at"), None),
        event_at=moment(about.get("authored_at"), None),
        episode=grouped(TOOL, origin_file),
        position=piece if origin_file and numbered else None,
        line=drawer.line,
    )


def _is_path(written: str) -> bool:
    return written.startswith("/")


def _drawers(parts: Parts, refuse: Refuse) -> Iterator[Drawer]:
    return chain.from_iterable(_drawers_of(file, refuse) for file in (*parts.palaces, *parts.exported))


def _drawers_of(file: Path, refuse: Refuse) -> Iterator[Drawer]:
    if file.suffix == ".jsonl":
        return _of_lines(file, refuse)
    if file.suffix == ".md":
        return _of_markdown(file, refuse)
    return _of_exact(file, refuse) if file.name == _EXACT else _of_chroma(file, refuse)


# --- palaces ------------------------------------------------------------------------------------------


def _has_drawers(database: Database) -> bool:
    if "documents" in database.tables:
        return "metadata_json" in database.columns("documents")
    return _COLLECTION in chroma.collections(database)


def _of_chroma(file: Path, refuse: Refuse) -> Iterator[Drawer]:
    with databases.snapshot(file) as database:
        if _COLLECTION not in chroma.collections(database):
            raise unknown_form(file, "MemPalace", f"it has no collection {_COLLECTION}")
        for document in chroma.documents(database, _COLLECTION):
            place = f"collection {_COLLECTION}, {document.id[:60]}"
            if document.text is None:
                refuse(bad(f"{place}: it has no text."))
            else:
                yield Drawer(document.id, document.text, document.metadata, place)


def _of_exact(file: Path, refuse: Refuse) -> Iterator[Drawer]:
    with databases.snapshot(file) as database:
        database.need("MemPalace", "documents", "id", "document", "metadata_json", "collection_id")
        database.need("MemPalace", "collections", "id", "name")
        rows = database.query(
            "table documents",
            "SELECT d.id, d.document, d.metadata_json FROM documents AS d JOIN collections AS c"
            " ON c.id = d.collection_id AND c.name = ? ORDER BY d.rowid",
            (_COLLECTION,),
        )
        for id, document, written in rows:
            place = f"table documents, {text(id)[:60]}"
            metadata = _object(written)
            if metadata is None or not isinstance(document, str):
                refuse(bad(f"{place}: its document is no text, or its metadata are no JSON object."))
            else:
                yield Drawer(text(id), document, metadata, place)


def _object(written: object) -> dict[str, Any] | None:
    try:
        value = json.loads(text(written))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _facts(file: Path) -> Iterator[Record]:
    path = shown(file.absolute())
    with databases.snapshot(file) as database:
        database.need("MemPalace", "triples", *_TRIPLE[:4])
        database.need("MemPalace", "entities", "id", "name")
        have = database.columns("triples")
        times = [f"t.{column}" if column in have else "NULL" for column in _TRIPLE[4:]]
        rows = database.query(
            "table triples",
            f"SELECT t.id, coalesce(s.name, t.subject), t.predicate, coalesce(o.name, t.object), {', '.join(times)}"
            " FROM triples AS t LEFT JOIN entities AS s ON s.id = t.subject LEFT JOIN entities AS o ON o.id = t.object"
            " ORDER BY t.rowid",
        )
        for id, subject, predicate, other, since, until, extracted in rows:
            said = " ".join(name(part) for part in (subject, predicate, other)).strip()
            if said:
                yield Record(
                    key=key("triple", id),
                    text=said + _while(name(since), name(until)),
                    kind="fact",
                    tags=tags(RELATION, text(predicate)),
                    source=Source(path=path),
                    recorded_at=moment(extracted),
                    event_at=moment(since),
                    episode=grouped(TOOL, name(subject)),
                )


def _while(since: str, until: str) -> str:
    """When it was true, in words; empty where that isn't known."""
    parts = (f"from {since}" if since else "", f"until {until}" if until else "")
    return f" ({' '.join(filter(None, parts))})" if since or until else ""


# --- exports ------------------------------------------------------------------------------------------


def _of_lines(file: Path, refuse: Refuse) -> Iterator[Drawer]:
    wing, room = file.parent.name, file.stem
    for number, line in files.lines(file):
        item = files.parse(number, line, refuse)
        if item is None:
            continue
        id, document, metadata = (item.get(part) for part in ("id", "document", "metadata"))
        if not (isinstance(id, str) and id and isinstance(document, str)):
            refuse(bad(f"{shown(file)}: a drawer needs an id and a document.", number))
            continue
        about = metadata if isinstance(metadata, dict) else {}
        yield Drawer(id, document, {"wing": wing, "room": room, **about}, shown(file), number)


def _of_markdown(file: Path, refuse: Refuse) -> Iterator[Drawer]:
    """The drawers of a room: a heading with the id, the text quoted, a table of three fields."""
    wing, room = file.parent.name, file.stem
    id, line, content, about, over = "", 0, [], {}, False  # type: ignore[var-annotated]
    for number, written in _every_line(file):
        if number == 1 and (match := re.fullmatch(r"# (.*) / (.*)", written)):
            wing, room = match[1], match[2]
        elif (heading := _HEADING.fullmatch(written)) and (over or not id):
            if id:
                yield Drawer(id, _unquoted(content), {"wing": wing, "room": room, **about}, shown(file), line)
            id, line, content, about, over = heading[1].strip(), number, [], {}, False
        elif id and written == _TABLE:
            over = True
        elif over and (field := _FIELD.fullmatch(written)):
            if field[2] != "unknown":
                about[_FIELDS[field[1]]] = field[2]
        elif id and not over:
            content.append(written)
    if id and not over:
        refuse(bad(f"{shown(file)}: the drawer {id} has no table of its fields; the file ends too early.", line))
    elif id:
        yield Drawer(id, _unquoted(content), {"wing": wing, "room": room, **about}, shown(file), line)


_FIELDS = {"Source": "source_file", "Filed": "filed_at", "Added by": "added_by"}


def _unquoted(content: list[str]) -> str:
    """The text of a drawer: its lines without the mark that the export put before them, and without blank ends."""
    lines = list(content)
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(line[2:] if line.startswith("> ") else "" if line == ">" else line for line in lines)


def _every_line(file: Path) -> Iterator[tuple[int, str]]:
    with files.opened(file) as opened:
        for number, line in enumerate(iter(lambda: opened.readline(files.LONGEST), ""), 1):
            yield number, line.removesuffix("\n").removesuffix("\r")


# --- what there is ------------------------------------------------------------------------------------


def _parts(path: Path) -> Parts:
    if path.is_file():
        return _of_file(path)
    if (path / _MANIFEST).is_file():
        _check_manifest(path / _MANIFEST)
        return Parts(exported=tuple(_tree(path, ".jsonl")))
    if files.begins(path / _INDEX).startswith(_INDEXED):
        return Parts(exported=tuple(file for file in _tree(path, ".md") if file.name not in _INDEXES))
    places = [place for place in (path, path / _PALACE) if place.is_dir()]
    palaces = [place / one for place in places for one in (chroma.FILE, _EXACT) if (place / one).is_file()]
    around = [*places, path.absolute().parent] if path.absolute().name == _PALACE else places
    graphs = [place / _GRAPH for place in around if _is_graph(place / _GRAPH)]
    return Parts(tuple(palaces), graphs[0] if graphs else None)


def _of_file(path: Path) -> Parts:
    if path.suffix in (".jsonl", ".md"):
        return Parts(exported=(path,))
    return Parts(graph=path) if _is_graph(path) else Parts((path,))


def _is_graph(path: Path) -> bool:
    return path.is_file() and databases.looks_like(path, lambda database: {"triples", "entities"} <= database.tables)


def _check_manifest(path: Path) -> None:
    manifest = _object(files.load(path))
    if manifest is None:
        raise unknown_form(path, "MemPalace", "its manifest is no JSON object")
    if (version := manifest.get("format_version")) != _FORMAT:
        raise unknown_form(path, "MemPalace", f"its export has format {version!r:.40}, not {_FORMAT}")


def _tree(path: Path, suffix: str) -> Iterator[Path]:
    """The files of an export, in order. Links aren't followed, so that nothing outside of it is read."""

    def stop(error: OSError) -> None:
        raise unreadable(error.filename or path, error) from None

    for folder, inner, names in os.walk(path, onerror=stop):
        inner.sort()
        yield from (
            file
            for one in sorted(names)
            if one.endswith(suffix) and not (file := Path(folder, one)).is_symlink() and file.is_file()
        )


def _joined(digests: list[str]) -> str:
    import hashlib

    return hashlib.blake2b("".join(digests).encode(), digest_size=32).hexdigest()
